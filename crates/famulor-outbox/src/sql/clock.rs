//! The store's clock, in milliseconds: leases and quiet times are counted by it alone.
//!
//! On PostgreSQL it is the server's, so that machines need not agree on the time. A SQLite file has one of its own: it
//! goes on by what the machine's clock since its start has gone on, which nobody sets and which goes on while the
//! machine sleeps. It is written in every transaction; after a restart of the machine it goes on from there.

use super::{Failure, Sql, values};

const POSTGRES: &str = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

const SQLITE: &str = "UPDATE famulor_outbox_store SET
    at = at + CASE WHEN $1 >= reading THEN $1 - reading ELSE $1 END, reading = $1 RETURNING at";

const SQLITE_LOOK: &str = "SELECT
    at + CASE WHEN $1 >= reading THEN $1 - reading ELSE $1 END FROM famulor_outbox_store";

/// The time, in a transaction that writes.
pub(super) async fn tick(sql: &mut Sql) -> Result<i64, Failure> {
    read(sql, SQLITE).await
}

/// The time, without writing.
pub(crate) async fn look(sql: &mut Sql) -> Result<i64, Failure> {
    read(sql, SQLITE_LOOK).await
}

async fn read(sql: &mut Sql, sqlite: &str) -> Result<i64, Failure> {
    let time = match sql {
        Sql::Sqlite(_) => sql.number(sqlite, values![reading()]).await?,
        Sql::Postgres(_) => sql.number(POSTGRES, values![]).await?,
    };
    time.ok_or_else(|| Failure::damaged("its clock is gone"))
}

#[cfg(unix)]
pub(super) fn reading() -> i64 {
    use rustix::time::{ClockId, clock_gettime};

    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;

    let time = clock_gettime(CLOCK);
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

#[cfg(not(unix))]
pub(super) fn reading() -> i64 {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    time.map_or(0, |time| i64::try_from(time.as_millis()).unwrap_or(0))
}
