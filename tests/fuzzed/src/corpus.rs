//! What a target begins with: the documented bodies, and what people write.
//!
//! With nothing but the standard library, because `cargo xtask`, which has to be quick to build, takes this file alone.

use std::fs;
use std::path::{Path, PathBuf};

/// The answers that `answers` reads, in the order of its numbers.
const ANSWERS: [&str; 8] = [
    "generateReply",
    "getConversation",
    "sendMessage",
    "createConversation",
    "listConversations",
    "listAssistants",
    "getMe",
    "disableConversationAi",
];

/// What `settings` reads, each with its number.
const SETTINGS: [(u8, &str); 14] = [
    (0, "5/60s"),
    (0, "100/1m"),
    (0, "20/500ms"),
    (1, "+49 155 551234"),
    (1, "0049 (155) 55-1234"),
    (2, "Anna.Berg@Example.com "),
    (2, "crm-4711"),
    (3, "550e8400-e29b-41d4-a716-446655440000"),
    (3, "123"),
    (4, "https://app.famulor.de/api/"),
    (4, "http://[::1]:8787/api?x#y"),
    (
        5,
        r#"{"operation":"generateReply","nth":3,"after":"close"}"#,
    ),
    (
        5,
        r#"{"token":"slow","share":0.1,"seed":7,"before":{"answer":{"status":503,"body":"busy"}}}"#,
    ),
    (
        5,
        r#"{"times":2,"wire":{"drip":{"bytes":1,"every":"1ms"}}}"#,
    ),
];

/// RFC 9110, section 10.2.3, and what servers write in its place.
const WAITS: [&str; 8] = [
    "60",
    "0",
    "1.5",
    "-1",
    "1e300",
    "NaN",
    "Fri, 31 Dec 1999 23:59:59 GMT",
    "\"60\"",
];

/// The first byte of `batch_lines`.
const JSONL: u8 = 0;
const CSV: u8 = 1;

/// Files of messages: the contract's lines, what people get wrong in them, and what spreadsheets write.
const BATCHES: [(u8, &str); 12] = [
    (
        JSONL,
        "{\"assistant_id\":123,\"customer_identifier\":\"+49155551234\",\"message\":\"Hello\",\"variables\":{\"name\":\"Jane\",\"tags\":[1,2.5,null,{\"a\":true}]},\"id\":\"mine\"}\n",
    ),
    (
        JSONL,
        "\u{feff}{\"assistant_id\":123,\"customer_identifier\":\"crm-1\",\"message\":\"a\"}\r\n\r\n{\"assistant_id\":123,\"customer_identifier\":\"crm-2\",\"message\":\"b\"}",
    ),
    (
        JSONL,
        "{\"assistant_id\":\"§unspeakable§\",\"customer_identifier\":7,\"message\":\"§unspeakable§\",\"§unspeakable§\":1}\n",
    ),
    (
        JSONL,
        "§unspeakable§\n[\"§unspeakable§\"]\n\"§unspeakable§\"\n",
    ),
    (
        JSONL,
        "{\"assistant_id\":1,\"assistant_id\":2,\"customer_identifier\":\"c\",\"message\":\"§unspeakable§\\u0000\"}\n{\"assistant_id\":1",
    ),
    (
        JSONL,
        "{\"assistant_id\":9e99,\"customer_identifier\":\"\",\"message\":\" \",\"variables\":[],\"id\":3}\n",
    ),
    (
        CSV,
        "assistant_id,customer_identifier,message,id,var.name\n123,+49155551234,\"Hello, you\nthere\",mine,Jane\n",
    ),
    (
        CSV,
        "\u{feff}customer_identifier;message;assistant_id\r\ncrm-1;\"say \"\"hi\"\"\";123\r\n\r\ncrm-2;b;124\r\n",
    ),
    (
        CSV,
        "assistant_id\tcustomer_identifier\tmessage\n123\tcrm-1\t§unspeakable§\tone too many\nx\t\t\n",
    ),
    (CSV, "§unspeakable§,§unspeakable§\n123,crm-1,hello\n"),
    (
        CSV,
        "assistant_id,customer_identifier,message,§unspeakable§,message\n",
    ),
    (
        CSV,
        "assistant_id,customer_identifier,message\n123,crm-1,\"§unspeakable§\n124,crm-2,b\n",
    ),
];

