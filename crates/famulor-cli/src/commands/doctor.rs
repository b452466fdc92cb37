//! `famulor doctor`

mod checks;
mod environment;

use anstyle::Style;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::{Failure, Report};
use crate::local::Local;
use crate::notes::{BOLD, DIM, ERROR, GOOD, WAIT};
use crate::output::Output;
use crate::visible::visible_line;

pub(crate) const EXAMPLES: &str = "\
Examples:
  famulor doctor
  famulor doctor --profile work
  famulor doctor --json | jq .healthy
";

/// What came of one check.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    Warning,
    Failed,
    /// Something else has to be mended first.
    Skipped,
}

impl State {
    fn word(self) -> (&'static str, Style) {
        match self {
            Self::Ok => ("ok", GOOD),
            Self::Warning => ("warning", WAIT),
            Self::Failed => ("failed", ERROR),
            Self::Skipped => ("skipped", DIM),
        }
    }
}

#[derive(Serialize)]
struct Check {
    name: &'static str,
    state: State,
    message: String,
    next: Option<String>,
}

impl Check {
    fn new(name: &'static str, state: State, message: impl Into<String>) -> Self {
        Self {
            name,
            state,
            message: message.into(),
            next: None,
        }
    }

    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, State::Ok, message)
    }

    fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// A check that ended in an error of its own.
    fn failed(name: &'static str, failure: Failure) -> Self {
        let Failure::Report(report) = failure else {
            return Self::new(name, State::Failed, "it could not be checked");
        };
        let Report { message, next, .. } = *report;
        let check = Self::new(name, State::Failed, message);
        Self { next, ..check }
    }
}

#[derive(Serialize)]
struct Findings {
    healthy: bool,
    checks: Vec<Check>,
}

/// Looks at everything a call needs. Calls the API at most once, to ask whom the key belongs to: that costs nothing.
pub(crate) async fn run(local: Local) -> Result<(), Failure> {
    local.refuse_dry_run("doctor")?;
    let output = local.output;
    let checks = checks::all(local).await;
    let healthy = checks.iter().all(|check| check.state != State::Failed);
    show(output, &Findings { healthy, checks })?;
    if healthy {
        Ok(())
    } else {
        Err(Failure::Told(Exit::Unexpected))
    }
}

fn show(output: Output, findings: &Findings) -> Result<(), Failure> {
    output.object(findings, |out| {
        for check in &findings.checks {
            let (word, style) = check.state.word();
            writeln!(
                out,
                "{style}{word:<8}{style:#} {:<13} {}",
                check.name,
                visible_line(&check.message)
            )?;
            if let Some(next) = &check.next {
                writeln!(out, "{:22} {BOLD}next:{BOLD:#} {}", "", visible_line(next))?;
            }
        }
        Ok(())
    })
}
