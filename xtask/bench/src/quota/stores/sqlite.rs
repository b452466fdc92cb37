//! SQLite, on a file of its own.

use std::path::Path;
use std::time::Duration;

use famulor_quota::SqliteStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use super::{Pairs, ROW, StoreCost, Worker, cases, compare};

/// Whoever finds the lock taken sleeps for up to a tenth of a second.
const LONG_TURN: Duration = Duration::from_millis(600);

/// A row's transaction that waits for the disk, as a slot that is granted, and one that does not, as a call's end.
struct Bare {
    durable: SqliteConnection,
    soon: SqliteConnection,
    row: i64,
    count: u8,
}

impl Bare {
    async fn open(path: &Path, row: usize) -> sqlx::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let durable = options.clone().synchronous(SqliteSynchronous::Full);
        let soon = options.synchronous(SqliteSynchronous::Normal);
        Ok(Self {
            durable: durable.connect().await?,
            soon: soon.connect().await?,
            row: row as i64,
            count: 0,
        })
    }
}

impl Worker for Bare {
    async fn once(&mut self) -> Result<(), String> {
        self.count = self.count.wrapping_add(1);
        for sql in [&mut self.durable, &mut self.soon] {
            let update = sqlx::query("UPDATE bare SET value = ?2 WHERE id = ?1")
                .bind(self.row)
                .bind(vec![self.count; ROW]);
            update
                .execute(sql)
                .await
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

pub(super) async fn measure(turns: usize) -> Result<Vec<StoreCost>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().join("quota.db");
    // The store's own file, with one more table in it.
    let open = async || {
        let store = SqliteStore::open(&path).await;
        store.map_err(|error| error.to_string())
    };
    drop(open().await?);
    create(&path).await.map_err(|error| error.to_string())?;
    let mut costs = Vec::new();
    for (connections, shared) in cases() {
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for task in 0..connections {
            ours.push(Pairs::new(open().await?, task, shared));
            let row = if shared { 0 } else { task };
            let opened = Bare::open(&path, row).await;
            bare.push(opened.map_err(|error| error.to_string())?);
        }
        costs.push(StoreCost {
            store: "SQLite",
            connections,
            shared,
            judged: !shared,
            time: compare(ours, bare, LONG_TURN, turns).await?,
        });
    }
    Ok(costs)
}

async fn create(path: &Path) -> sqlx::Result<()> {
    let options = SqliteConnectOptions::new().filename(path);
    let mut sql = options.connect().await?;
    let create = "CREATE TABLE bare (id INTEGER PRIMARY KEY, value BLOB);
        WITH RECURSIVE ids (id) AS (VALUES (0) UNION ALL SELECT id + 1 FROM ids WHERE id < 15)
        INSERT INTO bare SELECT id, zeroblob(120) FROM ids";
    sqlx::raw_sql(create).execute(&mut sql).await?;
    Ok(())
}
