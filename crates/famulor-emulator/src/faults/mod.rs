//! Misbehaviour on request: what goes wrong, where, for whom and how often.

mod book;
mod canned;
mod cut_body;
mod effect;
mod paced_body;
mod play;
mod target;
mod wire;
mod written;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

pub use self::book::PendingFault;
pub(crate) use self::book::{Asked, FaultBook, Faults};
pub use self::canned::CannedAnswer;
pub(crate) use self::effect::Place;
pub use self::effect::{After, AsAnswer, Before, Effect, Wire};
pub(crate) use self::play::{Hangup, Spoiled, hang_up, to_login_page};
pub use self::target::{AssistantRef, TokenMark};
pub(crate) use self::wire::Raw;

use self::written::Written;
use crate::operation::Operation;

/// A fault: an [`Effect`], for some calls.
///
/// ```
/// use famulor_emulator::{After, Before, CannedAnswer, Fault, Operation};
/// use std::time::Duration;
///
/// // The third reply is processed and billed, and its answer never arrives.
/// let lost = Fault::after(After::Close).on(Operation::GenerateReply).nth(3);
///
/// // The next two calls of whatever kind get a 503 before anything is done.
/// let busy = Fault::before(Before::Answer(CannedAnswer::text(503, "busy"))).times(2);
///
/// // A tenth of one token's calls, the same tenth in every run.
/// let flaky = Fault::after(After::Close).for_token("secret").share(0.1).seed(7);
///
/// // As JSON, for `POST /__emulator/faults`, or as YAML in a script.
/// let slow: Fault = serde_json::from_str(
///     r#"{"operation":"getConversation","times":1,"after":{"delay":"2s"}}"#,
/// )?;
/// assert_eq!(slow.effect, After::Delay(Duration::from_secs(2)).into());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
#[non_exhaustive]
pub struct Fault {
    /// Calls of this operation only. `None`: any operation.
    pub operation: Option<Operation>,
    /// Calls for this customer identifier, or on this conversation id, only.
    pub customer: Option<String>,
    /// Calls with this token only.
    pub token: Option<TokenMark>,
    /// Calls of this assistant, or on one of its conversations, only.
    pub assistant: Option<AssistantRef>,
    /// So many matching calls are left alone first.
    pub skip: u32,
    /// So many matching calls are hit. `None`: every one from then on.
    pub times: Option<u32>,
    /// Of the calls that are due, this share is hit, from 0 to 1. `None`: all of them.
    pub share: Option<f64>,
    /// Which ones the share hits. `None`: by the emulator's own seed.
    pub seed: Option<u64>,
    /// What goes wrong.
    pub effect: Effect,
}

impl Fault {
    /// Goes wrong before the call is processed: once, for any operation.
    pub fn before(before: Before) -> Self {
        Self::new(Effect::Before(before))
    }

    /// Goes wrong after the call is processed: once, for any operation.
    pub fn after(after: After) -> Self {
        Self::new(Effect::After(after))
    }

    /// The answer is not what it should be: once, for any operation.
    pub fn answer(answer: AsAnswer) -> Self {
        Self::new(Effect::Answer(answer))
    }

    /// The connection misbehaves: once, for any operation.
    pub fn wire(wire: Wire) -> Self {
        Self::new(Effect::Wire(wire))
    }

    fn new(effect: Effect) -> Self {
        Self {
            operation: None,
            customer: None,
            token: None,
            assistant: None,
            skip: 0,
            times: Some(1),
            share: None,
            seed: None,
            effect,
        }
    }

    /// Only calls of this operation.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only calls for this customer identifier, or on this conversation id.
    #[must_use]
    pub fn for_customer(mut self, customer: impl Into<String>) -> Self {
        self.customer = Some(customer.into());
        self
    }

    /// Only calls with this token. Its fingerprint is kept, not the token.
    #[must_use]
    pub fn for_token(mut self, token: &str) -> Self {
        self.token = Some(TokenMark::of(token));
        self
    }

    /// Only calls of this assistant (its id or UUID), or on its conversations.
    #[must_use]
    pub fn for_assistant(mut self, assistant: impl Into<AssistantRef>) -> Self {
        self.assistant = Some(assistant.into());
        self
    }

    /// Hits the `nth` matching call, counted from 1, and no other.
    #[must_use]
    pub fn nth(self, nth: u32) -> Self {
        self.skip(nth.saturating_sub(1)).times(1)
    }

    /// Leaves the first `calls` matching calls alone.
    #[must_use]
    pub fn skip(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Hits this many matching calls.
    #[must_use]
    pub fn times(mut self, calls: u32) -> Self {
        self.times = Some(calls);
        self
    }

    /// Hits every matching call, until the faults are cleared.
    #[must_use]
    pub fn forever(mut self) -> Self {
        self.times = None;
        self
    }

    /// Hits this share of the matching calls (0 to 1), until the faults are
    /// cleared or [`times`](Self::times) of them are hit. Which ones is decided
    /// by the [`seed`](Self::seed) and the call's number among the matching.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self.times = None;
        self
    }

    /// Decides which calls a [`share`](Self::share) hits. Default: the emulator's seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

impl JsonSchema for Fault {
    fn schema_name() -> Cow<'static, str> {
        "Fault".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Written::json_schema(generator)
    }
}
