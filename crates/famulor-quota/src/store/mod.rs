//! Where ledgers are kept.
//!
//! A [`QuotaStore`] answers at once, from its own clock, and never waits for a
//! slot: waiting in line is the business of [`Quota`](crate::Quota), in every
//! process. So a store can be a map in memory, a row in a database that is
//! locked for one transaction, or a script that runs inside the database.

mod degrade;
mod future;
#[cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, reason = "there is no store then that has a database")
)]
mod host;
mod keyed;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod known;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod later;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod listener;
mod memory;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod news;
mod open;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
mod sweep;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod write;

use std::sync::Arc;
use std::time::Duration;

pub use degrade::DegradeToLocal;
pub use future::{StoreError, StoreFuture};
pub use host::{
    FileId, SharedDatabase, SqlDialect, SqlHost, SqlType, SqlValue, Statement, Taken, Visit,
    VisitError,
};
pub use memory::MemoryStore;
pub use open::open_store;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

use crate::ledger::Moment;
use crate::{AccountKey, Lane, Limit, Usage};

/// Keeps the ledgers of many accounts, for one process or for many.
///
/// Every method is one atomic step on one account, and every time in it is a
/// duration from now on the store's own clock: two processes need not agree on
/// what time it is. The futures own what they need and may be finished by
/// another task: [`Quota`](crate::Quota) does that when its caller goes away,
/// so that a slot granted meanwhile is not lost.
///
/// [`Ledger`](crate::ledger::Ledger) holds all the rules. A store that can lock
/// one account, load it, apply the rule and write it back needs nothing else.
pub trait QuotaStore: Send + Sync + 'static {
    /// Takes a slot under every limit, or under none; does not wait.
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer>;

    /// A call ended other than by a 429. Only ever shortens the time for which
    /// its slot is busy; a slot the store no longer knows is ignored.
    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()>;

    /// A call was refused with a 429: gives its slot back, freezes the account,
    /// and returns for how long it is frozen now.
    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration>;

    /// Lets no call of the account go for `time`; never shortens a freeze.
    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()>;

    /// The earliest a call could go if `ahead` others went before it.
    fn ready_in(
        &self,
        account: AccountKey,
        limits: Arc<[Limit]>,
        ahead: usize,
    ) -> StoreFuture<Duration>;

    /// The figures of each limit; [`Usage::waiting`] stays 0.
    fn usage(&self, account: AccountKey, limits: Arc<[Limit]>) -> StoreFuture<Vec<Usage>>;

    /// Ends when another process may have made room for this account earlier
    /// than was foretold. Whoever waits has a timer too, so a store without
    /// notifications keeps this: it never ends.
    fn changed(&self, account: AccountKey) -> StoreFuture<()> {
        let _ = account;
        StoreFuture::never()
    }

    /// The database in which the ledgers are, if it is one in which somebody else
    /// may keep other things and change both in one transaction. None for a store
    /// that is no such database, and while it must not be used.
    fn database(&self) -> StoreFuture<Option<SharedDatabase>> {
        StoreFuture::ready(Ok(None))
    }

    /// This store, and while it cannot be reached a `share` of each limit for
    /// this process alone: for those who would rather go on than stop.
    ///
    /// The share is between 0 and 1, and a limit keeps one slot at the least.
    /// With four processes and a share of 0.25 they stay within the limit
    /// together once a window has passed since the store was lost. Nothing is
    /// promised for the window around the loss and the one around the return:
    /// neither side knows of the other's slots, so calls may be refused.
    ///
    /// A store that has failed is left alone for a second at a time. What ended
    /// while it was away is told to the side that granted it.
    ///
    /// ```
    /// # use famulor_quota::{Quota, QuotaStore, open_store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = open_store("memory").await?.degrade_to_local(0.25);
    /// assert!(!store.is_degraded());
    /// let quota = Quota::with_store(store);
    /// # Ok(())
    /// # }
    /// ```
    fn degrade_to_local(self, share: f64) -> DegradeToLocal<Self>
    where
        Self: Sized,
    {
        DegradeToLocal::new(self, share)
    }
}

