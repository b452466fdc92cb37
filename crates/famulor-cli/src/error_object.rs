//! The JSON of a failure: the same on standard error and in the rows of a batch.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// What JSON output puts on standard error when a command fails.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(crate) struct ErrorObject<'e> {
    pub(crate) error: ErrorFields<'e>,
}

/// The contract's fields, in its order; `null` where nothing is known.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ErrorFields<'e> {
    /// What kind of failure it is. More may come: treat an unknown one as `internal`.
    pub(crate) kind: &'e str,
    /// The API's own code; null where it sent none.
    pub(crate) code: Option<&'e str>,
    /// The cause, in one line, for people.
    pub(crate) message: Cow<'e, str>,
    /// The status of the API's answer, if there was one.
    pub(crate) http_status: Option<u16>,
    /// Seconds until it makes sense to try again.
    #[schemars(with = "Option<f64>")]
    pub(crate) retry_after_s: Option<Seconds>,
    /// Whether the request was sent and done.
    #[schemars(extend("enum" = ["not_sent", "refused", "unknown", "processed"]))]
    pub(crate) delivery: &'e str,
    /// How often it was sent.
    pub(crate) attempts: u32,
    /// The exit code of a command that fails so.
    pub(crate) exit: u8,
}

/// Written as an integer if they are whole, as the API itself writes them.
pub(crate) struct Seconds(pub(crate) f64);

impl From<Duration> for Seconds {
    fn from(wait: Duration) -> Self {
        Self(wait.as_secs_f64())
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Above that, not every whole number is one of these, and `as` would choose for us.
        if self.0.fract() == 0.0 && self.0.abs() < 1e15 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Seconds;

    #[test]
    fn whole_seconds_are_integers() {
        let json = |seconds| serde_json::to_string(&seconds).expect("JSON");
        assert_eq!(json(Seconds(42.0)), "42");
        assert_eq!(json(Seconds(0.5)), "0.5");
        assert_eq!(json(Seconds::from(Duration::from_millis(1500))), "1.5");
        assert_eq!(json(Seconds::from(Duration::from_secs(60))), "60");
    }
}
