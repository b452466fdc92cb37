//! Ledgers in Redis or Valkey, for the processes of many machines.

mod connection;
mod listener;
mod scripts;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::known::{Guess, Known, Last, MARGIN, When};
use super::later::tell_now_or_later;
use super::listener::Listener;
use super::{Answer, Ask, Completion, QuotaStore, SlotId, StoreError, StoreFuture};
use crate::ledger::{DecodeError, Ledger, Moment};
use crate::{AccountKey, Limit, Usage};
use connection::Connection;
use scripts::{Acquired, Scripts, Written};

/// The ledgers of any number of accounts, in a Redis or Valkey that processes on
/// many machines share.
///
/// ```no_run
/// # use famulor_quota::{Quota, RedisStore};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let quota = Quota::with_store(RedisStore::connect("redis://cache.example:6379").await?);
/// # Ok(())
/// # }
/// ```
///
/// Every operation is one Lua script, in one round trip, or two if another process
/// has used the account in between; a script touches one key, `famulor:quota:{…}`, which disappears by itself an hour after there is
/// nothing to remember. So it runs on Redis 6 or later, on Valkey, and on a node
/// of a cluster. The user needs to be able to run scripts with `GET`, `SET`,
/// `TIME` and `PUBLISH`, and to subscribe to `famulor:quota`.
///
/// The clock is the server's. One that is set forward lets slots go early by as
/// much; one that is set back does no harm.
///
/// **What the server forgets is not held.** Without `appendonly yes` a restart
/// forgets all slots, and calls may be refused for one window; with
/// `appendfsync everysec`, the default, a crash forgets a second; with `always`,
/// nothing. A failover to a replica forgets what that had not received. And a
/// server that is full must not evict these keys: `maxmemory-policy noeviction`
/// or one of the `volatile-*` with enough memory.
///
/// A waiting call is told by a published message when another process gives back
/// a slot it has not used; for that one more connection is open while somebody
/// waits. When the server was away, the next operation connects again. Without
/// TLS for now: use a socket, a private network or a tunnel.
///
/// It needs a tokio runtime with its timer and input and output enabled.
pub struct RedisStore {
    shared: Arc<Shared>,
    listener: Listener,
}

struct Shared {
    connection: Connection,
    scripts: Scripts,
    /// Each with what it was as the server has it.
    known: Known<Vec<u8>>,
}

impl RedisStore {
    /// Connects to the server at `url`: `redis://user:password@host:port/database`,
    /// or `redis+unix:///path/to/socket?db=1`; `valkey://` means the same.
    ///
    /// # Errors
    ///
    /// With the server's name and what is wrong: it cannot be reached, does not
    /// let us in, or does not let us run scripts. Never with the password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let connection = Connection::new(url)?;
        let listener = listener::listener(connection.client.clone());
        let store = Self {
            shared: Arc::new(Shared {
                connection,
                scripts: Scripts::new(),
                known: Known::default(),
            }),
            listener,
        };
        store
            .shared
            .look(AccountKey::new("a look at whether scripts run"))
            .await?;
        Ok(store)
    }

    fn look<T: Send + 'static>(
        &self,
        account: AccountKey,
        see: impl FnOnce(&Ledger, Moment) -> T + Send + 'static,
    ) -> StoreFuture<T> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move {
            let (ledger, now) = shared.look(account).await?;
            Ok(see(&ledger, now))
        })
    }
}

impl Shared {
    async fn look(&self, account: AccountKey) -> Result<(Ledger, Moment), StoreError> {
        let look = self.scripts.look(account);
        let (clock, stored): (u64, Option<Vec<u8>>) = self.connection.run(&look).await?;
        let Some(stored) = stored else {
            let now = Moment::from_micros(1);
            return Ok((Ledger::new(now), now));
        };
        read(&stored, clock).map_err(|error| self.connection.damaged(&error))
    }

    async fn acquire(&self, ask: &Ask) -> Result<Answer, StoreError> {
        // Should the slot be taken by an assumed time, which is early.
        let hold = ask.hold.saturating_add(MARGIN);
        let acquire = |ledger: &mut Ledger, now| ledger.acquire(now, &ask.limits, hold);
        let known = self.change_known(ask.account, When::Earliest, acquire);
        if let Some(Ok(slot)) = known.await? {
            return Ok(Answer::Granted(slot));
        }
        let acquire = self.scripts.acquire(ask.account, &ask.limits, hold);
        let asked = Instant::now();
        let (granted, micros, state, clock): Acquired = self.connection.run(&acquire).await?;
        self.learn(ask.account, state.zip(clock), asked);
        Ok(if granted {
            Answer::Granted(SlotId::from_moment(Moment::from_micros(micros)))
        } else {
            Answer::Wait {
                ready_in: Duration::from_micros(micros),
            }
        })
    }

