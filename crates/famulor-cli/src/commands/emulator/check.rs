//! `famulor emulator check`

use std::path::PathBuf;

use famulor_emulator::{Script, ScriptProblem};
use serde::Serialize;

use super::wrong_script;
use crate::failure::Failure;
use crate::run::Run;
use crate::visible::visible_line;

const EXAMPLES: &str = "\
Examples:
  famulor emulator check desk.yaml
  famulor emulator check desk.yaml --json
      every mistake with line, column, path, message and help
";

#[derive(clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The script (YAML)
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Serialize)]
struct Checked<'a> {
    file: String,
    problems: Vec<Problem<'a>>,
}

/// Line and column count from 1; `null`: the file as a whole.
#[derive(Serialize)]
struct Problem<'a> {
    line: Option<usize>,
    column: Option<usize>,
    path: &'a str,
    message: &'a str,
    help: Option<&'a str>,
}

impl<'a> From<&'a ScriptProblem> for Problem<'a> {
    fn from(problem: &'a ScriptProblem) -> Self {
        Self {
            line: (problem.line > 0).then_some(problem.line),
            column: (problem.line > 0).then_some(problem.column),
            path: &problem.path,
            message: &problem.message,
            help: problem.help.as_deref(),
        }
    }
}

pub(super) fn run(args: Args, run: &Run) -> Result<(), Failure> {
    run.refuse_dry_run("emulator check")?;
    let file = args.file.display().to_string();
    let Err(error) = Script::from_file(&args.file) else {
        let right = Checked {
            file,
            problems: Vec::new(),
        };
        return run.output.object(&right, |out| {
            writeln!(out, "{}: no mistakes", visible_line(&right.file))
        });
    };
    // In JSON the mistakes are the data; for people, standard error tells them once.
    if run.output.format.is_json() {
        let problems = error.problems().iter().map(Problem::from).collect();
        run.output.object(&Checked { file, problems }, |_| Ok(()))?;
    }
    Err(wrong_script(&error))
}
