//! What is wrong with a script, and where.

use std::fmt;

/// A script that cannot be used: every mistake that was found, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    name: String,
    problems: Vec<ScriptProblem>,
}

/// One mistake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScriptProblem {
    /// The line, counted from 1; 0: the file as a whole.
    pub line: usize,
    /// The column, counted from 1.
    pub column: usize,
    /// The key, such as `assistants[0].rules[2].when`; empty at the top.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What would be right, where that is known.
    pub help: Option<String>,
}

impl ScriptError {
    pub(super) fn new(name: &str, problems: Vec<ScriptProblem>) -> Self {
        Self {
            name: name.to_owned(),
            problems,
        }
    }

    pub(super) fn unreadable(name: &str, error: &std::io::Error) -> Self {
        let message = format!("cannot be read: {error}");
        Self::new(
            name,
            vec![ScriptProblem {
                message,
                ..ScriptProblem::default()
            }],
        )
    }

    /// Every mistake, in the order of the file.
    pub fn problems(&self) -> &[ScriptProblem] {
        &self.problems
    }
}

/// `file:line:column: path: what is wrong; what would be right`, a line each.
impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:", self.name)?;
            if problem.line > 0 {
                write!(f, "{}:{}:", problem.line, problem.column)?;
            }
            if !problem.path.is_empty() {
                write!(f, " {}:", problem.path)?;
            }
            write!(f, " {}", problem.message)?;
            if let Some(help) = &problem.help {
                write!(f, "; {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ScriptError {}
