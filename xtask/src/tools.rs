//! Cargo's own tools that other people wrote, in `target/tools`: built once, by nobody who does not need them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::program::{cargo_command, succeed, target};
use crate::{Failure, workspace};

/// Looked up in November 2026.
pub(crate) const DENY: Tool = Tool("cargo-deny", "0.20.2");
pub(crate) const HACK: Tool = Tool("cargo-hack", "0.6.46");
pub(crate) const FUZZ: Tool = Tool("cargo-fuzz", "0.13.2");

/// A tool and its version.
pub(crate) struct Tool(&'static str, &'static str);

impl Tool {
    /// Has it installed.
    ///
    /// # Errors
    /// It cannot be fetched or built.
    pub(crate) fn install(&self) -> Result<(), Failure> {
        let Self(name, version) = self;
        let home = home();
        let done = home.join(format!("{name}-{version}"));
        if done.exists() {
            return Ok(());
        }
        let said = format!("cargo install {name}@{version}");
        eprintln!(
            "installing {name} {version} into {}, once: minutes",
            home.display()
        );
        let mut command = cargo_command();
        command
            .args(["install", "--quiet", "--locked", "--debug", "--root"])
            .arg(&home)
            .arg("--target-dir")
            .arg(home.join("build"))
            .arg(format!("{name}@{version}"));
        succeed(&mut command, &said)?;
        fs::write(&done, "").map_err(|e| Failure::new(format!("{}: {e}", done.display())))
    }
}

/// A cargo that finds the installed tools as its own commands.
pub(crate) fn cargo_with_tools() -> Command {
    let mut command = cargo_command();
    let own = home().join("bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(own).chain(std::env::split_paths(&path));
    if let Ok(path) = std::env::join_paths(all) {
        command.env("PATH", path);
    }
    command.current_dir(workspace());
    command
}

fn home() -> PathBuf {
    target().join("tools")
}
