//! A place at the head of the line for reply slots, for a sender who takes them in a transaction of its own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use famulor_quota::{Ask, Taken, Turn};

use super::ReplySlot;
use super::reply_slot::call;
use super::slot::no_slot;
use crate::client::Shared;
use crate::operations::REPLY;
use crate::options::CallOptions;
use crate::{Client, Result};

/// It is this sender's turn to ask the quota for reply slots: made by `Client::reply_turn`. Dropping it leaves the line.
#[must_use = "others wait while a turn is held; dropping it leaves the line"]
pub struct ReplyTurn {
    shared: Arc<Shared>,
    turn: Turn,
}

impl ReplyTurn {
    /// `None`: the client has no limits, so there is no line.
    pub(crate) async fn wait(client: &Client, options: &CallOptions) -> Result<Option<Self>> {
        let shared = &client.shared;
        let limits = shared.limits(REPLY.is_reply);
        if limits.is_empty() {
            return Ok(None);
        }
        let request = call(shared, options).request(limits, false);
        let turn = shared.quota.turn(request).await.map_err(no_slot)?;
        Ok(Some(Self {
            shared: Arc::clone(shared),
            turn,
        }))
    }

    /// What to ask of the ledger.
    #[must_use]
    pub fn ask(&self) -> Ask {
        self.turn.ask()
    }

    /// How many slots to take at once, of the `most` that are of use.
    #[must_use]
    pub fn most(&self, most: usize) -> usize {
        self.turn.most(most)
    }

    /// There was none, and there is none before `ready_in`: waits for the next turn.
    ///
    /// # Errors
    /// As [`Client::reply_slot`].
    pub async fn denied(&mut self, ready_in: Duration) -> Result<()> {
        self.turn.denied(ready_in).await.map_err(no_slot)
    }

    /// Slots were taken in a transaction, and that is committed.
    pub fn granted(self, taken: Taken) -> Vec<ReplySlot> {
        let mut slots = Vec::with_capacity(taken.slots());
        for permit in self.turn.granted(taken) {
            if slots.is_empty() {
                // They have all waited for the same.
                self.shared.counters.add_waited(permit.waited());
            }
            slots.push(ReplySlot::new(&self.shared, Some(permit)));
        }
        slots
    }
}

impl fmt::Debug for ReplyTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyTurn").finish_non_exhaustive()
    }
}
