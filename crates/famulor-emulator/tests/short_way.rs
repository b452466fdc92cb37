//! Plain requests go a shorter way than others: nobody is to see which.

mod probe;

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use famulor_emulator::{After, Emulator, EmulatorBuilder, Fault, Operation, RateLimit, Wire};
use famulor_test_judge::emulator;
use probe::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REPLY: &str =
    r#"{"assistant_id":123,"customer_identifier":"anna","message":"Where is my \"order\"?"}"#;

/// Something that only a whole HTTP server answers to, and that asks for nothing.
const ODD: &str = "Upgrade: nothing\r\n";

fn request(method: &str, path: &str, more: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer token\r\n{more}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn reply(more: &str) -> String {
    request("POST", "/api/ai/generate-reply", more, REPLY)
}

/// A connection that stays.
struct Kept(TcpStream);

impl Kept {
    async fn to(emulator: &Emulator) -> Self {
        let stream = TcpStream::connect(emulator.addr()).await;
        Self(stream.expect("a connection"))
    }

    async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.expect("sent");
    }

    /// One answer as it came, without its date.
    async fn answer(&mut self) -> String {
        let mut read = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&read).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "))
                    .map_or(0, |length| length.parse().expect("a number"));
                if body.len() >= length {
                    assert_eq!(body.len(), length, "one answer: {text}");
                    let dates = head.lines().filter(|line| line.starts_with("date: "));
                    assert_eq!(dates.count(), 1, "{text}");
                    let lines = text.lines().filter(|line| !line.starts_with("date: "));
                    return lines.collect::<Vec<_>>().join("\n");
                }
            }
            let count = self.0.read_buf(&mut read).await.expect("read");
            assert!(count > 0, "it ended after {text:?}");
        }
    }

    async fn asks(&mut self, request: &str) -> String {
        self.send(request).await;
        self.answer().await
    }

    async fn is_closed(&mut self) -> bool {
        let mut more = Vec::new();
        matches!(self.0.read_to_end(&mut more).await, Ok(0))
    }
}

/// Answers show times, and two of them are to be compared.
fn frozen() -> EmulatorBuilder {
    emulator().starts_at(UNIX_EPOCH).time_scale(0.0)
}

async fn both_ways(
    build: impl Fn() -> EmulatorBuilder,
    method: &str,
    path: &str,
    body: &str,
) -> String {
    let mut answers = Vec::new();
    for more in ["", ODD] {
        let emulator = build().start().await.expect("a free port");
        let mut kept = Kept::to(&emulator).await;
        // The second one, so that it is not a first answer that is looked at.
        kept.asks(&request(method, path, more, body)).await;
        answers.push(kept.asks(&request(method, path, more, body)).await);
        assert_eq!(emulator.journal().len(), 2);
    }
    assert_eq!(answers[0], answers[1], "{method} {path}");
    answers.remove(0)
}

