//! One connection to a ledger's file, and the statements that it runs.

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
/// SQLite obeys this pragma when it prepares it, so it must not be prepared but
/// once.
const DURABLE: &str = "PRAGMA synchronous = FULL";
const SOON: &str = "PRAGMA synchronous = NORMAL";
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

/// An open file. Dropping it in the middle of a transaction undoes that.
pub(super) struct LedgerFile {
    sql: SqliteConnection,
    identity: Identity,
    /// Whether it waits for the disk at the end of a transaction.
    durable: bool,
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
                Ok(sql) => {
                    return Ok(Self {
                        sql,
                        identity,
                        durable: true,
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
    /// count of news as it was before, too.
    pub(super) async fn change<T>(
        &mut self,
        account: AccountKey,
        how: Write,
        act: impl FnOnce(&mut Ledger, Moment) -> T,
    ) -> Result<(T, i64), Failure> {
        self.wait_for_disk(how == Write::Durable).await?;
        let Loaded {
            mut ledger,
            now,
            clock,
            news,
            new,
        } = self.load(account, LOCK_AND_LOAD).await?;
        let before = ledger.encode();
        let value = act(&mut ledger, now);
        let after = ledger.encode();
        if before == after {
            sqlx::query("COMMIT").execute(&mut self.sql).await?;
            return Ok((value, news));
        }
        sqlx::query(if how == Write::SoonAndTell {
            SAVE_WITH_NEWS
        } else {
            SAVE
        })
        .bind(account.as_bytes().as_slice())
        .bind(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
        .bind(clock.to_column())
        .bind(after)
        .execute(&mut self.sql)
        .await?;
        if new && account.as_bytes()[15].is_multiple_of(SWEEP_EVERY) {
            self.sweep(account).await?;
        }
        Ok((value, news))
    }

    async fn wait_for_disk(&mut self, durable: bool) -> Result<(), Failure> {
        if self.durable != durable {
            let pragma = sqlx::query(if durable { DURABLE } else { SOON });
            pragma.persistent(false).execute(&mut self.sql).await?;
            self.durable = durable;
        }
        Ok(())
    }

    /// Lets `see` look at an account's ledger, without a lock.
    pub(super) async fn look<T>(
        &mut self,
        account: AccountKey,
        see: impl FnOnce(&Ledger, Moment) -> T,
    ) -> Result<T, Failure> {
        let Loaded { ledger, now, .. } = self.load(account, LOAD).await?;
        Ok(see(&ledger, now))
    }

    /// How often a slot has come free before its time.
    pub(super) async fn news(&mut self) -> Result<i64, Failure> {
        let news = sqlx::query_scalar("SELECT news FROM store");
        Ok(news.fetch_one(&mut self.sql).await?)
    }

    async fn load(&mut self, account: AccountKey, how: &'static str) -> Result<Loaded, Failure> {
        let key = account.as_bytes().as_slice();
        let row = sqlx::query(how).bind(key).fetch_one(&mut self.sql).await?;
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
    async fn sweep(&mut self, from: AccountKey) -> Result<(), Failure> {
        let sql = "BEGIN IMMEDIATE;
            SELECT account, at, clock, state FROM ledger WHERE account > ?1 ORDER BY account LIMIT ?2";
        let found = sqlx::query(sql)
            .bind(from.as_bytes().as_slice())
            .bind(SWEPT);
        for row in found.fetch_all(&mut self.sql).await? {
            let now = time_of(row.try_get(1)?, row.try_get(2)?, Reading::now());
            if Ledger::decode(row.try_get(3)?)?.is_idle(now) {
                let account: &[u8] = row.try_get(0)?;
                let delete = sqlx::query("DELETE FROM ledger WHERE account = ?1").bind(account);
                delete.execute(&mut self.sql).await?;
            }
        }
        sqlx::query("COMMIT").execute(&mut self.sql).await?;
        Ok(())
    }
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
