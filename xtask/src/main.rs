//! The developer's one entry point: `cargo xtask` lists what it can do.

mod bench;
mod dist;
mod failure;
mod fuzz;
mod judge;
mod lint_spec;
mod npm;
mod policy;
mod prism;
mod program;
mod test;
mod tools;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

pub(crate) use failure::Failure;

const TASKS: &str = "\
cargo xtask codegen [--check]   write famulor-gen and famulor-httpmock from openapi.yaml;
                                --check: fail if a generated file is stale
cargo xtask check               openapi.yaml against tests/fixtures and the generated types, both ways
cargo xtask lint-spec           openapi.yaml under Redocly and Spectral (needs npm)
cargo xtask judge schemathesis [N] [SEED]
                                the emulator under schemathesis, at least N cases (2000; needs Python)
cargo xtask judge prism         the client under Prism, which serves openapi.yaml (needs npm)
cargo xtask bench [NAME]        measurements beside their peers, all of them into docs/benchmarks.md (within 20 minutes),
                                or one: call, decode, tokens, quota, outbox, cli, emulator, crash
cargo xtask dist                the tuned binary with manual pages, completions and licences in one archive
cargo xtask policy [STEP] [--bless]
                                licences, vulnerabilities, features, oldest versions, public API
                                (deny, features, docs, minimal, api; --bless: write the API down)
cargo xtask fuzz [--seconds N] [TARGET…]
                                what decodes, under inputs that nobody thought of (600 s a target)
cargo xtask test [STEP]         everything that must pass before a change lands, in order, with times";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            println!("{TASKS}");
            Ok(())
        }
        ["codegen"] => program::cargo(&["run", "--quiet", "--package", "codegen"]),
        ["codegen", "--check"] => {
            program::cargo(&["run", "--quiet", "--package", "codegen", "--", "--check"])
        }
        ["check"] => program::cargo(&["run", "--quiet", "--package", "conformance"]),
        ["lint-spec"] => lint_spec::run(),
        ["judge", "schemathesis", rest @ ..] => judge::run(rest),
        ["judge", "prism"] => prism::run(),
        ["dist"] => dist::run(),
        ["bench", rest @ ..] => bench::run(rest),
        ["policy", rest @ ..] => policy::run(rest),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["test"] => test::run(None),
        ["test", step @ ..] => test::run(Some(&step.join(" "))),
        other => Err(Failure::new(format!(
            "no such task: {}\n\n{TASKS}",
            other.join(" ")
        ))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's root.
pub(crate) fn workspace() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        manifest.parent().map(Path::to_path_buf).unwrap_or(manifest)
    })
}
