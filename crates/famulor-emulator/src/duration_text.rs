//! Durations as a person writes them: `2s`, `500ms`, `1m 30s`.

use std::borrow::Cow;
use std::time::Duration;

use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) const EXPECTED: &str = "a duration is written like 2s, 500ms or 1m 30s";

/// Reads `2s`, `1m 30s`, `500ms`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    Duration::try_from(text.parse::<SignedDuration>().ok()?).ok()
}

pub(crate) fn serialize<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let duration = SignedDuration::try_from(*duration).map_err(serde::ser::Error::custom)?;
    serializer.collect_str(&format_args!("{duration:#}"))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| serde::de::Error::custom(EXPECTED))
}

/// What the JSON Schema says of a field of this form.
pub(crate) struct DurationText;

impl JsonSchema for DurationText {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration such as 2s, 500ms or 1m 30s",
            "pattern": r"^\s*\d",
            "examples": ["2s", "500ms", "1m 30s"],
        })
    }
}
