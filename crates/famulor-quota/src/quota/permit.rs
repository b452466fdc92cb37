//! The right to send one call.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::unbroken::Unbroken;
use super::{Shared, StalePermit};
use crate::ledger::SEND_BEFORE;
use crate::store::{Completion, Seen, SlotId};
use crate::{AccountKey, Limit};

/// The same limit by the wall clock, which goes on while a machine sleeps and
/// the monotonic one may not. Wider, because wall clocks are also set: the slot
/// outlasts a send this late by the request timeout and thirty seconds.
const SEND_BEFORE_WALL: Duration = Duration::from_secs(10);

/// The right to send one call, now.
///
/// A permit is a busy slot under every limit it was acquired for. Say how the
/// call ended, and the slot is free as soon as it can be:
///
/// | what happened | call | the slot is busy until |
/// |---|---|---|
/// | any answer but a 429 | [`complete`](Self::complete) | now + window |
/// | a 429 | [`reject`](Self::reject) | now; the account is frozen |
/// | failed before a byte was sent | [`give_back`](Self::give_back) | now |
/// | sent, and given up waiting | [`abandon`](Self::abandon) | now + 30 s + window |
///
/// Dropping a permit gives it back, or, after [`mark_sent`](Self::mark_sent),
/// abandons it.
///
/// ```
/// # use std::sync::Arc;
/// # use famulor_quota::{AccountKey, AcquireRequest, Limit, Quota};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (quota, account) = (Quota::in_memory(), AccountKey::new("token"));
/// # let limits: Arc<[Limit]> = Arc::new(["1/60s".parse()?]);
/// let permit = quota.acquire(AcquireRequest::new(account, limits.clone())).await?;
/// permit.give_back().await;
/// assert!(quota.next_free(&account, &limits).await?.is_zero());
///
/// let mut permit = quota.acquire(AcquireRequest::new(account, limits.clone())).await?;
/// permit.mark_sent()?;
/// drop(permit);
/// assert!(quota.next_free(&account, &limits).await?.as_secs() >= 89);
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping a permit gives its slot back"]
pub struct Permit {
    shared: Arc<Shared>,
    account: AccountKey,
    limits: Arc<[Limit]>,
    slot: SlotId,
    granted: Instant,
    granted_wall: SystemTime,
    waited: Duration,
    sent: bool,
    open: bool,
}

impl Permit {
    pub(super) fn new(
        shared: &Arc<Shared>,
        account: AccountKey,
        limits: Arc<[Limit]>,
        slot: SlotId,
        asked: (Instant, SystemTime),
        waited: Duration,
    ) -> Self {
        Self {
            shared: Arc::clone(shared),
            account,
            limits,
            slot,
            granted: asked.0,
            granted_wall: asked.1,
            waited,
            sent: false,
            open: true,
        }
    }

    /// To be called right before the request is sent.
    ///
    /// # Errors
    ///
    /// [`StalePermit`] when the permit is older than [`SEND_BEFORE`]: give it
    /// back, acquire another, send nothing.
    pub fn mark_sent(&mut self) -> Result<(), StalePermit> {
        let age = self.granted.elapsed();
        // A wall clock that was set back says nothing.
        let wall = self.granted_wall.elapsed().unwrap_or_default();
        if age > SEND_BEFORE || wall > SEND_BEFORE_WALL {
            return Err(StalePermit { age: age.max(wall) });
        }
        self.sent = true;
        Ok(())
    }

    /// How long the call waited for this permit.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// The call was answered; not with a 429.
    ///
    /// `witness` is what the answer's headers said, if anything: it can free
    /// slots early, or show that somebody else uses the account. If the store
    /// cannot be reached, the slot frees itself later.
    ///
    /// Dropping the returned future once it has been polled changes nothing: the
    /// store is told all the same.
    pub async fn complete(mut self, witness: Option<Witness>) {
        let seen = witness.and_then(|witness| witness.about(&self.limits));
        self.close(Completion::Answered(seen)).await;
    }

    /// The call was refused with a 429, which said to wait for `retry_after`.
    ///
    /// Gives the slot back and freezes the account, for every caller who shares
    /// the store, for `retry_after` and a second; without the header until the
    /// oldest slot's release. Returns for how long the account is frozen now, at
    /// most an hour. A store that cannot be reached freezes nothing; the answer
    /// is then `retry_after` and a second.
    pub async fn reject(mut self, retry_after: Option<Duration>) -> Duration {
        self.open = false;
        let running = self
            .shared
            .store
            .reject(self.account, self.slot, retry_after);
        let frozen = Unbroken::reject(&self.shared, self.account, running).await;
        let frozen = frozen.unwrap_or_else(|_| {
            let hint = retry_after.unwrap_or_default();
            hint.saturating_add(Duration::from_secs(1))
        });
        self.shared.tell_frozen(self.account, frozen);
        frozen
    }

    /// Nothing was sent: the slot is free at once.
    pub async fn give_back(mut self) {
        self.close(Completion::NotSent).await;
    }

    /// The call was sent and nobody waits for its answer any more. It may yet
    /// reach the server, so its slot stays busy for 30 s and the window.
    pub async fn abandon(mut self) {
        self.close(Completion::Abandoned).await;
    }

    async fn close(&mut self, how: Completion) {
        self.open = false;
        let not_sent = how == Completion::NotSent;
        let running = self.shared.store.complete(self.account, self.slot, how);
        // What a store did not learn, it works out for itself, later.
        if let Err(running) = running.now() {
            let _ = Unbroken::complete(&self.shared, self.account, running).await;
        }
        // Any other end frees nothing before its foretold time, so nobody needs
        // waking for it.
        if not_sent {
            self.shared.lines.wake_first(self.account);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let how = if self.sent {
            Completion::Abandoned
        } else {
            Completion::NotSent
        };
        let running = self.shared.store.complete(self.account, self.slot, how);
        // Dropping an unbroken operation is what lets it finish on its own.
        drop(Unbroken::complete(&self.shared, self.account, running));
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("account", &self.account)
            .field("waited", &self.waited)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

/// What an answer says about the server's own count: `X-RateLimit-Limit` and
/// `X-RateLimit-Remaining`.
///
/// It is matched to the limit whose `requests` equals `limit`; when several do,
/// `scope` decides, and without one the witness is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Requests that the server allows in the window.
    pub limit: u32,
    /// Requests that are left, after this one: as of its arrival, or of any later
    /// moment until its answer.
    pub remaining: u32,
    /// Which limit it is about, where the server or the endpoint says so.
    pub scope: Option<Cow<'static, str>>,
}

impl Witness {
    /// What the two headers said.
    #[must_use]
    pub fn new(limit: u32, remaining: u32) -> Self {
        Self {
            limit,
            remaining,
            scope: None,
        }
    }

    fn about(&self, limits: &[Limit]) -> Option<Seen> {
        let counted = self.limit.checked_sub(self.remaining)?;
        let of_scope = |limit: &Limit| {
            let scope = self.scope.as_deref();
            scope.is_none_or(|scope| scope == limit.scope())
        };
        let mut matching = limits
            .iter()
            .filter(|limit| limit.requests() == self.limit && of_scope(limit));
        match (matching.next(), matching.next()) {
            (Some(limit), None) => Some(Seen {
                limit: limit.clone(),
                counted,
            }),
            _ => None,
        }
    }
}
