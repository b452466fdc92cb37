//! The tables, and the statements on them.

use std::time::Instant;

use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};

use super::failure::Failure;
use crate::AccountKey;
use crate::ledger::{Ledger, Moment};
use crate::store::known::{Guess, Last};
use crate::store::write::Write;

/// The layout of the tables.
const SCHEMA: i32 = 1;

/// What everybody who creates the tables locks: "famulorQ".
const CREATING: i64 = 0x6661_6d75_6c6f_7251;

/// Half a page is left free so that a row can be rewritten where it is. `at` is
/// the account's own time at its last change and `clock` the server's at that
/// moment: so a server's clock that is set back stops no account's time for
/// longer than until its next call.
const CREATE: &str = "
    CREATE TABLE IF NOT EXISTS famulor_quota_store (
        schema int NOT NULL,
        created bigint NOT NULL
    );
    CREATE TABLE IF NOT EXISTS famulor_quota_ledger (
        account bytea PRIMARY KEY,
        version bigint NOT NULL,
        at bigint NOT NULL,
        clock bigint NOT NULL,
        state bytea NOT NULL
    ) WITH (fillfactor = 50);
    INSERT INTO famulor_quota_store (schema, created)
        SELECT 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
        WHERE NOT EXISTS (SELECT FROM famulor_quota_store)";

const LOAD: &str = "
    SELECT created, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
        version, at, clock, state
    FROM famulor_quota_store LEFT JOIN famulor_quota_ledger ON account = $1";

/// The time comes second: it is read again after waiting for the lock.
const LOAD_LOCKED: &str = "
    SELECT created, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
        version, at, clock, state
    FROM famulor_quota_store, famulor_quota_ledger WHERE account = $1
    FOR UPDATE OF famulor_quota_ledger";

/// Whoever is suspended with a lock loses it after two seconds.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL idle_in_transaction_session_timeout = 2000";

const INSERT: &str = "
    INSERT INTO famulor_quota_ledger (account, version, at, clock, state)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account) DO NOTHING";

pub(super) const UPDATE: &str = "
    UPDATE famulor_quota_ledger SET version = version + 1, at = $3, clock = $4, state = $5
    WHERE account = $1 AND version = $2";

/// Does not wait for the disk.
const UPDATE_SOON: &str = "
    UPDATE famulor_quota_ledger SET version = version + 1, at = $3, clock = $4, state = $5
    WHERE account = $1 AND version = $2
        AND set_config('synchronous_commit', 'off', true) = 'off'";

