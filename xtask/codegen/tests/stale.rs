//! `--check` fails exactly when a generated file is not what the spec gives, and says what to run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const FILES: [&str; 3] = [
    "openapi.yaml",
    "crates/famulor-gen/src/generated.rs",
    "crates/famulor-httpmock/src/generated.rs",
];

fn copy() -> Outcome<TempDir> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = TempDir::new()?;
    for file in FILES {
        let target = folder.path().join(file);
        fs::create_dir_all(target.parent().ok_or("a file has a folder")?)?;
        fs::copy(root.join(file), target)?;
    }
    Ok(folder)
}

fn codegen(arguments: &[&str], root: &TempDir) -> Outcome<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_codegen"))
        .args(arguments)
        .arg("--root")
        .arg(root.path())
        .output()?)
}

fn edit(root: &TempDir, file: &str, from: &str, to: &str) -> Outcome<()> {
    let path = root.path().join(file);
    let text = fs::read_to_string(&path)?;
    assert!(text.contains(from), "{file} has no {from:?}");
    fs::write(path, text.replace(from, to))?;
    Ok(())
}

#[test]
fn what_is_committed_is_what_the_spec_gives() -> Outcome<()> {
    let output = codegen(&["--check"], &copy()?)?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[test]
fn a_changed_spec_and_an_edited_file_are_stale_until_codegen_runs() -> Outcome<()> {
    let root = copy()?;
    edit(&root, "openapi.yaml", "total_balance:", "balance:")?;
    edit(&root, FILES[2], "pub mod operations", "pub mod handmade")?;
    let output = codegen(&["--check"], &root)?;
    let said = String::from_utf8(output.stderr)?;
    assert!(!output.status.success());
    for words in [FILES[1], FILES[2], "differs", "run: cargo xtask codegen"] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }

    assert!(codegen(&[], &root)?.status.success());
    assert!(fs::read_to_string(root.path().join(FILES[1]))?.contains("pub balance"));
    assert!(codegen(&["--check"], &root)?.status.success());
    Ok(())
}

#[test]
fn a_spec_that_the_generator_cannot_take_is_refused_in_words() -> Outcome<()> {
    let root = copy()?;
    edit(&root, "openapi.yaml", "openapi: 3.0.3", "openapi: 3.1.0")?;
    let output = codegen(&[], &root)?;
    let said = String::from_utf8(output.stderr)?;
    assert!(!output.status.success());
    assert!(said.starts_with("openapi.yaml: "), "{said}");
    Ok(())
}
