//! `cargo xtask dist`: what people install, in one archive with its checksums.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, program, workspace};

const SHELLS: [(&str, &str); 5] = [
    ("bash", "famulor.bash"),
    ("zsh", "_famulor"),
    ("fish", "famulor.fish"),
    ("powershell", "famulor.ps1"),
    ("elvish", "famulor.elv"),
];

const PAPERS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Builds the binary with the tuned profile.
pub(crate) fn build() -> Result<(), Failure> {
    program::cargo(&["build", "--profile", "dist", "--package", "famulor-cli"])
}

pub(crate) fn run() -> Result<(), Failure> {
    build()?;
    let target = program::target();
    let exe = format!("famulor{}", std::env::consts::EXE_SUFFIX);
    let binary = target.join("dist").join(&exe);
    let name = name(&binary)?;
    let place = target.join("dist-archive");
    let folder = place.join(&name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(|e| failed(&folder, &e))?;
    }
    make(&folder.join("completions"))?;
    copy(&binary, &folder.join(&exe))?;
    for paper in PAPERS {
        copy(&workspace().join(paper), &folder.join(paper))?;
    }
    for (shell, file) in SHELLS {
        let script = output(Command::new(&binary).args(["completions", shell]))?;
        let path = folder.join("completions").join(file);
        std::fs::write(&path, script).map_err(|e| failed(&path, &e))?;
    }
    let mut pages = Command::new(&binary);
    pages
        .args(["man", "--quiet", "--dir"])
        .arg(folder.join("man/man1"));
    program::succeed(&mut pages, "famulor man --dir man/man1")?;
    let archive = format!("{name}.tar.gz");
    let mut tar = Command::new("tar");
    // The same contents make the same archive: who packs it, and when, is no part of it.
    tar.args([
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mtime=@0",
        "-czf",
    ]);
    tar.arg(&archive)
        .arg(&name)
        .env("GZIP", "-n")
        .current_dir(&place);
    program::succeed(&mut tar, &format!("tar -czf {archive} {name}"))?;
    let files = [archive.as_str(), &format!("{name}/{exe}")];
    let sums = output(Command::new("sha256sum").args(files).current_dir(&place))?;
    let path = place.join("SHA256SUMS");
    std::fs::write(&path, &sums).map_err(|e| failed(&path, &e))?;
    print!("{}", String::from_utf8_lossy(&sums));
    println!("in {}", place.display());
    Ok(())
}

/// `famulor-0.1.0-x86_64-unknown-linux-gnu`, as the binary itself says it.
fn name(binary: &Path) -> Result<String, Failure> {
    let said = output(Command::new(binary).arg("version"))?;
    let said = String::from_utf8_lossy(&said);
    let words = said.trim().replace(['(', ')'], "");
    Ok(words.split_whitespace().collect::<Vec<_>>().join("-"))
}

fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let output = command
        .output()
        .map_err(|e| Failure::new(format!("{command:?}: cannot be run: {e}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("{command:?} failed: {said}")))
}

fn make(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|e| failed(folder, &e))
}

fn copy(from: &Path, to: &PathBuf) -> Result<(), Failure> {
    std::fs::copy(from, to)
        .map(drop)
        .map_err(|e| failed(from, &e))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{}: {error}", path.display()))
}