#[tokio::test]
async fn an_answer_is_the_same_to_the_byte_whichever_way_its_request_goes() {
    let conversation = "/api/conversations/7c9e6679-7425-40de-944b-e07fc1f90ae7";
    for (method, path, body, status) in [
        ("POST", "/api/ai/generate-reply", REPLY, "200 OK"),
        (
            "POST",
            "/api/ai/generate-reply",
            "{}",
            "422 Unprocessable Entity",
        ),
        (
            "GET",
            "/api/ai/generate-reply",
            "",
            "405 Method Not Allowed",
        ),
        ("GET", "/api/user/me", "", "200 OK"),
        ("GET", "/api/user/conversations", "", "200 OK"),
        ("GET", conversation, "", "200 OK"),
        ("GET", "/api/conversations/none", "", "404 Not Found"),
        ("GET", "/api/nowhere", "", "404 Not Found"),
    ] {
        let answer = both_ways(frozen, method, path, body).await;
        let line = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&line), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn refusals_and_redirects_are_the_same_too() {
    let path = "/api/ai/generate-reply";
    let one: fn() -> EmulatorBuilder = || {
        let minute = Duration::from_secs(60);
        frozen().rate_limit(RateLimit::every(1, minute))
    };
    let many = both_ways(one, "POST", path, REPLY).await;
    assert!(many.starts_with("HTTP/1.1 429 "), "{many}");
    assert!(many.contains("retry-after: "), "{many}");
    let unknown = || emulator().only_token("another");
    let unknown = both_ways(unknown, "POST", path, REPLY).await;
    assert!(unknown.starts_with("HTTP/1.1 401 "), "{unknown}");
    let to_login = || emulator().only_token("another").redirect_to_login(true);
    let to_login = both_ways(to_login, "POST", path, REPLY).await;
    assert!(
        to_login.contains("location: http://test/login"),
        "{to_login}"
    );
}

#[tokio::test]
async fn one_connection_may_carry_requests_of_every_kind() {
    let emulator = emulator().without_limits().start().await.expect("a port");
    let mut kept = Kept::to(&emulator).await;
    for _ in 0..3 {
        let answer = kept.asks(&reply("")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let chunked = format!(
        "POST /api/ai/generate-reply HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer token\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{REPLY}\r\n0\r\n\r\n",
        REPLY.len()
    );
    assert!(kept.asks(&chunked).await.starts_with("HTTP/1.1 200"));
    assert!(kept.asks(&reply("")).await.starts_with("HTTP/1.1 200"));
    // The control plane is for a page of this machine.
    let stats =
        request("GET", "/__emulator/stats", "", "").replace("Host: test", "Host: localhost");
    assert!(kept.asks(&stats).await.contains("\"messages\":5"));
    assert_eq!(emulator.journal().len(), 5);
}

#[tokio::test]
async fn a_body_that_comes_later_is_waited_for() {
    let emulator = emulator().start().await.expect("a free port");
    let mut kept = Kept::to(&emulator).await;
    let whole = reply("");
    let (head, body) = whole.split_at(whole.len() - 20);
    kept.send(head).await;
    // It is written down before its body is there.
    until(|| emulator.journal().len() == 1).await;
    kept.send(body).await;
    assert!(kept.answer().await.starts_with("HTTP/1.1 200"));
    assert!(emulator.journal()[0].processed);
}

#[tokio::test]
async fn two_requests_at_once_get_two_answers() {
    let emulator = emulator().start().await.expect("a free port");
    let mut kept = Kept::to(&emulator).await;
    let me = "GET /api/user/me HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer token\r\n\
              Connection: close\r\n\r\n";
    kept.send(&format!("{}{me}", reply(""))).await;
    let mut answers = String::new();
    let read = kept.0.read_to_string(&mut answers).await;
    read.expect("both answers");
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    assert_eq!(emulator.journal().len(), 2);
}

#[tokio::test]
async fn a_fault_finds_a_connection_that_was_plain_so_far() {
    let emulator = emulator().without_limits().start().await.expect("a port");
    for (fault, expected) in [
        (Fault::after(After::Cut(10)), Some("HTTP/1.1 200 OK")),
        (Fault::wire(Wire::BadChunk), Some("no-length")),
        (Fault::after(After::Close), None),
    ] {
        let mut kept = Kept::to(&emulator).await;
        assert!(kept.asks(&reply("")).await.starts_with("HTTP/1.1 200"));
        emulator.inject(fault.on(Operation::GenerateReply).nth(1));
        kept.send(&reply("")).await;
        let mut answer = Vec::new();
        let _ = kept.0.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        match expected {
            Some(expected) => assert!(answer.contains(expected), "{answer}"),
            None => assert_eq!(answer, ""),
        }
        let journal = emulator.journal();
        let last = journal.last().expect("a request");
        assert!(last.processed && last.fault.is_some(), "{last:?}");
    }
    // Each was processed once, though the second half of its way was another.
    assert_eq!(emulator.stats().messages, 6);
}

#[tokio::test]
async fn a_shutdown_says_so_in_the_answer_to_a_call_under_way() {
    let slow = emulator().latency(Duration::from_millis(100));
    let emulator = slow.start().await.expect("a free port");
    let mut kept = Kept::to(&emulator).await;
    kept.send(&reply("")).await;
    until(|| emulator.stats().messages == 1).await;
    let ending = tokio::spawn(emulator.shutdown());
    let answer = kept.answer().await;
    assert!(answer.contains("\nconnection: close\n"), "{answer}");
    assert!(kept.is_closed().await);
    ending.await.expect("it ends");
}

#[tokio::test]
async fn threads_of_its_own_serve_all_connections_and_end_with_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let emulator = emulator()
        .without_limits()
        .io_threads(2)
        .latency(Duration::from_millis(1))
        .on_request(move |_| {
            let name = std::thread::current().name().map(str::to_owned);
            noted.lock().expect("no panic").push(name);
        })
        .start()
        .await
        .expect("a free port");
    for _ in 0..4 {
        let mut kept = Kept::to(&emulator).await;
        assert!(kept.asks(&reply("")).await.starts_with("HTTP/1.1 200"));
        assert!(kept.asks(&reply(ODD)).await.starts_with("HTTP/1.1 200"));
    }
    let mut names = seen.lock().expect("no panic").clone();
    assert_eq!(names.len(), 8);
    names.sort();
    names.dedup();
    let name = |number: u8| Some(format!("emulator-{number}"));
    assert_eq!(names, [name(1), name(2)]);

    let address = emulator.addr();
    let mut idle = Kept::to(&emulator).await;
    assert!(idle.asks(&reply("")).await.starts_with("HTTP/1.1 200"));
    let ended = tokio::time::timeout(Duration::from_secs(10), emulator.shutdown());
    ended.await.expect("it ends");
    assert!(idle.is_closed().await);
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(Arc::strong_count(&seen), 1, "somebody still serves");
}

#[tokio::test]
async fn dropped_with_threads_of_its_own_it_ends_calls_under_way() {
    let emulator = emulator()
        .io_threads(1)
        .latency(Duration::from_secs(60))
        .start()
        .await
        .expect("a free port");
    let mut kept = Kept::to(&emulator).await;
    kept.send(&reply("")).await;
    until(|| emulator.stats().messages == 1).await;
    drop(emulator);
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), kept.0.read_to_end(&mut answer));
    let _ = read.await.expect("at once");
    assert_eq!(answer, b"");
}