/// The seeds of a target.
///
/// # Errors
/// There is no such target, or a file of its seeds cannot be read.
pub fn of(target: &str, root: &Path) -> Result<Vec<Vec<u8>>, String> {
    let fixtures = root.join("tests/fixtures");
    let seeds = match target {
        "answers" => bodies(&fixtures, |name| {
            let (operation, _) = name
                .trim_start_matches("invalid-")
                .split_once(".response.200")?;
            let number = ANSWERS.iter().position(|known| *known == operation)?;
            Some(vec![u8::try_from(number).ok()?])
        })?,
        "errors" => {
            let mut seeds = bodies(&fixtures, |name| {
                let (_, rest) = name.split_once(".response.")?;
                let status: u16 = rest.get(..3)?.parse().ok()?;
                let mut head = (status - 100).to_be_bytes().to_vec();
                head.extend(b"60\napplication/json\n/login\n");
                Some(head)
            })?;
            // A server that quotes, wherever it can, what it was told: `famulor_core::fuzzing` looks for the word.
            let quoting = r#"{"message":"§unspeakable§ is too long","error_code":"§unspeakable§","errors":{"§unspeakable§":["§unspeakable§"]}}"#;
            let mut seed = 322_u16.to_be_bytes().to_vec();
            seed.extend(b"\napplication/json\n\n");
            seed.extend(quoting.as_bytes());
            seeds.push(seed);
            seeds
        }
        "webhooks" => bodies(&fixtures, |name| name.contains(".event.").then(Vec::new))?,
        "retry_after" => WAITS.iter().map(|wait| wait.as_bytes().to_vec()).collect(),
        "settings" => numbered(&SETTINGS),
        "batch_lines" => numbered(&BATCHES),
        "scripts" => scripts(root)?,
        other => return Err(format!("{other}: a target without seeds")),
    };
    if seeds.is_empty() {
        return Err(format!("{target}: no seed was found"));
    }
    Ok(seeds)
}

/// What was found before, and is kept.
///
/// # Errors
/// A file cannot be read.
pub fn found(target: &str, root: &Path) -> Result<Vec<Vec<u8>>, String> {
    let folder = root.join("fuzz/found").join(target);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    files(&folder)?.iter().map(|path| read(path)).collect()
}

fn numbered(texts: &[(u8, &str)]) -> Vec<Vec<u8>> {
    let seeds = texts
        .iter()
        .map(|(number, text)| [&[*number], text.as_bytes()].concat());
    seeds.collect()
}

/// The fixtures for which `head` says what goes before them.
fn bodies(folder: &Path, head: impl Fn(&str) -> Option<Vec<u8>>) -> Result<Vec<Vec<u8>>, String> {
    let mut seeds = Vec::new();
    for path in files(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(mut seed) = head(&name) {
            seed.extend(read(&path)?);
            seeds.push(seed);
        }
    }
    Ok(seeds)
}

/// The scripts of the emulator's tests, and the one of its documentation.
fn scripts(root: &Path) -> Result<Vec<Vec<u8>>, String> {
    let mut seeds = Vec::new();
    for path in files(&root.join("crates/famulor-emulator/tests/scripts"))? {
        seeds.push(read(&path)?);
    }
    let page = String::from_utf8_lossy(&read(&root.join("docs/emulator.md"))?).into_owned();
    let shown = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    seeds.extend(shown.map(|script| script.as_bytes().to_vec()));
    Ok(seeds)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |e| format!("{}: {e}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|e| format!("{}: {e}", path.display()))
}
