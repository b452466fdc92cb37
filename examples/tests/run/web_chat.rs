//! The chat page, in a browser and on the wire.

use std::process::Stdio;
use std::time::Duration;

use famulor_emulator::{Emulator, RateLimit, Script};
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::browser::Page;
use crate::program::{example, example_on, finish};

/// A chat server that runs until it is dropped.
struct Chat {
    _process: Child,
    url: String,
}

impl Chat {
    async fn start(command: &mut Command) -> Self {
        let mut process = command
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("an example that starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let line = lines.next_line().await.expect("output").expect("a line");
        let url = line
            .strip_prefix("the chat is at ")
            .expect("an address")
            .to_owned();
        Self {
            _process: process,
            url,
        }
    }

    async fn on(emulator: &Emulator, more: &[&str]) -> Self {
        let mut command = example_on(emulator, "web_chat");
        Self::start(command.args(more)).await
    }

    /// A browser that has no page: its cookie.
    async fn visitor(&self) -> Visitor<'_> {
        let http = Client::builder().no_proxy().build().expect("a client");
        let page = http.get(&self.url).send().await.expect("a page");
        let cookie = page.headers()[SET_COOKIE]
            .to_str()
            .expect("a cookie")
            .to_owned();
        Visitor {
            chat: self,
            http,
            cookie,
        }
    }
}

struct Visitor<'a> {
    chat: &'a Chat,
    http: Client,
    cookie: String,
}

