//! Calls of cargo, by the same cargo that runs this program.

use std::process::Command;

use crate::{Failure, workspace};

/// Runs cargo in the workspace, its output going where ours goes.
pub(crate) fn run(arguments: &[&str]) -> Result<(), Failure> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program)
        .args(arguments)
        .current_dir(workspace())
        .status()
        .map_err(|e| Failure::new(format!("cargo: cannot be run: {e}")))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "failed: cargo {}",
        arguments.join(" ")
    )))
}
