//! Faults, where a client meets them: at the socket.

mod probe;

use std::io::ErrorKind;
use std::time::Duration;

use famulor_emulator::{After, AsAnswer, Before, CannedAnswer, Emulator, Fault, Operation};
use famulor_test_judge::emulator;
use probe::{Probe, reply_request, until};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a bare socket reads until its end.
struct Read {
    text: String,
    end: Result<(), ErrorKind>,
}

async fn raw(emulator: &Emulator, customer: &str) -> Read {
    let body = reply_request(customer, "Hello").to_string();
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
    let mut buffer = [0; 4096];
    let end = loop {
        match socket.read(&mut buffer).await {
            Ok(0) => break Ok(()),
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
            Err(error) => break Err(error.kind()),
        }
    };
    Read {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        end,
    }
}

/// User messages that the emulator has of this customer.
fn stored(emulator: &Emulator, customer: &str) -> usize {
    emulator
        .conversation_of(123, customer)
        .map_or(0, |conversation| {
            let messages = conversation.history.iter();
            messages.filter(|message| message.role == "user").count()
        })
}

/// processed, billed, status, fault of the last request.
fn last(emulator: &Emulator) -> (bool, bool, Option<u16>, Option<String>) {
    let journal = emulator.journal();
    let entry = journal.last().expect("a request");
    (
        entry.processed,
        entry.billed.is_some(),
        entry.status,
        entry.fault.clone(),
    )
}

fn last_fault(emulator: &Emulator) -> Option<String> {
    emulator.journal().last()?.fault.clone()
}

fn noted(fault: &str) -> Option<String> {
    Some(fault.to_owned())
}

#[tokio::test]
async fn refused_the_connection_is_reset_and_nothing_counted() {
    let emulator = emulator().start().await.expect("a free port");
    emulator.inject(Fault::before(Before::Refuse));
    let read = raw(&emulator, "anna").await;
    assert_eq!(
        (read.text.as_str(), read.end),
        ("", Err(ErrorKind::ConnectionReset))
    );
    assert_eq!(
        last(&emulator),
        (false, false, None, noted("before:refuse"))
    );
    assert!(!emulator.journal()[0].counted);
    assert_eq!(stored(&emulator, "anna"), 0);
}

#[tokio::test]
async fn closed_before_processing_nothing_is_sent_and_nothing_done() {
    let emulator = emulator().start().await.expect("a free port");
    emulator.inject(Fault::before(Before::Close));
    let read = raw(&emulator, "anna").await;
    assert_eq!((read.text.as_str(), read.end), ("", Ok(())));
    assert_eq!(last(&emulator), (false, false, None, noted("before:close")));
    assert!(emulator.journal()[0].counted);
    assert_eq!(stored(&emulator, "anna"), 0);
}

#[tokio::test]
async fn closed_after_processing_nothing_is_sent_and_all_is_done_and_billed() {
    let emulator = emulator().start().await.expect("a free port");
    emulator.inject(Fault::after(After::Close));
    let read = raw(&emulator, "anna").await;
    assert_eq!((read.text.as_str(), read.end), ("", Ok(())));
    assert_eq!(last(&emulator), (true, true, None, noted("after:close")));
    let conversation = emulator
        .conversation_of(123, "anna")
        .expect("a conversation");
    assert_eq!(conversation.history.len(), 2);
}

#[tokio::test]
async fn a_cut_answer_promises_more_than_it_sends() {
    let emulator = emulator().start().await.expect("a free port");
    emulator.inject(Fault::after(After::Cut(20)));
    let read = raw(&emulator, "anna").await;
    let (head, body) = read.text.split_once("\r\n\r\n").expect("a whole head");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert_eq!(body.len(), 20);
    let head = head.to_lowercase();
    let promised = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a length");
    assert!(promised.parse::<usize>().expect("a number") > 20);
    assert_eq!(last(&emulator), (true, true, Some(200), noted("after:cut")));
}

