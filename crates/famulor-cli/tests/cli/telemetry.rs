//! OTEL_*: spans and figures for a collector, and what they never do.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::collector::{Collector, attribute};
use crate::fixture::{Fixture, KEY, Ran, reply};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

#[track_caller]
fn named<'s>(spans: &'s [Value], name: &str) -> &'s Value {
    let mut named = spans.iter().filter(|span| span["name"] == name);
    let found = named.next();
    assert!(named.next().is_none(), "two of {name} in {spans:#?}");
    found.unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
}

#[test]
fn a_reply_is_a_span_below_its_commands_and_holds_nobodys_words() {
    let (world, collector) = (Fixture::new(), Collector::start());
    let ran = world
        .famulor(reply(&["--var", "name=Ursula", "Where is order 7781?"]))
        .env(ENDPOINT, collector.url())
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=abc%20def")
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
        .run()
        .exits(0);
    let spans = collector.spans();
    let whole = named(&spans, "famulor reply");
    assert_eq!(attribute(whole, "process.exit.code").as_deref(), Some("0"));
    assert_eq!(attribute(whole, "error.type"), None);
    let attempt = named(&spans, "POST /ai/generate-reply");
    assert_eq!(attempt["parentSpanId"], whole["spanId"]);
    assert_eq!(attempt["traceId"], whole["traceId"]);
    let status = attribute(attempt, "http.response.status_code");
    assert_eq!(status.as_deref(), Some("200"));

    let resources = collector.resources();
    assert!(resources.len() >= 2, "spans and figures: {resources:#?}");
    for resource in resources {
        let value = |key| attribute(&resource, key);
        assert_eq!(value("service.name").as_deref(), Some("famulor"));
        assert_eq!(value("deployment.environment").as_deref(), Some("test"));
        let version = Some(env!("CARGO_PKG_VERSION"));
        assert_eq!(value("service.version").as_deref(), version);
        assert!(value("service.instance.id").is_some_and(|id| id.len() == 32));
    }

    let conversation = world.emulator.conversation_of(123, "crm-42");
    let conversation = conversation.expect("a conversation");
    for post in collector.received() {
        assert!(
            post.headers.contains("x-collector-key: abc def\r\n"),
            "{post:?}"
        );
        let answer = ran.stdout.trim();
        for word in [
            KEY,
            "secretKey",
            "crm-42",
            "7781",
            "Ursula",
            answer,
            &conversation.id,
        ] {
            assert!(!post.body.contains(word), "{word:?} is in {post:?}");
            assert!(
                !post.headers.contains(&word.to_lowercase()),
                "{word:?} is in {post:?}"
            );
        }
    }
}

#[test]
fn durations_and_costs_are_figures() {
    let (world, collector) = (Fixture::new(), Collector::start());
    world
        .famulor(reply(&["Hello"]))
        .env(ENDPOINT, collector.url())
        .run()
        .exits(0);
    let figures = collector.figures();
    let durations = &named(&figures, "http.client.request.duration")["histogram"]["dataPoints"];
    let of_replies =
        durations.as_array().expect("points").iter().find(|point| {
            attribute(point, "url.template").as_deref() == Some("/ai/generate-reply")
        });
    let count = &of_replies.expect("a reply's")["count"];
    assert!(count == 1 || count == "1", "{count}");
    let billed = &named(&figures, "famulor.client.messages.billed")["sum"]["dataPoints"][0];
    assert!(billed["asInt"] == 1 || billed["asInt"] == "1", "{billed}");
    named(&figures, "famulor.client.replies");
    named(&figures, "famulor.client.outcomes.unknown");
    named(&figures, "famulor.client.quota.wait.time");
}

