//! One connection to a ledger's file, and the statements that it runs.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use tokio::time::sleep;

use super::BUSY;
use super::clock::Reading;
use super::failure::Failure;
use super::identity::Identity;
use super::tables::{create, is_there};
use crate::AccountKey;
use crate::ledger::{Ledger, Moment};
use crate::store::host::Facts;
use crate::store::write::Write;

pub(super) const LOAD: &str =
    "SELECT created, news, at, clock, state FROM store LEFT JOIN ledger ON account = ?1";
/// For what was worked out from memory: if nobody else has written since. The
/// bytes are compared, so it is that very state and no other.
const SAVE_KNOWN: &str = "UPDATE ledger SET at = ?2, clock = ?3, state = ?4
    WHERE account = ?1 AND clock = ?5 AND state = ?6";
const LOCK_AND_LOAD: &str = "BEGIN IMMEDIATE;
    SELECT created, news, at, clock, state FROM store LEFT JOIN ledger ON account = ?1";
pub(super) const SAVE_IN_TRANSACTION: &str = "INSERT INTO ledger (account, at, clock, state)
    VALUES (?1, ?2, ?3, ?4) ON CONFLICT (account) DO UPDATE SET at = ?2, clock = ?3, state = ?4";
const SAVE: &str = "INSERT INTO ledger (account, at, clock, state) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (account) DO UPDATE SET at = ?2, clock = ?3, state = ?4; COMMIT";
const SAVE_WITH_NEWS: &str =
    "INSERT INTO ledger (account, at, clock, state) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (account) DO UPDATE SET at = ?2, clock = ?3, state = ?4;
    UPDATE store SET news = news + 1; COMMIT";

/// Accounts looked at in search of idle ones, and how many new accounts there
/// are to each such look: twice as many are looked at as are added.
const SWEPT: i64 = 64;
const SWEEP_EVERY: u8 = 32;

/// Accounts that are remembered; all are forgotten when there are more.
const MOST_KNOWN: usize = 1024;

/// An open file. Dropping it in the middle of a transaction undoes that.
pub(super) struct LedgerFile {
    /// Waits for the disk at the end of a transaction.
    durable: SqliteConnection,
    /// Does not; opened when it is needed.
    soon: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    identity: Identity,
    created: i64,
    /// Accounts as we have written or read them last.
    known: HashMap<AccountKey, Known>,
}

/// An account as it is if nobody else has written it since.
pub(super) struct Known {
    pub(super) ledger: Ledger,
    pub(super) at: Moment,
    pub(super) clock: Reading,
    pub(super) state: Vec<u8>,
}

/// An account as the file has it.
struct Loaded {
    ledger: Ledger,
    now: Moment,
    clock: Reading,
    news: i64,
    new: bool,
}

