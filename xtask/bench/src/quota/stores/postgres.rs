//! PostgreSQL, a server of its own.

use famulor_quota::PostgresStore;
use famulor_test_stores::{Durability, PostgresServer};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection};

use super::{Pairs, ROW, StoreCost, TURN, Worker, cases, compare};

/// A statement that waits for the disk, as a slot that is granted, and one that does not, as a call's end.
struct Bare {
    durable: PgConnection,
    soon: PgConnection,
    row: i64,
    count: u8,
}

impl Bare {
    async fn open(options: &PgConnectOptions, row: usize) -> sqlx::Result<Self> {
        let durable = options.connect().await?;
        let mut soon = options.connect().await?;
        soon.execute("SET synchronous_commit = off").await?;
        Ok(Self {
            durable,
            soon,
            row: row as i64,
            count: 0,
        })
    }
}

impl Worker for Bare {
    async fn once(&mut self) -> Result<(), String> {
        self.count = self.count.wrapping_add(1);
        for sql in [&mut self.durable, &mut self.soon] {
            let update = sqlx::query("UPDATE bare SET value = $2 WHERE id = $1")
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
    let mut costs = Vec::new();
    for (store, durability) in [
        ("PostgreSQL", Durability::Disk),
        ("PostgreSQL, `fsync=off`", Durability::Fast),
    ] {
        let Some(server) = PostgresServer::start(durability) else {
            return Ok(costs);
        };
        let url = server.place();
        let options: PgConnectOptions = url.parse().map_err(|error| format!("{error}"))?;
        let options = options.disable_statement_logging();
        let created = create(&options).await;
        created.map_err(|error| error.to_string())?;
        for (connections, shared) in cases() {
            let (mut ours, mut bare) = (Vec::new(), Vec::new());
            for task in 0..connections {
                let opened = PostgresStore::connect_with(&url, 1).await;
                let opened = opened.map_err(|error| error.to_string())?;
                ours.push(Pairs::new(opened, task, shared));
                let row = if shared { 0 } else { task };
                let opened = Bare::open(&options, row).await;
                bare.push(opened.map_err(|error| error.to_string())?);
            }
            costs.push(StoreCost {
                store,
                connections,
                shared,
                judged: !shared && durability == Durability::Disk,
                time: compare(ours, bare, TURN, turns).await?,
            });
        }
    }
    Ok(costs)
}

async fn create(options: &PgConnectOptions) -> sqlx::Result<()> {
    let create = "CREATE TABLE bare (id bigint PRIMARY KEY, value bytea NOT NULL)
            WITH (fillfactor = 50);
        INSERT INTO bare SELECT id, '' FROM generate_series(0, 15) AS id";
    let mut sql = options.connect().await?;
    sql.execute(create).await?;
    Ok(())
}
