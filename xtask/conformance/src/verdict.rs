//! What a validator and a comparison say about one body.

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;

/// The keyword of a field that the spec does not name.
pub(crate) const UNKNOWN_FIELD: &str = "additionalProperties";

/// One reason to refuse a body.
pub(crate) struct Cause {
    /// The JSON pointer of the place.
    pub(crate) path: String,
    /// The schema's keyword that is broken.
    pub(crate) keyword: String,
    pub(crate) text: String,
}

impl Cause {
    pub(crate) fn new(
        path: impl Into<String>,
        keyword: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            keyword: keyword.into(),
            text: text.into(),
        }
    }
}

/// Why `body` does not satisfy the schema; nothing if it does.
pub(crate) fn causes(validator: &Validator, body: &Value) -> Vec<Cause> {
    let mut causes: Vec<Cause> = validator
        .iter_errors(body)
        .flat_map(|error| from_error(&error))
        .collect();
    causes.sort_by(|a, b| (&a.path, &a.keyword).cmp(&(&b.path, &b.keyword)));
    causes
}

/// One cause for each field that is missing or unknown, at the field's own place.
fn from_error(error: &ValidationError<'_>) -> Vec<Cause> {
    let keyword = error.kind().keyword();
    let place = error.instance_path().as_str();
    let field = |name: &str, text: &str| {
        let name = name.replace('~', "~0").replace('/', "~1");
        Cause::new(format!("{place}/{name}"), keyword, text)
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| field(name, "the spec has no such field"))
            .collect(),
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![field(name, "is required and missing")]
        }
        _ => vec![Cause::new(place, keyword, shortened(error.to_string()))],
    }
}

/// A long value says no more than its beginning.
fn shortened(text: String) -> String {
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The causes in the form in which `INDEX.tsv` expects them: `required /data/0, type /total`.
pub(crate) fn summary(causes: &[Cause]) -> String {
    let each: Vec<String> = causes
        .iter()
        .map(|cause| {
            let path = if cause.path.is_empty() {
                "/"
            } else {
                &cause.path
            };
            format!("{} {path}", cause.keyword)
        })
        .collect();
    each.join(", ")
}

/// Where two values first differ, and what the second one has there. Absent and `null` differ, and so do `[]` and `{}`.
pub(crate) fn first_difference(expected: &Value, found: &Value) -> Option<(String, String)> {
    difference(expected, found, String::new())
}

fn difference(expected: &Value, found: &Value, path: String) -> Option<(String, String)> {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                match b.get(key) {
                    None => return Some((path, format!("nothing, not {value}"))),
                    Some(other) => {
                        if let Some(found) = difference(value, other, path) {
                            return Some(found);
                        }
                    }
                }
            }
            let extra = b.keys().find(|key| !a.contains_key(*key))?;
            Some((
                format!("{path}/{extra}"),
                format!("{}, and there was nothing", b[extra]),
            ))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (a, b))| difference(a, b, format!("{path}/{i}"))),
        _ if expected == found => None,
        _ => Some((path, format!("{found}, not {expected}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::first_difference;
    use serde_json::json;

    #[test]
    fn absent_and_null_differ_and_so_do_an_empty_list_and_an_empty_object() {
        for (a, b) in [
            (json!({ "a": null }), json!({})),
            (json!({}), json!({ "a": null })),
            (json!({ "a": [] }), json!({ "a": {} })),
            (json!({ "a": 1 }), json!({ "a": 1.0 })),
            (json!([1]), json!([1, 2])),
        ] {
            assert!(first_difference(&a, &b).is_some(), "{a} and {b}");
        }
        let same = json!({ "a": [1, { "b": null }], "c": 0.0045 });
        assert!(first_difference(&same, &same.clone()).is_none());
    }

    #[test]
    fn a_difference_is_named_by_its_path() {
        let found = first_difference(
            &json!({ "history": [{ "role": "user" }] }),
            &json!({ "history": [{ "role": "tool" }] }),
        );
        assert_eq!(
            found,
            Some((
                "/history/0/role".to_owned(),
                r#""tool", not "user""#.to_owned()
            ))
        );
    }
}