impl LedgerFile {
    pub(super) async fn open(path: &Path) -> Result<Self, Failure> {
        let identity = Identity::create(path).map_err(|error| {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            Failure::Said(match folder.filter(|folder| !folder.exists()) {
                Some(folder) => {
                    format!("cannot be opened: there is no folder {}", folder.display())
                }
                None => format!("cannot be opened: {error}"),
            })
        })?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY)
            // A slot that was granted must not be forgotten in a power failure.
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging();
        // Several processes may find the file new at the same time, and SQLite
        // waits for no lock while it changes the journal.
        let began = Instant::now();
        loop {
            match Self::prepare(&options).await {
                Ok((durable, created)) => {
                    return Ok(Self {
                        durable,
                        created,
                        soon: None,
                        options,
                        identity,
                        known: HashMap::new(),
                    });
                }
                Err(error) if error.is_busy() && began.elapsed() < BUSY => {
                    sleep(Duration::from_millis(10)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn prepare(options: &SqliteConnectOptions) -> Result<(SqliteConnection, i64), Failure> {
        let mut sql = options.connect().await?;
        if let Some(created) = is_there(&mut sql).await? {
            return Ok((sql, created));
        }
        let wal = options.clone().journal_mode(SqliteJournalMode::Wal);
        let mut sql = wal.connect().await?;
        let mut creating = sql.begin_with("BEGIN IMMEDIATE").await?;
        let created = match is_there(&mut creating).await? {
            Some(created) => created,
            None => create(&mut creating).await?,
        };
        creating.commit().await?;
        Ok((sql, created))
    }

    /// Whether the path still leads to this file: one that was deleted is no
    /// longer shared with anybody.
    pub(super) fn is_current(&self, path: &Path) -> bool {
        self.identity.is_at(path)
    }

    /// Lets `act` change an account's ledger, as one transaction. Returns the
    /// count of news as it was before, too, if it was read.
    pub(super) async fn change<T>(
        &mut self,
        account: AccountKey,
        how: Write,
        act: impl Fn(&mut Ledger, Moment) -> T,
    ) -> Result<(T, Option<i64>), Failure> {
        // Those who wait are told of slots by what goes with them.
        if how != Write::SoonAndTell
            && let Some(value) = self.change_known(account, how, &act).await?
        {
            return Ok((value, None));
        }
        let sql = self.connection(how).await?;
        let Loaded {
            mut ledger,
            now,
            clock,
            news,
            new,
        } = load(sql, account, LOCK_AND_LOAD).await?;
        let before = ledger.encode();
        let value = act(&mut ledger, now);
        let after = ledger.encode();
        if before == after {
            sqlx::query("COMMIT").execute(sql).await?;
            return Ok((value, Some(news)));
        }
        sqlx::query(if how == Write::SoonAndTell {
            SAVE_WITH_NEWS
        } else {
            SAVE
        })
        .bind(account.as_bytes().as_slice())
        .bind(column(now))
        .bind(clock.to_column())
        .bind(after.as_slice())
        .execute(&mut *sql)
        .await?;
        if new && is_lot(account) {
            sweep(sql, account).await?;
        }
        let known = Known {
            ledger,
            at: now,
            clock,
            state: after,
        };
        self.learn(account, known);
        Ok((value, Some(news)))
    }

    /// The same in one statement, without loading the account first. None, and
    /// nothing has changed, when it is not known, when somebody else has written
    /// it since, or when there is nothing to change.
    async fn change_known<T>(
        &mut self,
        account: AccountKey,
        how: Write,
        act: impl Fn(&mut Ledger, Moment) -> T,
    ) -> Result<Option<T>, Failure> {
        let Some(mut known) = self.known.remove(&account) else {
            return Ok(None);
        };
        // Read before the lock is ours, which is early enough for a slot that is
        // taken and late enough for a call that has ended. If nobody else has
        // written meanwhile, time has not run backwards.
        let clock = Reading::now();
        let now = known.at.plus(clock.since(known.clock));
        let value = act(&mut known.ledger, now);
        let after = known.ledger.encode();
        if after == known.state {
            return Ok(None);
        }
        let saved = sqlx::query(SAVE_KNOWN)
            .bind(account.as_bytes().as_slice())
            .bind(column(now))
            .bind(clock.to_column())
            .bind(after.as_slice())
            .bind(known.clock.to_column())
            .bind(known.state)
            .execute(self.connection(how).await?)
            .await?;
        if saved.rows_affected() == 0 {
            return Ok(None);
        }
        let known = Known {
            ledger: known.ledger,
            at: now,
            clock,
            state: after,
        };
        self.learn(account, known);
        Ok(Some(value))
    }

    pub(super) fn learn(&mut self, account: AccountKey, known: Known) {
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(account, known);
    }

    async fn connection(&mut self, how: Write) -> Result<&mut SqliteConnection, Failure> {
        if how == Write::Durable {
            return Ok(&mut self.durable);
        }
        if self.soon.is_none() {
            let options = self.options.clone().synchronous(SqliteSynchronous::Normal);
            self.soon = Some(options.connect().await?);
        }
        Ok(self.soon.as_mut().unwrap_or(&mut self.durable))
    }

    /// Lets `see` look at an account's ledger, without a lock.
    pub(super) async fn look<T>(
        &mut self,
        account: AccountKey,
        see: impl FnOnce(&Ledger, Moment) -> T,
    ) -> Result<T, Failure> {
        let Loaded { ledger, now, .. } = load(&mut self.durable, account, LOAD).await?;
        Ok(see(&ledger, now))
    }

    /// Which file it is, and when the ledgers in it were begun. None where the
    /// system does not tell files apart.
    pub(super) fn facts(&self) -> Option<Facts> {
        let id = self.identity.0?;
        Some(Facts::File {
            id,
            created: self.created,
        })
    }

    /// Forgets idle accounts, some at a time.
    pub(super) async fn sweep(&mut self, from: AccountKey) -> Result<(), Failure> {
        sweep(&mut self.durable, from).await
    }

    /// How often a slot has come free before its time.
    pub(super) async fn news(&mut self) -> Result<i64, Failure> {
        let news = sqlx::query_scalar("SELECT news FROM store");
        Ok(news.fetch_one(&mut self.durable).await?)
    }
}

async fn load(
    sql: &mut SqliteConnection,
    account: AccountKey,
    how: &'static str,
) -> Result<Loaded, Failure> {
    let key = account.as_bytes().as_slice();
    let row = sqlx::query(how).bind(key).fetch_one(sql).await?;
    // Read now that nobody else can write, or time could run backwards.
    let clock = Reading::now();
    let state: Option<&[u8]> = row.try_get(4)?;
    let (ledger, now, new) = match state {
        Some(state) => {
            let now = time_of(row.try_get(2)?, row.try_get(3)?, clock);
            (Ledger::decode(state)?, now, false)
        }
        // Never used, or with nothing to remember: either way, all since
        // the file was created is known. 0 would mean "never".
        None => {
            let created = Reading::from_column(row.try_get(0)?);
            let began = Moment::from_micros(1);
            (Ledger::new(began), began.plus(clock.since(created)), true)
        }
    };
    let news = row.try_get(1)?;
    Ok(Loaded {
        ledger,
        now,
        clock,
        news,
        new,
    })
}

/// Whether it falls to this account to look for idle ones.
pub(super) fn is_lot(account: AccountKey) -> bool {
    account.as_bytes()[15].is_multiple_of(SWEEP_EVERY)
}

/// Forgets idle accounts, some at a time. `from` is as good as drawn by lot:
/// it is a hash.
async fn sweep(connection: &mut SqliteConnection, from: AccountKey) -> Result<(), Failure> {
    let sql = "BEGIN IMMEDIATE;
            SELECT account, at, clock, state FROM ledger WHERE account > ?1 ORDER BY account LIMIT ?2";
    let found = sqlx::query(sql)
        .bind(from.as_bytes().as_slice())
        .bind(SWEPT);
    for row in found.fetch_all(&mut *connection).await? {
        let now = time_of(row.try_get(1)?, row.try_get(2)?, Reading::now());
        if Ledger::decode(row.try_get(3)?)?.is_idle(now) {
            let account: &[u8] = row.try_get(0)?;
            let delete = sqlx::query("DELETE FROM ledger WHERE account = ?1").bind(account);
            delete.execute(&mut *connection).await?;
        }
    }
    sqlx::query("COMMIT").execute(&mut *connection).await?;
    Ok(())
}

pub(super) fn column(moment: Moment) -> i64 {
    i64::try_from(moment.as_micros()).unwrap_or(i64::MAX)
}

pub(super) fn time_of(at: i64, then: i64, clock: Reading) -> Moment {
    let at = Moment::from_micros(u64::try_from(at).unwrap_or(0));
    at.plus(clock.since(Reading::from_column(then)))
}
