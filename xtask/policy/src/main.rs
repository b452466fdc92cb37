//! The public API of a crate, from rustdoc's JSON: whose types it names, and what has changed since it was written down.
//!
//! `cargo xtask policy api` calls it; `--bless` writes the API down as it is now.

mod foreign;
mod listing;
mod signature;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use serde_json::Value;

/// The crates that promise to name no type of an HTTP client, a database or a generator, and whose types they may name.
const CRATES: &[(&str, &[&str])] = &[
    // The instant of a clock that tests can stop.
    ("famulor_quota", &["tokio"]),
    (
        "famulor_core",
        &[
            "famulor_gen",
            "famulor_quota",
            "futures_core",
            "serde_core",
            "serde_json",
        ],
    ),
    (
        "famulor_outbox",
        &[
            "famulor_core",
            "famulor_gen",
            "serde_core",
            "serde_json",
            "tokio_util",
        ],
    ),
];

fn main() -> ExitCode {
    let mut folder = None;
    let mut is_blessing = false;
    for word in env::args().skip(1) {
        match word.as_str() {
            "--bless" => is_blessing = true,
            _ => folder = Some(PathBuf::from(word)),
        }
    }
    let Some(folder) = folder else {
        eprintln!("policy FOLDER [--bless]: FOLDER has rustdoc's JSON");
        return ExitCode::FAILURE;
    };
    let mut problems = Vec::new();
    for (name, allowed) in CRATES {
        if let Err(cause) = check(&folder, name, allowed, is_blessing, &mut problems) {
            problems.push(format!("{name}: {cause}"));
        }
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    match problems.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn check(
    folder: &Path,
    name: &str,
    allowed: &[&str],
    is_blessing: bool,
    problems: &mut Vec<String>,
) -> Result<(), Box<dyn std::error::Error>> {
    let json = folder.join(format!("{name}.json"));
    let api: Value = serde_json::from_slice(&fs::read(json)?)?;
    for (item, foreign) in foreign::found(&api, allowed) {
        problems.push(format!(
            "{name}: {item} shows {foreign}, which users would have to depend on"
        ));
    }
    let now = listing::of(&api);
    let baseline = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("baseline/{name}.txt"));
    if is_blessing {
        fs::write(&baseline, now.join("\n") + "\n")?;
        println!("{name}: {} lines written down", now.len());
        return Ok(());
    }
    let before = fs::read_to_string(&baseline)?;
    let before: Vec<&str> = before.lines().collect();
    for line in before
        .iter()
        .filter(|line| now.binary_search_by(|it| it.as_str().cmp(line)).is_err())
    {
        problems.push(format!("{name}: gone or changed: {line}"));
    }
    let is_new = |line: &&String| before.binary_search(&line.as_str()).is_err();
    for line in now.iter().filter(is_new) {
        println!("{name}: new: {line}");
    }
    println!(
        "{name}: {} lines of API, {} of them as written down",
        now.len(),
        before.len()
    );
    Ok(())
}
