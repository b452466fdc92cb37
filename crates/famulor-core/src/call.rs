//! One call of the API: its turn, its slot, its attempts, its end.

mod backoff;
mod engine;
mod once;
mod order;
mod outcome;
mod reply_slot;
mod reply_turn;
mod slot;
mod span;

pub(crate) use engine::{Call, Start, run};
pub(crate) use once::run_in;
pub(crate) use order::{Order, OrderTurn};
pub use reply_slot::ReplySlot;
pub use reply_turn::ReplyTurn;

/// What a repetition of a request would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing: it only reads.
    Read,
    /// The same again: it sets something to a value.
    Set,
    /// A second conversation, message, bill.
    Add,
}

impl Effect {
    /// Whether it may be sent again when nobody knows whether it was processed.
    pub(crate) fn may_repeat(self) -> bool {
        !matches!(self, Self::Add)
    }
}

/// What the engine must know of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// The path with its placeholders, for spans: an id in it would be a secret in a log.
    pub(crate) template: &'static str,
    pub(crate) effect: Effect,
    /// Whether it takes a slot of the reply limit.
    pub(crate) is_reply: bool,
    /// Whether it is documented to need a key.
    pub(crate) needs_key: bool,
}
