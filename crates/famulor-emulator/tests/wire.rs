//! Faults on the wire, and for whom a fault is.

mod probe;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use famulor_emulator::{After, Before, CannedAnswer, Emulator, Fault, Operation, Wire};
use famulor_test_judge::emulator;
use probe::{Probe, reply_request, until};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// All bytes of an answer, and how the connection ended.
async fn raw(emulator: &Emulator) -> (String, Result<(), ErrorKind>) {
    let body = reply_request("anna", "Hello").to_string();
    let request = format!(
        "POST /api/ai/generate-reply HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer token\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut socket = TcpStream::connect(emulator.addr())
        .await
        .expect("a connection");
    socket
        .write_all(request.as_bytes())
        .await
        .expect("a request sent");
    let mut bytes = Vec::new();
    let end = socket.read_to_end(&mut bytes).await;
    (
        String::from_utf8_lossy(&bytes).into_owned(),
        end.map(|_| ()).map_err(|error| error.kind()),
    )
}

/// The last request: processed and billed, by this fault.
fn assert_processed_by(emulator: &Emulator, fault: &str) {
    let journal = emulator.journal();
    let entry = journal.last().expect("a request");
    assert!(entry.processed && entry.billed.is_some(), "{entry:?}");
    assert_eq!(entry.fault.as_deref(), Some(fault));
}

#[tokio::test]
async fn a_closed_port_refuses_connections_and_opens_again() {
    let probe = Probe::start().await;
    assert_eq!(probe.get("/user/me").await.status, 200);
    let address = probe.emulator.addr();
    probe
        .emulator
        .refuse_connections(Duration::from_millis(150))
        .await;
    let refused = TcpStream::connect(address)
        .await
        .expect_err("a closed port");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let kept = probe.request(Method::GET, "/user/me").send().await;
    assert!(
        kept.is_err_and(|error| error.is_connect()),
        "a kept connection is closed too"
    );
    let patience = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        assert!(
            patience.elapsed() < Duration::from_secs(10),
            "never open again"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(probe.get("/user/me").await.status, 200);
}

#[tokio::test]
async fn refused_by_a_fault_the_call_is_reset_and_not_counted() {
    let probe = Probe::start().await;
    probe
        .emulator
        .inject(Fault::wire(Wire::Refuse(Duration::from_millis(50))));
    let (_, end) = raw(&probe.emulator).await;
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    let refused = TcpStream::connect(probe.emulator.addr()).await;
    assert_eq!(
        refused.map(drop).map_err(|error| error.kind()),
        Err(ErrorKind::ConnectionRefused)
    );
    let entry = probe.emulator.journal().pop().expect("a request");
    assert!(!entry.counted && !entry.processed, "{entry:?}");
    assert_eq!(entry.fault.as_deref(), Some("wire:refuse"));
}

#[tokio::test]
async fn a_reset_comes_after_the_message_is_stored() {
    let probe = Probe::start().await;
    probe.emulator.inject(Fault::wire(Wire::Reset));
    let (text, end) = raw(&probe.emulator).await;
    assert_eq!((text.as_str(), end), ("", Err(ErrorKind::ConnectionReset)));
    assert_processed_by(&probe.emulator, "wire:reset");
}

#[tokio::test]
async fn a_stall_holds_half_of_the_body_back() {
    let probe = Probe::start().await;
    let stall = Duration::from_millis(80);
    probe.emulator.inject(Fault::wire(Wire::Stall(stall)));
    let start = Instant::now();
    let answer = probe.reply("anna", "Hello").await;
    assert!(start.elapsed() >= stall);
    assert_eq!(answer.body["success"], true, "in the end it is all there");
    assert_processed_by(&probe.emulator, "wire:stall");
}

#[tokio::test]
async fn a_stalled_body_runs_into_a_clients_timeout() {
    let probe = Probe::start().await;
    probe
        .emulator
        .inject(Fault::wire(Wire::Stall(Duration::from_secs(60))));
    let response = probe
        .request(Method::POST, "/ai/generate-reply")
        .timeout(Duration::from_millis(200))
        .json(&reply_request("anna", "Hello"))
        .send()
        .await
        .expect("the head comes at once");
    assert!(
        response
            .bytes()
            .await
            .is_err_and(|error| error.is_timeout())
    );
}

#[tokio::test]
async fn a_drip_delivers_the_whole_body_slowly() {
    let probe = Probe::start().await;
    let every = Duration::from_millis(5);
    probe
        .emulator
        .inject(Fault::wire(Wire::Drip { bytes: 20, every }));
    let start = Instant::now();
    let answer = probe.reply("anna", "Hello").await;
    let pieces = answer.text.len().div_ceil(20) as u32;
    assert!(start.elapsed() >= every * pieces);
    assert_eq!(answer.body["success"], true);
    assert_processed_by(&probe.emulator, "wire:drip");
}

#[tokio::test]
async fn a_bad_chunk_makes_the_body_unreadable() {
    let probe = Probe::start().await;
    probe.emulator.inject(Fault::wire(Wire::BadChunk).times(2));
    let response = probe
        .request(Method::POST, "/ai/generate-reply")
        .json(&reply_request("anna", "Hello"))
        .send()
        .await
        .expect("a head");
    assert_eq!(response.status(), 200);
    assert!(response.text().await.is_err());
    let (text, end) = raw(&probe.emulator).await;
    assert_eq!(end, Ok(()));
    assert!(
        text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("\r\nno-length\r\n"),
        "{text}"
    );
    assert_processed_by(&probe.emulator, "wire:bad_chunk");
}

#[tokio::test]
async fn an_oversized_header_is_as_long_as_asked() {
    let probe = Probe::start().await;
    probe
        .emulator
        .inject(Fault::wire(Wire::OversizedHeader(1 << 20)).times(2));
    let (text, end) = raw(&probe.emulator).await;
    assert_eq!(end, Ok(()));
    assert!(text.len() > 1 << 20, "{}", text.len());
    let sent = probe
        .request(Method::POST, "/ai/generate-reply")
        .json(&reply_request("anna", "Hello"))
        .send()
        .await;
    assert!(sent.is_err(), "more than this client reads");
    assert_processed_by(&probe.emulator, "wire:oversized_header");
}

#[tokio::test]
async fn a_fault_is_for_one_token_one_assistant_or_one_conversation() {
    let probe = Probe::on(emulator().without_limits()).await;
    let busy = || Fault::before(Before::Answer(CannedAnswer::text(503, "busy"))).forever();
    let other = |assistant: i64| json!({"assistant_id": assistant, "customer_identifier": "anna", "message": "Hello"});
    probe.emulator.inject(busy().for_token("another"));
    assert_eq!(probe.get("/user/me").await.status, 200);
    let probe = probe.with_token("another");
    assert_eq!(probe.get("/user/me").await.status, 503);
    probe.emulator.clear_faults();

    probe.emulator.inject(busy().for_assistant(123));
    assert_eq!(
        probe.post("/ai/generate-reply", &other(123)).await.status,
        503
    );
    assert_eq!(
        probe.post("/ai/generate-reply", &other(124)).await.status,
        200
    );
    let conversation = json!({"assistant_id": "550e8400-e29b-41d4-a716-446655440000"});
    assert_eq!(
        probe.post("/conversations", &conversation).await.status,
        503,
        "by its UUID"
    );
    let path = "/conversations/7c9e6679-7425-40de-944b-e07fc1f90ae7";
    assert_eq!(probe.get(path).await.status, 503, "by its conversation");
    assert_eq!(probe.get("/user/me").await.status, 200);
    probe.emulator.clear_faults();

    let uuid = "3f2b8c1e-5d47-4a90-9c6e-2b7f1d0a8e64";
    probe.emulator.inject(busy().for_assistant(uuid));
    assert_eq!(
        probe.post("/ai/generate-reply", &other(124)).await.status,
        503
    );
    assert_eq!(
        probe.post("/ai/generate-reply", &other(123)).await.status,
        200
    );
}

#[tokio::test]
async fn a_fault_for_the_nth_call_hits_no_other() {
    let probe = Probe::start().await;
    probe
        .emulator
        .inject(Fault::after(After::Garble).on(Operation::GetMe).nth(3));
    let mut readable = Vec::new();
    for _ in 0..4 {
        readable.push(probe.get("/user/me").await.body.is_object());
    }
    assert_eq!(readable, [true, true, false, true]);
}

#[tokio::test]
async fn a_share_of_calls_fails_and_the_same_ones_again_after_a_reset() {
    let busy = Before::Answer(CannedAnswer::text(503, "busy"));
    let fault = Fault::before(busy).share(0.5).seed(3);
    let probe = Probe::on(emulator().without_limits().fault(fault)).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(probe.get("/user/me").await.status);
        }
        assert!(statuses.contains(&200) && statuses.contains(&503));
        runs.push(statuses);
        probe.emulator.reset();
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn faults_come_and_go_over_the_control_plane_and_never_show_a_token() {
    let probe = Probe::start().await;
    let faults = json!([
        {"token": "t0p-s3cret", "share": 0.25, "seed": 1, "wire": {"drip": {"bytes": 1, "every": "10ms"}}},
        {"assistant": 123, "nth": 2, "wire": "bad_chunk"},
        {"assistant": "3f2b8c1e-5d47-4a90-9c6e-2b7f1d0a8e64", "wire": {"refuse": "2s"}},
    ]);
    let listed = probe.control(Method::POST, "/faults", Some(faults)).await;
    assert_eq!(listed.status, 201, "{}", listed.text);
    assert!(!listed.text.contains("s3cret"), "{}", listed.text);
    assert_eq!(
        listed.body["faults"][0]["token"],
        Emulator::fingerprint("t0p-s3cret")
    );
    assert_eq!(
        listed.body["faults"][0]["times"],
        json!(null),
        "a share hits until it is cleared"
    );
    assert_eq!(listed.body["faults"][1]["skip"], 1);
    assert_eq!(
        probe
            .control(Method::DELETE, "/faults/2", None)
            .await
            .status,
        204
    );
    assert_eq!(
        probe
            .control(Method::DELETE, "/faults/2", None)
            .await
            .status,
        404
    );
    let ids: Vec<u64> = probe
        .emulator
        .faults()
        .iter()
        .map(|fault| fault.id)
        .collect();
    assert_eq!(ids, [1, 3]);
}

#[tokio::test]
async fn a_fault_that_is_none_is_refused_with_what_would_be_right() {
    let probe = Probe::start().await;
    for (fault, words) in [
        (
            json!({"opration": "getMe", "wire": "reset"}),
            "opration: unknown key; did you mean `operation`?",
        ),
        (json!({}), "exactly one of before, after, answer and wire"),
        (json!({"wire": "reset", "after": "close"}), "exactly one of"),
        (
            json!({"wire": "reset", "share": 1.5}),
            "a share is a number from 0 to 1",
        ),
        (json!({"wire": "reset", "nth": 0}), "nth counts from 1"),
        (
            json!({"wire": "reset", "nth": 2, "skip": 1}),
            "nth stands instead of",
        ),
        (
            json!({"wire": {"refuse": "soon"}}),
            "a duration is written like 2s",
        ),
        (
            json!({"wire": "reset", "assistant": [1]}),
            "by its id, such as 123, or by its UUID",
        ),
    ] {
        let answer = probe.control(Method::POST, "/faults", Some(fault)).await;
        assert_eq!(answer.status, 422);
        assert!(
            answer.text.contains(words),
            "{words:?} is not in {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn delays_before_and_after_are_both_told() {
    let probe = Probe::start().await;
    let short = Duration::from_millis(1);
    probe.emulator.inject(Fault::before(Before::Delay(short)));
    probe.emulator.inject(Fault::after(After::Delay(short)));
    probe.reply("anna", "Hello").await;
    until(|| {
        probe
            .emulator
            .journal()
            .last()
            .is_some_and(|entry| entry.status.is_some())
    })
    .await;
    assert_processed_by(&probe.emulator, "before:delay, after:delay");
}
