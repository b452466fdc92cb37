//! Servers that die and come back, and servers that are not there.

use std::time::Duration;

use famulor_quota::{Completion, QuotaStore, open_store};
use tokio::time::sleep;

use crate::child::Process;
use crate::place::Place;
use crate::server::Server;
use crate::{MINUTE, account, limits, take, wait};

/// Many slots: those of calls whose end the store did not hear stay busy.
const REQUESTS: u32 = 60;
const WINDOW: Duration = Duration::from_millis(200);

/// Kills the store under the feet of processes that use it, and starts it again.
async fn killed_and_restarted(url: &str, kill: impl Fn(), restart: impl Fn()) {
    let server = Server::start(REQUESTS, WINDOW).await;
    let (requests, window) = (REQUESTS.to_string(), WINDOW.as_millis().to_string());
    let task = ["calls", url, &server.address, &requests, &window, "5000"];
    let mut processes = [0; 4].map(|_| Process::start(&task));
    sleep(Duration::from_millis(1000)).await;
    kill();
    let before = server.arrived();
    assert!(before > 0);
    sleep(Duration::from_millis(300)).await;
    restart();
    for process in &mut processes {
        loop {
            let said = process.says().await;
            if said == "done" {
                break;
            }
            assert!(said.contains("the quota store failed"), "{said}");
        }
    }
    server.assert_never_overrun();
    let after = server.arrived() - before;
    assert!(
        after > 20,
        "{after} calls after the restart, {before} before it"
    );
}

/// What a process held before the store was killed it holds after.
async fn outlives(store: &dyn QuotaStore, kill: impl Fn(), restart: impl Fn()) {
    let (account, limits) = (account("kept"), limits(1, MINUTE));
    let slot = take(store, account, &limits).await;
    kill();
    let error = store.freeze(account, Duration::ZERO).await.unwrap_err();
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    restart();
    wait(store, account, &limits).await;
    store
        .complete(account, slot, Completion::NotSent)
        .await
        .unwrap();
    take(store, account, &limits).await;
}

/// The error of a URL, which must not tell its password.
async fn error_of(url: &str) -> String {
    let error = open_store(url).await.err().expect("no such store");
    let said = format!("{error} {error:?}");
    assert!(!said.contains("hunter2"), "{said}");
    error.to_string()
}

#[cfg(feature = "postgres")]
mod postgres {
    use famulor_quota::PostgresStore;
    use famulor_test_stores::{Durability, PostgresServer};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn processes_outlast_a_postgres_that_is_killed_and_restarted() {
        let Some(server) = PostgresServer::start(Durability::Fast) else {
            return;
        };
        let place = Place::at(server.place());
        outlives(&*place.open().await, || server.kill(), || server.restart()).await;
        killed_and_restarted(&server.place(), || server.kill(), || server.restart()).await;
    }

    #[tokio::test]
    async fn an_error_says_which_postgres_and_no_password() {
        let error = error_of("postgres://me:hunter2@127.0.0.1:1/quota").await;
        let place = "the PostgreSQL database quota at 127.0.0.1:1 cannot be reached";
        assert!(error.contains(place), "{error}");
        let error = error_of("postgres://me:hunter2@host:port/quota").await;
        assert!(error.contains("no URL of a PostgreSQL"), "{error}");
    }

    #[tokio::test]
    async fn tables_of_a_newer_version_are_left_alone() {
        use sqlx::{ConnectOptions, postgres::PgConnectOptions};

        let Some(place) = Place::postgres() else {
            return;
        };
        let store = PostgresStore::connect(&place.url).await.unwrap();
        assert!(!format!("{store:?}").contains("postgres@"), "{store:?}");
        let options: PgConnectOptions = place.url.parse().unwrap();
        let mut sql = options.connect().await.unwrap();
        let newer = sqlx::raw_sql("UPDATE famulor_quota_store SET schema = 2");
        newer.execute(&mut sql).await.unwrap();
        let error = error_of(&place.url).await;
        assert!(
            error.contains("tables of a newer version: their layout is 2"),
            "{error}"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_create_the_tables_at_the_same_time() {
        let Some(place) = Place::postgres() else {
            return;
        };
        let opening = (0..8).map(|_| {
            let url = place.url.clone();
            tokio::spawn(async move { PostgresStore::connect(&url).await.map(drop) })
        });
        for opened in opening.collect::<Vec<_>>() {
            opened.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn idle_accounts_do_not_stay_in_the_table() {
        use sqlx::{ConnectOptions, postgres::PgConnectOptions};

        let Some(place) = Place::postgres() else {
            return;
        };
        let store = PostgresStore::connect(&place.url).await.unwrap();
        let limits = limits(1, Duration::from_millis(1));
        for number in 0..600 {
            let account = account(&format!("token {number}"));
            let slot = take(&store, account, &limits).await;
            store
                .complete(account, slot, Completion::Answered(None))
                .await
                .unwrap();
        }
        let options: PgConnectOptions = place.url.parse().unwrap();
        let mut sql = options.connect().await.unwrap();
        let kept = sqlx::query_scalar("SELECT count(*) FROM famulor_quota_ledger");
        let kept: i64 = kept.fetch_one(&mut sql).await.unwrap();
        assert!(kept < 300, "{kept} of 600 accounts");
    }
}

#[cfg(feature = "redis")]
mod redis {
    use famulor_quota::RedisStore;
    use famulor_test_stores::{Durability, RedisServer};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn processes_outlast_a_redis_that_is_killed_and_restarted() {
        let Some(server) = RedisServer::start(Durability::Disk) else {
            return;
        };
        let place = Place::at(server.place());
        outlives(&*place.open().await, || server.kill(), || server.restart()).await;
        killed_and_restarted(&server.place(), || server.kill(), || server.restart()).await;
    }

    #[tokio::test]
    async fn an_error_says_which_redis_and_no_password() {
        let error = error_of("redis://me:hunter2@127.0.0.1:1/3").await;
        let place = "the Redis at 127.0.0.1:1, database 3 cannot be reached";
        assert!(error.contains(place), "{error}");
        for url in [
            "redis://me:hunter2@host:port",
            "rediss://me:hunter2@127.0.0.1:1",
        ] {
            let error = error_of(url).await;
            assert!(error.contains("no URL of a Redis"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_ledger_of_a_newer_version_is_left_alone() {
        let Some(place) = Place::redis() else {
            return;
        };
        let store = RedisStore::connect(&place.url).await.unwrap();
        let (account, limits) = (account("token"), limits(1, MINUTE));
        take(&store, account, &limits).await;
        let client = ::redis::Client::open(place.url.as_str()).unwrap();
        let mut redis = client.get_multiplexed_async_connection().await.unwrap();
        let hex: String = account
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut newer = ::redis::cmd("SETRANGE");
        newer
            .arg(format!("famulor:quota:{{{hex}}}"))
            .arg(16)
            .arg(&[2_u8][..]);
        let (): () = newer.query_async(&mut redis).await.unwrap();
        for error in [
            store.freeze(account, MINUTE).await.unwrap_err(),
            store.ready_in(account, limits, 0).await.unwrap_err(),
        ] {
            let error = error.to_string();
            assert!(
                error.contains("written by a newer version: its layout is 2"),
                "{error}"
            );
        }
    }
}
