//! Waiting for one's turn.

mod error;
mod line;
mod lines;
mod permit;
mod request;
mod unbroken;

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

pub use error::{AcquireError, StalePermit};
use line::PATIENCE;
use lines::{Lines, Place};
pub use permit::{Permit, Witness};
pub use request::{AcquireRequest, Lane, Waiting};
use unbroken::Unbroken;

use crate::store::{Answer, MemoryStore, QuotaStore, SlotId, StoreError};
use crate::{AccountKey, Limit, Usage};

/// Timers are no finer than this, so asking a store more often is of no use.
const TIMER: Duration = Duration::from_millis(1);

/// Hands out permits to send, in turn, from a store of ledgers.
///
/// Cheap to clone; clones share the store and the lines of those who wait.
/// Waiting needs a tokio runtime with its timer enabled.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use famulor_quota::{AccountKey, AcquireRequest, Limit, Quota, Witness};
/// # async fn send() -> (u32, u32) { (5, 4) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let quota = Quota::in_memory();
/// let account = AccountKey::new("a-secret-token");
/// let limits: Arc<[Limit]> = Arc::new(["5/60s".parse()?]);
///
/// let mut permit = quota.acquire(AcquireRequest::new(account, limits)).await?;
/// permit.mark_sent()?;
/// let (limit, remaining) = send().await;
/// permit.complete(Some(Witness::new(limit, remaining))).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Quota {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn QuotaStore>,
    lines: Arc<Lines>,
}

impl Shared {
    /// Wakes those who cannot go in time any more.
    fn tell_frozen(&self, account: AccountKey, frozen: Duration) {
        if let Some(until) = Instant::now().checked_add(frozen) {
            self.lines.frozen(account, until);
        }
    }
}

