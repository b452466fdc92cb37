//! The command line before it is understood: how to complain when it cannot be.

use std::ffi::OsString;

use anstream::ColorChoice;
use clap::error::ErrorKind;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::notes;
use crate::settings::Environment;

/// What a command line wants of its error messages, read without asking that it be right.
#[derive(Clone, Copy)]
pub(crate) struct Wishes {
    pub(crate) json: bool,
    pub(crate) color: ColorChoice,
}

impl Wishes {
    pub(crate) fn of(arguments: impl Iterator<Item = OsString>, environment: &Environment) -> Self {
        let is_json = |format: &str| matches!(format, "json" | "jsonl");
        let mut format = None;
        let mut color = ColorChoice::Auto;
        let mut words = arguments.map(|word| word.to_string_lossy().into_owned());
        while let Some(word) = words.next() {
            match word.as_str() {
                "--" => break,
                "--json" => format = Some(true),
                "-o" | "--output" => format = words.next().map(|value| is_json(&value)),
                "--color" => color = choice(words.next().as_deref()),
                _ => {
                    if let Some(value) = word.strip_prefix("--color=") {
                        color = choice(Some(value));
                    } else if let Some(value) = word.strip_prefix("--output=") {
                        format = Some(is_json(value));
                    } else if let Some(value) = word.strip_prefix("-o") {
                        format = Some(is_json(value.trim_start_matches('=')));
                    }
                }
            }
        }
        let by_environment = || {
            environment
                .text("FAMULOR_OUTPUT")
                .ok()
                .flatten()
                .is_some_and(|format| is_json(&format))
        };
        Self {
            json: format.unwrap_or_else(by_environment),
            color,
        }
    }
}

/// `famulor help reply` is what many type first: it is `famulor reply --help`.
pub(crate) fn understood(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.get(1).is_some_and(|word| word == "help") {
        words.remove(1);
        words.push("--help".into());
    }
    words
}

fn choice(word: Option<&str>) -> ColorChoice {
    match word {
        Some("always") => ColorChoice::AlwaysAnsi,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// Shows the help that was asked for, or says what is wrong with the command line.
pub(crate) fn explain(error: clap::Error, wishes: Wishes) -> Exit {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        // The reader of our help may have gone away: that is no failure of ours.
        let _ = error.print();
        return Exit::Success;
    }
    if wishes.json {
        notes::report(&Failure::usage(summary(&error)), true);
    } else {
        let _ = error.print();
    }
    Exit::Usage
}

/// The message without the usage and the tips that follow it.
fn summary(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let paragraph = text.split("\n\n").next().unwrap_or(text);
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::Wishes;
    use crate::settings::Environment;

    fn json(line: &str, output: &str) -> bool {
        let environment = Environment::from_vars([("FAMULOR_OUTPUT".into(), output.into())]);
        Wishes::of(line.split_whitespace().map(Into::into), &environment).json
    }

    #[test]
    fn json_is_recognised_in_a_command_line_that_is_wrong() {
        for line in [
            "replyy --json",
            "-o json x",
            "x -ojsonl",
            "x --output=json",
            "-o=json",
        ] {
            assert!(json(line, ""), "{line}");
        }
        for line in ["reply", "-o table", "reply -- --json", "-o"] {
            assert!(!json(line, ""), "{line}");
        }
        assert!(json("reply", "json"));
        assert!(!json("reply -o text", "json"));
    }
}
