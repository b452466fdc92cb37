//! Messages of Telegram and Twilio, answered through an outbox, whatever is killed in between.

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use famulor_emulator::{Emulator, Latency};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Response};
use sha1::Sha1;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};

use crate::program::{example, example_on};

/// An update as the Bot API documents it.
const UPDATE: &str = r#"{"update_id":10000,"message":{"date":1441645532,"chat":{"last_name":"Test Lastname","id":1111111,"type":"private","first_name":"Test","username":"Test"},"message_id":1365,"from":{"last_name":"Test Lastname","id":1111111,"first_name":"Test","username":"Test"},"text":"Where is my order?"}}"#;

const WEBHOOK: &str = "https://example.com/twilio";

/// The platforms' own servers: what they were sent, and whether they are up.
#[derive(Clone, Default)]
struct Platform {
    sent: Arc<Mutex<Vec<(String, String)>>>,
    tried: Arc<Mutex<usize>>,
    is_down: Arc<AtomicBool>,
    authorization: Arc<Mutex<Option<String>>>,
}

impl Platform {
    async fn start() -> (Self, String) {
        async fn take(
            State(platform): State<Platform>,
            uri: Uri,
            headers: HeaderMap,
            body: Bytes,
        ) -> (StatusCode, &'static str) {
            *platform.tried.lock().expect("no panic") += 1;
            if platform.is_down.load(Ordering::SeqCst) {
                return (StatusCode::BAD_GATEWAY, "");
            }
            let given = headers.get("authorization").and_then(|it| it.to_str().ok());
            *platform.authorization.lock().expect("no panic") = given.map(str::to_owned);
            let body = String::from_utf8_lossy(&body).into_owned();
            platform
                .sent
                .lock()
                .expect("no panic")
                .push((uri.path().to_owned(), body));
            (StatusCode::OK, r#"{"ok":true}"#)
        }
        let platform = Self::default();
        let router = Router::new().fallback(take).with_state(platform.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        (platform, format!("http://{address}"))
    }

    fn sent(&self) -> Vec<(String, String)> {
        self.sent.lock().expect("no panic").clone()
    }

    fn tried(&self) -> usize {
        *self.tried.lock().expect("no panic")
    }
}

/// Waits until something is so.
async fn until(what: &str, so: impl Fn() -> bool) {
    let waited = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waited).await;
    assert!(waited.is_ok(), "never: {what}");
}

/// A bridge that runs until it is killed.
struct Bridge {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
    http: Client,
}

impl Bridge {
    async fn start(command: &mut Command, folder: &Path) -> Self {
        let mut process = command
            .args(["--listen", "127.0.0.1:0", "--store"])
            .arg(folder.join("bridge.db"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("an example that starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let line = lines.next_line().await.expect("output").expect("a line");
        let url = line
            .strip_prefix("webhooks are received at ")
            .expect("an address")
            .to_owned();
        Self {
            process,
            lines,
            url,
            http: Client::builder().no_proxy().build().expect("a client"),
        }
    }

    async fn telegram(&self, update: &str, secret: &str) -> Response {
        let request = self.http.post(format!("{}/telegram", self.url));
        let request = request.header("x-telegram-bot-api-secret-token", secret);
        request
            .body(update.to_owned())
            .send()
            .await
            .expect("an answer")
    }

    async fn twilio(&self, fields: &[(&str, &str)], signature: &str) -> Response {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.http
            .post(format!("{}/twilio", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-twilio-signature", signature)
            .body(body)
            .send()
            .await
            .expect("an answer")
    }

    /// Ends it as a power cut would; what it has said on standard error.
    async fn kill(mut self) -> String {
        self.process.kill().await.expect("a process to kill");
        let mut said = String::new();
        let mut errors = self.process.stderr.take().expect("its errors");
        errors.read_to_string(&mut said).await.expect("text");
        said
    }
}

struct Scene {
    emulator: Emulator,
    platform: Platform,
    api: String,
    folder: TempDir,
}

impl Scene {
    async fn set(emulator: famulor_emulator::EmulatorBuilder) -> Self {
        let (platform, api) = Platform::start().await;
        Self {
            emulator: emulator.start().await.expect("an emulator"),
            platform,
            api,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    async fn bridge(&self) -> Bridge {
        let mut command = example_on(&self.emulator, "channel_bridge");
        command
            .env("TELEGRAM_BOT_TOKEN", "123456:bot-token")
            .env("TELEGRAM_SECRET", "shared-secret")
            .env("TELEGRAM_API", &self.api)
            .env("TWILIO_ACCOUNT_SID", "AC1")
            .env("TWILIO_AUTH_TOKEN", "twilio-token")
            .env("TWILIO_WEBHOOK_URL", WEBHOOK)
            .env("TWILIO_API", &self.api);
        Bridge::start(&mut command, self.folder.path()).await
    }
}

/// Twilio's signature, after its documentation and not after the example's code.
fn sign(token: &str, url: &str, fields: &[(&str, &str)]) -> String {
    let mut fields = fields.to_vec();
    fields.sort_by_key(|(name, _)| *name);
    let text: String = fields
        .iter()
        .map(|(name, value)| format!("{name}{value}"))
        .collect();
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).expect("any length");
    mac.update(format!("{url}{text}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[tokio::test]
async fn a_message_of_telegram_is_answered_in_its_chat() {
    let scene = Scene::set(Emulator::builder()).await;
    let bridge = scene.bridge().await;
    assert_eq!(bridge.telegram(UPDATE, "wrong").await.status(), 403);
    assert_eq!(bridge.telegram("{}", "shared-secret").await.status(), 400);
    // A sticker has no text: heard, and left alone.
    let sticker = r#"{"update_id":1,"message":{"message_id":2,"date":3,"chat":{"id":4,"type":"private"},"sticker":{}}}"#;
    assert_eq!(
        bridge.telegram(sticker, "shared-secret").await.status(),
        200
    );
    assert_eq!(bridge.telegram(UPDATE, "shared-secret").await.status(), 200);
    until("an answer", || !scene.platform.sent().is_empty()).await;
    let (path, body) = scene.platform.sent().remove(0);
    assert_eq!(path, "/bot123456:bot-token/sendMessage");
    let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    let conversation = scene
        .emulator
        .conversation_of(123, "telegram-1111111")
        .expect("a conversation");
    assert_eq!(body["chat_id"], "1111111");
    assert_eq!(body["text"], conversation.history[1].content);
    assert_eq!(scene.emulator.stats().messages, 1);
}

#[tokio::test]
async fn a_signed_message_of_twilio_is_answered_from_the_number_that_it_was_sent_to() {
    let scene = Scene::set(Emulator::builder()).await;
    let bridge = scene.bridge().await;
    let fields = [
        ("MessageSid", "SM1"),
        ("AccountSid", "AC1"),
        ("From", "whatsapp:+49155551234"),
        ("To", "whatsapp:+14155238886"),
        ("Body", "I'd like an appointment & a coffee"),
        ("NumMedia", "0"),
    ];
    let forged = sign("another-token", WEBHOOK, &fields);
    assert_eq!(bridge.twilio(&fields, &forged).await.status(), 403);
    let heard = bridge
        .twilio(&fields, &sign("twilio-token", WEBHOOK, &fields))
        .await;
    assert_eq!(heard.status(), 200);
    assert_eq!(heard.headers()["content-type"], "text/xml");
    until("an answer", || !scene.platform.sent().is_empty()).await;
    let (path, body) = scene.platform.sent().remove(0);
    assert_eq!(path, "/2010-04-01/Accounts/AC1/Messages.json");
    let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes())
        .into_owned()
        .collect();
    assert!(
        form.contains(&("From".into(), "whatsapp:+14155238886".into())),
        "{form:?}"
    );
    assert!(
        form.contains(&("To".into(), "whatsapp:+49155551234".into())),
        "{form:?}"
    );
    // The same person on WhatsApp and by SMS is one customer.
    let conversation = scene
        .emulator
        .conversation_of(123, "+49155551234")
        .expect("a conversation");
    assert_eq!(
        conversation.history[0].content,
        "I'd like an appointment & a coffee"
    );
    assert!(
        form.contains(&("Body".into(), conversation.history[1].content.clone())),
        "{form:?}"
    );
    let basic = STANDARD.encode("AC1:twilio-token");
    let given = scene
        .platform
        .authorization
        .lock()
        .expect("no panic")
        .clone();
    assert_eq!(given.as_deref(), Some(format!("Basic {basic}").as_str()));
    assert_eq!(scene.emulator.stats().messages, 1);
}

#[tokio::test]
async fn twilios_own_example_of_a_signature_is_good() {
    let emulator = Emulator::builder().start().await.expect("an emulator");
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = example_on(&emulator, "channel_bridge");
    command
        .env("TWILIO_ACCOUNT_SID", "AC1")
        .env("TWILIO_AUTH_TOKEN", "12345")
        .env(
            "TWILIO_WEBHOOK_URL",
            "https://mycompany.com/myapp.php?foo=1&bar=2",
        );
    let bridge = Bridge::start(&mut command, folder.path()).await;
    // "Validating requests": the call of a phone, so it is genuine, and no message.
    let fields = [
        ("Digits", "1234"),
        ("CallSid", "CA1234567890ABCDE"),
        ("To", "+18005551212"),
        ("Caller", "+14158675309"),
        ("From", "+14158675309"),
    ];
    let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    assert_eq!(bridge.twilio(&fields, signature).await.status(), 400);
    assert_eq!(bridge.twilio(&fields[1..], signature).await.status(), 403);
    assert_eq!(bridge.twilio(&fields, "no base64!").await.status(), 403);
    assert_eq!(bridge.twilio(&fields, "").await.status(), 403);
}

#[tokio::test]
async fn a_platform_that_calls_twice_is_answered_once() {
    let scene = Scene::set(Emulator::builder()).await;
    let bridge = scene.bridge().await;
    for _ in 0..3 {
        assert_eq!(bridge.telegram(UPDATE, "shared-secret").await.status(), 200);
    }
    let next = UPDATE
        .replace("10000", "10001")
        .replace("Where is my order?", "Thank you!");
    assert_eq!(bridge.telegram(&next, "shared-secret").await.status(), 200);
    until("two answers", || scene.platform.sent().len() >= 2).await;
    assert_eq!(scene.platform.sent().len(), 2);
    assert_eq!(scene.emulator.stats().billed_messages, 2);
}

#[tokio::test]
async fn killed_while_the_assistant_answers_it_goes_on_and_bills_once() {
    let slow = Latency::from(Duration::from_millis(1500));
    let scene = Scene::set(Emulator::builder().latency(slow)).await;
    let bridge = scene.bridge().await;
    assert_eq!(bridge.telegram(UPDATE, "shared-secret").await.status(), 200);
    // It has arrived at Famulor, and its answer has not arrived here.
    until("a billed message", || {
        scene.emulator.stats().billed_messages == 1
    })
    .await;
    bridge.kill().await;
    assert_eq!(scene.platform.tried(), 0);

    let bridge = scene.bridge().await;
    until("an answer", || !scene.platform.sent().is_empty()).await;
    assert_eq!(scene.platform.sent().len(), 1);
    let stats = scene.emulator.stats();
    assert_eq!((stats.messages, stats.billed_messages), (1, 1), "sent once");
    bridge.kill().await;
}

#[tokio::test]
async fn killed_before_the_channel_took_the_answer_it_delivers_after_the_start() {
    let scene = Scene::set(Emulator::builder()).await;
    scene.platform.is_down.store(true, Ordering::SeqCst);
    let bridge = scene.bridge().await;
    assert_eq!(bridge.telegram(UPDATE, "shared-secret").await.status(), 200);
    until("a second try to deliver", || scene.platform.tried() >= 2).await;
    let said = bridge.kill().await;
    assert!(
        said.contains("telegram has not taken the answer of row "),
        "{said}"
    );
    for secret in [
        "bot-token",
        "shared-secret",
        "test-key",
        "my order",
        "1111111",
    ] {
        assert!(!said.contains(secret), "{secret:?} is in {said}");
    }

    scene.platform.is_down.store(false, Ordering::SeqCst);
    let bridge = scene.bridge().await;
    until("an answer", || !scene.platform.sent().is_empty()).await;
    bridge.kill().await;
    // And a third start does not deliver it again.
    let bridge = scene.bridge().await;
    let next = UPDATE
        .replace("10000", "10001")
        .replace("Where is my order?", "Thank you!");
    assert_eq!(bridge.telegram(&next, "shared-secret").await.status(), 200);
    until("the next answer", || scene.platform.sent().len() >= 2).await;
    assert_eq!(scene.platform.sent().len(), 2);
    assert_eq!(scene.emulator.stats().billed_messages, 2);
}

#[tokio::test]
async fn on_the_emulator_the_printed_curl_gets_a_printed_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = example("channel_bridge");
    let mut bridge = Bridge::start(command.arg("--emulator"), folder.path()).await;
    let hint = bridge
        .lines
        .next_line()
        .await
        .expect("output")
        .expect("a line");
    let (_, rest) = hint.split_once("try: curl -d '").expect("a command");
    let (update, _) = rest.split_once('\'').expect("a body");
    assert_eq!(bridge.telegram(update, "").await.status(), 200);
    let printed = bridge
        .lines
        .next_line()
        .await
        .expect("output")
        .expect("a line");
    assert!(
        printed.starts_with("telegram to 42: ") && printed.contains("your order"),
        "{printed}"
    );
}