#[test]
fn the_messages_of_a_batch_are_spans_too() {
    let (world, collector) = (Fixture::new(), Collector::start());
    let line = |customer: &str| {
        format!(r#"{{"assistant_id":123,"customer_identifier":"{customer}","message":"Hi"}}"#)
    };
    world.file(
        "spring.jsonl",
        &format!("{}\n{}\n", line("crm-1"), line("crm-2")),
    );
    world
        .famulor(["batch", "run", "spring.jsonl"])
        .env(ENDPOINT, collector.url())
        .run()
        .exits(0);
    let spans = collector.spans();
    named(&spans, "famulor batch run");
    let replies = spans
        .iter()
        .filter(|span| span["name"] == "POST /ai/generate-reply");
    assert_eq!(replies.count(), 2, "{spans:#?}");
    assert!(!format!("{:?}", collector.received()).contains("spring"));
}

#[test]
fn a_command_that_fails_says_why_in_its_span() {
    let (world, collector) = (Fixture::new(), Collector::start());
    world
        .famulor([
            "reply",
            "--assistant-id",
            "999",
            "--customer",
            "crm-42",
            "Hi",
        ])
        .env(ENDPOINT, collector.url())
        .env("OTEL_SERVICE_NAME", "desk")
        .run()
        .exits(5);
    let spans = collector.spans();
    let whole = named(&spans, "famulor reply");
    assert_eq!(attribute(whole, "process.exit.code").as_deref(), Some("5"));
    assert_eq!(attribute(whole, "error.type").as_deref(), Some("not_found"));
    let code = &whole["status"]["code"];
    assert!(code == 2 || code == "STATUS_CODE_ERROR", "{whole:#}");
    let service = attribute(&collector.resources()[0], "service.name");
    assert_eq!(service.as_deref(), Some("desk"));
}

#[test]
fn each_signal_can_go_somewhere_else_or_nowhere() {
    let world = Fixture::new();
    let paths = |variables: &[(&str, &str)]| {
        let collector = Collector::start();
        let mut call = world.famulor(["whoami"]);
        for (name, value) in variables {
            call = call.env(name, value.replace("COLLECTOR", &collector.url()));
        }
        call.run().exits(0);
        let mut paths: Vec<_> = collector
            .received()
            .into_iter()
            .map(|post| post.path)
            .collect();
        paths.sort();
        paths
    };
    let (traces, metrics) = ("/v1/traces".to_owned(), "/v1/metrics".to_owned());
    let all = (ENDPOINT, "COLLECTOR");
    assert_eq!(paths(&[all]), [metrics.clone(), traces.clone()]);
    assert_eq!(
        paths(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "COLLECTOR/spans")]),
        ["/spans"]
    );
    assert_eq!(
        paths(&[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "COLLECTOR/sums")]),
        ["/sums"]
    );
    assert_eq!(paths(&[all, ("OTEL_METRICS_EXPORTER", "none")]), [traces]);
    assert_eq!(
        paths(&[all, ("OTEL_TRACES_SAMPLER", "always_off")]),
        [metrics]
    );
    assert_eq!(paths(&[all, ("OTEL_SDK_DISABLED", "true")]), [""; 0]);
}

/// What a user sees, without the time that it took.
fn seen(ran: Ran) -> (i32, String, String) {
    (ran.code, ran.stdout, ran.stderr)
}

#[test]
fn a_collector_that_is_away_or_silent_harms_no_command() {
    // It accepts connections, and never a word on them.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", silent.local_addr().expect("an address"));
    let world = Fixture::new();
    for command in [
        vec!["whoami"],
        vec!["conversation", "get", "not-there", "--json"],
    ] {
        let plain = seen(world.famulor(&command).run());
        for endpoint in ["http://127.0.0.1:1", silent.as_str()] {
            let start = Instant::now();
            let ran = world.famulor(&command).env(ENDPOINT, endpoint).run();
            // Two seconds, and what a busy machine makes of them.
            assert!(
                start.elapsed() < Duration::from_secs(15),
                "{:?}",
                start.elapsed()
            );
            assert_eq!(seen(ran), plain, "{endpoint}");
        }
    }
    let told = world
        .famulor(["whoami", "-v"])
        .env(ENDPOINT, "http://127.0.0.1:1")
        .run();
    told.exits(0)
        .says("telemetry: the collector has not taken everything");
}

#[test]
fn an_endpoint_that_is_none_is_a_note_without_its_words() {
    let world = Fixture::new();
    let ran = world
        .famulor(["whoami"])
        .env(ENDPOINT, "http://user:pa ss@host")
        .run()
        .exits(0)
        .says("telemetry: off");
    assert!(!ran.stderr.contains("pa ss"), "{ran:?}");
    assert!(ran.stdout.contains("example@example.com"), "{ran:?}");
}