#[tokio::test]
async fn an_answer_can_be_cut_right_after_its_head() {
    let emulator = emulator().start().await.expect("a free port");
    emulator.inject(Fault::after(After::Cut(0)));
    let read = raw(&emulator, "anna").await;
    assert!(read.text.ends_with("\r\n\r\n"), "{}", read.text);
}

#[tokio::test]
async fn a_garbled_answer_is_whole_and_no_json() {
    let probe = Probe::start().await;
    probe.emulator.inject(Fault::after(After::Garble));
    let response = probe
        .request(reqwest::Method::POST, "/ai/generate-reply")
        .json(&reply_request("anna", "Hello"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status().as_u16(), 200);
    let body = response.bytes().await.expect("a whole body");
    assert!(serde_json::from_slice::<Value>(&body).is_err());
    assert_eq!(stored(&probe.emulator, "anna"), 1);
}

#[tokio::test]
async fn a_delay_after_processing_outlives_the_clients_patience() {
    let probe = Probe::start().await;
    probe
        .emulator
        .inject(Fault::after(After::Delay(Duration::from_secs(60))));
    let call = probe.begin("anna", "Hello");
    until(|| last_fault(&probe.emulator) == noted("after:delay")).await;
    assert!(!call.is_finished());
    call.abort();
    assert_eq!(
        last(&probe.emulator),
        (true, true, None, noted("after:delay"))
    );
    assert_eq!(stored(&probe.emulator, "anna"), 1);
}

#[tokio::test]
async fn a_delayed_request_is_processed_after_its_client_has_gone() {
    let probe = Probe::start().await;
    probe
        .emulator
        .inject(Fault::before(Before::Delay(Duration::from_millis(300))));
    let call = probe.begin("anna", "Hello");
    until(|| last_fault(&probe.emulator) == noted("before:delay")).await;
    call.abort();
    assert_eq!(stored(&probe.emulator, "anna"), 0);
    until(|| stored(&probe.emulator, "anna") == 1).await;
}

#[tokio::test]
async fn a_message_is_there_before_its_answer_and_the_answer_follows() {
    let probe = Probe::on(emulator().latency(Duration::from_millis(300))).await;
    let length = || {
        let conversation = probe.emulator.conversation_of(123, "anna");
        conversation.map_or(0, |conversation| conversation.history.len())
    };
    let call = probe.begin("anna", "Hello");
    until(|| length() > 0).await;
    call.abort();
    assert_eq!(length(), 1);
    assert!(probe.emulator.journal()[0].processed);
    until(|| length() == 2).await;
}

#[tokio::test]
async fn any_status_headers_and_body_can_be_sent_before_and_after_processing() {
    let probe = Probe::start().await;
    let busy = CannedAnswer::text(503, "busy").header("Retry-After", "7");
    probe
        .emulator
        .inject(Fault::before(Before::Answer(busy.clone())));
    probe.emulator.inject(Fault::after(After::Answer(busy)));
    for processed in [false, true] {
        let answer = probe.reply("anna", "Hello").await;
        assert_eq!((answer.status, answer.text.as_str()), (503, "busy"));
        assert_eq!(answer.header("retry-after"), Some("7"));
        assert_eq!(last(&probe.emulator).0, processed);
    }
    assert_eq!(stored(&probe.emulator, "anna"), 1);
}

#[tokio::test]
async fn the_documented_processing_error_is_at_hand() {
    let probe = Probe::start().await;
    let failed = CannedAnswer::processing_failed("invalid tool output");
    probe
        .emulator
        .inject(Fault::before(Before::Answer(failed)).on(Operation::SendMessage));
    let id = probe.conversation("test").await;
    let answer = probe.send(&id, "Hello").await;
    let expected = probe::documented("sendMessage.response.400-processing-error");
    assert_eq!((answer.status, answer.body), (400, expected));
}

#[tokio::test]
async fn a_429_comes_with_and_without_headers_and_is_not_counted() {
    let probe = Probe::start().await;
    for (headers, expected) in [(true, Some("3")), (false, None)] {
        probe
            .emulator
            .inject(Fault::answer(AsAnswer::TooManyRequests {
                headers,
                retry_after: 3,
            }));
        let answer = probe.reply("anna", "Hello").await;
        assert_eq!(answer.status, 429);
        assert_eq!(
            answer.body,
            json!({"message": "Too Many Attempts.", "retry_after": 3})
        );
        assert_eq!(answer.header("retry-after"), expected);
        assert_eq!(answer.header("x-ratelimit-reset").is_some(), headers);
    }
    let answer = probe.reply("anna", "Hello").await;
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("4"));
}

