//! A bare HTTP client and an emulator: what every test here talks with.
#![allow(dead_code, unreachable_pub)]

use std::time::{Duration, Instant};

use famulor_emulator::{Emulator, EmulatorBuilder};
use famulor_test_judge::emulator;
use reqwest::header::{ACCEPT, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

pub struct Probe {
    pub emulator: Emulator,
    pub client: Client,
    token: Option<String>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Probe {
    pub async fn start() -> Self {
        Self::on(emulator()).await
    }

    /// Time stands still, so that only a test moves it.
    pub async fn frozen() -> Self {
        Self::on(emulator().time_scale(0.0)).await
    }

    /// On an emulator of `famulor_test_judge::emulator()`, which holds every
    /// answer against the spec.
    pub async fn on(builder: EmulatorBuilder) -> Self {
        Self {
            emulator: builder.start().await.expect("a free port"),
            client: Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .build()
                .expect("a client"),
            token: Some("token".to_owned()),
        }
    }

    pub fn without_token(mut self) -> Self {
        self.token = None;
        self
    }

    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}{path}", self.emulator.base_url()))
            .header(ACCEPT, "application/json");
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::POST, path).json(body)).await
    }

    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = format!("http://{}/__emulator{path}", self.emulator.addr());
        let request = self.client.request(method, url);
        answer(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    /// A reply to `message` from this customer.
    pub async fn reply(&self, customer: &str, message: &str) -> Answer {
        self.post("/ai/generate-reply", &reply_request(customer, message))
            .await
    }

    /// A new conversation of this type; its id.
    pub async fn conversation(&self, kind: &str) -> String {
        let answer = self
            .post(
                "/conversations",
                &serde_json::json!({
                    "assistant_id": "550e8400-e29b-41d4-a716-446655440000",
                    "type": kind,
                }),
            )
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.body["conversation_id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    pub async fn send(&self, conversation: &str, message: &str) -> Answer {
        self.post(
            &format!("/conversations/{conversation}/messages"),
            &serde_json::json!({"message": message}),
        )
        .await
    }

    /// Sends a message and does not wait for the reply.
    pub fn begin(&self, customer: &str, message: &str) -> Underway {
        let request = self
            .request(Method::POST, "/ai/generate-reply")
            .json(&reply_request(customer, message));
        tokio::spawn(request.send())
    }

    pub async fn history(&self, conversation: &str) -> Vec<Value> {
        let answer = self.get(&format!("/conversations/{conversation}")).await;
        answer.body["history"]
            .as_array()
            .expect("a history")
            .clone()
    }
}

/// A call that somebody may hang up on.
pub type Underway = tokio::task::JoinHandle<reqwest::Result<reqwest::Response>>;

/// Waits until something is so.
pub async fn until(what: impl Fn() -> bool) {
    let patience = Instant::now();
    while !what() {
        assert!(patience.elapsed() < Duration::from_secs(10), "never so");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub fn reply_request(customer: &str, message: &str) -> Value {
    serde_json::json!({
        "assistant_id": 123,
        "customer_identifier": customer,
        "message": message,
    })
}

pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await.expect("a whole body");
    Answer {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
    }
}

/// A documented body, as the documentation has it.
pub fn documented(name: &str) -> Value {
    read(&format!("documented/{name}.json"))
}

/// A documented read receipt, which is no operation of the specification.
#[allow(dead_code, reason = "one of several test programs uses it")]
pub fn read_receipt(status: &str) -> Value {
    read(&format!("read_receipts/{status}.json"))
}

fn read(name: &str) -> Value {
    let path = format!("{}/tests/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}
