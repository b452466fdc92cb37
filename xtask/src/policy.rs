//! `cargo xtask policy`: what may be built in, and what is shown to users. For maintainers; it fetches tools and old
//! versions of dependencies, so it is no part of `cargo xtask test`, which has a short form (`tree`).

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::lint_spec::Outcome;
use crate::program::{cargo, cargo_command, succeed, target, tools_are_required};
use crate::tools::{DENY, HACK, cargo_with_tools};
use crate::{Failure, workspace};

/// Those that promise a public API.
const PROMISING: [&str; 3] = ["famulor-quota", "famulor-core", "famulor-outbox"];

/// Those that have features.
const WITH_FEATURES: [&str; 4] = [
    "famulor-gen",
    "famulor-quota",
    "famulor-core",
    "famulor-cli",
];

/// Everything that is published.
const PUBLISHED: [&str; 7] = [
    "famulor-gen",
    "famulor-httpmock",
    "famulor-quota",
    "famulor-core",
    "famulor-outbox",
    "famulor-emulator",
    "famulor-cli",
];

/// One thing that must hold. `Skipped` has what could not be looked at.
type Step = (&'static str, fn(bool) -> Result<Outcome, Failure>);

const STEPS: [Step; 5] = [
    ("deny", |_| deny()),
    ("features", |_| features().map(|()| Outcome::Done)),
    ("docs", |_| docs().map(|()| Outcome::Done)),
    ("minimal", |_| minimal().map(|()| Outcome::Done)),
    ("api", |is_blessing| {
        api(is_blessing).map(|()| Outcome::Done)
    }),
];

/// Checks everything, or what is named; `--bless` writes the public API down.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let is_blessing = words.contains(&"--bless");
    let chosen: Vec<&&str> = words.iter().filter(|word| **word != "--bless").collect();
    let names: Vec<&str> = STEPS.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = chosen.iter().find(|word| !names.contains(**word)) {
        let cause = format!("{unknown} is no step; they are: {}", names.join(", "));
        return Err(Failure::new(cause));
    }
    let mut results = Vec::new();
    for (name, step) in STEPS {
        if chosen.is_empty() || chosen.contains(&&name) {
            eprintln!("\n── {name}: cargo xtask policy {name}");
            results.push(match step(is_blessing)? {
                Outcome::Done => format!("{name:<9} passed"),
                Outcome::Skipped(what) => {
                    format!("{name:<9} passed as far as it was checked; NOT CHECKED: {what}")
                }
            });
        }
    }
    println!("\n{}", results.join("\n"));
    Ok(())
}

/// Licences, duplicate versions, who may depend on what; and known vulnerabilities, if their list can be fetched. Where
/// tools are required, a list that cannot be fetched is an error: a release is not to be made on hope.
fn deny() -> Result<Outcome, Failure> {
    DENY.install()?;
    let mut offline = cargo_with_tools();
    offline.args([
        "deny",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]);
    succeed(&mut offline, "cargo deny check bans licenses sources")?;
    let said = "cargo deny check advisories";
    let mut online = cargo_with_tools();
    let output = online
        .args(["deny", "--color", "never", "check", "advisories"])
        .output()
        .map_err(|e| Failure::new(format!("{said}: cannot be run: {e}")))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("failed to fetch advisory database") && !tools_are_required() {
        return Ok(Outcome::Skipped(format!(
            "known vulnerabilities, because their list cannot be fetched from here: {said}"
        )));
    }
    eprint!("{text}");
    match output.status.success() {
        true => Ok(Outcome::Done),
        false => Err(Failure::new(format!("failed: {said}"))),
    }
}

/// Every combination of features builds.
fn features() -> Result<(), Failure> {
    HACK.install()?;
    let mut command = cargo_with_tools();
    command.args([
        "hack",
        "check",
        "--quiet",
        "--feature-powerset",
        "--target-dir",
    ]);
    command.arg(build_folder());
    command.args(WITH_FEATURES.iter().flat_map(|name| ["--package", name]));
    succeed(&mut command, "cargo hack check --feature-powerset")
}

/// Documentation has no warning.
fn docs() -> Result<(), Failure> {
    let mut command = cargo_command();
    command
        .args([
            "doc",
            "--quiet",
            "--workspace",
            "--no-deps",
            "--all-features",
        ])
        .env("RUSTDOCFLAGS", "--deny warnings");
    succeed(
        &mut command,
        "cargo doc --workspace --no-deps --all-features",
    )
}

/// What is published builds with the oldest versions of its dependencies that it claims to build with.
fn minimal() -> Result<(), Failure> {
    let copy = target().join("policy/minimal");
    copy_tree(&copy)?;
    let cargo_there = || {
        let mut command = cargo_command();
        // A stable cargo that takes a flag of the nightly one.
        command.current_dir(&copy).env("RUSTC_BOOTSTRAP", "1");
        command
    };
    let mut lock = cargo_there();
    lock.args([
        "generate-lockfile",
        "--quiet",
        "-Z",
        "direct-minimal-versions",
    ]);
    succeed(
        &mut lock,
        "cargo generate-lockfile -Z direct-minimal-versions",
    )?;
    let mut check = cargo_there();
    check.env_remove("RUSTC_BOOTSTRAP");
    check.args([
        "check",
        "--quiet",
        "--locked",
        "--all-features",
        "--target-dir",
    ]);
    check.arg(build_folder());
    check.args(PUBLISHED.iter().flat_map(|name| ["--package", name]));
    succeed(&mut check, "cargo check with the oldest versions")
}

/// No foreign type in the public API, and nothing gone that was in it.
fn api(is_blessing: bool) -> Result<(), Failure> {
    for name in PROMISING {
        let mut command = cargo_command();
        command
            .args([
                "rustdoc",
                "--quiet",
                "--lib",
                "--all-features",
                "--package",
                name,
            ])
            .arg("--target-dir")
            .arg(build_folder())
            .args(["--", "-Z", "unstable-options", "--output-format", "json"])
            .env("RUSTC_BOOTSTRAP", "1");
        succeed(&mut command, &format!("cargo rustdoc --package {name}"))?;
    }
    let folder = build_folder().join("doc").display().to_string();
    let mut words = vec!["run", "--quiet", "--package", "policy", "--", &folder];
    if is_blessing {
        words.push("--bless");
    }
    cargo(&words)
}

/// Of its own: other flags and other versions must not push out what the daily builds share.
fn build_folder() -> PathBuf {
    target().join("policy/build")
}

/// The tree as git would have it, without its lock file.
fn copy_tree(to: &std::path::Path) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::new(format!("{}: {e}", to.display()));
    if to.exists() {
        fs::remove_dir_all(to).map_err(failed)?;
    }
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(workspace())
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Failure::new(format!("git ls-files: cannot be run: {e}")))?;
    for name in listed
        .stdout
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        let name = String::from_utf8_lossy(name);
        let (from, path) = (workspace().join(&*name), to.join(&*name));
        if path.file_name() == Some(OsStr::new("Cargo.lock")) || !from.exists() {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::copy(&from, &path).map_err(failed)?;
    }
    Ok(())
}
