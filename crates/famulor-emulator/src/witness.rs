//! For the tests of a program that has an emulator inside: every answer goes to a
//! file, so that they can hold it against `openapi.yaml` as tests in Rust do with
//! their own emulators'. In builds with debug assertions only.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Mutex;

use serde_json::json;

use crate::builder::EmulatorBuilder;
use crate::journal::JournalEntry;
use crate::lock;

/// The environment variable that names the file.
const FILE: &str = "FAMULOR_EMULATOR_ANSWERS";

/// Where a file is named, adds a line of JSON to it for every request that is
/// over, before its answer is sent.
///
/// # Panics
///
/// The file cannot be written: whoever named it believes that answers are judged.
pub(crate) fn called_to(builder: EmulatorBuilder) -> EmulatorBuilder {
    let Some(name) = std::env::var_os(FILE) else {
        return builder;
    };
    let file = OpenOptions::new().create(true).append(true).open(&name);
    let file = Mutex::new(file.unwrap_or_else(|error| panic!("{FILE}: {error}")));
    builder.on_request(move |entry| {
        // Whole, so that the lines of two processes do not mix.
        let written = lock(&file).write_all(line(entry).as_bytes());
        written.unwrap_or_else(|error| panic!("{FILE}: {error}"));
    })
}

fn line(entry: &JournalEntry) -> String {
    let line = json!({
        "method": entry.method,
        "path": entry.path,
        "operation": entry.operation,
        "status": entry.status,
        "fault": entry.fault,
        "answered": String::from_utf8_lossy(entry.answered.bytes()),
    });
    format!("{line}\n")
}
