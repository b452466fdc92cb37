//! Emulators for tests: every answer that one gives is held against `openapi.yaml`.
//!
//! Tests set theirs up with [`emulator`] and never with `Emulator::builder()`, which a test of this crate sees to. So no
//! test of a client is right about an answer that the spec does not describe.

mod spec;
mod witness;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use famulor_emulator::{Emulator, EmulatorBuilder, JournalEntry};

pub use crate::spec::objection;
pub use crate::witness::Witness;

/// How many answers this process has had judged.
static JUDGED: AtomicUsize = AtomicUsize::new(0);

/// The journal keeps no more of a body (famulor-emulator, `Recorded`), and half a body cannot be told.
const KEPT: usize = 16 * 1024;

/// Sets an emulator up whose every answer is judged.
///
/// The first answer that the spec does not describe ends the test's process: a panic of the server's would look like a
/// lost connection, which some tests expect.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), famulor_emulator::StartError> {
/// let emulator = famulor_test_judge::emulator().start().await?;
/// # drop(emulator);
/// # Ok(())
/// # }
/// ```
pub fn emulator() -> EmulatorBuilder {
    Emulator::builder().on_request(|entry| match verdict(entry) {
        Verdict::Described => _ = JUDGED.fetch_add(1, Ordering::Relaxed),
        Verdict::NotJudged => {}
        Verdict::Wrong(why) => {
            let said =
                format!("\nan answer of the emulator is not in openapi.yaml: {entry:?}: {why}\n");
            // Not eprintln: what a test prints is lost with its process.
            let _ = std::io::stderr().write_all(said.as_bytes());
            std::process::abort();
        }
    })
}

/// How many answers of all emulators of this process were judged so far.
pub fn judged() -> usize {
    JUDGED.load(Ordering::Relaxed)
}

/// What the spec says of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the spec has it.
    Described,
    /// Nothing was answered, or nothing that the spec is about.
    NotJudged,
    /// It is not, and why.
    Wrong(String),
}

/// Judges what the emulator answered.
///
/// An answer that a fault has spoiled is wrong on purpose. What no operation is, 5xx answers and the redirect to a login
/// page (facts, surprise 11) are not described, on purpose too.
pub fn verdict(entry: &JournalEntry) -> Verdict {
    let operation = entry.operation.map(|operation| operation.name());
    let body = entry.answered.bytes();
    of_answer(operation, entry.status, entry.fault.is_some(), body)
}

fn of_answer(
    operation: Option<&str>,
    status: Option<u16>,
    is_spoiled: bool,
    body: &[u8],
) -> Verdict {
    let (Some(operation), Some(status)) = (operation, status) else {
        return Verdict::NotJudged;
    };
    if is_spoiled || !matches!(status, 200..=299 | 400..=499) || body.len() >= KEPT {
        return Verdict::NotJudged;
    }
    match objection(operation, status, body) {
        None => Verdict::Described,
        Some(why) => Verdict::Wrong(why),
    }
}
