//! A thousand emulators in one process, side by side: a program of its own, so
//! that their thousand ports are all that it has open.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use famulor_emulator::{Before, CannedAnswer, Emulator, Fault, RateLimit};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

const EMULATORS: usize = 1_000;

/// Calls at a time: a usual limit is 1,024 open files, and a thousand of them are the ports.
const CALLS: usize = 4;

/// One call on a connection of its own: its status, and its body.
async fn reply(emulator: &Emulator, customer: &str) -> (u16, Value) {
    let body = format!(
        r#"{{"assistant_id":123,"customer_identifier":"{customer}","message":"I am {customer}"}}"#
    );
    let request = format!(
        "POST /api/ai/generate-reply HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {customer}\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(emulator.addr()).await.expect("a port");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let body = serde_json::from_str(body).unwrap_or_default();
    (status.expect("a status"), body)
}

/// What a test does with an emulator: its own limit, fault, customers and clock.
async fn test(number: usize, all_run: Arc<Barrier>, calls: Arc<Semaphore>) -> (u16, String) {
    let limit = RateLimit::every(2, Duration::from_secs(60));
    let emulator = famulor_test_judge::emulator()
        .seed(number as u64)
        .rate_limit(limit)
        .time_scale(0.0)
        .start()
        .await
        .expect("a free port");
    let started = emulator.now();
    all_run.wait().await;

    let customer = format!("customer {number}");
    let one_call = || async {
        let _place = calls.acquire().await.expect("open");
        reply(&emulator, &customer).await
    };
    let (status, first) = one_call().await;
    assert_eq!(status, 200, "{number}: {first}");
    let is_busy = number.is_multiple_of(2);
    if is_busy {
        emulator.inject(Fault::before(Before::Answer(CannedAnswer::text(
            503, "busy",
        ))));
    }
    let (status, _) = one_call().await;
    assert_eq!(status, if is_busy { 503 } else { 200 }, "{number}");
    let (status, _) = one_call().await;
    assert_eq!(status, 429, "{number}: two a minute");
    emulator.advance(Duration::from_secs(60 + number as u64));
    let (status, last) = one_call().await;
    assert_eq!(status, 200, "{number}: a minute later");
    assert_eq!(last["conversation_id"], first["conversation_id"]);

    all_run.wait().await;
    let stats = emulator.stats();
    let stored = 3 - u64::from(is_busy);
    assert_eq!((stats.requests, stats.messages), (4, stored), "{number}");
    assert_eq!(stats.billed_messages, stored);
    assert_eq!(stats.faults, u64::from(is_busy));
    assert_eq!(stats.rate_limited, 1);
    let customers: Vec<_> = stats.customers.keys().collect();
    assert_eq!(customers, [&customer], "nobody else's");
    assert_eq!(emulator.journal().len(), 4);
    let ran = emulator.now().duration_since(started).expect("forward");
    assert_eq!(ran, Duration::from_secs(60 + number as u64));
    let id = first["conversation_id"].as_str().expect("an id");
    (emulator.addr().port(), id.to_owned())
}

#[tokio::test]
async fn a_thousand_tests_run_side_by_side_each_with_its_own_port_and_state() {
    let all_run = Arc::new(Barrier::new(EMULATORS));
    let calls = Arc::new(Semaphore::new(CALLS));
    let mut tests = JoinSet::new();
    for number in 0..EMULATORS {
        tests.spawn(test(number, Arc::clone(&all_run), Arc::clone(&calls)));
    }
    let mut ports = HashSet::new();
    let mut conversations = HashSet::new();
    while let Some(test) = tests.join_next().await {
        let (port, conversation) = test.expect("every test passes");
        ports.insert(port);
        conversations.insert(conversation);
    }
    assert_eq!(ports.len(), EMULATORS);
    assert_eq!(conversations.len(), EMULATORS, "each by its own seed");
}