#[tokio::test]
async fn unpleasant_answers_that_process_nothing() {
    let probe = Probe::start().await;
    let cases = [
        (AsAnswer::LoginRedirect, 302, "<html"),
        (AsAnswer::BadGateway, 502, "502 Bad Gateway"),
        (AsAnswer::RefusalInSuccess, 200, "\"success\":false"),
        (AsAnswer::UnknownErrorCode, 422, "ASSISTANT_ON_HOLIDAY"),
    ];
    for (fault, status, contains) in cases {
        probe.emulator.inject(Fault::answer(fault));
        let answer = probe.reply("anna", "Hello").await;
        assert_eq!(answer.status, status);
        assert!(answer.text.contains(contains), "{}", answer.text);
        assert!(!last(&probe.emulator).0);
    }
    assert_eq!(stored(&probe.emulator, "anna"), 0);
}

#[tokio::test]
async fn unpleasant_answers_of_a_processed_call() {
    let probe = Probe::start().await;
    let read = async |fault| {
        probe.emulator.inject(Fault::answer(fault));
        let answer = probe
            .get("/conversations/7c9e6679-7425-40de-944b-e07fc1f90ae7")
            .await;
        assert_eq!(answer.status, 200);
        answer.body
    };
    let body = read(AsAnswer::EmptyVariables).await;
    assert_eq!(body["variables"], json!([]));
    let body = read(AsAnswer::UnknownRole).await;
    assert_eq!(body["history"][5]["role"], "supervisor");
    let body = read(AsAnswer::UnknownFields).await;
    assert!(body["meta"].is_object() && body["history"].is_array());
    let body = probe
        .get("/conversations/7c9e6679-7425-40de-944b-e07fc1f90ae7")
        .await
        .body;
    assert_eq!(
        body,
        probe::documented("getConversation.response.200-success")
    );
}

#[tokio::test]
async fn a_fault_hits_its_operation_its_customer_and_its_turn_only() {
    let probe = Probe::on(emulator().without_limits()).await;
    probe.emulator.inject(
        Fault::before(Before::Answer(CannedAnswer::server_error()))
            .on(Operation::GenerateReply)
            .for_customer("anna")
            .skip(1)
            .times(2),
    );
    assert_eq!(probe.get("/user/me").await.status, 200);
    assert_eq!(probe.reply("bert", "Hello").await.status, 200);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(probe.reply("anna", "Hello").await.status);
    }
    assert_eq!(statuses, [200, 500, 500, 200]);
}

#[tokio::test]
async fn a_fault_forever_ends_when_it_is_cleared() {
    let probe = Probe::start().await;
    probe
        .emulator
        .inject(Fault::answer(AsAnswer::BadGateway).forever());
    for _ in 0..5 {
        assert_eq!(probe.get("/user/me").await.status, 502);
    }
    probe.emulator.clear_faults();
    assert_eq!(probe.get("/user/me").await.status, 200);
}

#[tokio::test]
async fn a_fault_of_processed_calls_waits_for_one() {
    let probe = Probe::start().await;
    probe.emulator.inject(Fault::after(After::Garble));
    let refused = probe.reply("", "").await;
    assert_eq!(refused.status, 422);
    assert!(refused.body["errors"].is_object());
    assert_eq!(last(&probe.emulator).3, None);
    let garbled = probe.get("/user/me").await;
    assert_eq!(garbled.body, Value::Null);
}
