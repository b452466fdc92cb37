//! Spans and figures, as a collector gets them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use axum::routing::post;
use famulor_emulator::Emulator;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::program::{example, example_on, finish};

type Received = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A collector on loopback: its address, and what it was sent.
pub(crate) async fn collector() -> (String, Received) {
    async fn take(State(received): State<Received>, uri: Uri, body: Bytes) -> &'static str {
        received
            .lock()
            .expect("no panic")
            .push((uri.path().to_owned(), body.to_vec()));
        "{}"
    }
    let received = Received::default();
    let router = Router::new()
        .route("/v1/{kind}", post(take))
        .with_state(Arc::clone(&received));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), received)
}

/// Everything that came to a path: the elements of the innermost lists.
fn all(received: &Received, path: &str, lists: [&str; 3]) -> Vec<Value> {
    let mut found = Vec::new();
    for (_, body) in received
        .lock()
        .expect("no panic")
        .iter()
        .filter(|(to, _)| to == path)
    {
        let mut level = vec![serde_json::from_slice::<Value>(body).expect("JSON")];
        for list in lists {
            level = level
                .iter()
                .flat_map(|item| item[list].as_array().cloned().unwrap_or_default())
                .collect();
        }
        found.extend(level);
    }
    found
}

fn spans(received: &Received) -> Vec<Value> {
    all(
        received,
        "/v1/traces",
        ["resourceSpans", "scopeSpans", "spans"],
    )
}

/// An attribute's value, as text whatever its type.
fn attribute(item: &Value, key: &str) -> Option<String> {
    let attributes = item["attributes"].as_array()?;
    let found = attributes
        .iter()
        .find(|attribute| attribute["key"] == key)?;
    let value = found["value"].as_object()?.values().next()?;
    Some(
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    )
}

#[tokio::test]
async fn each_attempt_is_a_client_span_named_as_opentelemetry_names_it() {
    let (endpoint, received) = collector().await;
    let mut command = example("telemetry");
    command
        .arg("--emulator")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    finish(&mut command)
        .await
        .said(&["answered after 2 attempt(s)", "answered after 1 attempt(s)"]);

    let spans = spans(&received);
    let replies: Vec<&Value> = spans
        .iter()
        .filter(|span| span["name"] == "POST /ai/generate-reply")
        .collect();
    assert_eq!(replies.len(), 3, "{spans:#?}");
    for span in &replies {
        // SPAN_KIND_CLIENT of OTLP.
        assert!(
            span["kind"] == 3 || span["kind"] == "SPAN_KIND_CLIENT",
            "{span:#}"
        );
        assert_eq!(
            attribute(span, "http.request.method").as_deref(),
            Some("POST")
        );
        assert_eq!(
            attribute(span, "url.template").as_deref(),
            Some("/ai/generate-reply")
        );
        assert_eq!(
            attribute(span, "server.address").as_deref(),
            Some("127.0.0.1")
        );
        assert!(attribute(span, "server.port").is_some_and(|port| port.parse::<u16>().is_ok()));
        let parent = spans
            .iter()
            .find(|other| other["spanId"] == span["parentSpanId"]);
        assert_eq!(parent.expect("a parent")["name"], "answer a ticket");
    }
    let status = |span: &Value| attribute(span, "http.response.status_code");
    let refused = replies
        .iter()
        .find(|span| status(span).as_deref() == Some("429"))
        .expect("a 429");
    assert_eq!(
        attribute(refused, "error.type").as_deref(),
        Some("rate_limited")
    );
    assert!(
        refused["status"]["code"] == 2 || refused["status"]["code"] == "STATUS_CODE_ERROR",
        "{refused:#}"
    );
    let again = replies
        .iter()
        .filter(|span| attribute(span, "http.request.resend_count").is_some());
    let again: Vec<&&Value> = again.collect();
    assert_eq!(again.len(), 1);
    assert_eq!(
        attribute(again[0], "http.request.resend_count").as_deref(),
        Some("1")
    );
    assert_eq!(status(again[0]).as_deref(), Some("200"));
    assert_eq!(attribute(again[0], "error.type"), None);
}

#[tokio::test]
async fn durations_and_costs_arrive_as_figures() {
    let (endpoint, received) = collector().await;
    let mut command = example("telemetry");
    command
        .arg("--emulator")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    finish(&mut command).await.said(&[]);

    let figures = all(
        &received,
        "/v1/metrics",
        ["resourceMetrics", "scopeMetrics", "metrics"],
    );
    let figure = |name: &str| {
        let found = figures.iter().rev().find(|figure| figure["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not in {figures:#?}"))
    };
    let durations = figure("http.client.request.duration");
    assert_eq!(durations["unit"], "s");
    let points = durations["histogram"]["dataPoints"]
        .as_array()
        .expect("points");
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let answered = points.iter().find(|point| {
        attribute(point, "url.template").as_deref() == Some("/ai/generate-reply")
            && attribute(point, "http.response.status_code").as_deref() == Some("200")
    });
    let answered = answered.unwrap_or_else(|| panic!("{durations:#}"));
    assert_eq!(number(&answered["count"]), Some(2));
    assert_eq!(
        answered["explicitBounds"].as_array().map(Vec::len),
        Some(14)
    );
    assert_eq!(attribute(answered, "error.type"), None);

    let sum = |name: &str| {
        let point = &figure(name)["sum"]["dataPoints"][0];
        number(&point["asInt"])
            .map(|count| count as f64)
            .or_else(|| point["asDouble"].as_f64())
    };
    assert_eq!(sum("famulor.client.messages.billed"), Some(2.0));
    assert_eq!(sum("famulor.client.replies"), Some(2.0));
    assert_eq!(sum("famulor.client.outcomes.unknown"), Some(0.0));
    assert!(
        sum("famulor.client.quota.wait.time").is_some_and(|seconds| seconds > 0.5),
        "the 429 asked for 1 s"
    );
}

#[tokio::test]
async fn no_key_customer_message_or_conversation_reaches_the_collector() {
    let (endpoint, received) = collector().await;
    let emulator = Emulator::builder().start().await.expect("an emulator");
    let mut command = example_on(&emulator, "telemetry");
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
    finish(&mut command).await.said(&["answered"]);

    let conversation = emulator
        .conversation_of(123, "crm-4711")
        .expect("a conversation");
    let bodies = received.lock().expect("no panic");
    assert!(bodies.len() >= 2, "traces and metrics");
    for (path, body) in bodies.iter() {
        let body = String::from_utf8_lossy(body);
        for secret in [
            "test-key",
            "crm-4711",
            "my order",
            &conversation.id,
            &conversation.history[1].content,
        ] {
            assert!(!body.contains(secret), "{secret:?} is in {path}: {body}");
        }
    }
}

#[tokio::test]
async fn without_a_collector_the_answers_are_there_and_the_failure_is_said() {
    let mut command = example("telemetry");
    command
        .arg("--emulator")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let finished = finish(&mut command).await;
    assert!(
        finished.out.contains("answered after 1 attempt(s)"),
        "{finished:?}"
    );
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.err.contains("error: "), "{finished:?}");
}
