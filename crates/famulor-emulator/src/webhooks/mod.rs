//! Webhooks that the emulated server calls: a conversation's end, and read receipts.
//!
//! As documented (facts, "Webhook: conversation ended" and "Webhook: read
//! receipts"): payloads, signature, and retries after 30, 60 and 120 seconds.

mod courier;
mod ended;
mod log;
mod receipt;

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use serde_json::Value;

pub(crate) use self::courier::{Parcel, client, deliver, is_loopback};
pub(crate) use self::ended::{check_silence, end_now};
pub(crate) use self::log::DeliveryLog;
pub use self::receipt::{MessageStatus, ReadReceipts};
pub(crate) use self::receipt::{plan_receipts, report_status};

/// One attempt to call a webhook.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Delivery {
    /// 1 for the first attempt after a start or a reset.
    pub sequence: u64,
    /// When it was due, in emulated time.
    #[serde(serialize_with = "crate::journal::rfc3339")]
    pub time: SystemTime,
    /// `conversation_ended` or `message_status`.
    pub event: &'static str,
    /// The conversation it is about.
    pub conversation: String,
    /// Where it went.
    pub url: String,
    /// 1 for the first attempt of this delivery, 4 for the last.
    pub attempt: u32,
    /// The receiver's answer. `None`: there was none.
    pub status: Option<u16>,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// Why there was no answer.
    pub error: Option<String>,
    /// What was sent. Not in lists: it holds what was said.
    #[serde(skip)]
    pub payload: Value,
}

/// What became of an attempt to call a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// The receiver took it.
    Delivered,
    /// The receiver did not, and is asked again after this long.
    RetriedAfter(Duration),
    /// The receiver did not, and is not asked again.
    GivenUp,
    /// Nothing was sent: the URL is another machine's, which was not allowed.
    Withheld,
}

impl Serialize for DeliveryOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Delivered => serializer.serialize_str("delivered"),
            Self::RetriedAfter(wait) => {
                serializer.collect_str(&format_args!("retried after {}s", wait.as_secs()))
            }
            Self::GivenUp => serializer.serialize_str("given up"),
            Self::Withheld => serializer.serialize_str("withheld"),
        }
    }
}

/// Without the payload.
impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "#{} {} attempt {}: {:?}",
            self.sequence, self.event, self.attempt, self.outcome
        )
    }
}

/// ISO 8601 with an offset, as in the documented payloads.
fn written(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
