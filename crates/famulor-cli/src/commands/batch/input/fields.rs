//! What a message has, and what can be wrong with it.

use famulor_core::{AssistantId, CustomerId};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{BadLine, Entry, Message};

pub(super) const ASSISTANT: &str = "assistant_id";
pub(super) const CUSTOMER: &str = "customer_identifier";
pub(super) const MESSAGE: &str = "message";
pub(super) const VARIABLES: &str = "variables";
pub(super) const ID: &str = "id";

/// A message to send: a line of the input.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BatchInput")]
pub(crate) struct Fields {
    /// The assistant's number, as `famulor assistant list` shows it.
    assistant_id: i64,
    /// Who wrote: always spelt the same, because two spellings are two conversations.
    #[schemars(length(min = 1, max = 255))]
    customer_identifier: String,
    /// What the customer wrote.
    #[schemars(length(min = 1))]
    message: String,
    /// Values for the assistant's `{{…}}`.
    variables: Option<Map<String, Value>>,
    /// Your own name for the message: it comes back in the output.
    id: Option<String>,
}

/// Reads a line of JSON. What is wrong is looked for a second time, slowly, because a parser's own words quote what
/// they stumble over, and that is what customers wrote.
pub(super) fn of_json(line: u64, bytes: &[u8]) -> Entry {
    match serde_json::from_slice::<Fields>(bytes) {
        Ok(fields) => checked(
            line,
            Parts {
                assistant: Some(AssistantId::new(fields.assistant_id)),
                customer: Some(fields.customer_identifier),
                text: Some(fields.message),
                variables: fields.variables.unwrap_or_default(),
                id: fields.id,
                causes: Vec::new(),
            },
        ),
        Err(_) => match diagnosed(bytes) {
            Ok(parts) => checked(line, parts),
            Err(cause) => Entry::Bad(BadLine {
                line,
                cause,
                id: None,
                customer: None,
            }),
        },
    }
}

/// A line taken apart: what was there, and what was wrong.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) assistant: Option<AssistantId>,
    pub(super) customer: Option<String>,
    pub(super) text: Option<String>,
    pub(super) variables: Map<String, Value>,
    pub(super) id: Option<String>,
    pub(super) causes: Vec<String>,
}

/// Checks the values, wherever they came from.
pub(super) fn checked(line: u64, mut parts: Parts) -> Entry {
    if parts.text.as_deref().is_some_and(|t| t.trim().is_empty()) {
        parts.causes.push(format!("{MESSAGE} is empty"));
    }
    let customer =
        parts
            .customer
            .as_ref()
            .and_then(|customer| match CustomerId::raw(customer.as_str()) {
                Ok(customer) => Some(customer),
                Err(error) => {
                    parts
                        .causes
                        .push(format!("{CUSTOMER}: {}", error.message()));
                    None
                }
            });
    // PostgreSQL has no text with it, and no customer types it.
    let texts = [
        (CUSTOMER, &parts.customer),
        (MESSAGE, &parts.text),
        (ID, &parts.id),
    ];
    for (name, text) in texts {
        if text.as_deref().is_some_and(|text| text.contains('\0')) {
            parts
                .causes
                .push(format!("{name} has a NUL character in it"));
        }
    }
    if has_nul(&parts.variables) {
        parts
            .causes
            .push(format!("{VARIABLES} have a NUL character in them"));
    }
    let causes = std::mem::take(&mut parts.causes);
    match (parts.assistant, customer, parts.text) {
        (Some(assistant), Some(customer), Some(text)) if causes.is_empty() => {
            Entry::Message(Message {
                line,
                assistant,
                customer,
                text,
                variables: parts.variables,
                id: parts.id,
            })
        }
        _ => {
            let shown = |text: Option<String>| text.filter(|text| !text.contains('\0'));
            Entry::Bad(BadLine {
                line,
                cause: causes.join("; "),
                id: shown(parts.id),
                customer: shown(parts.customer),
            })
        }
    }
}

fn has_nul(variables: &Map<String, Value>) -> bool {
    fn inside(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(values) => values.iter().any(inside),
            Value::Object(values) => has_nul(values),
            _ => false,
        }
    }
    variables
        .iter()
        .any(|(name, value)| name.contains('\0') || inside(value))
}

/// Why the line is none of ours, field by field.
fn diagnosed(bytes: &[u8]) -> Result<Parts, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(error.valid_up_to()))?;
    let mut object = match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        Ok(other) => return Err(format!("it is {}, not a JSON object", what(&other))),
        Err(error) if error.is_eof() => return Err("it is not JSON: it ends too early".to_owned()),
        Err(error) => {
            return Err(format!("it is not JSON (column {})", error.column()));
        }
    };
    let mut parts = Parts::default();
    parts.assistant = match object.remove(ASSISTANT) {
        None | Some(Value::Null) => {
            parts.causes.push(missing(ASSISTANT));
            None
        }
        Some(Value::Number(number)) if number.is_i64() => number.as_i64().map(AssistantId::new),
        Some(other) => {
            parts.causes.push(format!(
                "{ASSISTANT} is {}; the assistant's number is wanted, such as 123",
                what(&other)
            ));
            None
        }
    };
    parts.customer = text_of(&mut object, CUSTOMER, true, &mut parts.causes);
    parts.text = text_of(&mut object, MESSAGE, true, &mut parts.causes);
    parts.id = text_of(&mut object, ID, false, &mut parts.causes);
    match object.remove(VARIABLES) {
        None | Some(Value::Null) => {}
        Some(Value::Object(variables)) => parts.variables = variables,
        Some(other) => parts.causes.push(format!(
            "{VARIABLES} is {}; an object is wanted, such as {{\"name\":\"Jane\"}}",
            what(&other)
        )),
    }
    for name in object.keys() {
        parts.causes.push(unknown("field", name));
    }
    if parts.causes.is_empty() {
        // The only other thing that the strict reading minds.
        parts
            .causes
            .push("a field is there more than once".to_owned());
    }
    Ok(parts)
}

fn text_of(
    object: &mut Map<String, Value>,
    name: &str,
    needed: bool,
    causes: &mut Vec<String>,
) -> Option<String> {
    match object.remove(name) {
        Some(Value::String(text)) => return Some(text),
        None | Some(Value::Null) if needed => causes.push(missing(name)),
        None | Some(Value::Null) => {}
        Some(other) => causes.push(format!("{name} is {}; text is wanted", what(&other))),
    }
    None
}

pub(super) fn missing(name: &str) -> String {
    format!("{name} is missing")
}

pub(super) fn not_utf8(at: usize) -> String {
    format!("it is not UTF-8 (byte {})", at + 1)
}

/// A name that nothing is known under. Shown only if it looks like a name: a file without a header begins with a
/// customer.
pub(super) fn unknown(what: &str, name: &str) -> String {
    let shown = if is_name(name) {
        format!("the {what} \"{name}\"")
    } else {
        format!("a {what}")
    };
    let variables = match what {
        "column" => "var.NAME",
        _ => VARIABLES,
    };
    format!("{shown} is none of {ASSISTANT}, {CUSTOMER}, {MESSAGE}, {variables}, {ID}")
}

/// Whether it looks like a name, and so may be shown.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 40
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' '))
}

fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
