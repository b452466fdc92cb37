//! What is wrong with a written value, in words for those who wrote it: serde's own are for programmers.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::check::way;
use super::nearest::nearest;

/// Reads a value, or says in one line where it is wrong and what would be right.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(
        |error: serde_path_to_error::Error<serde_json::Error>| {
            let (message, help) = explain(&error.inner().to_string());
            let path = way(error.path()).to_string();
            let place = if path.is_empty() { path } else { path + ": " };
            let help = help.map(|help| format!("; {help}")).unwrap_or_default();
            format!("{place}{message}{help}")
        },
    )
}

/// What is wrong, and what would be right where that is known.
pub(super) fn explain(said: &str) -> (String, Option<String>) {
    let quoted: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    if let [wrong, known @ ..] = quoted.as_slice() {
        let suggestion = || match (nearest(wrong, known), known) {
            (_, []) => None,
            (Some(near), _) => Some(format!("did you mean `{near}`?")),
            (None, known) => Some(format!("known are {}", known.join(", "))),
        };
        if said.starts_with("unknown field") {
            return ("unknown key".to_owned(), suggestion());
        }
        if said.starts_with("unknown variant") {
            return (format!("`{wrong}` is not known here"), suggestion());
        }
        if said.starts_with("missing field") {
            return (
                format!("`{wrong}` is missing"),
                Some(format!("add `{wrong}: …`")),
            );
        }
    }
    let rest = said
        .strip_prefix("invalid type: ")
        .or_else(|| said.strip_prefix("invalid value: "));
    if let Some((found, expected)) = rest.and_then(|rest| rest.split_once(", expected ")) {
        return (
            format!("{} stands here", found_in_words(found)),
            Some(format!("expected {}", expected_in_words(expected))),
        );
    }
    (said.to_owned(), None)
}

fn found_in_words(found: &str) -> String {
    match found {
        "map" => "a mapping".to_owned(),
        "sequence" => "a list".to_owned(),
        "null" => "nothing".to_owned(),
        _ => {
            let number = found
                .strip_prefix("integer ")
                .or_else(|| found.strip_prefix("floating point "));
            match number {
                Some(number) => format!("the number {}", number.trim_matches('`')),
                None => found.to_owned(),
            }
        }
    }
}

fn expected_in_words(expected: &str) -> &str {
    match expected {
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, zero or more",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "a mapping: keys with values",
        _ if expected.starts_with("struct ") => "a mapping: keys with values",
        _ => expected,
    }
}
