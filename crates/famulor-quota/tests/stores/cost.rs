//! What an operation costs beside what cannot be avoided.
//!
//! `cargo test --release -p famulor-quota --features sqlite,postgres,redis --test stores cost -- --ignored --nocapture --test-threads 1`

use std::sync::Arc;
use std::time::{Duration, Instant};

use famulor_quota::{Answer, Completion, QuotaStore};
use tokio::task::JoinSet;

use crate::{HOLD, account, ask, limits};

const TIME: Duration = Duration::from_secs(2);
const CONNECTIONS: [usize; 3] = [1, 4, 16];

/// Does `one` after another in each of `tasks`, and returns the microseconds
/// that each took on average, as its task saw it.
async fn measure<F>(tasks: usize, one: impl Fn(usize) -> F) -> f64
where
    F: Future<Output = u32> + Send + 'static,
{
    let mut running = JoinSet::new();
    for task in 0..tasks {
        running.spawn(one(task));
    }
    let done: u32 = running.join_all().await.iter().sum();
    TIME.as_secs_f64() * 1e6 * tasks as f64 / f64::from(done)
}

/// Pairs of acquire and complete: five slots an account, as many have, and so
/// many accounts that there is always a free one; each task has its own, or all
/// have the same one with as many slots as that takes.
async fn pairs(stores: &[Arc<dyn QuotaStore>], shared: bool) -> f64 {
    measure(stores.len(), |task| {
        let store = Arc::clone(&stores[task]);
        let (accounts, slots) = if shared { (1, 100) } else { (256, 5) };
        let accounts: Vec<_> = (0..accounts)
            .map(|number| account(&format!("{number} of {}", if shared { 0 } else { task })))
            .collect();
        async move {
            let limits = limits(slots, Duration::from_millis(1));
            let (began, mut done) = (Instant::now(), 0);
            for account in accounts.into_iter().cycle() {
                if began.elapsed() >= TIME {
                    break;
                }
                let answer = store.acquire(ask(account, &limits, HOLD)).await.unwrap();
                if let Answer::Granted(slot) = answer {
                    let how = Completion::Answered(None);
                    store.complete(account, slot, how).await.unwrap();
                    done += 1;
                }
            }
            done
        }
    })
    .await
}

/// One line for each number of connections: the pair, two bare operations, and
/// how many times as much the one is.
async fn compare<F, B, S: QuotaStore>(
    name: &str,
    open: impl AsyncFn() -> S,
    bare: impl AsyncFn(usize) -> B,
) where
    B: Fn(usize) -> F,
    F: Future<Output = u32> + Send + 'static,
{
    println!(
        "{name:<10} {:>11} {:>14} {:>14} {:>7} {:>7}",
        "connections", "pair", "two bare", "ratio", "pairs/s"
    );
    for connections in CONNECTIONS {
        for shared in [false, true] {
            let mut stores = Vec::new();
            for _ in 0..connections {
                let store: Arc<dyn QuotaStore> = Arc::new(open().await);
                stores.push(store);
            }
            let two = 2.0
                * measure(
                    connections,
                    bare(if shared { 1 } else { connections }).await,
                )
                .await;
            let pair = pairs(&stores, shared).await;
            let what = if shared { "one account" } else { "" };
            println!(
                "{what:<10} {connections:>11} {pair:>11.0} µs {two:>11.0} µs {:>7.2} {:>7.0}",
                pair / two,
                1e6 * connections as f64 / pair
            );
        }
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures for half a minute"]
async fn sqlite() {
    use sqlx::ConnectOptions;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quota.db");
    let store = famulor_quota::SqliteStore::open(&path).await.unwrap();
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .busy_timeout(Duration::from_secs(5))
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    let mut sql = options.connect().await.unwrap();
    let create = "CREATE TABLE bare (id INTEGER PRIMARY KEY, value BLOB);
        WITH RECURSIVE ids (id) AS (VALUES (0) UNION ALL SELECT id + 1 FROM ids WHERE id < 15)
        INSERT INTO bare SELECT id, zeroblob(120) FROM ids";
    sqlx::raw_sql(create).execute(&mut sql).await.unwrap();
    drop(store);
    compare(
        "SQLite",
        async || famulor_quota::SqliteStore::open(&path).await.unwrap(),
        async |rows| {
            let options = options.clone();
            move |task: usize| {
                let options = options.clone();
                async move {
                    let mut sql = options.connect().await.unwrap();
                    let (began, mut done) = (Instant::now(), 0_u32);
                    while began.elapsed() < TIME {
                        let value = vec![done as u8; 120];
                        sqlx::query("UPDATE bare SET value = ?2 WHERE id = ?1")
                            .bind((task % rows) as i64)
                            .bind(value)
                            .execute(&mut sql)
                            .await
                            .unwrap();
                        done += 1;
                    }
                    done
                }
            }
        },
    )
    .await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures for half a minute"]
async fn postgres() {
    use famulor_test_stores::{Durability, PostgresServer};
    use sqlx::ConnectOptions;
    use sqlx::postgres::PgConnectOptions;

    for durability in [Durability::Disk, Durability::Fast] {
        let Some(server) = PostgresServer::start(durability) else {
            return;
        };
        let url = server.place();
        let options: PgConnectOptions = url.parse().unwrap();
        let options = options.disable_statement_logging();
        let mut sql = options.connect().await.unwrap();
        let create = "CREATE TABLE bare (id bigint PRIMARY KEY, value bytea NOT NULL) WITH (fillfactor = 50);
            INSERT INTO bare SELECT id, '' FROM generate_series(0, 15) AS id";
        sqlx::raw_sql(create).execute(&mut sql).await.unwrap();
        println!("{durability:?}");
        compare(
            "PostgreSQL",
            async || {
                famulor_quota::PostgresStore::connect_with(&url, 1)
                    .await
                    .unwrap()
            },
            async |rows| {
                let options = options.clone();
                move |task: usize| {
                    let options = options.clone();
                    async move {
                        let mut sql = options.connect().await.unwrap();
                        let (began, mut done) = (Instant::now(), 0_u32);
                        while began.elapsed() < TIME {
                            sqlx::query("UPDATE bare SET value = $2 WHERE id = $1")
                                .bind((task % rows) as i64)
                                .bind(vec![done as u8; 120])
                                .execute(&mut sql)
                                .await
                                .unwrap();
                            done += 1;
                        }
                        done
                    }
                }
            },
        )
        .await;
    }
}

#[cfg(feature = "redis")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures for half a minute"]
async fn redis() {
    use famulor_test_stores::{Durability, RedisServer};

    for durability in [Durability::Disk, Durability::Fast] {
        let Some(server) = RedisServer::start(durability) else {
            return;
        };
        let url = server.place();
        let client = ::redis::Client::open(url.as_str()).unwrap();
        println!("{durability:?}");
        compare(
            "Redis",
            async || famulor_quota::RedisStore::connect(&url).await.unwrap(),
            async |rows| {
                let client = client.clone();
                move |task: usize| {
                    let client = client.clone();
                    async move {
                        let mut redis = client.get_multiplexed_async_connection().await.unwrap();
                        let key = format!("bare {}", task % rows);
                        let (began, mut done) = (Instant::now(), 0_u32);
                        while began.elapsed() < TIME {
                            let mut set = ::redis::cmd("SET");
                            set.arg(&key).arg(&[done as u8; 120][..]);
                            let () = set.query_async(&mut redis).await.unwrap();
                            done += 1;
                        }
                        done
                    }
                }
            },
        )
        .await;
    }
}
