//! What a program costs, from its start to its end.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

/// What one run of a program took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// User and system, by the kernel's own count.
    pub(crate) cpu: Duration,
    /// From the start to the end.
    pub(crate) wall: Duration,
}

/// Runs a program to its end, which has to be a success.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<Cost, String> {
    command.stdin(Stdio::null());
    let before = cpu_of(UsageWho::RUSAGE_CHILDREN)?;
    let start = Instant::now();
    let output = command
        .output()
        .map_err(|e| format!("{name} cannot be run: {e}"))?;
    let wall = start.elapsed();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name} failed: {said}"));
    }
    let cpu = cpu_of(UsageWho::RUSAGE_CHILDREN)?.saturating_sub(before);
    Ok(Cost { cpu, wall })
}

/// The processor time of this process, or of all its children that have ended.
pub(crate) fn cpu_of(whom: UsageWho) -> Result<Duration, String> {
    let usage = getrusage(whom).map_err(|e| e.to_string())?;
    let micros = |time: nix::sys::time::TimeVal| {
        let micros = time.tv_sec() * 1_000_000 + time.tv_usec();
        Duration::from_micros(micros.try_into().unwrap_or_default())
    };
    Ok(micros(usage.user_time()) + micros(usage.system_time()))
}

/// This program again, to do something in a process of its own.
pub(crate) fn own() -> Result<Command, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    Ok(Command::new(own))
}

/// What a program says of its version: the first line of what it prints. `None` if it is not here.
pub(crate) fn version(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}
