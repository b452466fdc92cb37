//! How many messages are in which state.

use famulor_outbox::Status;
use serde::Serialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) queued: u64,
    pub(super) sending: u64,
    pub(super) in_doubt: u64,
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) needs_review: u64,
    pub(super) cancelled: u64,
}

impl Counts {
    pub(super) fn total(&self) -> u64 {
        self.settled() + self.unsettled()
    }

    /// Nothing more happens to them by itself.
    pub(super) fn settled(&self) -> u64 {
        self.done + self.failed + self.needs_review + self.cancelled
    }

    pub(super) fn unsettled(&self) -> u64 {
        self.waiting() + self.in_doubt
    }

    /// For their turn or for their answer.
    pub(super) fn waiting(&self) -> u64 {
        self.queued + self.sending
    }

    /// `40 done, 1 failed, 0 in doubt, 58 waiting`, and the rarer ones if there are any.
    pub(super) fn line(&self) -> String {
        let mut line = format!(
            "{} done, {} failed, {} in doubt, {} waiting",
            self.done,
            self.failed,
            self.in_doubt,
            self.waiting()
        );
        for (count, word) in [
            (self.needs_review, "to review"),
            (self.cancelled, "cancelled"),
        ] {
            if count > 0 {
                line.push_str(&format!(", {count} {word}"));
            }
        }
        line
    }
}

impl From<&Status> for Counts {
    fn from(status: &Status) -> Self {
        Self {
            queued: status.queued,
            sending: status.sending,
            in_doubt: status.in_doubt,
            done: status.done,
            failed: status.failed,
            needs_review: status.needs_review,
            cancelled: status.cancelled,
        }
    }
}
