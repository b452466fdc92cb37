//! A message and the slot that it is sent in, in one transaction, where the quota is kept in the outbox's database.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use famulor_core::{Client, QuotaStore};
use famulor_emulator::Emulator;
use famulor_outbox::{ErrorKind, Outbox, State};
use famulor_quota::{
    AccountKey, Answer, Ask, Completion, Limit, SlotId, StoreFuture, Usage, open_store,
};
use famulor_test_stores::{Durability, PostgresServer};
use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::bad_store::raw;
use crate::fixture::*;
use crate::killed::is_killed_at_once;
use crate::turns::arrivals;

/// A client whose quota is where the outbox is.
async fn at_home(place: &Place, emulator: &Emulator, limit: &str) -> Client {
    let client = limited(with_limits(emulator), limit, &place.location).await;
    client.build().expect("a client")
}

/// Another database than the outbox's: a file beside it, or a schema of the same server.
fn elsewhere(place: &Place) -> String {
    match Place::server() {
        Some(other) if place.location.starts_with("postgres") => other.location,
        _ => place.folder.path().join("quota.db").display().to_string(),
    }
}

async fn killed_at(place: Place, point: &'static str, quota: String) -> (State, u32) {
    let emulator = emulator().await;
    let outbox = place.open().await;
    outbox.enqueue(message("crm-1", "Hello")).await.unwrap();
    let client = limited(with_limits(&emulator), "2/3600s", &quota).await;
    let client = client.build().unwrap();
    let (killed, place) = tokio::task::spawn_blocking(move || {
        (is_killed_at_once(&place, &emulator, point, &quota), place)
    })
    .await
    .unwrap();
    assert!(killed, "it never came to {point}");
    let row = rows(&outbox).await.pop().unwrap();
    let taken = (row.state, busy(&client).await);
    drop(place);
    taken
}

on_both! {
    async fn killed_before_the_commit_neither_is_taken(place: Place) {
        let home = place.location.clone();
        assert_eq!(killed_at(place, "claiming", home).await, (State::Queued, 0));
    }
}

on_both! {
    async fn killed_after_the_commit_both_are(place: Place) {
        let home = place.location.clone();
        assert_eq!(killed_at(place, "claimed", home).await, (State::Sending, 1));
    }
}

on_both! {
    /// The control: slots of a quota that is elsewhere are taken before, as many as could be of use, and lost for a while.
    async fn elsewhere_slots_would_be_lost(place: Place) {
        let quota = elsewhere(&place);
        assert_eq!(killed_at(place, "claiming", quota).await, (State::Queued, 2));
    }
}