/// For what was worked out from memory: if the clock is what it was taken for.
const UPDATE_IN_TIME: &str = "
    UPDATE famulor_quota_ledger SET version = version + 1, at = $3, clock = $4, state = $5
    WHERE account = $1 AND version = $2 AND clock = $7
        AND (extract(epoch FROM clock_timestamp()) * 1000000)::bigint BETWEEN $4 AND $6
    RETURNING (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

const UPDATE_IN_TIME_SOON: &str = "
    UPDATE famulor_quota_ledger SET version = version + 1, at = $3, clock = $4, state = $5
    WHERE account = $1 AND version = $2 AND clock = $7
        AND (extract(epoch FROM clock_timestamp()) * 1000000)::bigint BETWEEN $4 AND $6
        AND set_config('synchronous_commit', 'off', true) = 'off'
    RETURNING (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

const UPDATE_AND_TELL: &str = "
    WITH soon AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
    saved AS (
        UPDATE famulor_quota_ledger SET version = version + 1, at = $3, clock = $4, state = $5
        FROM soon WHERE account = $1 AND version = $2 RETURNING account
    )
    SELECT pg_notify('famulor_quota', encode(account, 'hex')) FROM saved";

/// Accounts looked at in search of idle ones.
const SWEPT: i64 = 64;

/// An account as the table has it.
pub(super) struct Loaded {
    pub(super) ledger: Ledger,
    pub(super) now: Moment,
    /// The server's clock then, and just before it was asked for.
    clock: i64,
    asked: Instant,
    /// None when it has no row.
    version: Option<i64>,
}

/// Tells an account as it was written from any other state of it. A server that
/// crashed may have lost a version, and count it again: so the clock, too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) version: i64,
    pub(super) clock: i64,
}

impl Mark {
    /// Of the next version, written when the server's clock was as in `guess`.
    pub(super) fn after(guess: &Guess<Self>) -> Self {
        Self {
            version: guess.mark.version.wrapping_add(1),
            clock: guess.clock,
        }
    }
}

/// Creates the tables where they are missing.
pub(super) async fn prepare(sql: &mut PgConnection) -> Result<(), Failure> {
    let schema = "SELECT schema FROM famulor_quota_store";
    let mut found = sqlx::query_scalar(schema).fetch_optional(&mut *sql).await;
    if found.as_ref().err().and_then(Failure::code).as_deref() == Some("42P01") {
        let mut creating = sql.begin().await?;
        let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(CREATING);
        lock.execute(&mut *creating).await?;
        sqlx::raw_sql(CREATE).execute(&mut *creating).await?;
        creating.commit().await?;
        found = sqlx::query_scalar(schema).fetch_optional(&mut *sql).await;
    }
    match found? {
        Some(SCHEMA) => Ok(()),
        Some(newer) if newer > SCHEMA => Err(Failure::Said(format!(
            "has tables of a newer version: their layout is {newer}, this one knows {SCHEMA}"
        ))),
        _ => Err(Failure::Said(
            "has a table famulor_quota_store that is not ours".into(),
        )),
    }
}

pub(super) async fn load(sql: &mut PgConnection, account: AccountKey) -> Result<Loaded, Failure> {
    let key = account.as_bytes().as_slice();
    let asked = Instant::now();
    read(&sqlx::query(LOAD).bind(key).fetch_one(sql).await?, asked)
}

/// Begins a transaction in which nobody else can change an account. None when it
/// has no row to be locked.
pub(super) async fn lock(
    sql: &mut PgConnection,
    account: AccountKey,
) -> Result<Option<Loaded>, Failure> {
    sqlx::raw_sql(BEGIN).execute(&mut *sql).await?;
    let key = account.as_bytes().as_slice();
    let asked = Instant::now();
    let row = sqlx::query(LOAD_LOCKED)
        .bind(key)
        .fetch_optional(sql)
        .await?;
    row.map(|row| read(&row, asked)).transpose()
}

pub(super) async fn commit(sql: &mut PgConnection) -> Result<(), Failure> {
    sqlx::raw_sql("COMMIT").execute(sql).await?;
    Ok(())
}

fn read(row: &PgRow, asked: Instant) -> Result<Loaded, Failure> {
    let clock: i64 = row.try_get(1)?;
    let state: Option<&[u8]> = row.try_get(5)?;
    let Some(state) = state else {
        // Never used, or with nothing to remember: either way, all since the
        // tables were created is known. 0 would mean "never".
        return Ok(Loaded {
            ledger: Ledger::new(Moment::from_micros(1)),
            now: time_of(1, row.try_get(0)?, clock),
            clock,
            version: None,
            asked,
        });
    };
    Ok(Loaded {
        ledger: Ledger::decode(state)?,
        now: time_of(row.try_get(3)?, row.try_get(4)?, clock),
        clock,
        version: row.try_get(2)?,
        asked,
    })
}

/// Writes an account's ledger, unless somebody else has since it was loaded;
/// the version that it has now if it did.
pub(super) async fn save(
    sql: &mut PgConnection,
    account: AccountKey,
    loaded: &Loaded,
    state: Vec<u8>,
    how: Write,
) -> Result<Option<i64>, Failure> {
    let statement = match (loaded.version, how) {
        (None, _) => INSERT,
        (Some(_), Write::Durable) => UPDATE,
        (Some(_), Write::Soon) => UPDATE_SOON,
        (Some(_), Write::SoonAndTell) => UPDATE_AND_TELL,
    };
    // A row that is removed and comes again does not repeat itself.
    let version = loaded.version.unwrap_or(loaded.clock);
    let saved = sqlx::query(statement)
        .bind(account.as_bytes().as_slice())
        .bind(version)
        .bind(column(loaded.now))
        .bind(loaded.clock)
        .bind(state)
        .execute(sql)
        .await;
    let now = match loaded.version {
        Some(version) => version.wrapping_add(1),
        None => version,
    };
    Ok(unless_overtaken(saved)?
        .filter(|saved| saved.rows_affected() == 1)
        .map(|_| now))
}

/// Writes what was worked out from memory, if nobody else has changed the
/// account and the server's clock is what it was taken for; the clock if it did.
pub(super) async fn save_in_time(
    sql: &mut PgConnection,
    account: AccountKey,
    guess: &Guess<Mark>,
    state: Vec<u8>,
    how: Write,
) -> Result<Option<i64>, Failure> {
    let statement = match how {
        Write::Durable => UPDATE_IN_TIME,
        Write::Soon | Write::SoonAndTell => UPDATE_IN_TIME_SOON,
    };
    let saved = sqlx::query_scalar(statement)
        .bind(account.as_bytes().as_slice())
        .bind(guess.mark.version)
        .bind(column(guess.at))
        .bind(guess.clock)
        .bind(state)
        .bind(guess.latest_clock)
        .bind(guess.mark.clock)
        .fetch_optional(sql)
        .await;
    Ok(unless_overtaken(saved)?.flatten())
}

/// Under stricter isolation, a server says in an error that the row was changed.
fn unless_overtaken<T>(saved: sqlx::Result<T>) -> Result<Option<T>, Failure> {
    match saved {
        Ok(saved) => Ok(Some(saved)),
        Err(error) if Failure::code(&error).as_deref() == Some("40001") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn column(moment: Moment) -> i64 {
    i64::try_from(moment.as_micros()).unwrap_or(i64::MAX)
}

impl Loaded {
    /// Lets `act` change the ledger; its bytes afterwards if they are others.
    pub(super) fn apply<T>(
        &mut self,
        act: impl Fn(&mut Ledger, Moment) -> T,
    ) -> (T, Option<Vec<u8>>) {
        let before = self.ledger.encode();
        let value = act(&mut self.ledger, self.now);
        let after = self.ledger.encode();
        (value, (after != before).then_some(after))
    }

    /// What there is to remember once `version` of it has been written.
    pub(super) fn written(self, version: i64) -> Last<Mark> {
        Last {
            ledger: self.ledger,
            at: self.now,
            clock: self.clock,
            mark: Mark {
                version,
                clock: self.clock,
            },
            seen: self.clock,
            asked: self.asked,
        }
    }

    /// Whether it is as it was then.
    pub(super) fn is(&self, mark: Mark) -> bool {
        self.version == Some(mark.version)
    }

    pub(super) fn is_new(&self) -> bool {
        self.version.is_none()
    }
}

/// Forgets idle accounts, some at a time. `from` is as good as drawn by lot: it
/// is a hash.
pub(super) async fn sweep(sql: &mut PgConnection, from: AccountKey) -> Result<(), Failure> {
    let some = "
        SELECT account, version, at, clock, state,
            (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
        FROM famulor_quota_ledger WHERE account > $1 ORDER BY account LIMIT $2";
    let found = sqlx::query(some)
        .bind(from.as_bytes().as_slice())
        .bind(SWEPT);
    for row in found.fetch_all(&mut *sql).await? {
        let now = time_of(row.try_get(2)?, row.try_get(3)?, row.try_get(5)?);
        if Ledger::decode(row.try_get(4)?)?.is_idle(now) {
            let delete = "DELETE FROM famulor_quota_ledger WHERE account = $1 AND version = $2";
            let (account, version): (&[u8], i64) = (row.try_get(0)?, row.try_get(1)?);
            sqlx::query(delete)
                .bind(account)
                .bind(version)
                .execute(&mut *sql)
                .await?;
        }
    }
    Ok(())
}

/// An account's time: what it was `then`, and what has passed since, if the
/// clock was not set back.
pub(super) fn time_of(at: i64, then: i64, clock: i64) -> Moment {
    let passed = clock.saturating_sub(then).max(0);
    Moment::from_micros(u64::try_from(at.saturating_add(passed)).unwrap_or(0))
}
