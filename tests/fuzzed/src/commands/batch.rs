//! Files of messages, as `famulor batch` reads them.

#[path = "../../../../crates/famulor-cli/src/commands/batch/input/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "the command line needs more of it"
)]
mod input;

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::{SECRET, same};
use input::{Entry, Format, Message, Reader, Source};

/// The first byte says whether it is JSON lines or CSV. What is accepted survives being written and read again; what is
/// not is told with its line, and without a word of it.
pub fn batch_lines(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else {
        return;
    };
    let format = match kind % 2 {
        0 => Format::Jsonl,
        _ => Format::Csv,
    };
    let lines = 1 + text
        .iter()
        .filter(|byte| matches!(byte, b'\n' | b'\r'))
        .count() as u64;
    let mut before = 0;
    for entry in read(text, format) {
        let line = match entry {
            Ok(Entry::Message(message)) => {
                survives(&message);
                message.line
            }
            Ok(Entry::Bad(bad)) => {
                is_harmless(&bad.cause);
                assert!(!bad.cause.is_empty(), "line {}: no cause", bad.line);
                bad.line
            }
            Err(Failure::Report(report)) => {
                is_harmless(&report.message);
                assert!(
                    report.message.contains("line") || before == 0,
                    "{}",
                    report.message
                );
                continue;
            }
            Err(other) => panic!("a failure of another kind: {other:?}"),
        };
        assert!(
            before < line && line <= lines,
            "line {line} after {before}, of {lines}"
        );
        before = line;
    }
}

/// All that is read of it, twice: the second reading is the one that counts, and sees the same.
fn read(text: &[u8], format: Format) -> Vec<Result<Entry, Failure>> {
    let mut file = match Path::new("/dev/shm") {
        memory if memory.is_dir() => tempfile::NamedTempFile::new_in(memory),
        _ => tempfile::NamedTempFile::new(),
    }
    .expect("a file");
    file.write_all(text).expect("room for it");
    let mut source = Source::file(file.path()).expect("a file that can be read");
    let mut digests = Vec::new();
    let mut entries = Vec::new();
    for _ in 0..2 {
        entries.clear();
        match Reader::new(&mut source, format) {
            Err(failure) => entries.push(Err(failure)),
            Ok(mut reader) => {
                loop {
                    match reader.next() {
                        Ok(None) => break,
                        Ok(Some(entry)) => entries.push(Ok(entry)),
                        Err(failure) => {
                            entries.push(Err(failure));
                            break;
                        }
                    }
                }
                digests.push(reader.digest());
            }
        }
    }
    assert!(
        digests.windows(2).all(|pair| pair[0] == pair[1]),
        "the same input, another mark"
    );
    entries
}

/// Written as a line of JSON, it is the same message again.
fn survives(message: &Message) {
    let mut line = json!({
        "assistant_id": message.assistant.get(),
        "customer_identifier": message.customer.as_str(),
        "message": message.text,
        "variables": message.variables,
    });
    if let Some(id) = &message.id {
        line["id"] = id.as_str().into();
    }
    let mut entries = read(line.to_string().as_bytes(), Format::Jsonl);
    let Some(Ok(Entry::Message(again))) = entries.pop() else {
        panic!("what was accepted is refused when it is written down");
    };
    assert!(entries.is_empty(), "one line became several");
    assert_eq!(again.line, 1);
    assert_eq!(again.assistant, message.assistant);
    assert_eq!(again.customer.as_str(), message.customer.as_str());
    assert_eq!((&again.text, &again.id), (&message.text, &message.id));
    let variables = [again.variables, message.variables.clone()].map(Value::Object);
    assert!(same(&variables[0], &variables[1]), "variables changed");
}

/// One line of our own words. Of the input it shows at most a name that looks like one, so nothing beyond ASCII.
fn is_harmless(cause: &str) {
    assert!(!cause.contains(SECRET), "{cause}");
    assert!(
        cause.is_ascii() && !cause.contains(|c: char| c.is_control()),
        "{cause:?}"
    );
}
