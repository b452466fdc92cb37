//! The fields of a request, as Laravel sees them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::{Map, Value};

/// The fields of a body or a query, read once and without copying their texts.
#[derive(Default)]
pub(crate) struct Fields<'a>(Vec<(Cow<'a, str>, Field<'a>)>);

/// A field's value: a text, trimmed, or anything else.
pub(crate) enum Field<'a> {
    Text(Cow<'a, str>),
    Other(Value),
}

impl<'a> Fields<'a> {
    /// A request body.
    ///
    /// Laravel reads a body as JSON only if the content type says so, takes
    /// anything unreadable for an empty form, trims strings, and takes empty
    /// ones for null (`TrimStrings`, `ConvertEmptyStringsToNull`, both on by
    /// default; that Famulor left them on is inferred).
    pub(crate) fn of_body(is_json: bool, body: &'a [u8]) -> Self {
        if !is_json || body.is_empty() {
            return Self::default();
        }
        // As a text at once, not text by text.
        let text = std::str::from_utf8(body).unwrap_or_default();
        serde_json::from_str(text).unwrap_or_default()
    }

    pub(crate) fn of_query(query: HashMap<String, String>) -> Self {
        let cleaned = |(name, value): (String, String)| (name.into(), Field::text(value.into()));
        Self(query.into_iter().map(cleaned).collect())
    }

    /// A field that is there and not null. Of several with one name the last
    /// counts.
    pub(crate) fn get(&self, name: &str) -> Option<&Field<'a>> {
        let mut named = self.0.iter().rev().filter(|(known, _)| known == name);
        let (_, field) = named.next()?;
        (!matches!(field, Field::Other(Value::Null))).then_some(field)
    }
}

impl<'a> Field<'a> {
    fn text(text: Cow<'a, str>) -> Self {
        let trimmed = match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => match text.trim() {
                trimmed if trimmed.len() == text.len() => Cow::Owned(text),
                trimmed => Cow::Owned(trimmed.to_owned()),
            },
        };
        if trimmed.is_empty() {
            return Self::Other(Value::Null);
        }
        Self::Text(trimmed)
    }

    /// The text, if it is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other(_) => None,
        }
    }
}

fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => match Field::text(text.into()) {
            Field::Text(text) => Value::String(text.into_owned()),
            Field::Other(null) => null,
        },
        Value::Array(list) => list.into_iter().map(clean).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(name, value)| (name, clean(value)))
            .collect(),
        other => other,
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                /// No operation has more.
                const MOST: usize = 4;
                let mut fields = Vec::with_capacity(MOST);
                while let Some(name) = map.next_key_seed(Text)? {
                    fields.push((name, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// A text that stays where it is, unless it has to be unescaped.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Field<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Field<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Field::text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Field::text(Cow::Owned(text.to_owned())))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
                Ok(Field::Other(value.into()))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Field::Other(value.into()))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
                Ok(Field::Other(value.into()))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
                Ok(Field::Other(value.into()))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Field::Other(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(clean(value));
                }
                Ok(Field::Other(Value::Array(values)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Map::new();
                while let Some((name, value)) = map.next_entry()? {
                    fields.insert(name, clean(value));
                }
                Ok(Field::Other(Value::Object(fields)))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Field, Fields};

    fn read(body: &str) -> Fields<'_> {
        Fields::of_body(true, body.as_bytes())
    }

    fn other(fields: &Fields<'_>, name: &str) -> Option<Value> {
        match fields.get(name)? {
            Field::Other(value) => Some(value.clone()),
            Field::Text(_) => None,
        }
    }

    #[test]
    fn texts_are_trimmed_at_every_depth_and_empty_ones_are_missing() {
        let fields = read(r#"{"a":" x\n","b":"  ","c":{"d":[" y ",""]},"e":"\u00e4 ","f":null}"#);
        assert_eq!(fields.get("a").and_then(Field::as_str), Some("x"));
        assert!(fields.get("b").is_none() && fields.get("f").is_none());
        assert_eq!(other(&fields, "c"), Some(json!({"d": ["y", null]})));
        assert_eq!(fields.get("e").and_then(Field::as_str), Some("ä"));
    }

    #[test]
    fn of_several_fields_with_one_name_the_last_counts() {
        let fields = read(r#"{"a":1,"a":"two","b":"one","b":null}"#);
        assert_eq!(fields.get("a").and_then(Field::as_str), Some("two"));
        assert!(fields.get("b").is_none());
    }

    #[test]
    fn what_is_no_object_is_an_empty_form() {
        for body in [
            "",
            "[1]",
            "\"a\"",
            "7",
            "null",
            "{\"a\":1",
            "{\"a\":1} x",
            "\u{1}",
        ] {
            assert!(read(body).get("a").is_none(), "{body}");
        }
        assert!(Fields::of_body(false, br#"{"a":1}"#).get("a").is_none());
    }

    #[test]
    fn numbers_and_switches_stay_what_they_are() {
        let fields = read(r#"{"i":-3,"u":18446744073709551615,"f":1.5,"b":true}"#);
        assert_eq!(other(&fields, "i"), Some(json!(-3)));
        assert_eq!(other(&fields, "u"), Some(json!(u64::MAX)));
        assert_eq!(other(&fields, "f"), Some(json!(1.5)));
        assert_eq!(other(&fields, "b"), Some(json!(true)));
    }
}
