//! Calls of other programs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Failure, workspace};

/// The cargo that runs this program.
pub(crate) fn cargo_command() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace()).stdin(Stdio::null());
    // What the outer cargo tells us about xtask must not reach the builds: a build script that watches one of these
    // would run again, and everything behind it be built again, each time the caller changes.
    for (name, _) in std::env::vars_os() {
        if is_about_this_package(&name) {
            command.env_remove(name);
        }
    }
    command
}

fn is_about_this_package(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
        || [
            "CARGO_BIN_NAME",
            "CARGO_CRATE_NAME",
            "CARGO_PRIMARY_PACKAGE",
            "OUT_DIR",
        ]
        .contains(&name.as_ref())
}

/// Runs cargo in the workspace, its output going where ours goes.
pub(crate) fn cargo(arguments: &[&str]) -> Result<(), Failure> {
    let mut command = cargo_command();
    command.args(arguments);
    succeed(&mut command, &format!("cargo {}", arguments.join(" ")))
}

/// Runs a command to its end; `said` is how a person would type it.
pub(crate) fn succeed(command: &mut Command, said: &str) -> Result<(), Failure> {
    let status = command
        .status()
        .map_err(|e| Failure::new(format!("{said}: cannot be run: {e}")))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("failed: {said}")))
}

/// A program of this workspace, built beside this one.
pub(crate) fn sibling(name: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(|e| Failure::new(format!("where am I? {e}")))?;
    let path = own.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if path.exists() {
        return Ok(path);
    }
    Err(Failure::new(format!("{} is not built", path.display())))
}

/// The target directory, whatever the environment makes of it.
pub(crate) fn target() -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|own| own.ancestors().nth(2).map(PathBuf::from))
        .unwrap_or_else(|| workspace().join("target"))
}

/// Whether a program that is missing is an error: `FAMULOR_REQUIRE_TOOLS=1`, as CI sets it.
pub(crate) fn tools_are_required() -> bool {
    std::env::var_os("FAMULOR_REQUIRE_TOOLS").is_some_and(|value| value == "1")
}
