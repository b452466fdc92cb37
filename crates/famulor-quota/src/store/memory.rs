//! One process's ledgers, in memory.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::sweep::Shard;
use super::{Answer, Ask, Completion, QuotaStore, SlotId, StoreFuture};
use crate::ledger::{Ledger, Moment};
use crate::{AccountKey, Limit, Usage};

/// So many locks that threads seldom meet at one, so few that an idle store is
/// small.
const SHARDS: usize = 64;

/// Where its clock begins: not at 0, which means "never".
const BEGAN: Moment = Moment::from_micros(1);

/// The ledgers of any number of accounts, for one process.
///
/// Accounts of which there is nothing left to remember are forgotten, so a
/// million tokens seen once do not stay. Its clock is tokio's, which tests can
/// pause; it also works outside a tokio runtime.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use famulor_quota::{AccountKey, Completion, Limit, MemoryStore, Quota};
/// // Without tasks or waiting:
/// let store = Arc::new(MemoryStore::new());
/// let (account, limit) = (AccountKey::new("token"), "1/60s".parse::<Limit>()?);
/// let hold = Duration::from_secs(92);
/// let slot = store.acquire_now(account, &[limit.clone()], hold).expect("a free slot");
/// store.complete_now(account, slot, Completion::Answered(None));
/// let wait = store.acquire_now(account, &[limit], hold).unwrap_err();
/// assert!(wait <= Duration::from_millis(60_120));
///
/// // The same ledgers, for those who wait in line:
/// let quota = Quota::with_store(Arc::clone(&store));
/// # Ok::<(), famulor_quota::ParseLimitError>(())
/// ```
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    began: Instant,
}

impl MemoryStore {
    /// A store that knows of no account.
    #[must_use]
    pub fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            shards,
            began: Instant::now(),
        }
    }

    /// How many accounts it remembers at the moment.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Takes a slot, or says when to ask again; what
    /// [`QuotaStore::acquire`] does, for callers that are not asynchronous.
    ///
    /// # Errors
    ///
    /// For how long there is no use in asking again.
    pub fn acquire_now(
        &self,
        account: AccountKey,
        limits: &[Limit],
        hold: Duration,
    ) -> Result<SlotId, Duration> {
        self.with(account, |ledger, now| {
            ledger
                .acquire(now, limits, hold)
                .map_err(|ready| ready.since(now))
        })
    }

    /// What [`QuotaStore::complete`] does, for callers that are not asynchronous.
    pub fn complete_now(&self, account: AccountKey, slot: SlotId, how: Completion) {
        self.with(account, |ledger, now| ledger.complete(now, slot, how));
    }

    fn with<T>(&self, account: AccountKey, act: impl FnOnce(&mut Ledger, Moment) -> T) -> T {
        let mut shard = self.shard(account);
        // Read under the lock, or a ledger's time could run backwards.
        let now = self.now();
        act(shard.ledger(account, BEGAN, now), now)
    }

    /// Looks without leaving a ledger behind for an account nobody has used.
    fn look<T>(&self, account: AccountKey, see: impl FnOnce(&Ledger, Moment) -> T) -> T {
        let shard = self.shard(account);
        let now = self.now();
        match shard.get(account) {
            Some(ledger) => see(ledger, now),
            None => see(&Ledger::new(BEGAN), now),
        }
    }

    fn shard(&self, account: AccountKey) -> MutexGuard<'_, Shard> {
        let byte = account.as_bytes()[15];
        lock(&self.shards[usize::from(byte) % SHARDS])
    }

    fn now(&self) -> Moment {
        BEGAN.plus(self.began.elapsed())
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl QuotaStore for MemoryStore {
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer> {
        let answer = match self.acquire_now(ask.account, &ask.limits, ask.hold) {
            Ok(slot) => Answer::Granted(slot),
            Err(ready_in) => Answer::Wait { ready_in },
        };
        StoreFuture::ready(Ok(answer))
    }

    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()> {
        self.complete_now(account, slot, how);
        StoreFuture::ready(Ok(()))
    }

    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration> {
        let frozen = self.with(account, |ledger, now| ledger.reject(now, slot, retry_after));
        StoreFuture::ready(Ok(frozen))
    }

    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()> {
        self.with(account, |ledger, now| ledger.freeze(now, time));
        StoreFuture::ready(Ok(()))
    }

    fn ready_in(
        &self,
        account: AccountKey,
        limits: Arc<[Limit]>,
        ahead: usize,
    ) -> StoreFuture<Duration> {
        let ready = self.look(account, |ledger, now| {
            ledger.ready_at(now, &limits, ahead).since(now)
        });
        StoreFuture::ready(Ok(ready))
    }

    fn usage(&self, account: AccountKey, limits: Arc<[Limit]>) -> StoreFuture<Vec<Usage>> {
        let usage = self.look(account, |ledger, now| ledger.usage(now, &limits));
        StoreFuture::ready(Ok(usage))
    }
}

/// A ledger is whole after every step of it, so a panic elsewhere in a thread
/// that held the lock is no reason to stop serving everybody else.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
