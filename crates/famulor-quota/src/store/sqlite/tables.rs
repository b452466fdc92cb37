//! The tables, and whose file they are in.

use sqlx::SqliteConnection;

use super::clock::Reading;
use super::failure::Failure;

/// `PRAGMA application_id`: "FQLd", so that no other program's file is taken for
/// a ledger, or written to.
const APPLICATION: i64 = 0x4651_4c64;

/// "FOut": a file of famulor-outbox, whose tables are called `famulor_outbox_…`
/// and whose layout is written in one of them. It says what the file is if it was
/// there first, and takes ledgers in as ledgers take it in.
const OUTBOX: i64 = 0x464f_7574;

/// `PRAGMA user_version`: the layout of the tables, in either file.
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
    PRAGMA user_version = 1";

/// When the tables were created, if they are there; an error if the file is
/// neither empty nor ours.
pub(super) async fn is_there(sql: &mut SqliteConnection) -> Result<Option<i64>, Failure> {
    let (application, schema, tables, ours): (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT application_id FROM pragma_application_id),
            (SELECT user_version FROM pragma_user_version),
            (SELECT count(*) FROM sqlite_schema),
            (SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('store', 'ledger'))",
    )
    .fetch_one(&mut *sql)
    .await?;
    match (application, schema, ours) {
        (APPLICATION | OUTBOX, SCHEMA, 2) => {
            let created = sqlx::query_scalar("SELECT created FROM store");
            Ok(Some(created.fetch_one(sql).await?))
        }
        (APPLICATION | OUTBOX, newer, _) if newer > SCHEMA => Err(Failure::Said(format!(
            "was written by a newer version: its layout is {newer}, this one knows {SCHEMA}"
        ))),
        (OUTBOX, 0, 0) => Ok(None),
        (0, 0, 0) if tables == 0 => Ok(None),
        _ => Err(Failure::Said(
            "is a SQLite file of some other program".into(),
        )),
    }
}

/// Creates them, in a transaction in which [`is_there`] has found none.
pub(super) async fn create(sql: &mut SqliteConnection) -> Result<i64, Failure> {
    sqlx::raw_sql(CREATE).execute(&mut *sql).await?;
    let created = Reading::now().to_column();
    sqlx::query("INSERT INTO store (created, news) VALUES (?1, 0)")
        .bind(created)
        .execute(&mut *sql)
        .await?;
    let whose: i64 = sqlx::query_scalar("SELECT application_id FROM pragma_application_id")
        .fetch_one(&mut *sql)
        .await?;
    if whose == 0 {
        let ours = "PRAGMA application_id = 0x46514c64";
        sqlx::raw_sql(ours).execute(sql).await?;
    }
    Ok(created)
}
