//! `cargo xtask test`: everything that must pass before a change lands.

use std::time::{Duration, Instant};

use crate::judge;
use crate::lint_spec::{self, Outcome};
use crate::{Failure, prism, program, tree, workspace};

/// One thing that must pass.
struct Step {
    name: &'static str,
    /// What a person types to repeat it alone.
    repeat: &'static str,
    action: Action,
}

enum Action {
    /// `repeat` itself, which is a cargo command.
    Cargo,
    /// The same with warnings of the documentation as errors.
    CargoDoc,
    /// A program of this workspace that an earlier step has built. `cargo run` would select other features than the
    /// workspace's, and build half of the dependencies a second time.
    Built(&'static str, &'static [&'static str]),
    Here(fn() -> Result<Outcome, Failure>),
}

/// In the order in which a mistake is found soonest. All builds select the whole workspace, so that they select the
/// same features and share what they build.
const STEPS: &[Step] = &[
    Step {
        name: "format",
        repeat: "cargo fmt --all --check",
        action: Action::Cargo,
    },
    Step {
        name: "tree",
        repeat: "cargo xtask test tree",
        action: Action::Here(|| tree::check(workspace()).map(|()| Outcome::Done)),
    },
    Step {
        name: "clippy",
        repeat: "cargo clippy --workspace --all-targets -- --deny warnings",
        action: Action::Cargo,
    },
    Step {
        name: "build",
        repeat: "cargo test --workspace --tests --no-run",
        action: Action::Cargo,
    },
    Step {
        // Their tests run them as programs, which the step before does not build.
        name: "examples",
        repeat: "cargo build --workspace --examples",
        action: Action::Cargo,
    },
    Step {
        name: "generated code",
        repeat: "cargo xtask codegen --check",
        action: Action::Built("codegen", &["--check"]),
    },
    Step {
        name: "spec and bodies",
        repeat: "cargo xtask check",
        action: Action::Built("conformance", &[]),
    },
    Step {
        name: "tests",
        repeat: "cargo test --workspace --tests",
        action: Action::Cargo,
    },
    Step {
        name: "doc tests",
        repeat: "cargo test --workspace --doc",
        action: Action::Cargo,
    },
    Step {
        name: "documentation",
        repeat: "RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps",
        action: Action::CargoDoc,
    },
    Step {
        name: "packages",
        // Not verified, that is not built: the workspace is, and a build out of each package's own copy takes minutes.
        repeat: "cargo package --workspace --exclude xtask --exclude bench --exclude codegen --exclude conformance --exclude policy --exclude famulor-tests --exclude famulor-crash-test --exclude famulor-test-fuzzed --exclude famulor-test-judge --exclude famulor-test-stores --exclude famulor-examples --allow-dirty --no-verify --offline --quiet",
        action: Action::Cargo,
    },
    Step {
        name: "spec linters",
        repeat: "cargo xtask lint-spec",
        action: Action::Here(lint_spec::lint),
    },
    Step {
        name: "prism",
        repeat: "cargo xtask judge prism",
        action: Action::Here(prism::judge),
    },
    Step {
        name: "schemathesis",
        repeat: "cargo xtask judge schemathesis",
        action: Action::Here(judge::judge),
    },
];

/// How a step went.
enum Row {
    Took(Duration, Outcome),
    Failed(Duration),
    NotRun,
}

/// Runs every step, or the one of that name; stops at the first that fails.
pub(crate) fn run(only: Option<&str>) -> Result<(), Failure> {
    let steps: Vec<&Step> = STEPS
        .iter()
        .filter(|step| only.is_none_or(|name| step.name == name))
        .collect();
    if steps.is_empty() {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(Failure::new(format!("the steps are: {}", names.join(", "))));
    }
    let mut rows = Vec::new();
    let mut failure = None;
    for step in &steps {
        if failure.is_some() {
            rows.push(Row::NotRun);
            continue;
        }
        eprintln!("\n── {}: {}", step.name, step.repeat);
        let start = Instant::now();
        rows.push(match step.run() {
            Ok(outcome) => {
                if let Outcome::Skipped(why) = &outcome {
                    eprintln!("skipped: {why}");
                }
                Row::Took(start.elapsed(), outcome)
            }
            Err(cause) => {
                failure = Some(Failure::new(format!(
                    "{}: {cause}\nrepeat it with: {}",
                    step.name, step.repeat
                )));
                Row::Failed(start.elapsed())
            }
        });
    }
    print_table(&steps, &rows);
    failure.map_or(Ok(()), Err)
}

impl Step {
    fn run(&self) -> Result<Outcome, Failure> {
        match &self.action {
            Action::Here(run) => return run(),
            Action::Built(name, arguments) => {
                let mut command = std::process::Command::new(program::sibling(name)?);
                command.args(*arguments).current_dir(workspace());
                program::succeed(&mut command, self.repeat)?;
            }
            Action::Cargo | Action::CargoDoc => {
                let mut command = program::cargo_command();
                if matches!(self.action, Action::CargoDoc) {
                    command.env("RUSTDOCFLAGS", "--deny warnings");
                }
                let arguments = self
                    .repeat
                    .split(' ')
                    .skip_while(|word| *word != "cargo")
                    .skip(1);
                command.args(arguments);
                program::succeed(&mut command, self.repeat)?;
            }
        }
        Ok(Outcome::Done)
    }
}

fn print_table(steps: &[&Step], rows: &[Row]) {
    let mut total = Duration::ZERO;
    eprintln!(
        "\n{:<16} {:>8}  {:<8} repeat with",
        "step", "seconds", "result"
    );
    for (step, row) in steps.iter().zip(rows) {
        let (took, result) = match row {
            Row::Took(took, Outcome::Done) => (Some(took), "passed"),
            Row::Took(took, Outcome::Skipped(_)) => (Some(took), "skipped"),
            Row::Failed(took) => (Some(took), "FAILED"),
            Row::NotRun => (None, "not run"),
        };
        total += took.copied().unwrap_or_default();
        let seconds = took.map_or("-".to_owned(), |took| format!("{:.1}", took.as_secs_f64()));
        eprintln!(
            "{:<16} {seconds:>8}  {result:<8} {}",
            step.name, step.repeat
        );
    }
    eprintln!("{:<16} {:>8.1}", "together", total.as_secs_f64());
}
