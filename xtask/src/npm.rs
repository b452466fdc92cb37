//! Programs from npm, by the exact versions of a lock file of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;

/// Has what `source`'s `package-lock.json` names in `home`, and says where its programs are. `what` is how a person calls
/// them.
pub(crate) fn install(what: &str, source: &Path, home: &Path) -> Result<PathBuf, Failure> {
    let programs = home.join("node_modules/.bin");
    node_is_new_enough(what)?;
    // Written last: its presence means that the installation came to its end.
    let done = home.join("installed.json");
    let wanted = read(&source.join("package-lock.json"))?;
    if fs::read_to_string(&done).is_ok_and(|text| text == wanted) {
        return Ok(programs);
    }
    fs::create_dir_all(home).map_err(|e| Failure::new(format!("{}: {e}", home.display())))?;
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
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Failure::new(format!("{what}: npm is needed, which cannot be run: {e}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().next().unwrap_or_default();
        return Err(Failure::new(format!("{what}: npm cannot install: {first}")));
    }
    write(&done, &wanted)?;
    Ok(programs)
}

/// Redocly 2.77 takes Node.js 20.19 and later, Prism 5.14 takes 18.20 and later; one bound for both is easier to keep.
fn node_is_new_enough(what: &str) -> Result<(), Failure> {
    let output = Command::new("node")
        .arg("--version")
        .output()
        .map_err(|e| {
            Failure::new(format!(
                "{what}: Node.js is needed, which cannot be run: {e}"
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
        "{what}: Node.js 20.19 or later is needed, and this is {version}"
    )))
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|e| Failure::new(format!("{}: {e}", path.display())))
}
