//! Counts that are the same from run to run, whatever else the machine does: instructions by callgrind, memory by DHAT.

use std::process::Command;

/// CPU instructions of this program with these arguments, from its start to its end. The system's own work is not in it.
pub(crate) fn instructions(arguments: &[&str]) -> Result<u64, String> {
    let tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let text = run(tool, arguments)?;
    text.lines()
        .find_map(|line| line.split("Collected :").nth(1)?.trim().parse().ok())
        .ok_or_else(|| format!("callgrind gave no count:\n{text}"))
}

/// The most bytes that this program with these arguments had allocated at any time.
pub(crate) fn most_allocated(arguments: &[&str]) -> Result<u64, String> {
    let text = run(["--tool=dhat", "--dhat-out-file=/dev/null"], arguments)?;
    text.lines()
        .find_map(|line| {
            let rest = line.split("At t-gmax:").nth(1)?;
            let bytes = rest.split("bytes").next()?.trim().replace(',', "");
            bytes.parse().ok()
        })
        .ok_or_else(|| format!("DHAT gave no count:\n{text}"))
}

fn run(tool: [&str; 2], arguments: &[&str]) -> Result<String, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new("valgrind")
        .args(tool)
        .arg(own)
        .args(arguments)
        .output()
        .map_err(|e| {
            format!("valgrind cannot be run ({e}); install it, as with: apt-get install valgrind")
        })?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.success() {
        true => Ok(text),
        false => Err(format!(
            "{} failed under valgrind:\n{text}",
            arguments.join(" ")
        )),
    }
}
