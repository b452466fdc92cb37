//! `cargo xtask fuzz`: whatever a server, a file or a stranger sends, nothing panics and no rule breaks.
//!
//! What must hold is in `tests/fuzzed`, whose tests are the short form of this; the programs that a fuzzer runs are in
//! `fuzz/`. They begin with the documented bodies, and with what was found before (`fuzz/found`).
//! cargo-fuzz wants a nightly compiler for its sanitizers; without them a stable one does, told to allow its own flags.

#[path = "../../tests/fuzzed/src/corpus.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "it is the library's file; what was found is given to the fuzzer as a folder"
)]
mod corpus;

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::program::target;
use crate::tools::{FUZZ, cargo_with_tools};
use crate::{Failure, workspace};

/// What is fuzzed, in order.
const TARGETS: [&str; 7] = [
    "answers",
    "errors",
    "retry_after",
    "scripts",
    "webhooks",
    "settings",
    "batch_lines",
];

/// For how long each.
const SECONDS: u64 = 600;

/// Fuzzes all targets, or those that are named.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let mut seconds = SECONDS;
    let mut chosen = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word == "--seconds" {
            let number = words.next().and_then(|number| number.parse().ok());
            seconds = number.ok_or_else(|| Failure::new("--seconds takes a whole number"))?;
        } else if TARGETS.contains(word) {
            chosen.push(*word);
        } else {
            let cause = format!("{word} is no target; they are: {}", TARGETS.join(", "));
            return Err(Failure::new(cause));
        }
    }
    if chosen.is_empty() {
        chosen.extend(TARGETS);
    }
    FUZZ.install()?;
    let mut failed = Vec::new();
    for name in chosen {
        match fuzz(name, seconds)? {
            Ok(executions) => {
                println!("{name:<12} {executions:>12} executions in {seconds} s, nothing found")
            }
            Err(log) => {
                println!("{name:<12} FOUND something: {log}");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "found by: {}; the inputs are in target/fuzz/found; keep each in fuzz/found/TARGET once it is mended",
        failed.join(", ")
    )))
}

/// How many executions there were; or, if something was found, where the log is.
fn fuzz(name: &str, seconds: u64) -> Result<Result<u64, String>, Failure> {
    let home = target().join("fuzz");
    let seeds = home.join("corpus").join(name);
    let found = home.join("found").join(name);
    for folder in [&seeds, &found] {
        fs::create_dir_all(folder)
            .map_err(|e| Failure::new(format!("{}: {e}", folder.display())))?;
    }
    for (number, seed) in corpus::of(name, workspace())
        .map_err(Failure::new)?
        .iter()
        .enumerate()
    {
        write(&seeds.join(format!("seed-{number:03}")), seed)?;
    }
    let log = home.join(format!("{name}.log"));
    let said = |e| Failure::new(format!("{}: {e}", log.display()));
    let mut command = cargo_with_tools();
    command
        // Stable, and its own flags all the same.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["fuzz", "run", "--sanitizer", "none", "--target-dir"])
        .arg(home.join("build"))
        .arg(name)
        .arg(&seeds);
    let kept = workspace().join("fuzz/found").join(name);
    if kept.is_dir() {
        command.arg(kept);
    }
    command
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args(["-print_final_stats=1", "-timeout=10", "-max_len=4096"])
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).map_err(said)?);
    let status = command
        .status()
        .map_err(|e| Failure::new(format!("cargo fuzz run {name}: cannot be run: {e}")))?;
    let text = String::from_utf8_lossy(&fs::read(&log).map_err(said)?).into_owned();
    let executions = text
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok());
    match executions {
        Some(executions) if status.success() => Ok(Ok(executions)),
        // No figures: it has not been built, or not been started.
        None if !text.contains("Test unit written") => Err(Failure::new(format!(
            "{name} did not run, see {}",
            log.display()
        ))),
        _ => Ok(Err(log.display().to_string())),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::TARGETS;
    use crate::workspace;

    #[test]
    fn every_program_is_run() -> std::io::Result<()> {
        let manifest = std::fs::read_to_string(workspace().join("fuzz/Cargo.toml"))?;
        for target in TARGETS {
            assert!(
                manifest.contains(&format!("name = \"{target}\"")),
                "{target}"
            );
        }
        assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
        Ok(())
    }
}
