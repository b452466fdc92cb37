//! A file of a million lines, taken in by the outbox and by `sqlite3 .import`.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use famulor_core::{AssistantId, CustomerId};
use famulor_outbox::{NewMessage, Outbox};
use serde_json::json;

use super::runtime;
use crate::turns::{Compared, Turn};

const CUSTOMERS: u64 = 10_000;

/// A line, as far as it is needed here.
#[derive(serde::Deserialize)]
struct Line {
    assistant_id: i64,
    customer_identifier: String,
    message: String,
    id: String,
}

/// Writes a batch file with so many lines.
pub(super) fn write(path: &Path, rows: u64) -> Result<(), String> {
    let file = File::create(path).map_err(|e| e.to_string())?;
    let mut file = BufWriter::new(file);
    for row in 0..rows {
        let line = json!({
            "assistant_id": 123,
            "customer_identifier": format!("crm-{}", row % CUSTOMERS),
            "message": format!("Message number {row} of this customer, please answer it kindly"),
            "id": format!("row-{row}"),
        });
        writeln!(file, "{line}").map_err(|e| e.to_string())?;
    }
    file.flush().map_err(|e| e.to_string())
}

/// Lines a second.
pub(super) fn measure(folder: &Path, rows: u64, rounds: usize) -> Result<Compared, String> {
    let input = folder.join("input.jsonl");
    write(&input, rows)?;
    let mut turns = Vec::new();
    for round in 0..rounds {
        let theirs = folder.join(format!("theirs-{round}.sqlite"));
        let yardstick = rows as f64 / sqlite3(&input, &theirs)?;
        let ours = folder.join(format!("ours-{round}.sqlite"));
        let began = Instant::now();
        runtime()?.block_on(import(&input, &ours, rows))?;
        turns.push(Turn {
            ours: rows as f64 / began.elapsed().as_secs_f64(),
            yardstick,
        });
        for path in [theirs, ours] {
            fs::remove_file(path).map_err(|e| e.to_string())?;
        }
    }
    Ok(Compared::of(&turns))
}

/// Seconds. The lines go into one column as they are; journal and durability are the outbox's.
fn sqlite3(input: &Path, store: &Path) -> Result<f64, String> {
    let began = Instant::now();
    let done = Command::new("sqlite3")
        .arg(store)
        .args([
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "CREATE TABLE lines (line TEXT)",
            ".mode ascii",
            ".separator \"\\037\" \"\\n\"",
            &format!(".import {} lines", input.display()),
        ])
        .stdout(Stdio::null())
        .status()
        .map_err(|e| {
            format!("sqlite3 cannot be run ({e}); install it, as with: apt-get install sqlite3")
        })?;
    match done.success() {
        true => Ok(began.elapsed().as_secs_f64()),
        false => Err("sqlite3 failed".to_owned()),
    }
}

/// Reads, checks and imports a batch file.
pub(super) async fn import(input: &Path, store: &Path, rows: u64) -> Result<(), String> {
    let location = store.display().to_string();
    let outbox = Outbox::open(&location).await.map_err(|e| e.to_string())?;
    let mut import = outbox
        .import("job", "digest")
        .await
        .map_err(|e| e.to_string())?;
    let mut file = BufReader::new(File::open(input).map_err(|e| e.to_string())?);
    let mut text = String::new();
    let mut number = 0;
    loop {
        text.clear();
        if file.read_line(&mut text).map_err(|e| e.to_string())? == 0 {
            break;
        }
        number += 1;
        let line: Line = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        let customer = CustomerId::raw(line.customer_identifier).map_err(|e| e.to_string())?;
        let message = NewMessage::new(AssistantId::new(line.assistant_id), customer, line.message);
        let message = message.with_id(&line.id).with_line(number);
        import.push(message).await.map_err(|e| e.to_string())?;
    }
    let imported = import.finish().await.map_err(|e| e.to_string())?;
    match imported.added == rows {
        true => Ok(()),
        false => Err(format!("{rows} lines, {imported:?}")),
    }
}
