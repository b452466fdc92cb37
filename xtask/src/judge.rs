//! `cargo xtask judge schemathesis`: the emulator against the spec, by a program that other people wrote.
//!
//! schemathesis generates requests from openapi.yaml, good ones and bad ones, alone and in sequences, and checks every
//! answer. `xtask/judges/hooks.py` says what it is told beside the spec.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::lint_spec::Outcome;
use crate::program::{cargo, target, tools_are_required};
use crate::{Failure, workspace};

/// Looked up in November 2026.
const VERSION: &str = "schemathesis==4.32.5";

/// How many generated cases are enough.
const CASES: u64 = 2000;

/// Any will do; a failure is repeated with the one that is printed.
const SEED: u64 = 1;

/// Judges, or says in one line what is missing.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let mut numbers = [CASES, SEED];
    for (number, word) in numbers.iter_mut().zip(words) {
        *number = word
            .parse()
            .map_err(|_| Failure::new(format!("{word} is no number")))?;
    }
    if let Outcome::Skipped(why) = judge_with(numbers[0], numbers[1])? {
        println!("skipped: {why}");
    }
    Ok(())
}

/// Judges, or says why it cannot; an error where tools are required.
pub(crate) fn judge() -> Result<Outcome, Failure> {
    judge_with(CASES, SEED)
}

fn judge_with(cases: u64, seed: u64) -> Result<Outcome, Failure> {
    let program = match install() {
        Ok(program) => program,
        Err(missing) if tools_are_required() => return Err(missing),
        Err(missing) => return Ok(Outcome::Skipped(missing.to_string())),
    };
    cargo(&[
        "build",
        "--quiet",
        "--package",
        "famulor-emulator",
        "--example",
        "serve",
    ])?;
    let (_server, base_url) = Server::start()?;
    let judges = workspace().join("xtask/judges");
    let output = Command::new(program)
        .arg("run")
        .arg(workspace().join("openapi.yaml"))
        .args(["--url", &base_url])
        .args(["--header", "Authorization: Bearer judge"])
        .args(["--header", "Accept: application/json"])
        .args([
            "--checks",
            "all",
            "--phases",
            "examples,coverage,fuzzing,stateful",
        ])
        // A number for each operation and phase; how many come of it differs by seed, and this one gives enough with any.
        .args(["--max-examples", &(cases / 12).max(20).to_string()])
        .args(["--seed", &seed.to_string()])
        .args([
            "--no-color",
            "--warnings",
            "off",
            "--generation-database",
            "none",
        ])
        .env("SCHEMATHESIS_HOOKS", judges.join("hooks.py"))
        .current_dir(workspace())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| Failure::new(format!("schemathesis cannot be run: {e}")))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let generated = generated(&said).unwrap_or_default();
    if !output.status.success() {
        print!("{said}");
        return Err(Failure::new(format!(
            "schemathesis found failures with seed {seed}"
        )));
    }
    println!("schemathesis: {generated} generated cases, no failure, seed {seed}");
    if generated < cases {
        return Err(Failure::new(format!(
            "{generated} generated cases are fewer than {cases}"
        )));
    }
    Ok(Outcome::Done)
}

/// The number in schemathesis's own summary: `2345 generated, 2345 passed`.
fn generated(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains(" generated,"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// An emulator as a process of its own, ended with this value.
struct Server(Child);

impl Server {
    fn start() -> Result<(Self, String), Failure> {
        let wrong = |e: std::io::Error| Failure::new(format!("the emulator: {e}"));
        let ready = target()
            .join("judges")
            .join(format!("ready-{}", std::process::id()));
        let _ = fs::remove_file(&ready);
        let child = Command::new(target().join("debug/examples/serve"))
            .arg(&ready)
            .arg(workspace().join("xtask/judges/script.yaml"))
            .stdin(Stdio::null())
            .spawn()
            .map_err(wrong)?;
        let server = Self(child);
        let patience = Instant::now();
        while patience.elapsed() < Duration::from_secs(20) {
            if let Ok(url) = fs::read_to_string(&ready) {
                let _ = fs::remove_file(&ready);
                return Ok((server, url));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(Failure::new("the emulator does not come up"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Has schemathesis in `target/judges`, and says where its program is.
fn install() -> Result<PathBuf, Failure> {
    let home = target().join("judges/schemathesis");
    let program = home.join("bin/schemathesis");
    // Written last: its presence means that the installation came to its end.
    let done = home.join("installed");
    if fs::read_to_string(&done).is_ok_and(|text| text == VERSION) {
        return Ok(program);
    }
    if let Some(parent) = home.parent() {
        let _ = fs::create_dir_all(parent);
    }
    quietly(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
    let install = ["install", "--quiet", "--disable-pip-version-check", VERSION];
    quietly(Command::new(home.join("bin/pip")).args(install))?;
    write(&done)?;
    Ok(program)
}

fn write(done: &Path) -> Result<(), Failure> {
    fs::write(done, VERSION).map_err(|e| Failure::new(format!("{}: {e}", done.display())))
}

fn quietly(command: &mut Command) -> Result<(), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|e| {
        Failure::new(format!(
            "schemathesis needs {name}, which cannot be run: {e}"
        ))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    Err(Failure::new(format!(
        "schemathesis cannot be installed: {last}"
    )))
}

#[cfg(test)]
mod tests {
    use super::generated;

    #[test]
    fn the_number_of_cases_is_read_from_the_summary() {
        let said = "Test cases:\n  2345 generated, 2345 passed, 16 skipped\n\nSeed: 1\n";
        assert_eq!(generated(said), Some(2345));
        assert_eq!(generated("nothing was run"), None);
    }
}