impl Visitor<'_> {
    fn session(&self) -> &str {
        self.cookie.split(';').next().unwrap_or_default()
    }

    async fn say(&self, text: &str) -> Response {
        let request = self.http.post(format!("{}/messages", self.chat.url));
        let request = request
            .header(COOKIE, self.session())
            .json(&json!({ "text": text }));
        request.send().await.expect("an answer")
    }

    async fn view(&self) -> Value {
        let request = self.http.get(format!("{}/messages", self.chat.url));
        let answer = request
            .header(COOKIE, self.session())
            .send()
            .await
            .expect("an answer");
        answer.json().await.expect("JSON")
    }

    /// The conversation once nothing is under way.
    async fn settled(&self) -> Value {
        loop {
            let view = self.view().await;
            if view["busy"] == false {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

const SCRIPT: &str = r#"
limits: { replies: 2/6s, general: [1000/10s] }
assistants:
  - id: 123
    name: Desk
    rules:
      - when: { contains: complain }
        take_over: { name: Anna, says: "Anna here. I am looking into it." }
      - when: { contains: slowly }
        reply: "That took a while."
        latency: 3s
"#;

async fn desk() -> Emulator {
    let script = Script::parse("desk.yaml", SCRIPT).expect("a script");
    Emulator::builder()
        .script(script)
        .start()
        .await
        .expect("an emulator")
}

#[tokio::test]
async fn a_person_writes_on_phone_and_desktop_and_reads_the_answer() {
    for (name, width, height) in [("phone", 360, 640), ("desktop", 1280, 800)] {
        let emulator = desk().await;
        let chat = Chat::on(&emulator, &[]).await;
        let Some(mut page) = Page::open(&chat.url, width, height).await else {
            return;
        };
        page.picture(&format!("chat-{name}-empty")).await;
        page.eval("document.getElementById('text').focus()").await;
        let attack = "<img src=x onerror=\"document.title='broken into'\"> Where is my order?";
        page.write(attack).await;
        page.press("Enter", 13).await;
        page.wait_for("document.querySelector('li.assistant')")
            .await;
        page.wait_for("document.getElementById('send').disabled === false")
            .await;
        let said = page
            .eval("document.querySelector('li.visitor p').textContent")
            .await;
        assert_eq!(said, attack);
        assert_eq!(
            page.eval("document.querySelectorAll('img').length").await,
            0
        );
        assert_eq!(page.eval("document.title").await, "Chat with us");
        // Who types goes on typing.
        assert_eq!(page.eval("document.activeElement.id").await, "text");
        assert_eq!(page.eval("document.getElementById('text').value").await, "");
        let overflow =
            "document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(
            page.eval(overflow).await,
            false,
            "{name}: the page is wider than its window"
        );
        page.picture(&format!("chat-{name}-answered")).await;

        // It is all there again after a reload.
        page.go(&chat.url).await;
        page.wait_for("document.querySelectorAll('#entries li').length === 2")
            .await;

        let accessible = page.accessible().await;
        let has = |role: &str, name: &str| {
            accessible
                .iter()
                .any(|(r, n)| r == role && n.starts_with(name))
        };
        for (role, name) in [
            ("heading", "Chat with us"),
            ("log", "Conversation"),
            ("textbox", "Your message"),
            ("button", "Send"),
            ("status", ""),
        ] {
            assert!(has(role, name), "{role} {name:?} is not in {accessible:?}");
        }
        // Fingers need 44 px.
        let height = page
            .eval("document.getElementById('send').offsetHeight >= 44")
            .await;
        assert_eq!(height, true);
    }
}

#[tokio::test]
async fn who_waits_is_told_their_place_in_the_line_and_about_how_long() {
    let emulator = desk().await;
    let chat =
        Chat::start(example_on(&emulator, "web_chat").env("FAMULOR_RATE_LIMIT", "2/6s")).await;
    let Some(mut page) = Page::open(&chat.url, 360, 640).await else {
        return;
    };
    // Two use the slots of the window, two wait before the one who looks at the page.
    let mut others = Vec::new();
    for _ in 0..4 {
        let other = chat.visitor().await;
        assert_eq!(other.say("Hello").await.status(), 202);
        others.push(other);
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    page.eval("document.getElementById('text').focus()").await;
    page.write("And what about me?").await;
    page.press("Enter", 13).await;
    page.wait_for("document.getElementById('status').textContent === 'Third in line'")
        .await;
    let about = page
        .eval("document.getElementById('about').textContent")
        .await;
    assert!(
        [", about 10 s", ", about 15 s"]
            .iter()
            .any(|expected| about == *expected),
        "two slots of 6 s are before it: {about}"
    );
    page.picture("chat-phone-third-in-line").await;
    page.wait_for("document.getElementById('status').textContent === 'First in line'")
        .await;
    page.wait_for("document.querySelector('li.assistant')")
        .await;
    assert_eq!(
        page.eval("document.getElementById('status').textContent")
            .await,
        ""
    );
    assert_eq!(emulator.stats().rate_limited, 0);
}

#[tokio::test]
async fn a_take_over_is_shown_and_so_is_what_the_person_writes() {
    let emulator = desk().await;
    let chat = Chat::on(&emulator, &[]).await;
    let Some(mut page) = Page::open(&chat.url, 1280, 800).await else {
        return;
    };
    page.eval("document.getElementById('text').focus()").await;
    page.write("I want to complain").await;
    page.press("Enter", 13).await;
    page.wait_for("document.querySelector('li.notice')").await;
    let notice = page
        .eval("document.querySelector('li.notice p').textContent")
        .await;
    assert!(
        notice
            .as_str()
            .is_some_and(|it| it.starts_with("A person has taken over")),
        "{notice}"
    );
    page.wait_for("document.querySelector('li.person')").await;
    let person = page
        .eval("document.querySelector('li.person p').textContent")
        .await;
    assert_eq!(person, "Anna here. I am looking into it.");
    let mode = page
        .eval("document.getElementById('mode').textContent")
        .await;
    assert!(
        mode.as_str()
            .is_some_and(|it| it.starts_with("A person answers")),
        "{mode}"
    );
    page.picture("chat-desktop-taken-over").await;
}

#[tokio::test]
async fn one_visitor_cannot_spend_the_quota_of_all() {
    let emulator = Emulator::builder()
        .without_limits()
        .start()
        .await
        .expect("an emulator");
    let limits = ["--visitor-limit", "3/600s", "--address-limit", "5/600s"];
    let chat = Chat::on(&emulator, &limits).await;
    let greedy = chat.visitor().await;
    for number in 1..=3 {
        assert_eq!(greedy.say(&format!("message {number}")).await.status(), 202);
        greedy.settled().await;
    }
    let refused = greedy.say("message 4").await;
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"]
        .to_str()
        .expect("text")
        .parse()
        .expect("seconds");
    assert!((590..=610).contains(&wait), "{wait}");
    let cause: Value = refused.json().await.expect("JSON");
    assert_eq!(
        cause["error"],
        "You have written a lot. Your message was not sent: please try again in about 11 minutes."
    );

    // Somebody else goes on; a new cookie does not help beyond what an address may send.
    let other = chat.visitor().await;
    for number in 1..=2 {
        assert_eq!(other.say(&format!("message {number}")).await.status(), 202);
        other.settled().await;
    }
    let third = chat.visitor().await;
    assert_eq!(third.say("one more").await.status(), 429);
    assert_eq!(emulator.stats().messages, 5);
}

#[tokio::test]
async fn a_visitor_has_one_message_under_way_at_a_time() {
    let emulator = desk().await;
    let chat = Chat::on(&emulator, &[]).await;
    let visitor = chat.visitor().await;
    assert_eq!(visitor.say("Answer slowly, please").await.status(), 202);
    assert_eq!(visitor.say("Faster!").await.status(), 409);
    let view = visitor.settled().await;
    assert_eq!(view["entries"][1]["text"], "That took a while.");
    assert_eq!(emulator.stats().messages, 1);
}

#[tokio::test]
async fn a_browser_gets_no_key_no_customer_identifier_and_a_cookie_that_no_script_reads() {
    let emulator = desk().await;
    let chat = Chat::on(&emulator, &["--https"]).await;
    let visitor = chat.visitor().await;
    for attribute in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(visitor.cookie.contains(attribute), "{attribute}");
    }
    assert_eq!(visitor.say("Hello").await.status(), 202);
    let view = visitor.settled().await.to_string();
    let journal = emulator.journal();
    let customer = journal
        .iter()
        .rev()
        .find_map(|entry| entry.customer.clone())
        .expect("a customer");
    assert!(customer.starts_with("web-"), "{customer}");
    let session = visitor
        .session()
        .split_once('=')
        .map(|(_, session)| session.to_owned());
    let session = session.expect("a session");
    assert!(
        !customer.contains(&session),
        "the session would be in dashboards and exports"
    );
    for path in ["/", "/chat.css", "/chat.js", "/messages"] {
        let request = visitor.http.get(format!("{}{path}", chat.url));
        let answer = request
            .header(COOKIE, visitor.session())
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        if path != "/messages" {
            let policy = answer.headers()["content-security-policy"]
                .to_str()
                .expect("text");
            assert!(
                policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
                "{policy}"
            );
        }
        let headers = format!("{:?}", answer.headers());
        let body = answer.text().await.expect("a body");
        for secret in ["test-key", customer.as_str(), session.as_str()] {
            assert!(
                !headers.contains(secret) && !body.contains(secret) && !view.contains(secret),
                "{path}"
            );
        }
        assert!(!body.contains("innerHTML"), "{path}");
    }
}

#[tokio::test]
async fn what_is_no_message_of_the_page_is_refused() {
    let emulator = desk().await;
    let chat = Chat::on(&emulator, &[]).await;
    let visitor = chat.visitor().await;
    assert_eq!(visitor.say("  ").await.status(), 422);
    assert_eq!(visitor.say(&"x".repeat(1001)).await.status(), 422);
    let url = format!("{}/messages", chat.url);
    // A form of another page: no JSON. And nobody's message: no cookie.
    let form = visitor
        .http
        .post(&url)
        .header(COOKIE, visitor.session())
        .header("content-type", "application/x-www-form-urlencoded")
        .body("text=Hi");
    assert_eq!(form.send().await.expect("an answer").status(), 400);
    let nobody = visitor.http.post(&url).json(&json!({ "text": "Hi" }));
    assert_eq!(nobody.send().await.expect("an answer").status(), 401);
    assert_eq!(emulator.stats().messages, 0);
}

#[tokio::test]
async fn who_cannot_be_answered_in_time_is_told_so_and_nothing_is_sent() {
    let limit = RateLimit::parse("1/600s").expect("a limit");
    let emulator = Emulator::builder()
        .rate_limit(limit)
        .start()
        .await
        .expect("an emulator");
    let mut command = example_on(&emulator, "web_chat");
    let chat = Chat::start(command.env("FAMULOR_RATE_LIMIT", "1/600s")).await;
    let (first, second) = (chat.visitor().await, chat.visitor().await);
    assert_eq!(first.say("Hello").await.status(), 202);
    first.settled().await;
    assert_eq!(second.say("Hello").await.status(), 202);
    let view = second.settled().await;
    let notice = view["entries"][1]["text"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        notice.contains("was not sent") && notice.contains("minutes"),
        "{notice}"
    );
    assert_eq!(emulator.stats().messages, 1);
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_and_no_panic() {
    let emulator = desk().await;
    let taken = emulator.addr().to_string();
    let mut command = example("web_chat");
    let finished = finish(command.args(["--emulator", "--listen", &taken])).await;
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.err.contains("error: "), "{finished:?}");
}
