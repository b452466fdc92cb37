//! The right to send one reply request, taken before it is known which.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use famulor_quota::Permit;
use famulor_quota::ledger::SEND_BEFORE;
use tokio::time::Instant;

use super::{Call, Start};
use crate::client::Shared;
use crate::operations::REPLY;
use crate::options::CallOptions;
use crate::{Client, Delivery, Error, ErrorKind, Result};

/// How long a slot of a client without limits is good for, by the wall clock: the monotonic one may stand still while a
/// machine sleeps. The same as the quota's own slots have.
const SEND_BEFORE_WALL: Duration = Duration::from_secs(10);

/// The right to send one reply request, now: made by [`Client::reply_slot`], used up by
/// [`ReplyRequest::send_in`](crate::ReplyRequest::send_in).
///
/// It is good for two seconds. After that the machine may have slept and somebody else may have the slot: sending in it
/// is refused, and nothing is sent. Dropping it gives it back.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// # use famulor_core::{AssistantId, CustomerId};
/// let slot = client.reply_slot().await?;
/// assert!(slot.is_fresh());
/// drop(slot); // nothing to send after all: the next caller has it
/// assert_eq!(client.quota().await?.next_reply_in(), std::time::Duration::ZERO);
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping a slot gives it back"]
pub struct ReplySlot {
    shared: Arc<Shared>,
    /// `None`: the client has no limits.
    permit: Option<Permit>,
    granted: Instant,
    granted_wall: SystemTime,
}

impl ReplySlot {
    pub(crate) async fn wait(client: &Client, options: &CallOptions) -> Result<Self> {
        let shared = &client.shared;
        let limits = shared.limits(REPLY.is_reply);
        let permit = match limits.is_empty() {
            true => None,
            false => Some(call(shared, options).permit(limits, false).await?),
        };
        Ok(Self::new(shared, permit))
    }

    pub(super) fn new(shared: &Arc<Shared>, permit: Option<Permit>) -> Self {
        Self {
            shared: Arc::clone(shared),
            permit,
            granted: Instant::now(),
            granted_wall: SystemTime::now(),
        }
    }

    /// Whether a request may still be sent in it.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        // A wall clock that was set back says nothing.
        let wall = self.granted_wall.elapsed().unwrap_or_default();
        self.granted.elapsed() <= SEND_BEFORE && wall <= SEND_BEFORE_WALL
    }

    /// Uses it up, right before sending. The inner `None`: there are no limits.
    pub(super) async fn use_up(self, shared: &Arc<Shared>) -> Result<Option<Permit>> {
        if self.shared.account != shared.account {
            return Err(Error::invalid_request(
                "the slot is of another client's quota",
                "send in a slot of the same client",
            ));
        }
        let fresh = self.is_fresh();
        let mut permit = self.permit;
        let marked = permit
            .as_mut()
            .is_none_or(|permit| permit.mark_sent().is_ok());
        if fresh && marked {
            return Ok(permit);
        }
        if let Some(permit) = permit {
            permit.give_back().await;
        }
        Err(Error::new(
            ErrorKind::RateLimited,
            Delivery::NotSent,
            "the slot is too old to be used",
        )
        .with_hint("take another one and send right away"))
    }
}

/// A reply, before it is known which.
pub(super) fn call<'a>(shared: &'a Arc<Shared>, options: &'a CallOptions) -> Call<'a> {
    Call {
        shared,
        operation: &REPLY,
        options,
        start: Start::now(options),
        private: &[],
        attempts_before: 0,
    }
}

impl fmt::Debug for ReplySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplySlot")
            .field("limited", &self.permit.is_some())
            .field("is_fresh", &self.is_fresh())
            .finish_non_exhaustive()
    }
}
