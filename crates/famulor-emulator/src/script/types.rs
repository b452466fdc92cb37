//! The keys of a script. What is said of them here is what the JSON Schema says.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::rules::Rule;
use crate::duration_text::{self, DurationText};
use crate::faults::Fault;
use crate::limits::RateLimit;
use crate::state::{Contact, ConversationKind, Message};

/// What the emulator is from the start, and again after a reset.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    /// Conversation ids, replies and latencies are the same for the same seed.
    pub(super) seed: Option<u64>,
    /// The emulated time.
    pub(super) time: Time,
    /// How long an answer takes, in emulated time: `50ms`, or a median and a 99th percentile.
    pub(super) latency: Option<Latency>,
    /// The limits of every token.
    pub(super) limits: Limits,
    /// What every token's balance starts with, in US dollars.
    #[schemars(range(min = 0.0))]
    pub(super) balance: Option<f64>,
    /// What things cost, in US dollars.
    pub(super) prices: Prices,
    /// What is different for some tokens.
    pub(super) tokens: BTreeMap<String, Token>,
    /// Every token that is not among `tokens` is refused.
    pub(super) only_these_tokens: bool,
    /// Assistants beside the documented ones.
    pub(super) assistants: Vec<Assistant>,
    /// Rules of all assistants, looked at after an assistant's own.
    pub(super) rules: Vec<Rule>,
    /// Conversations that are there from the start.
    pub(super) conversations: Vec<Conversation>,
    /// What goes wrong.
    pub(super) faults: Vec<Fault>,
    /// Webhooks that the emulator calls.
    pub(super) webhooks: Webhooks,
}

/// The emulated time.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Time {
    /// The time at the start, such as 2025-01-07T09:00:00Z. Default: the real one.
    pub(super) starts_at: Option<String>,
    /// So many times as fast as real time; 0: only the control plane moves it.
    #[schemars(range(min = 0.0))]
    pub(super) scale: Option<f64>,
}

/// `50ms`, or `{ median: 2s, p99: 8s }`.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a latency is a duration such as 50ms, or { median: 2s, p99: 8s }"
)]
pub(super) enum Latency {
    Fixed(
        #[serde(with = "duration_text")]
        #[schemars(with = "DurationText")]
        Duration,
    ),
    Spread(Spread),
}

/// A spread of latencies, log-normal.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Spread {
    /// Half of the answers take less.
    #[serde(with = "duration_text")]
    #[schemars(with = "DurationText")]
    pub(super) median: Duration,
    /// One in a hundred takes longer.
    #[serde(with = "duration_text")]
    #[schemars(with = "DurationText")]
    pub(super) p99: Duration,
}

/// The limits of every token.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// How they count. Default: fixed, as Laravel does.
    pub(super) algorithm: Option<Algorithm>,
    /// generate-reply's own, such as 5/60s, or off.
    pub(super) replies: Option<Rate>,
    /// Those of all endpoints together, such as [100/60s, 20/10s]; [] for none.
    pub(super) general: Option<Vec<Rate>>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Algorithm {
    /// A window that starts at the first counted request.
    Fixed,
    /// No more than N accepted requests in any window.
    Sliding,
    /// N tokens, refilled evenly over the window.
    TokenBucket,
}

/// `5/60s`, or `off`.
#[derive(Clone, Copy)]
pub(super) struct Rate(pub(super) Option<RateLimit>);

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "off" {
            return Ok(Self(None));
        }
        let limit = RateLimit::parse(&text).map_err(serde::de::Error::custom)?;
        Ok(Self(Some(limit)))
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "RateLimit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Requests in a window of time, such as 5/60s, or off",
            "pattern": r"^(off|\s*[0-9]+\s*/\s*[0-9].*)$",
            "examples": ["5/60s", "100/1m", "off"],
        })
    }
}

/// What things cost, in US dollars.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Prices {
    /// A generated reply. Not documented; default: 0.01.
    #[schemars(range(min = 0.0))]
    pub(super) reply: Option<f64>,
    /// A message to a widget. Default: the documented 0.01.
    #[schemars(range(min = 0.0))]
    pub(super) widget_message: Option<f64>,
}

/// What is different for one token.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Token {
    /// Its balance, in US dollars.
    #[schemars(range(min = 0.0))]
    pub(super) balance: Option<f64>,
    /// Its own limit of replies.
    pub(super) replies: Option<Rate>,
    /// Its own limits of all endpoints together.
    pub(super) general: Option<Vec<Rate>>,
}

/// An assistant of the account.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Assistant {
    /// The integer id, which generate-reply uses. One of a documented
    /// assistant (123, 124) takes its place.
    pub(super) id: i64,
    /// The UUID, which creating a conversation uses. Default: made from the id.
    #[serde(default)]
    pub(super) uuid: Option<String>,
    /// The name.
    pub(super) name: String,
    /// What it says first; {{variable}} is filled in. Default: it waits.
    #[serde(default)]
    pub(super) opening_message: Option<String>,
    /// Its own variables, used where a conversation has none of that name.
    #[serde(default)]
    pub(super) variables: Map<String, Value>,
    /// What it answers. The first rule that fits is taken.
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
    /// Where the end of a conversation is reported to.
    #[serde(default)]
    pub(super) ended_webhook: Option<String>,
    /// After so much silence a conversation has ended: 1 minute to 24 hours. Default: 30m.
    #[serde(default)]
    #[schemars(with = "Option<DurationText>")]
    pub(super) inactivity_timeout: Option<WrittenDuration>,
    /// A conversation that goes on after its end is reported again.
    #[serde(default)]
    pub(super) ended_retrigger: bool,
}

/// A duration where there may be none.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct WrittenDuration(#[serde(with = "duration_text")] pub(super) Duration);

/// A conversation that is there from the start.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Conversation {
    /// Its id. Default: made from the seed.
    #[serde(default)]
    pub(super) id: String,
    /// The id of its assistant.
    pub(super) assistant: i64,
    /// What it came from: widget, test, whatsapp or api. Default: widget.
    #[serde(default, rename = "type")]
    pub(super) kind: ConversationKind,
    /// The customer identifier of a conversation of generate-reply.
    #[serde(default)]
    pub(super) external_identifier: Option<String>,
    /// Its variables.
    #[serde(default)]
    pub(super) variables: Option<Map<String, Value>>,
    /// What was said, oldest first.
    #[serde(default)]
    pub(super) history: Vec<Message>,
    /// A person has taken it over: messages are stored and not answered.
    #[serde(default)]
    pub(super) ai_disabled: bool,
    /// The business side of a WhatsApp conversation.
    #[serde(default)]
    pub(super) whatsapp_sender: Option<Contact>,
    /// The customer's side of a WhatsApp conversation.
    #[serde(default)]
    pub(super) customer: Option<Contact>,
}

/// Webhooks that the emulator calls.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Webhooks {
    /// Hosts that may be called beside this machine, by name.
    pub(super) allow: Vec<String>,
    /// The read receipts of WhatsApp messages.
    pub(super) read_receipts: Option<Receipts>,
}

/// Where read receipts go.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Receipts {
    /// Where to.
    pub(super) url: String,
    /// What they are signed with.
    pub(super) secret: String,
}
