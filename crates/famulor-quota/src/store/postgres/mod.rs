//! Ledgers in a PostgreSQL database, for the processes of many machines.

mod connections;
mod failure;
mod listener;
mod resident;
mod tables;

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::time::timeout;

use super::host::Facts;
use super::known::{Known, MARGIN, When};
use super::later::tell_now_or_later;
use super::listener::Listener;
use super::write::Write;
use super::{Answer, Ask, Completion, QuotaStore, SharedDatabase, SlotId, StoreError, StoreFuture};
use crate::ledger::{Ledger, Moment};
use crate::{AccountKey, Limit, Usage};
use connections::Connections;
use failure::Failure;
use tables::Mark;

/// Operations under way at a time, unless [`PostgresStore::connect_with`] says
/// otherwise.
const CONNECTIONS: usize = 4;

/// A server that takes longer is as good as one that is not there.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How often an operation is begun again because its row has come or gone
/// meanwhile, which takes an account that is idle.
const TRIES: usize = 10;

/// One new account in so many is a reason to look for idle ones; twice as many
/// are looked at as are added.
const SWEEP_EVERY: u8 = 32;

/// The ledgers of any number of accounts, in a PostgreSQL database that
/// processes on many machines share.
///
/// ```no_run
/// # use famulor_quota::{PostgresStore, Quota};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::connect("postgres://quota@db.example/quota").await?;
/// let quota = Quota::with_store(store);
/// # Ok(())
/// # }
/// ```
///
/// Two tables, `famulor_quota_store` and `famulor_quota_ledger`, are created
/// where they are missing, in the first schema of the user's `search_path`;
/// afterwards the user needs to be able to select, insert, update and delete in
/// them. PostgreSQL 12 or later.
///
/// An operation reads a row and writes it back if nobody else has changed it
/// meanwhile, in two round trips and without a lock; or in one, when this process
/// was the last to change it, in the last ten seconds. If somebody else was
/// quicker, it locks the row, in four; a process that is suspended then holds up
/// others for two seconds at most. A slot that was granted is on the server's disk; how a call
/// ended is written without waiting for the disk, because a server that forgets
/// it in a crash keeps a slot busy for longer, and no more.
///
/// The clock is the server's. One that is set forward lets slots go early by as
/// much; one that is set back does no harm. A failover to a replica that had not
/// received the last slots granted forgets those.
///
/// A waiting call is told by `NOTIFY` when another process gives back a slot it
/// has not used; for that one more connection listens while somebody waits. A
/// connection pooler in front has to be in session mode. When the server was
/// away, the next operation connects again. Without TLS for now: use a socket,
/// a private network or a tunnel.
///
/// Others who keep things in the same database can take slots in a transaction of
/// theirs, see [`QuotaStore::database`].
///
/// It needs a tokio runtime with its timer and input and output enabled.
pub struct PostgresStore {
    shared: Arc<Shared>,
    listener: Listener,
}

struct Shared {
    /// Where the server is, for errors. No user, no password.
    place: String,
    connections: Connections,
    known: Known<Mark>,
    /// What its connections lead to, and how many there had been.
    facts: Mutex<Option<(u64, Facts)>>,
}

impl PostgresStore {
    /// Connects to the database at `url`, as libpq writes it:
    /// `postgres://user:password@host:port/database`, and `?host=/run/postgresql`
    /// for a socket. What it leaves out comes from `PGHOST`, `PGUSER` and so on.
    ///
    /// # Errors
    ///
    /// With the server's name and what is wrong: it cannot be reached, does not
    /// let us in or create our tables, or they are of a newer version of this
    /// program. Never with the password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with(url, CONNECTIONS).await
    }

    /// The same, with at most so many connections instead of 4, and one more
    /// while somebody waits.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::connect`].
    pub async fn connect_with(url: &str, connections: usize) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|error| StoreError::new(format!("that is no URL of a PostgreSQL: {error}")))?
            .disable_statement_logging();
        let shared = Arc::new(Shared {
            place: place(&options),
            connections: Connections::new(options.clone(), connections),
            known: Known::default(),
            facts: Mutex::default(),
        });
        let preparing = async {
            let mut lease = shared.connections.lease().await?;
            tables::prepare(&mut lease.sql).await?;
            lease.keep();
            Ok(())
        };
        shared.within(preparing).await?;
        Ok(Self {
            shared,
            listener: listener::listener(options),
        })
    }

    fn change<T: Send + 'static>(
        &self,
        account: AccountKey,
        how: Write,
        when: When,
        act: impl Fn(&mut Ledger, Moment) -> T + Send + Sync + 'static,
    ) -> StoreFuture<T> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move {
            let running = shared.change(account, how, when, act);
            shared.within(running).await
        })
    }

    fn look<T: Send + 'static>(
        &self,
        account: AccountKey,
        see: impl Fn(&Ledger, Moment) -> T + Send + Sync + 'static,
    ) -> StoreFuture<T> {
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(async move {
            let (lease, loaded) = shared.within(shared.connections.load(account)).await?;
            lease.keep();
            Ok(see(&loaded.ledger, loaded.now))
        })
    }
}

