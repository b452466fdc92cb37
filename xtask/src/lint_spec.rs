//! `cargo xtask lint-spec`: the spec under two linters that other people wrote.

use std::process::{Command, Stdio};

use crate::program::{succeed, target, tools_are_required};
use crate::{Failure, npm, workspace};

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
    let source = workspace().join("xtask/spec-lint");
    let tools = match npm::install("the spec's linters", &source, &target().join("spec-lint")) {
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
