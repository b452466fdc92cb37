//! Waiting for one's turn.

mod error;
mod line;
mod lines;
mod permit;
mod request;
mod turn;
mod unbroken;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

pub use error::{AcquireError, StalePermit};
use lines::Lines;
pub use permit::{Permit, Witness};
pub use request::{AcquireRequest, Lane, Waiting};
pub use turn::Turn;
use unbroken::Unbroken;

use crate::store::{Answer, MemoryStore, QuotaStore, SharedDatabase, SlotId, StoreError};
use crate::{AccountKey, Limit, Usage};

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

    async fn ready_in(
        &self,
        request: &AcquireRequest,
        ahead: usize,
    ) -> Result<Duration, StoreError> {
        let limits = Arc::clone(&request.limits);
        self.store.ready_in(request.account, limits, ahead).await
    }

    fn permit(
        self: &Arc<Self>,
        request: &AcquireRequest,
        slot: SlotId,
        asked: (Instant, SystemTime),
        waited: Duration,
    ) -> Permit {
        let limits = Arc::clone(&request.limits);
        Permit::new(self, request.account, limits, slot, asked, waited)
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
        let began = now();
        let account = request.account;
        // Nobody waits: no need to queue if the store answers on the spot.
        let mut asking = None;
        if self.shared.lines.nobody_waits(account) {
            match self.shared.store.acquire(request.ask()).now() {
                Ok(Ok(Answer::Granted(slot))) => {
                    return Ok(self.shared.permit(&request, slot, began, Duration::ZERO));
                }
                Ok(Ok(Answer::Wait { .. })) => {}
                Ok(Err(error)) => return Err(error.into()),
                Err(running) => {
                    asking = Some((began, Unbroken::acquire(&self.shared, account, running)));
                }
            }
        }
        let mut turn = Turn::join(&self.shared, request, began.0);
        loop {
            let (asked, running) = match asking.take() {
                Some(asking) => asking,
                None => {
                    turn.come().await?;
                    let asked = now();
                    let running = self.shared.store.acquire(turn.ask());
                    (asked, Unbroken::acquire(&self.shared, account, running))
                }
            };
            match running.await? {
                Answer::Granted(slot) => return Ok(turn.served(slot, asked)),
                Answer::Wait { ready_in } => turn.refused(ready_in).await?,
            }
        }
    }

    /// Waits until it is this call's turn to ask, for a caller who asks by
    /// itself: in a transaction of its own, in the store's [database](Self::database).
    ///
    /// Lanes, order and deadlines are as for [`Quota::acquire`]; dropping the
    /// future, or the [`Turn`], leaves the line.
    ///
    /// # Errors
    ///
    /// As [`Quota::acquire`].
    pub async fn turn(&self, request: AcquireRequest) -> Result<Turn, AcquireError> {
        let mut turn = Turn::join(&self.shared, request, Instant::now());
        turn.come().await?;
        Ok(turn)
    }

    /// The database in which the store keeps its ledgers, for those who keep
    /// other things there: [`QuotaStore::database`].
    ///
    /// # Errors
    ///
    /// When the store cannot be reached.
    pub async fn database(&self) -> Result<Option<SharedDatabase>, StoreError> {
        self.shared.store.database().await
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
        let began = now();
        let ahead = self.shared.lines.ahead_of(&request);
        if ahead > 0 {
            let ready_in = self.shared.ready_in(&request, ahead).await?;
            return Err(AcquireError::WouldWait { ready_in, ahead });
        }
        let answer = match self.shared.store.acquire(request.ask()).now() {
            Ok(answer) => answer?,
            Err(running) => Unbroken::acquire(&self.shared, request.account, running).await?,
        };
        match answer {
            Answer::Granted(slot) => {
                let waited = began.0.elapsed();
                Ok(self.shared.permit(&request, slot, began, waited))
            }
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
}

/// By the clock that stands still while a machine sleeps, perhaps, and by the one
/// that people set.
fn now() -> (Instant, SystemTime) {
    (Instant::now(), SystemTime::now())
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quota").finish_non_exhaustive()
    }
}
