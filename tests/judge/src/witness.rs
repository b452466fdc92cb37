//! Emulators inside of a program that a test runs: what they answered is in a file.

use std::fs::File;
use std::io::Read;

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::{Verdict, of_answer};

/// A file that a program's emulators write their answers to, and which is judged when it is dropped: the test fails if
/// `openapi.yaml` does not describe one of them.
///
/// ```
/// let witness = famulor_test_judge::Witness::new();
/// let (name, value) = witness.variable();
/// let mut program = std::process::Command::new("famulor");
/// program.args(["demo"]).env(name, value);
/// // … and once it has run:
/// assert_eq!(witness.judge(), 0, "this example does not run it");
/// ```
///
/// It takes a build with debug assertions, such as `cargo test` makes: no other emulator writes down what it says.
#[derive(Debug)]
pub struct Witness(NamedTempFile);

impl Default for Witness {
    fn default() -> Self {
        Self::new()
    }
}

impl Witness {
    /// Makes the file.
    ///
    /// # Panics
    ///
    /// There is no room for one.
    pub fn new() -> Self {
        Self(NamedTempFile::new().expect("a file"))
    }

    /// What the program has to have in its environment.
    pub fn variable(&self) -> (&'static str, &std::path::Path) {
        ("FAMULOR_EMULATOR_ANSWERS", self.0.path())
    }

    /// Judges what was answered so far; how many answers the spec describes.
    ///
    /// # Panics
    ///
    /// It does not describe one of them.
    #[track_caller]
    pub fn judge(&self) -> usize {
        let mut told = String::new();
        let file = File::open(self.0.path()).and_then(|mut file| file.read_to_string(&mut told));
        file.expect("it can be read");
        let mut described = 0;
        // A line that a killed program did not finish has no end.
        for line in told
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
        {
            let answer: Value = serde_json::from_str(line).expect("a line of JSON");
            let status = answer["status"].as_u64();
            let verdict = of_answer(
                answer["operation"].as_str(),
                status.map(|status| u16::try_from(status).expect("a status")),
                !answer["fault"].is_null(),
                answer["answered"].as_str().unwrap_or_default().as_bytes(),
            );
            match verdict {
                Verdict::Described => described += 1,
                Verdict::NotJudged => {}
                Verdict::Wrong(why) => panic!("not in openapi.yaml: {why}: {line}"),
            }
        }
        described
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // One panic is enough.
        if !std::thread::panicking() {
            self.judge();
        }
    }
}
