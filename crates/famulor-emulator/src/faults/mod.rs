//! Misbehaviour on request: what goes wrong, where, for whom and how often.

mod book;
mod canned;
mod cut_body;
mod duration_text;
mod effect;
mod play;

use serde::{Deserialize, Serialize};

pub(crate) use self::book::FaultBook;
pub use self::canned::CannedAnswer;
pub(crate) use self::duration_text::parse as parse_duration;
pub(crate) use self::effect::Place;
pub use self::effect::{After, AsAnswer, Before, Effect};
pub(crate) use self::play::{Hangup, to_login_page};

use crate::operation::Operation;

/// A fault: an [`Effect`], for some calls.
///
/// ```
/// use famulor_emulator::{After, Before, CannedAnswer, Fault, Operation};
/// use std::time::Duration;
///
/// // The third reply is processed and billed, and its answer never arrives.
/// let lost = Fault::after(After::Close).on(Operation::GenerateReply).skip(2);
///
/// // The next two calls of whatever kind get a 503 before anything is done.
/// let busy = Fault::before(Before::Answer(CannedAnswer::text(503, "busy"))).times(2);
///
/// // As JSON, for `POST /__emulator/faults`.
/// let slow: Fault = serde_json::from_str(
///     r#"{"operation":"getConversation","times":1,"after":{"delay":"2s"}}"#,
/// )?;
/// assert_eq!(slow.effect, After::Delay(Duration::from_secs(2)).into());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fault {
    /// Calls of this operation only. `None`: any operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Calls for this customer identifier, or on this conversation id, only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// So many matching calls are left alone first.
    #[serde(default)]
    pub skip: u32,
    /// So many matching calls are hit. `None`: every one from then on.
    #[serde(default = "once")]
    pub times: Option<u32>,
    /// What goes wrong.
    #[serde(flatten)]
    pub effect: Effect,
}

fn once() -> Option<u32> {
    Some(1)
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

    fn new(effect: Effect) -> Self {
        Self {
            operation: None,
            customer: None,
            skip: 0,
            times: once(),
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
}