    async fn complete(
        &self,
        account: AccountKey,
        slot: SlotId,
        how: &Completion,
    ) -> Result<(), StoreError> {
        // Those who wait are told of slots by the script.
        if *how != Completion::NotSent {
            let complete = |ledger: &mut Ledger, now| ledger.complete(now, slot, how.clone());
            let known = self.change_known(account, When::Latest, complete);
            if known.await?.is_some() {
                return Ok(());
            }
        }
        let complete = self.scripts.complete(account, slot, how);
        let asked = Instant::now();
        let written: Written = self.connection.run(&complete).await?;
        self.learn(account, written, asked);
        Ok(())
    }

    async fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> Result<Duration, StoreError> {
        let reject = self.scripts.reject(account, slot, retry_after);
        let asked = Instant::now();
        let (frozen, state, clock): (u64, Vec<u8>, i64) = self.connection.run(&reject).await?;
        self.learn(account, Some((state, clock)), asked);
        Ok(Duration::from_micros(frozen))
    }

    async fn freeze(&self, account: AccountKey, time: Duration) -> Result<(), StoreError> {
        let freeze = self.scripts.freeze(account, time);
        let asked = Instant::now();
        let written: Written = self.connection.run(&freeze).await?;
        self.learn(account, written, asked);
        Ok(())
    }

    /// Changes an account that this process was the last to change, with a script
    /// that only compares and writes: it takes a tenth of the server's time. None,
    /// and nothing has changed, when it is not known, when what is known is out of
    /// date, or when by it there is nothing to change.
    async fn change_known<T>(
        &self,
        account: AccountKey,
        when: When,
        act: impl FnOnce(&mut Ledger, Moment) -> T,
    ) -> Result<Option<T>, StoreError> {
        let Some(mut guess) = self.known.take(account) else {
            return Ok(None);
        };
        let (value, Some(state)) = guess.apply(when, act) else {
            return Ok(None);
        };
        let state = write(&guess, &state);
        let keep = self.scripts.keep(account, &guess, &state);
        let clock: i64 = self.connection.run(&keep).await?;
        match clock {
            0 => self.known.was_off(),
            1.. => {
                self.known.was_right(account, guess, state, clock);
                return Ok(Some(value));
            }
            _ => self.known.was_changed(account),
        }
        Ok(None)
    }

    /// A script has just written this.
    fn learn(&self, account: AccountKey, written: Written, asked: Instant) {
        let Some((state, clock)) = written else {
            return;
        };
        if let Ok((ledger, at)) = read(&state, u64::try_from(clock).unwrap_or(0)) {
            let last = Last {
                ledger,
                at,
                clock,
                mark: state,
                seen: clock,
                asked,
            };
            self.known.learn(account, last);
        }
    }
}

/// An account as scripts write it: its own time, the clock's at that moment, and
/// the ledger.
fn read(stored: &[u8], clock: u64) -> Result<(Ledger, Moment), DecodeError> {
    let (at, rest) = stored.split_first_chunk().ok_or(DecodeError::Damaged)?;
    let (then, state) = rest.split_first_chunk().ok_or(DecodeError::Damaged)?;
    let now = scripts::time_of(u64::from_le_bytes(*at), u64::from_le_bytes(*then), clock);
    Ok((Ledger::decode(state)?, now))
}

/// The same, as it is at the time of a guess.
fn write(guess: &Guess<Vec<u8>>, state: &[u8]) -> Vec<u8> {
    let at = guess.at.as_micros().to_le_bytes();
    let clock = guess.clock.to_le_bytes();
    [&at[..], &clock[..], state].concat()
}

impl QuotaStore for RedisStore {
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer> {
        self.listener.news.asked(ask.account);
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move { shared.acquire(&ask).await })
    }

    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(tell_now_or_later(move || {
            let (shared, how) = (Arc::clone(&shared), how.clone());
            async move { shared.complete(account, slot, &how).await }
        }))
    }

    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move { shared.reject(account, slot, retry_after).await })
    }

    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move { shared.freeze(account, time).await })
    }

    fn ready_in(
        &self,
        account: AccountKey,
        limits: Arc<[Limit]>,
        ahead: usize,
    ) -> StoreFuture<Duration> {
        self.look(account, move |ledger, now| {
            ledger.ready_at(now, &limits, ahead).since(now)
        })
    }

    fn usage(&self, account: AccountKey, limits: Arc<[Limit]>) -> StoreFuture<Vec<Usage>> {
        self.look(account, move |ledger, now| ledger.usage(now, &limits))
    }

    fn changed(&self, account: AccountKey) -> StoreFuture<()> {
        self.listener.changed(account)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("place", &self.shared.connection.place)
            .finish_non_exhaustive()
    }
}
