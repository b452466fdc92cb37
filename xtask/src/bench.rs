//! `cargo xtask bench`: builds what is measured, and measures it.

use std::time::Instant;

use crate::{Failure, dist, program};

const RUN: [&str; 6] = ["run", "--quiet", "--release", "--package", "bench", "--"];

/// One bench with its arguments; without a name, all of them into `docs/benchmarks.md`.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    match words {
        [] => {
            let start = Instant::now();
            build_everything()?;
            let seconds = start.elapsed().as_secs().to_string();
            measure(&["report", "--building", &seconds])
        }
        // Only to see that everything runs: it writes nothing.
        ["--quick", ..] => {
            build_everything()?;
            let mut arguments = vec!["report"];
            arguments.extend(words);
            measure(&arguments)
        }
        ["cli", ..] => {
            dist::build()?;
            measure(words)
        }
        _ => measure(words),
    }
}

/// The benches, the binary that people install, and the one that can be killed at points.
fn build_everything() -> Result<(), Failure> {
    program::cargo(&["build", "--release", "--package", "bench"])?;
    program::cargo(&["build", "--package", "famulor-cli"])?;
    dist::build()
}

fn measure(words: &[&str]) -> Result<(), Failure> {
    let mut arguments = RUN.to_vec();
    arguments.extend(words);
    program::cargo(&arguments)
}
