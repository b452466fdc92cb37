//! The demo tells only what it has checked.

use famulor_core::ConversationId;

use crate::failure::Failure;

/// A customer's message and its answer.
pub(super) struct Answered {
    pub(super) customer: &'static str,
    pub(super) message: &'static str,
    pub(super) text: String,
    pub(super) conversation: ConversationId,
}

/// Ends the demo, loudly, if what it tells is not so.
pub(super) fn holds(is_so: bool, told: &str) -> Result<(), Failure> {
    if is_so {
        return Ok(());
    }
    Err(Failure::unexpected(format!(
        "the demo tells that {told}, and that is not so here"
    ))
    .next("this is a defect: please report it with what stands above"))
}
