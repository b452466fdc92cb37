//! `cargo xtask lint-spec`: the spec under two linters that other people wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::{succeed, target, tools_are_required};
use crate::{Failure, workspace};

/// What became of a task that needs programs which a newcomer may not have.
pub(crate) enum Outcome {
    Done,
    Skipped(String),
}

/// Lints, or says in one line what is missing.
pub(crate) fn run() -> Result<(), Failure> {
    if let Outcome::Skipped(why) = lint()? {
        println!("skipped: {why}");
    }
    Ok(())
}

/// Lints, or says why it cannot; an error where tools are required.
pub(crate) fn lint() -> Result<Outcome, Failure> {
    let tools = match install() {
        Ok(tools) => tools,
        Err(missing) if tools_are_required() => return Err(missing),
        Err(missing) => return Ok(Outcome::Skipped(missing.to_string())),
    };
    let config = workspace().join("xtask/spec-lint");
    let spec = workspace().join("openapi.yaml");
    let mut redocly = Command::new(tools.join("redocly"));
    redocly
        .arg("lint")
        .arg(&spec)
        .arg("--config")
        .arg(config.join("redocly.yaml"))
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    succeed(redocly.stdin(Stdio::null()), "redocly lint openapi.yaml")?;
    let mut spectral = Command::new(tools.join("spectral"));
    spectral
        .args(["lint", "--fail-severity", "warn", "--ruleset"])
        .arg(config.join("spectral.yaml"))
        .arg(&spec);
    succeed(spectral.stdin(Stdio::null()), "spectral lint openapi.yaml")?;
    Ok(Outcome::Done)
}

/// Has the linters in `target/spec-lint`, and says where their programs are.
fn install() -> Result<PathBuf, Failure> {
    let home = target().join("spec-lint");
    let programs = home.join("node_modules/.bin");
    let source = workspace().join("xtask/spec-lint");
    // Written last: its presence means that the installation came to its end.
    let done = home.join("installed.json");
    let wanted = read(&source.join("package-lock.json"))?;
    if fs::read_to_string(&done).is_ok_and(|text| text == wanted) {
        return Ok(programs);
    }
    node_is_new_enough()?;
    fs::create_dir_all(&home).map_err(|e| Failure::new(format!("{}: {e}", home.display())))?;
    for file in ["package.json", "package-lock.json"] {
        write(&home.join(file), &read(&source.join(file))?)?;
    }
    let output = Command::new("npm")
        // No scripts of packages: none of them needs one.
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ])
        .current_dir(&home)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| {
            Failure::new(format!(
                "the spec's linters need npm, which cannot be run: {e}"
            ))
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().next().unwrap_or_default();
        return Err(Failure::new(format!(
            "npm cannot install the spec's linters: {first}"
        )));
    }
    write(&done, &wanted)?;
    Ok(programs)
}

/// Redocly 2.77 takes Node.js 20.19 and later.
fn node_is_new_enough() -> Result<(), Failure> {
    let output = Command::new("node")
        .arg("--version")
        .output()
        .map_err(|e| {
            Failure::new(format!(
                "the spec's linters need Node.js, which cannot be run: {e}"
            ))
        })?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map(|n| n.parse().unwrap_or(0));
    let found: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found >= (20, 19) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the spec's linters need Node.js 20.19 or later, and this is {version}"
    )))
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}