impl Shared {
    async fn change<T>(
        &self,
        account: AccountKey,
        how: Write,
        when: When,
        act: impl Fn(&mut Ledger, Moment) -> T,
    ) -> Result<T, Failure> {
        // Those who wait are told of slots in a statement of its own.
        let mut was = None;
        if how != Write::SoonAndTell
            && let Some(value) = self
                .change_known(account, how, when, &act, &mut was)
                .await?
        {
            return Ok(value);
        }
        for _ in 0..TRIES {
            let (mut lease, mut loaded) = self.connections.load(account).await?;
            match was.take() {
                Some(mark) if loaded.is(mark) => self.known.was_off(),
                Some(_) => self.known.was_changed(account),
                None => {}
            }
            let (value, after) = loaded.apply(&act);
            let Some(after) = after else {
                lease.keep();
                return Ok(value);
            };
            let saved = tables::save(&mut lease.sql, account, &loaded, after, how).await?;
            if saved.is_some() && loaded.is_new() && is_lot(account) {
                tables::sweep(&mut lease.sql, account).await?;
            }
            lease.keep();
            if let Some(version) = saved {
                self.known.learn(account, loaded.written(version));
                return Ok(value);
            }
            // Somebody was quicker. So that nobody is again: wait in line.
            if let Some(value) = self.change_locked(account, how, &act).await? {
                return Ok(value);
            }
        }
        let said = "removes the account whenever we change it";
        Err(Failure::Said(said.into()))
    }

    /// The same without loading the account first. None, and nothing has changed,
    /// when it is not known, when by what is known there is nothing to change, or
    /// when that, which is what it `was`, is out of date.
    async fn change_known<T>(
        &self,
        account: AccountKey,
        how: Write,
        when: When,
        act: impl Fn(&mut Ledger, Moment) -> T,
        was: &mut Option<Mark>,
    ) -> Result<Option<T>, Failure> {
        if !self.known.has(account) {
            return Ok(None);
        }
        let mut lease = self.connections.lease().await?;
        let Some(mut guess) = self.known.take(account) else {
            lease.keep();
            return Ok(None);
        };
        let (value, Some(after)) = guess.apply(when, act) else {
            lease.keep();
            return Ok(None);
        };
        match tables::save_in_time(&mut lease.sql, account, &guess, after, how).await {
            Ok(Some(clock)) => {
                lease.keep();
                let mark = Mark::after(&guess);
                self.known.was_right(account, guess, mark, clock);
                Ok(Some(value))
            }
            Ok(None) => {
                lease.keep();
                *was = Some(guess.mark);
                Ok(None)
            }
            // The server was restarted. Should it have done it, a slot may be
            // busy that nobody uses, until it runs out.
            Err(_) if lease.was_idle => {
                self.connections.drop_idle();
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// The same, while others wait for the row. None when there is no row.
    async fn change_locked<T>(
        &self,
        account: AccountKey,
        how: Write,
        act: impl Fn(&mut Ledger, Moment) -> T,
    ) -> Result<Option<T>, Failure> {
        let mut lease = self.connections.lease().await?;
        let mut value = None;
        if let Some(mut loaded) = tables::lock(&mut lease.sql, account).await? {
            let (done, after) = loaded.apply(act);
            let saved = match after {
                Some(after) => tables::save(&mut lease.sql, account, &loaded, after, how)
                    .await?
                    .is_some(),
                None => true,
            };
            value = saved.then_some(done);
        }
        tables::commit(&mut lease.sql).await?;
        lease.keep();
        Ok(value)
    }

    async fn within<T>(
        &self,
        running: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, StoreError> {
        let answer = timeout(ANSWER_WITHIN, running).await;
        let answer = answer.unwrap_or(Err(Failure::Silent(ANSWER_WITHIN)));
        answer.map_err(|failure| failure.of(&self.place))
    }
}

/// Whether it falls to this account to look for idle ones.
fn is_lot(account: AccountKey) -> bool {
    account.as_bytes()[15].is_multiple_of(SWEEP_EVERY)
}

/// Where a server is, in words that hold no secret.
fn place(options: &PgConnectOptions) -> String {
    let database = options
        .get_database()
        .unwrap_or_else(|| options.get_username());
    match options.get_socket() {
        Some(socket) => format!("the PostgreSQL database {database} at {}", socket.display()),
        None => format!(
            "the PostgreSQL database {database} at {}:{}",
            options.get_host(),
            options.get_port()
        ),
    }
}

impl QuotaStore for PostgresStore {
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer> {
        self.listener.news.asked(ask.account);
        // Should the slot be taken by an assumed time, which is early.
        let hold = ask.hold.saturating_add(MARGIN);
        let acquire = move |ledger: &mut Ledger, now| {
            let granted = ledger.acquire(now, &ask.limits, hold);
            granted.map_or_else(
                |ready| Answer::Wait {
                    ready_in: ready.since(now),
                },
                Answer::Granted,
            )
        };
        self.change(ask.account, Write::Durable, When::Earliest, acquire)
    }

    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()> {
        let write = Write::of(&how);
        let shared = Arc::clone(&self.shared);
        StoreFuture::new(tell_now_or_later(move || {
            let (shared, how) = (Arc::clone(&shared), how.clone());
            async move {
                let complete = |ledger: &mut Ledger, now| ledger.complete(now, slot, how.clone());
                let running = shared.change(account, write, When::Latest, complete);
                shared.within(running).await
            }
        }))
    }

    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration> {
        self.change(account, Write::Durable, When::Latest, move |ledger, now| {
            ledger.reject(now, slot, retry_after)
        })
    }

    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()> {
        self.change(account, Write::Durable, When::Latest, move |ledger, now| {
            ledger.freeze(now, time)
        })
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

    fn database(&self) -> StoreFuture<Option<SharedDatabase>> {
        let shared = Arc::clone(&self.shared);
        let news = Arc::clone(&self.listener.news);
        StoreFuture::new(async move {
            let resident = shared.within(resident::Resident::of(&shared, news)).await?;
            Ok(Some(SharedDatabase::new(resident)))
        })
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("place", &self.shared.place)
            .finish_non_exhaustive()
    }
}