impl Quota {
    /// A quota for this process alone.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::with_store(MemoryStore::new())
    }

    /// A quota for all who share `store`.
    #[must_use]
    pub fn with_store(store: impl QuotaStore) -> Self {
        Self {
            shared: Arc::new(Shared {
                store: Arc::new(store),
                lines: Arc::default(),
            }),
        }
    }

    /// Waits for a free slot under every limit of `request`, in turn.
    ///
    /// Dropping the returned future leaves nothing behind: no slot is taken and
    /// no place in the line is kept. A future that is kept but not polled keeps
    /// its place, and those behind it wait.
    ///
    /// # Errors
    ///
    /// [`AcquireError::WouldWait`] when no slot comes free before the deadline: at
    /// once if that is certain now, and at the deadline at the latest. And [`AcquireError::Store`] when the store
    /// cannot tell.
    pub async fn acquire(&self, request: AcquireRequest) -> Result<Permit, AcquireError> {
        let began = Instant::now();
        let account = request.account;
        // Nobody waits: no need to queue if the store answers on the spot.
        let mut asking = None;
        if self.shared.lines.nobody_waits(account) {
            match self.shared.store.acquire(request.ask()).now() {
                Ok(Ok(Answer::Granted(slot))) => {
                    return Ok(self.permit(request, slot, began, Duration::ZERO));
                }
                Ok(Ok(Answer::Wait { .. })) => {}
                Ok(Err(error)) => return Err(error.into()),
                Err(running) => {
                    asking = Some((began, Unbroken::acquire(&self.shared, account, running)));
                }
            }
        }
        let deadline = request.deadline(began);
        let place = self.shared.lines.join(&request, deadline);
        loop {
            let now = Instant::now();
            let standing = place.standing(now);
            let turn = match asking.take() {
                None if standing.may_ask => {
                    let running = self.shared.store.acquire(request.ask());
                    Some((now, Unbroken::acquire(&self.shared, account, running)))
                }
                asking => asking,
            };
            let asked = turn.is_some();
            let mut ready_in = Duration::ZERO;
            if let Some((asked_at, turn)) = turn {
                match turn.await? {
                    Answer::Granted(slot) => {
                        place.served();
                        return Ok(self.permit(request, slot, asked_at, began.elapsed()));
                    }
                    Answer::Wait { ready_in: time } => ready_in = time,
                }
            } else if request.wants_forecast(deadline) {
                ready_in = self.ready_in(&request, standing.ahead).await?;
            }
            let now = Instant::now();
            let wake_at = match asked {
                true => now.checked_add(ready_in.max(TIMER)),
                false => standing.yields.then(|| now + PATIENCE),
            };
            if asked && let Some(wake_at) = wake_at {
                place.denied(wake_at);
            }
            let ahead = standing.ahead;
            if deadline.is_some_and(|at| {
                at <= now || now.checked_add(ready_in).is_none_or(|ready| ready > at)
            }) {
                return Err(AcquireError::WouldWait { ready_in, ahead });
            }
            request.tell(Waiting::new(ready_in, ahead));
            self.news(&place, wake_at, deadline).await;
        }
    }

    /// Takes a slot if one is free now and nobody waits for it; never waits for
    /// anything but the store.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use famulor_quota::{AccountKey, AcquireError, AcquireRequest, Limit, Quota};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let quota = Quota::in_memory();
    /// let limits: Arc<[Limit]> = Arc::new(["1/60s".parse()?]);
    /// let request = AcquireRequest::new(AccountKey::new("token"), limits);
    /// let permit = quota.try_acquire(request.clone()).await?;
    /// match quota.try_acquire(request).await {
    ///     Err(AcquireError::WouldWait { ready_in, .. }) => assert!(ready_in.as_secs() >= 60),
    ///     other => panic!("{other:?}"),
    /// }
    /// # drop(permit);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Quota::acquire`]; the deadline of `request` plays no part.
    pub async fn try_acquire(&self, request: AcquireRequest) -> Result<Permit, AcquireError> {
        let began = Instant::now();
        let ahead = self.shared.lines.ahead_of(&request);
        if ahead > 0 {
            let ready_in = self.ready_in(&request, ahead).await?;
            return Err(AcquireError::WouldWait { ready_in, ahead });
        }
        let answer = match self.shared.store.acquire(request.ask()).now() {
            Ok(answer) => answer?,
            Err(running) => Unbroken::acquire(&self.shared, request.account, running).await?,
        };
        match answer {
            Answer::Granted(slot) => Ok(self.permit(request, slot, began, began.elapsed())),
            Answer::Wait { ready_in } => Err(AcquireError::WouldWait { ready_in, ahead }),
        }
    }

    /// The figures of each of `limits` for this account.
    ///
    /// ```
    /// # use famulor_quota::{AccountKey, Limit, Quota};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let quota = Quota::in_memory();
    /// let limit: Limit = "5/60s".parse()?;
    /// let usage = quota.usage(&AccountKey::new("token"), &[limit]).await?;
    /// assert_eq!(usage[0].to_string(), "5/60s all: 0 busy, 0 waiting, next free now");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the store cannot tell.
    pub async fn usage(
        &self,
        account: &AccountKey,
        limits: &[Limit],
    ) -> Result<Vec<Usage>, StoreError> {
        let mut usage = self.shared.store.usage(*account, limits.into()).await?;
        for one in &mut usage {
            let waiting = self.shared.lines.waiting_for(*account, &one.limit);
            one.waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
        }
        Ok(usage)
    }

    /// The earliest a call under all of `limits` could go if nobody waited;
    /// zero is now.
    ///
    /// # Errors
    ///
    /// When the store cannot tell.
    pub async fn next_free(
        &self,
        account: &AccountKey,
        limits: &[Limit],
    ) -> Result<Duration, StoreError> {
        self.shared.store.ready_in(*account, limits.into(), 0).await
    }

    /// Lets no call of the account go for a time, an hour at most; never
    /// shortens a freeze.
    ///
    /// # Errors
    ///
    /// When the store cannot be told.
    pub async fn freeze(&self, account: &AccountKey, for_: Duration) -> Result<(), StoreError> {
        self.shared.store.freeze(*account, for_).await?;
        self.shared.tell_frozen(*account, for_);
        Ok(())
    }

    async fn ready_in(
        &self,
        request: &AcquireRequest,
        ahead: usize,
    ) -> Result<Duration, StoreError> {
        let limits = Arc::clone(&request.limits);
        let store = &self.shared.store;
        store.ready_in(request.account, limits, ahead).await
    }

    /// Waits until there may be something new for this place.
    async fn news(&self, place: &Place, wake_at: Option<Instant>, deadline: Option<Instant>) {
        let timer = match (wake_at, deadline) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let timer = async {
            match timer {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        let changed = async {
            // Only who may ask has a use for it, and a store that fails here
            // leaves us the timer.
            if wake_at.is_none() || self.shared.store.changed(place.account()).await.is_err() {
                pending::<()>().await;
            }
        };
        tokio::select! {
            () = place.rung() => {}
            () = timer => {}
            () = changed => {}
        }
    }

    fn permit(
        &self,
        request: AcquireRequest,
        slot: SlotId,
        asked: Instant,
        waited: Duration,
    ) -> Permit {
        let (account, limits) = (request.account, request.limits);
        Permit::new(&self.shared, account, limits, slot, asked, waited)
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota").finish_non_exhaustive()
    }
}
