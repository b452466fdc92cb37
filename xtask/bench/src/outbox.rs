//! `cargo xtask bench outbox`: messages a second beside bare durable commits, an import beside `sqlite3 .import`, memory
//! and the time of a claim from a thousand rows to a million.
//!
//! Yardstick and outbox take turns, and the medians count, so that a disk that has a bad minute is bad for both.

mod input;
mod paces;
mod scale;
mod yardstick;

use std::time::Duration;

use famulor_core::{AssistantId, Client, CustomerId};
use famulor_emulator::Emulator;
use famulor_outbox::NewMessage;
use famulor_test_stores::{Durability, PostgresServer};

pub(crate) use scale::measured;

/// What is promised of a yardstick.
const AT_LEAST: f64 = 0.5;

/// Memory with a million rows, in MiB.
const MEMORY: f64 = 64.0;

/// A claim among a million rows may take so many times what it takes among a thousand.
const FLAT: f64 = 2.0;

const ROWS: u64 = 1_000_000;

pub(crate) fn run() -> Result<(), String> {
    let folder = temporary_folder()?;
    let mut missed = Vec::new();
    println!(
        "| messages a second, no limit | bare: two durable commits each | outbox | ratio |\n|---|---|---|---|"
    );
    let file = folder.path().join("pace.sqlite").display().to_string();
    missed.extend(line("SQLite", paces::measure(&file)?));
    match PostgresServer::start(Durability::Disk) {
        Some(server) => missed.extend(line("PostgreSQL", paces::measure(&server.place())?)),
        None => missed.push("PostgreSQL is not here, and was not measured".to_owned()),
    }
    println!(
        "\n| a million lines a second | `sqlite3 .import` | outbox | ratio |\n|---|---|---|---|"
    );
    missed.extend(line("SQLite", input::measure(folder.path(), ROWS)?));
    missed.extend(scale::measure(folder.path(), &[1_000, ROWS])?);
    match missed.is_empty() {
        true => Ok(()),
        false => Err(missed.join("\n")),
    }
}

/// Rates of a yardstick and of the outbox, round by round.
type Rounds = Vec<(f64, f64)>;

/// Prints the medians; says what was missed.
fn line(name: &str, rounds: Rounds) -> Option<String> {
    let bare = median(rounds.iter().map(|round| round.0));
    let ours = median(rounds.iter().map(|round| round.1));
    let ratio = median(rounds.iter().map(|round| round.1 / round.0));
    println!("| {name} | {bare:.0} | {ours:.0} | {ratio:.2} |");
    (ratio < AT_LEAST)
        .then(|| format!("{name}: {ratio:.2} of the yardstick, {AT_LEAST} are promised"))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// On the disk that the build is on, and not in a memory file system: commits have to reach a disk.
fn temporary_folder() -> Result<tempfile::TempDir, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let beside = own.parent().ok_or("this program is nowhere")?;
    tempfile::tempdir_in(beside).map_err(|e| format!("no folder to measure in: {e}"))
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())
}

async fn emulator() -> Result<Emulator, String> {
    let builder = Emulator::builder().without_limits().balance(1e9);
    builder.start().await.map_err(|e| e.to_string())
}

fn client(emulator: &Emulator) -> Result<Client, String> {
    Client::builder()
        .with_api_key("bench")
        .with_base_url(&emulator.base_url())
        .without_proxy()
        .without_limits()
        .with_doubt_wait(Duration::from_secs(5))
        .build()
        .map_err(|e| e.to_string())
}

fn message(customer: u64, number: u64) -> Result<NewMessage, String> {
    let customer = CustomerId::raw(format!("crm-{customer}")).map_err(|e| e.to_string())?;
    let text = format!("Message number {number} of this customer, please answer it kindly");
    Ok(NewMessage::new(AssistantId::new(123), customer, text))
}
