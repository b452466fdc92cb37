//! A script: what an emulator is from the start, in a YAML file.

mod apply;
mod check;
mod error;
mod locate;
mod nearest;
mod rules;
mod types;

use std::fmt;
use std::path::Path;

use serde_json::Value;

pub use self::error::{ScriptError, ScriptProblem};
use self::types::Written;

/// A script, read and checked.
///
/// ```
/// use famulor_emulator::{Emulator, Script};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let script = Script::parse("desk.yaml", r#"
/// assistants:
///   - id: 7
///     name: Night Desk
///     opening_message: "Good evening, {{customer_name}}."
///     rules:
///       - when: { regex: 'order (?<number>\d+)' }
///         reply: "Order {{number}} is on its way."
/// tokens:
///   empty-purse: { balance: 0 }
/// "#)?;
/// let emulator = Emulator::builder().script(script).start().await?;
/// # emulator.shutdown().await;
///
/// let mistake = Script::parse("desk.yaml", "assistents: []").unwrap_err();
/// assert_eq!(
///     mistake.to_string(),
///     "desk.yaml:1:1: assistents: unknown key; did you mean `assistants`?"
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Script {
    written: Written,
}

impl Script {
    /// Reads a script from a file.
    ///
    /// # Errors
    ///
    /// [`ScriptError`], with every mistake that was found.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ScriptError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&name, &text),
            Err(error) => Err(ScriptError::unreadable(&name, &error)),
        }
    }

    /// Reads a script from its text; `name` is what a mistake calls the file.
    ///
    /// # Errors
    ///
    /// [`ScriptError`], with every mistake that was found.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScriptError> {
        let written = check::read(text).map_err(|problem| ScriptError::new(name, vec![problem]))?;
        let problems = check::problems(&written, text);
        if problems.is_empty() {
            Ok(Self { written })
        } else {
            Err(ScriptError::new(name, problems))
        }
    }

    /// Whether every token is refused that the script does not name.
    pub fn only_these_tokens(&self) -> bool {
        self.written.only_these_tokens
    }

    /// The JSON Schema of a script, made from the types that read it.
    pub fn json_schema() -> Value {
        let mut schema = schemars::schema_for!(Written);
        schema.insert(
            "title".to_owned(),
            Value::from("A script of the Famulor emulator"),
        );
        schema.to_value()
    }
}

/// Without tokens and messages.
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("assistants", &self.written.assistants.len())
            .field("rules", &self.written.rules.len())
            .field("faults", &self.written.faults.len())
            .finish_non_exhaustive()
    }
}
