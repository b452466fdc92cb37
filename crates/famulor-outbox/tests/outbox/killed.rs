//! A worker's process that is killed.
//!
//! The process is this test program once more, told by its environment to be a worker that ends itself, as by a kill, at
//! a named point.

use std::env;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use famulor_core::Client;
use famulor_emulator::{Before, Emulator, Fault, Operation};
use famulor_outbox::{Outbox, State};
use tokio_util::sync::CancellationToken;

use crate::fixture::*;

const LOCATION: &str = "FAMULOR_TEST_OUTBOX";
const URL: &str = "FAMULOR_TEST_URL";
const POINT: &str = "FAMULOR_TEST_POINT";
const CONTROL: &str = "FAMULOR_TEST_CONTROL";
const QUOTA: &str = "FAMULOR_TEST_QUOTA";
const TIMES: &str = "FAMULOR_TEST_TIMES";

/// Not a test: the process that the others kill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(location), Ok(url)) = (env::var(LOCATION), env::var(URL)) else {
        return;
    };
    let mut client = Client::builder()
        .with_api_key(KEY)
        .with_base_url(&url)
        .without_proxy();
    client = match env::var(QUOTA) {
        Ok(quota) => limited(client, "2/3600s", &quota).await,
        Err(_) => client.without_limits(),
    };
    let client = client.build().expect("a client");
    let outbox = Outbox::open(&location).await.expect("an outbox");
    let mut worker = outbox
        .worker()
        .with_account("default", client)
        .with_concurrency(2)
        .with_lease(ms(500))
        .with_checkpoint(end_here);
    if env::var_os(CONTROL).is_some() {
        worker = worker.without_intents();
    }
    worker
        .drain(CancellationToken::new())
        .await
        .expect("an end");
}

/// The third time it comes to the point it was told, or the one it was told. No destructor runs, and no buffer is written.
fn end_here(point: &'static str) {
    static REACHED: AtomicU32 = AtomicU32::new(0);
    let times = env::var(TIMES).map_or(3, |times| times.parse().expect("a number"));
    if env::var(POINT).is_ok_and(|wanted| wanted == point)
        && REACHED.fetch_add(1, Ordering::SeqCst) + 1 == times
    {
        std::process::abort();
    }
}

/// Runs a worker that is killed at `point`; false if it came to its end all the same.
fn is_killed(place: &Place, emulator: &Emulator, point: &str, control: bool) -> bool {
    let mut child = child_of(place, emulator, point);
    if control {
        child.env(CONTROL, "1");
    }
    !child.status().expect("a process").success()
}

/// The same the first time, for a worker whose quota is in the store at `quota`.
pub(crate) fn is_killed_at_once(
    place: &Place,
    emulator: &Emulator,
    point: &str,
    quota: &str,
) -> bool {
    let mut child = child_of(place, emulator, point);
    child.env(QUOTA, quota).env(TIMES, "1");
    !child.status().expect("a process").success()
}

fn child_of(place: &Place, emulator: &Emulator, point: &str) -> Command {
    let mut child = Command::new(env::current_exe().expect("this program"));
    child
        .args(["--exact", "killed::child", "--nocapture"])
        .env(LOCATION, &place.location)
        .env(URL, emulator.base_url())
        .env(POINT, point)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    child
}

async fn survives(place: Place, point: &str) {
    let emulator = start(Emulator::builder().without_limits().latency(ms(60))).await;
    let outbox = place.open().await;
    // So that the list is known to show what replies are in.
    let (messages, mut sent) = batch(4, 4);
    outbox.enqueue(message("crm-9", "first")).await.unwrap();
    sent.insert("crm-9".to_owned(), vec!["first".to_owned()]);
    drain(&outbox, client(&emulator)).await;
    outbox.enqueue_all(messages).await.unwrap();
    let (point_of_kill, at, on) = (point.to_owned(), place, emulator);
    let (killed, _place, emulator) =
        tokio::task::spawn_blocking(move || (is_killed(&at, &on, &point_of_kill, false), at, on))
            .await
            .unwrap();
    assert!(killed, "it never came to {point}");
    drain(&outbox, client(&emulator)).await;
    assert_sent_once(&emulator, &sent);
    for row in rows(&outbox).await {
        assert_eq!(row.state, State::Done, "{row:?}");
    }
    let status = status(&outbox).await;
    assert_eq!((status.done, status.total()), (17, 17));
}

macro_rules! killed {
    ($($name:ident: $point:literal),* $(,)?) => {$(
        on_both! {
            async fn $name(place: Place) {
                survives(place, $point).await;
            }
        }
    )*};
}

killed! {
    before_the_intent_is_committed_nothing_was_sent: "claiming",
    after_the_intent_is_committed_it_is_looked_for: "claimed",
    after_the_request_has_left_it_is_looked_for: "sent",
    after_the_answer_and_before_its_commit_it_is_read_back: "answered",
    after_everything_it_just_goes_on: "settled",
}

on_both! {
    async fn while_it_looks_another_looks_as_soon_as_it_is_known_to_be_gone(place: Place) {
        let emulator = emulator().await;
        let outbox = place.open().await;
        outbox.enqueue(message("crm-9", "first")).await.unwrap();
        drain(&outbox, client(&emulator)).await;
        let (messages, mut sent) = batch(4, 1);
        sent.insert("crm-9".to_owned(), vec!["first".to_owned()]);
        outbox.enqueue_all(messages).await.unwrap();
        let lost = Fault::before(Before::Close).on(Operation::GenerateReply);
        emulator.inject(lost.times(4));
        let (killed, place, emulator) =
            tokio::task::spawn_blocking(move || (is_killed(&place, &emulator, "looking", false), place, emulator))
                .await
                .unwrap();
        assert!(killed, "it never looked");
        let began = Instant::now();
        let worker = outbox.worker().with_account("default", client(&emulator)).with_lease(ms(1500));
        within(worker.drain(CancellationToken::new())).await.unwrap();
        // It has its lease of half a second; a look that nobody gives back is held for 25 seconds.
        assert!(began.elapsed() < ms(12_000), "its looks were held: {:?}", began.elapsed());
        assert_sent_once(&emulator, &sent);
        assert!(rows(&outbox).await.iter().all(|row| row.state == State::Done));
        drop(place);
    }
}

/// The control: without intents the same finds messages billed twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_intents_it_would_be_billed_twice() {
    let place = Place::file();
    let emulator = start(Emulator::builder().without_limits().latency(ms(60))).await;
    let outbox = place.open().await;
    let (messages, _) = batch(4, 4);
    outbox.enqueue_all(messages).await.unwrap();
    let (emulator, place) = tokio::task::spawn_blocking(move || {
        assert!(is_killed(&place, &emulator, "answered", true));
        (emulator, place)
    })
    .await
    .unwrap();
    let worker = outbox.worker().with_account("default", client(&emulator));
    let draining = worker.without_intents().drain(CancellationToken::new());
    within(draining).await.unwrap();
    assert!(
        emulator.stats().billed_messages > 16,
        "{:?}",
        emulator.stats()
    );
    drop(place);
}