on_both! {
    async fn what_cannot_be_written_takes_no_slot(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        outbox.enqueue(message("crm-1", "Hello")).await.unwrap();
        let client = at_home(&place, &emulator, "5/3600s").await;
        raw(&place.location, match place.location.starts_with("postgres") {
            true => "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
                CREATE TRIGGER refuse BEFORE UPDATE ON famulor_outbox_row FOR EACH ROW WHEN (NEW.state = 1) EXECUTE FUNCTION refuse()",
            false => "CREATE TRIGGER refuse BEFORE UPDATE ON famulor_outbox_row WHEN NEW.state = 1
                BEGIN SELECT RAISE(ABORT, 'no'); END",
        }).await;
        let worker = outbox.worker().with_account("default", client.clone());
        let error = within(worker.drain(CancellationToken::new())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{error}");
        assert_eq!((busy(&client).await, status(&outbox).await.queued), (0, 1));
        assert_eq!(emulator.stats().messages, 0);
    }
}

on_both! {
    async fn several_workers_use_all_of_the_quota_and_no_more(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let (messages, _) = batch(12, 1);
        outbox.enqueue_all(messages).await.unwrap();
        let stop = CancellationToken::new();
        let mut running = Vec::new();
        for _ in 0..3 {
            // Each with connections of its own, as processes have.
            let client = at_home(&place, &emulator, "5/3600s").await;
            let worker = place.open().await.worker().with_account("default", client);
            running.push(tokio::spawn(worker.with_concurrency(2).run(stop.clone())));
        }
        until(&outbox, |status| status.done == 5).await;
        tokio::time::sleep(ms(500)).await;
        let status = status(&outbox).await;
        assert_eq!((status.done, status.queued, status.sending), (5, 7, 0));
        assert_eq!(emulator.stats().billed_messages, 5);
        let client = at_home(&place, &emulator, "5/3600s").await;
        assert_eq!(busy(&client).await, 5);
        stop.cancel();
        for worker in running {
            assert_eq!(within(worker).await.unwrap().unwrap().in_doubt, 0);
        }
    }
}

on_both! {
    async fn a_batch_goes_at_the_limits_pace_without_a_refusal(place: Place) {
        let limits = Emulator::builder().without_limits().rate_limit("4/1s".parse().unwrap());
        let emulator = start(limits).await;
        let outbox = place.open().await;
        let (messages, sent) = batch(4, 4);
        outbox.enqueue_all(messages).await.unwrap();
        let began = Instant::now();
        let mut running = Vec::new();
        for _ in 0..2 {
            let client = at_home(&place, &emulator, "4/1s").await;
            let worker = place.open().await.worker().with_account("default", client);
            running.push(tokio::spawn(worker.drain(CancellationToken::new())));
        }
        for worker in running {
            within(worker).await.unwrap().unwrap();
        }
        assert!(began.elapsed() >= Duration::from_secs(3), "{:?}", began.elapsed());
        assert_sent_once(&emulator, &sent);
        assert_eq!(emulator.stats().rate_limited, 0);
    }
}

on_both! {
    async fn an_empty_outbox_takes_no_slot(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let client = at_home(&place, &emulator, "5/3600s").await;
        let stop = CancellationToken::new();
        let worker = outbox.worker().with_account("default", client.clone());
        let running = tokio::spawn(worker.run(stop.clone()));
        tokio::time::sleep(ms(600)).await;
        assert_eq!(busy(&client).await, 0);
        // It was there all the time.
        outbox.enqueue(message("crm-1", "Hello")).await.unwrap();
        until(&outbox, |status| status.done == 1).await;
        assert_eq!(busy(&client).await, 1);
        stop.cancel();
        within(running).await.unwrap().unwrap();
    }
}

on_both! {
    async fn what_is_taken_back_while_it_waits_for_a_slot_takes_none(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let client = at_home(&place, &emulator, "1/4s").await;
        let stop = CancellationToken::new();
        let worker = outbox.worker().with_account("default", client.clone());
        let running = tokio::spawn(worker.run(stop.clone()));
        outbox.enqueue(message("crm-1", "one")).await.unwrap();
        until(&outbox, |status| status.done == 1).await;
        let second = outbox.enqueue(message("crm-1", "two")).await.unwrap().row();
        tokio::time::sleep(ms(200)).await;
        let filter = famulor_outbox::Filter::all().with_row(second);
        assert_eq!(outbox.cancel(&filter).await.unwrap(), 1);
        tokio::time::sleep(ms(4500)).await;
        assert_eq!(busy(&client).await, 0);
        assert_eq!(emulator.stats().billed_messages, 1);
        stop.cancel();
        within(running).await.unwrap().unwrap();
    }
}

on_both! {
    async fn somebody_who_waits_goes_before_the_worker(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        let (messages, _) = batch(3, 1);
        outbox.enqueue_all(messages).await.unwrap();
        let client = at_home(&place, &emulator, "1/3s").await;
        let worker = outbox.worker().with_account("default", client.clone());
        let running = tokio::spawn(worker.drain(CancellationToken::new()));
        until(&outbox, |status| status.done == 1).await;
        // The worker stands in line by now, or will find somebody there.
        tokio::time::sleep(ms(100)).await;
        client.reply(ASSISTANT, customer("live"), "Hello").send().await.unwrap();
        within(running).await.unwrap().unwrap();
        let arrivals = arrivals(&emulator);
        assert_eq!((arrivals.len(), arrivals[1].as_str()), (4, "live"), "{arrivals:?}");
    }
}

on_both! {
    async fn a_quota_elsewhere_is_not_taken_for_one_at_home(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        // There are ledgers at home too; they are not this client's.
        let unused = at_home(&place, &emulator, "5/3600s").await;
        let mut quotas = vec![elsewhere(&place)];
        // And of another kind than the outbox.
        quotas.extend(match place.location.starts_with("postgres") {
            true => Some(place.folder.path().join("other.db").display().to_string()),
            false => Place::server().map(|server| server.location),
        });
        for (round, quota) in quotas.iter().enumerate() {
            let client = limited(with_limits(&emulator), "5/3600s", quota).await.build().unwrap();
            for who in ["crm-1", "crm-2", "crm-3"] {
                outbox.enqueue(message(who, &format!("{round}"))).await.unwrap();
            }
            drain(&outbox, client.clone()).await;
            assert_eq!(emulator.stats().billed_messages, 3 * (round as u64 + 1));
            assert_eq!((busy(&client).await, busy(&unused).await), (3, 0));
        }
    }
}

/// A store that keeps to itself where it is.
struct Apart(Box<dyn QuotaStore>);

impl QuotaStore for Apart {
    fn acquire(&self, ask: Ask) -> StoreFuture<Answer> {
        self.0.acquire(ask)
    }

    fn complete(&self, account: AccountKey, slot: SlotId, how: Completion) -> StoreFuture<()> {
        self.0.complete(account, slot, how)
    }

    fn reject(
        &self,
        account: AccountKey,
        slot: SlotId,
        retry_after: Option<Duration>,
    ) -> StoreFuture<Duration> {
        self.0.reject(account, slot, retry_after)
    }

    fn freeze(&self, account: AccountKey, time: Duration) -> StoreFuture<()> {
        self.0.freeze(account, time)
    }

    fn ready_in(
        &self,
        account: AccountKey,
        limits: Arc<[Limit]>,
        ahead: usize,
    ) -> StoreFuture<Duration> {
        self.0.ready_in(account, limits, ahead)
    }

    fn usage(&self, account: AccountKey, limits: Arc<[Limit]>) -> StoreFuture<Vec<Usage>> {
        self.0.usage(account, limits)
    }
}

/// PostgreSQL writes the number of the transaction into every row that it writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_has_written_both_in_the_same_transaction() {
    for (apart, expected) in [(false, true), (true, false)] {
        let Some(place) = Place::server() else { return };
        let emulator = start(Emulator::builder().without_limits().latency(ms(2000))).await;
        let outbox = place.open().await;
        let mut client = limited(with_limits(&emulator), "5/3600s", &place.location).await;
        if apart {
            let store = open_store(&place.location).await.unwrap();
            client = client.with_quota_store(Apart(store));
        }
        outbox.enqueue(message("crm-1", "Hello")).await.unwrap();
        let client = client.build().unwrap();
        let worker = outbox.worker().with_account("default", client);
        let running = tokio::spawn(worker.drain(CancellationToken::new()));
        until(&outbox, |status| status.sending == 1).await;
        let mut server = PgConnection::connect(&place.location).await.unwrap();
        let same: bool = sqlx::query_scalar(
            "SELECT l.xmin::text = r.xmin::text FROM famulor_quota_ledger l, famulor_outbox_row r
                WHERE r.state = 1",
        )
        .fetch_one(&mut server)
        .await
        .unwrap();
        assert_eq!(same, expected);
        within(running).await.unwrap().unwrap();
    }
}

