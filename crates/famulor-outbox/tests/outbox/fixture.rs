//! Stores, servers and clients as the tests want them.

use std::collections::BTreeMap;
use std::time::Duration;

use famulor_core::{AssistantId, Client, ClientBuilder, CustomerId};
use famulor_emulator::{Emulator, EmulatorBuilder};
use famulor_outbox::{Filter, NewMessage, Outbox, Row, Status, WorkerEnd};
use famulor_test_stores::PostgresServer;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) const ASSISTANT: AssistantId = AssistantId::new(123);
pub(crate) const KEY: &str = "17|cOrrectHorseBatteryStaple";

/// Where a test's outbox is.
pub(crate) struct Place {
    pub(crate) location: String,
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let location = folder.path().join("outbox.sqlite").display().to_string();
        Self { location, folder }
    }

    /// `None` when there is no PostgreSQL here.
    pub(crate) fn server() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let location = PostgresServer::shared()?.place();
        Some(Self { location, folder })
    }

    pub(crate) async fn open(&self) -> Outbox {
        Outbox::open(&self.location).await.expect("an outbox")
    }
}

/// A test on a file and one on a server.
macro_rules! on_both {
    ($(#[$meta:meta])* async fn $name:ident($place:ident: Place) $body:block) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn holds($place: $crate::fixture::Place) $body

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                holds($crate::fixture::Place::file()).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(place) = $crate::fixture::Place::server() {
                    holds(place).await;
                }
            }
        }
    };
}

pub(crate) use on_both;

/// An emulator without limits.
pub(crate) async fn emulator() -> Emulator {
    start(Emulator::builder().without_limits()).await
}

pub(crate) async fn start(builder: EmulatorBuilder) -> Emulator {
    builder
        .token(KEY)
        .balance(1e6)
        .start()
        .await
        .expect("an emulator")
}

/// A client without limits.
pub(crate) fn builder(emulator: &Emulator) -> ClientBuilder {
    with_limits(emulator).without_limits()
}

/// A client with those of the API.
pub(crate) fn with_limits(emulator: &Emulator) -> ClientBuilder {
    Client::builder()
        .with_api_key(KEY)
        .with_base_url(&emulator.base_url())
        .without_proxy()
        .with_attempt_timeout(Duration::from_secs(5))
        .with_doubt_wait(ms(300))
}

pub(crate) fn client(emulator: &Emulator) -> Client {
    builder(emulator).build().expect("a client")
}

/// The same client under one limit for replies, which is kept in the store at `quota`.
pub(crate) async fn limited(client: ClientBuilder, limit: &str, quota: &str) -> ClientBuilder {
    let store = famulor_quota::open_store(quota).await.expect("a quota");
    client
        .with_rate_limit(limit.parse().expect("a limit"))
        .with_general_limits([])
        .with_quota_store(store)
}

/// Slots that are busy.
pub(crate) async fn busy(client: &Client) -> u32 {
    client.quota().await.expect("figures").limits()[0].busy
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn customer(identifier: &str) -> CustomerId {
    CustomerId::raw(identifier).expect("a customer")
}

pub(crate) fn message(who: &str, text: &str) -> NewMessage {
    NewMessage::new(ASSISTANT, customer(who), text)
}

/// Serves the default account until all is settled.
pub(crate) async fn drain(outbox: &Outbox, client: Client) -> WorkerEnd {
    let worker = outbox.worker().with_account("default", client);
    within(worker.drain(CancellationToken::new()))
        .await
        .expect("a worker's end")
}

/// Fails a test that hangs.
pub(crate) async fn within<T>(running: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), running)
        .await
        .expect("an end within a minute")
}

pub(crate) async fn rows(outbox: &Outbox) -> Vec<Row> {
    outbox
        .list(&Filter::all(), None, 100_000)
        .await
        .expect("rows")
}

pub(crate) async fn status(outbox: &Outbox) -> Status {
    outbox.status(&Filter::all()).await.expect("a status")
}

/// Waits until `reached` says so of the store.
pub(crate) async fn until(outbox: &Outbox, reached: impl Fn(&Status) -> bool) -> Status {
    within(async {
        loop {
            let status = status(outbox).await;
            if reached(&status) {
                return status;
            }
            tokio::time::sleep(ms(10)).await;
        }
    })
    .await
}

/// What a customer's conversation holds of the customer, in order.
pub(crate) fn said(emulator: &Emulator, who: &str) -> Vec<String> {
    let conversation = emulator.conversation_of(ASSISTANT.get(), who);
    let Some(conversation) = conversation else {
        return Vec::new();
    };
    let history = conversation.history.into_iter();
    let theirs = history.filter(|message| message.role == "user");
    theirs.map(|message| message.content).collect()
}

/// Nothing was sent twice, nothing is missing, and every customer's messages came in their order.
#[track_caller]
pub(crate) fn assert_sent_once(emulator: &Emulator, sent: &BTreeMap<String, Vec<String>>) {
    let all: usize = sent.values().map(Vec::len).sum();
    assert_eq!(emulator.stats().billed_messages, all as u64, "billed");
    for (who, texts) in sent {
        assert_eq!(&said(emulator, who), texts, "{who}");
    }
}

/// So many messages of so many customers, in turn.
pub(crate) fn batch(
    customers: usize,
    each: usize,
) -> (Vec<NewMessage>, BTreeMap<String, Vec<String>>) {
    let mut messages = Vec::new();
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for number in 0..each {
        for who in 0..customers {
            let (who, text) = (format!("crm-{who}"), format!("message {number}"));
            messages.push(message(&who, &text));
            sent.entry(who).or_default().push(text);
        }
    }
    (messages, sent)
}
