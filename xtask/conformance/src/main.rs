//! `cargo xtask check`: the spec against the documented bodies and the generated types.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(root) = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2) else {
        eprintln!("the workspace's root is not where it was at build time");
        return ExitCode::FAILURE;
    };
    let report = conformance::check(&root.join("openapi.yaml"), &root.join("tests/fixtures"));
    for problem in &report.problems {
        eprintln!("{problem}");
    }
    println!(
        "{} documented bodies as documented, {} invalid ones refused, {} examples of the spec valid, {} problems",
        report.accepted,
        report.refused,
        report.examples,
        report.problems.len()
    );
    if report.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