/// A store that others hold on to as well, to look into it or to share it
/// between two [`Quota`](crate::Quota)s.
impl<S: QuotaStore> QuotaStore for Arc<S> {
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer> {
        S::acquire(self, ask)
    }

    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()> {
        S::complete(self, account, slot, how)
    }

    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration> {
        S::reject(self, account, slot, retry_after)
    }

    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()> {
        S::freeze(self, account, time)
    }

    fn ready_in(
        &self,
        account: AccountKey,
        limits: Arc<[Limit]>,
        ahead: usize,
    ) -> StoreFuture<Duration> {
        S::ready_in(self, account, limits, ahead)
    }

    fn usage(&self, account: AccountKey, limits: Arc<[Limit]>) -> StoreFuture<Vec<Usage>> {
        S::usage(self, account, limits)
    }

    fn changed(&self, account: AccountKey) -> StoreFuture<()> {
        S::changed(self, account)
    }

    fn database(&self) -> StoreFuture<Option<SharedDatabase>> {
        S::database(self)
    }
}

/// A store chosen at run time, see [`open_store`].
impl QuotaStore for Box<dyn QuotaStore> {
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer> {
        (**self).acquire(ask)
    }

    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()> {
        (**self).complete(account, slot, how)
    }

    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration> {
        (**self).reject(account, slot, retry_after)
    }

    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()> {
        (**self).freeze(account, time)
    }

    fn ready_in(
        &self,
        account: AccountKey,
        limits: Arc<[Limit]>,
        ahead: usize,
    ) -> StoreFuture<Duration> {
        (**self).ready_in(account, limits, ahead)
    }

    fn usage(&self, account: AccountKey, limits: Arc<[Limit]>) -> StoreFuture<Vec<Usage>> {
        (**self).usage(account, limits)
    }

    fn changed(&self, account: AccountKey) -> StoreFuture<()> {
        (**self).changed(account)
    }

    fn database(&self) -> StoreFuture<Option<SharedDatabase>> {
        (**self).database()
    }
}

/// What a caller asks of a store: one slot, under all of these limits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ask {
    /// Whose quota.
    pub account: AccountKey,
    /// The limits that count this call.
    pub limits: Arc<[Limit]>,
    /// How urgent it is, for stores that can tell callers of several processes
    /// apart.
    pub lane: Lane,
    /// For how long the request may still reach the server, from now: the time
    /// until it must be sent, its timeout, and what may linger on the way.
    pub hold: Duration,
}

impl Ask {
    /// Asks for one slot.
    #[must_use]
    pub fn new(account: AccountKey, limits: Arc<[Limit]>, lane: Lane, hold: Duration) -> Self {
        Self {
            account,
            limits,
            lane,
            hold,
        }
    }
}

/// A store's answer to an [`Ask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The slot is taken.
    Granted(SlotId),
    /// There is none, and there is no use in asking before `ready_in`.
    Wait {
        /// A lower bound, see [`Ledger::ready_at`](crate::ledger::Ledger::ready_at).
        ready_in: Duration,
    },
}

/// Names a slot within its account: the moment it was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotId(Moment);

impl SlotId {
    pub(crate) fn from_moment(granted: Moment) -> Self {
        Self(granted)
    }

    pub(crate) fn moment(self) -> Moment {
        self.0
    }
}

/// How a call ended that was not refused with a 429.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The server answered, and perhaps said what it had counted.
    Answered(Option<Seen>),
    /// Nothing was sent: the slot is free at once.
    NotSent,
    /// It was sent and nobody waits for the answer any more: it may still be
    /// [on its way](crate::ledger::LATE_ARRIVAL).
    Abandoned,
}

/// What a server said it had counted between the arrival of the call it answered
/// and that answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The limit that the count is about.
    pub limit: Limit,
    /// Requests in its window, this one included.
    pub counted: u32,
}
