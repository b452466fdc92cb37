//! Objects as a PHP backend writes them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// An object with any content, as the backend may write it: an object, `[]` for an empty one, `null`, or anything else.
///
/// It is written out exactly as it was read, so that a value which passes through this program is not changed by it.
/// Reading never fails: the value of one tool call must not cost the answer that carries it.
///
/// Source: facts page, surprise 9 (`variables: []` in the vendor's own examples).
///
/// ```
/// use famulor_gen::LooseObject;
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let variables: LooseObject = serde_json::from_str(r#"{"plan":"premium"}"#)?;
/// assert_eq!(variables.get("plan").and_then(|v| v.as_str()), Some("premium"));
///
/// let none: LooseObject = serde_json::from_str("[]")?;
/// assert!(none.is_empty());
/// assert_eq!(serde_json::to_string(&none)?, "[]");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct LooseObject(Option<Value>);

impl LooseObject {
    /// The entries, if it came as an object.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map<String, Value>> {
        self.0.as_ref().and_then(Value::as_object)
    }

    /// The value of `key`, if it came as an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// Whether nothing is in it: absent, `null`, `[]` or `{}`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            None | Some(Value::Null) => true,
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(entries)) => entries.is_empty(),
            Some(_) => false,
        }
    }

    /// Whether the field was not there at all.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.0.is_none()
    }

    /// The value as it came; `None` if the field was not there.
    #[must_use]
    pub fn as_value(&self) -> Option<&Value> {
        self.0.as_ref()
    }
}

/// Shows how many entries there are, never what they hold.
impl std::fmt::Debug for LooseObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            None => f.write_str("LooseObject(absent)"),
            Some(Value::Null) => f.write_str("LooseObject(null)"),
            Some(Value::Object(map)) => write!(f, "LooseObject({} entries)", map.len()),
            Some(_) => f.write_str("LooseObject(..)"),
        }
    }
}

impl From<Map<String, Value>> for LooseObject {
    fn from(map: Map<String, Value>) -> Self {
        Self(Some(Value::Object(map)))
    }
}

impl From<Value> for LooseObject {
    fn from(value: Value) -> Self {
        Self(Some(value))
    }
}

impl Serialize for LooseObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LooseObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not through Option: its deserializer takes `null` for absent.
        Value::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for LooseObject {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LooseObject".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [{ "type": "object" }, { "type": "array", "maxItems": 0 }, { "type": "null" }]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::LooseObject;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Holder {
        #[serde(default, skip_serializing_if = "LooseObject::is_absent")]
        variables: LooseObject,
    }

    #[test]
    fn absent_null_empty_list_and_object_come_out_as_they_went_in() -> Result<(), serde_json::Error>
    {
        for text in [
            "{}",
            r#"{"variables":null}"#,
            r#"{"variables":[]}"#,
            r#"{"variables":{}}"#,
            r#"{"variables":{"a":{"b":[1]}}}"#,
            r#"{"variables":"odd"}"#,
        ] {
            let holder: Holder = serde_json::from_str(text)?;
            assert_eq!(serde_json::to_string(&holder)?, text);
        }
        Ok(())
    }

    #[test]
    fn debug_shows_no_content() {
        let object = LooseObject::from(serde_json::json!({ "customer_name": "Jane" }));
        assert_eq!(format!("{object:?}"), "LooseObject(1 entries)");
    }
}
