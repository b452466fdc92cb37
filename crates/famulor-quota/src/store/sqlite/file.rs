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
use crate::AccountKey;
use crate::ledger::{Ledger, Moment};
use crate::store::write::Write;

/// `PRAGMA application_id`: "FQLd", so that no other program's file is taken for
/// a ledger, or written to.
const APPLICATION: i64 = 0x4651_4c64;

/// `PRAGMA user_version`: the layout of the tables.
const SCHEMA: i64 = 1;

/// `at` is the account's own time at its last change and `clock` the machine's
/// at that moment; from both and the clock follows its time now.
const CREATE: &str = "
    CREATE TABLE store (created INTEGER NOT NULL, news INTEGER NOT NULL) STRICT;
    CREATE TABLE ledger (
        account BLOB PRIMARY KEY,
        at INTEGER NOT NULL,
        clock INTEGER NOT NULL,
        state BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    PRAGMA application_id = 0x46514c64;
    PRAGMA user_version = 1";

const LOAD: &str =
    "SELECT created, news, at, clock, state FROM store LEFT JOIN ledger ON account = ?1";
/// For what was worked out from memory: if nobody else has written since. The
/// bytes are compared, so it is that very state and no other.
const SAVE_KNOWN: &str = "UPDATE ledger SET at = ?2, clock = ?3, state = ?4
    WHERE account = ?1 AND clock = ?5 AND state = ?6";
const LOCK_AND_LOAD: &str = "BEGIN IMMEDIATE;
    SELECT created, news, at, clock, state FROM store LEFT JOIN ledger ON account = ?1";
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
    /// Accounts as we have written or read them last.
    known: HashMap<AccountKey, Known>,
}

/// An account as it is if nobody else has written it since.
struct Known {
    ledger: Ledger,
    at: Moment,
    clock: Reading,
    state: Vec<u8>,
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
                Ok(durable) => {
                    return Ok(Self {
                        durable,
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

    async fn prepare(options: &SqliteConnectOptions) -> Result<SqliteConnection, Failure> {
        let mut sql = options.connect().await?;
        if check(&mut sql).await? {
            return Ok(sql);
        }
        let wal = options.clone().journal_mode(SqliteJournalMode::Wal);
        let mut sql = wal.connect().await?;
        let mut creating = sql.begin_with("BEGIN IMMEDIATE").await?;
        if !check(&mut creating).await? {
            sqlx::raw_sql(CREATE).execute(&mut *creating).await?;
            sqlx::query("INSERT INTO store (created, news) VALUES (?1, 0)")
                .bind(Reading::now().to_column())
                .execute(&mut *creating)
                .await?;
            creating.commit().await?;
        } else {
            creating.rollback().await?;
        }
        Ok(sql)
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
        if new && account.as_bytes()[15].is_multiple_of(SWEEP_EVERY) {
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

    fn learn(&mut self, account: AccountKey, known: Known) {
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

fn column(moment: Moment) -> i64 {
    i64::try_from(moment.as_micros()).unwrap_or(i64::MAX)
}

fn time_of(at: i64, then: i64, clock: Reading) -> Moment {
    let at = Moment::from_micros(u64::try_from(at).unwrap_or(0));
    at.plus(clock.since(Reading::from_column(then)))
}

/// Whether the tables are there; an error if they are not ours.
async fn check(sql: &mut SqliteConnection) -> Result<bool, Failure> {
    let (application, schema, tables): (i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT application_id FROM pragma_application_id),
            (SELECT user_version FROM pragma_user_version),
            (SELECT count(*) FROM sqlite_schema)",
    )
    .fetch_one(sql)
    .await?;
    match (application, schema) {
        (APPLICATION, SCHEMA) => Ok(true),
        (APPLICATION, newer) if newer > SCHEMA => Err(Failure::Said(format!(
            "was written by a newer version: its layout is {newer}, this one knows {SCHEMA}"
        ))),
        (0, 0) if tables == 0 => Ok(false),
        _ => Err(Failure::Said(
            "is a SQLite file of some other program".into(),
        )),
    }
}
