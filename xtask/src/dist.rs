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

const SUMS: &str = "SHA256SUMS";

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
    // What was unpacked can be looked over too.
    sums(&folder, &contents(&folder)?)?;
    let archive = pack(&place, &name)?;
    let sums = sums(&place, std::slice::from_ref(&archive))?;
    check(&place, &archive, &name)?;
    print!("{sums}");
    println!("in {}", place.display());
    Ok(())
}

fn pack(place: &Path, name: &str) -> Result<String, Failure> {
    let archive = format!("{name}.tar.gz");
    let mut tar = Command::new("tar");
    // The same contents make the same archive: who packs it, and when, is no part of it.
    tar.args([
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mtime=@0",
        "--use-compress-program=gzip -n",
        "-cf",
    ]);
    tar.args([&archive, name]).current_dir(place);
    program::succeed(&mut tar, &format!("tar -cf {archive} {name}"))?;
    Ok(archive)
}

/// Every file below a folder, by its path from there, in order.
fn contents(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).map_err(|e| failed(&at, &e))? {
            let path = entry.map_err(|e| failed(&at, &e))?.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(name) = path.strip_prefix(folder) {
                files.push(name.display().to_string());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Writes the files' checksums beside them, as `sha256sum --check` reads them.
fn sums(folder: &Path, files: &[String]) -> Result<String, Failure> {
    let path = folder.join(SUMS);
    // Of an earlier run: it is no file of this one.
    let _ = std::fs::remove_file(&path);
    let files = files.iter().filter(|file| *file != SUMS);
    let sums = output(Command::new("sha256sum").args(files).current_dir(folder))?;
    std::fs::write(&path, &sums).map_err(|e| failed(&path, &e))?;
    Ok(String::from_utf8_lossy(&sums).into_owned())
}

/// Does what somebody does who has downloaded it: checks, unpacks, checks again, runs it.
fn check(place: &Path, archive: &str, name: &str) -> Result<(), Failure> {
    let unpacked = place.join("unpacked");
    if unpacked.exists() {
        std::fs::remove_dir_all(&unpacked).map_err(|e| failed(&unpacked, &e))?;
    }
    make(&unpacked)?;
    let verify = |folder: &Path| {
        let mut sha256sum = Command::new("sha256sum");
        sha256sum.args(["--check", "--quiet", SUMS]);
        program::succeed(
            sha256sum.current_dir(folder),
            "sha256sum --check SHA256SUMS",
        )
    };
    verify(place)?;
    let mut tar = Command::new("tar");
    tar.arg("-xzf").arg(place.join(archive));
    program::succeed(tar.current_dir(&unpacked), &format!("tar -xzf {archive}"))?;
    let folder = unpacked.join(name);
    verify(&folder)?;
    let exe = folder.join(format!("famulor{}", std::env::consts::EXE_SUFFIX));
    if self::name(&exe)? != name {
        return Err(Failure::new(format!(
            "{}: is another program",
            exe.display()
        )));
    }
    let files = contents(&folder)?;
    let missing: Vec<String> = expected()
        .into_iter()
        .filter(|file| !files.contains(file))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{archive} lacks {}",
        missing.join(", ")
    )))
}

/// What people look for in it.
fn expected() -> Vec<String> {
    let completions = SHELLS.map(|(_, file)| format!("completions/{file}"));
    let pages = [
        "famulor",
        "famulor-reply",
        "famulor-chat",
        "famulor-batch-run",
    ];
    let pages = pages.map(|page| format!("man/man1/{page}.1"));
    let papers = PAPERS.map(str::to_owned);
    completions.into_iter().chain(pages).chain(papers).collect()
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

#[cfg(test)]
mod tests {
    use super::{PAPERS, contents, expected, pack, sums};
    use crate::workspace;

    #[test]
    fn the_papers_are_in_the_tree() {
        for paper in PAPERS {
            assert!(workspace().join(paper).is_file(), "{paper}");
        }
    }

    #[test]
    fn an_archive_is_the_same_each_time_and_its_sums_hold() {
        let place = tempfile::TempDir::new().expect("a folder");
        let place = place.path();
        let folder = place.join("famulor-x");
        for file in expected() {
            let path = folder.join(&file);
            let parent = path.parent().expect("a folder");
            std::fs::create_dir_all(parent).expect("it is made");
            std::fs::write(&path, &file).expect("it is written");
        }
        let files = contents(&folder).expect("they are listed");
        assert_eq!(files.len(), expected().len());
        let packed = || {
            sums(&folder, &files).expect("sums");
            let archive = pack(place, "famulor-x").expect("an archive");
            sums(place, &[archive]).expect("a sum")
        };
        let first = packed();
        assert!(first.ends_with("  famulor-x.tar.gz\n"), "{first}");
        assert_eq!(packed(), first);
        let of_one = sums(&folder, &files).expect("sums");
        assert_eq!(of_one.lines().count(), files.len(), "{of_one}");
    }
}
