//! The texts of an error body, from whichever envelope it came in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ErrorCode;

/// What an error body says, as far as it can be understood.
///
/// Source: facts page, surprise 4: `{status,error}`, `{success,error,error_code}`, `{message,errors}`, `{error}`,
/// `{error,message}`, `{error:{code}}`. Read from untyped JSON, so that one odd field costs no other.
#[derive(Default)]
pub(super) struct Envelope {
    pub(super) text: Option<String>,
    pub(super) code: Option<ErrorCode>,
    pub(super) field_errors: BTreeMap<String, Vec<String>>,
    pub(super) retry_after: Option<f64>,
}

impl Envelope {
    pub(super) fn read(body: &[u8]) -> Self {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Self::default();
        };
        let text = |name: &str| {
            fields
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let nested = |name: &str| {
            fields
                .get("error")
                .and_then(|error| error.get(name))
                .and_then(Value::as_str)
        };
        let text_of = match (text("error"), text("message")) {
            // The authentication guide's bodies have a title and a sentence.
            (Some(title), Some(sentence)) => Some(format!("{title}: {sentence}")),
            (Some(only), None) | (None, Some(only)) => Some(only.to_owned()),
            (None, None) => nested("message").or(nested("code")).map(str::to_owned),
        };
        Self {
            text: text_of,
            code: text("error_code")
                .or(text("code"))
                .or(nested("code"))
                .map(ErrorCode::from),
            field_errors: fields.get("errors").map(field_errors).unwrap_or_default(),
            retry_after: fields.get("retry_after").and_then(number),
        }
    }
}

fn field_errors(errors: &Value) -> BTreeMap<String, Vec<String>> {
    let texts = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    errors
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, value)| (field.clone(), texts(value)))
        .collect()
}

fn number(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|seconds| seconds.is_finite())
}