static SERVER: OnceLock<String> = OnceLock::new();
static LOST: AtomicU32 = AtomicU32::new(0);

/// Ends the connection of whoever is about to commit a claim, twice.
fn lose_the_connection(point: &'static str) {
    if point != "claiming" || LOST.fetch_add(1, Ordering::SeqCst) >= 2 {
        return;
    }
    let ending = || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let url = SERVER.get().expect("a server");
            let mut server = PgConnection::connect(url).await.expect("a connection");
            let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE application_name = 'famulor-outbox' AND state = 'idle in transaction'";
            let ended: i64 = sqlx::query_scalar(end)
                .fetch_one(&mut server)
                .await
                .expect("an end");
            assert_eq!(ended, 1);
        });
    };
    std::thread::spawn(ending)
        .join()
        .expect("a lost connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_before_the_commit_takes_nothing_twice() {
    let Some(server) = PostgresServer::start(Durability::Fast) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let location = server.place();
    let place = Place { location, folder };
    SERVER.set(place.location.clone()).unwrap();
    let emulator = emulator().await;
    let outbox = place.open().await;
    let (messages, sent) = batch(3, 1);
    outbox.enqueue_all(messages).await.unwrap();
    let client = at_home(&place, &emulator, "9/3600s").await;
    let worker = outbox.worker().with_account("default", client.clone());
    let worker = worker.with_checkpoint(lose_the_connection);
    within(worker.drain(CancellationToken::new()))
        .await
        .unwrap();
    assert!(LOST.load(Ordering::SeqCst) > 2, "it was not lost");
    assert_sent_once(&emulator, &sent);
    assert_eq!(busy(&client).await, 3);
}

#[tokio::test]
async fn an_outbox_and_ledgers_live_in_one_file_whichever_comes_first() {
    for outbox_first in [true, false] {
        let place = Place::file();
        if outbox_first {
            place.open().await;
        }
        let emulator = emulator().await;
        let client = at_home(&place, &emulator, "5/3600s").await;
        let outbox = place.open().await;
        outbox.enqueue(message("crm-1", "Hello")).await.unwrap();
        drain(&outbox, client).await;
        drop(outbox);
        // Both once more, in the same file.
        let client = at_home(&place, &emulator, "5/3600s").await;
        assert_eq!(busy(&client).await, 1);
        assert_eq!(status(&place.open().await).await.done, 1);
        let files = std::fs::read_dir(place.folder.path()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let others: Vec<_> = names
            .filter(|name| !name.starts_with("outbox.sqlite"))
            .collect();
        assert!(others.is_empty(), "{others:?}");
        // Each still refuses what a newer version has written of its own.
        raw(&place.location, "PRAGMA user_version = 2").await;
        let error = open_store(&place.location).await.err().unwrap().to_string();
        assert!(error.contains("newer version"), "{error}");
        place.open().await;
        raw(
            &place.location,
            "PRAGMA user_version = 1; UPDATE famulor_outbox_store SET schema = 2",
        )
        .await;
        let error = Outbox::open(&place.location).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Newer);
        open_store(&place.location).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_programs_may_find_a_new_file_for_both_at_once() {
    let place = Place::file();
    let outboxes = (0..4).map(|_| async { drop(Outbox::open(&place.location).await.unwrap()) });
    let quotas = (0..4).map(|_| async { drop(open_store(&place.location).await.unwrap()) });
    let outboxes = futures_util::future::join_all(outboxes);
    futures_util::future::join(outboxes, futures_util::future::join_all(quotas)).await;
    assert_eq!(status(&place.open().await).await.total(), 0);
    open_store(&place.location).await.unwrap();
}
