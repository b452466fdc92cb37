//! No key, no customer, no word of a conversation in any log, span, error or `Debug`.

use std::error::Error as _;
use std::fmt::Debug;

use famulor_core::{Client, Error, OnUnknown};
use famulor_tests::recorded::Recorded;
use famulor_tests::sdk::{ASSISTANT, KEY, LIST, REPLY, assistant_uuid, conversation, customer, ms};
use famulor_tests::tls::Secure;
use famulor_tests::wire::{Script, Then, Wire};
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::json;

const CUSTOMER: &str = "+4915559876543";
const MESSAGE: &str = "My father's diagnosis is confidential";
const VARIABLE: &str = "Jane Quimby-Featherstone";
const ANSWER: &str = "We will keep the diagnosis to ourselves";
const CONVERSATION: &str = "c0ffee00-7425-40de-944b-e07fc1f90ae7";
const HOOK: &str = "https://example.com/hook/s3cr3t-path";

const SECRETS: [&str; 8] = [
    KEY,
    "cOrrectHorseBatteryStaple",
    CUSTOMER,
    MESSAGE,
    VARIABLE,
    ANSWER,
    CONVERSATION,
    HOOK,
];

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{what} shows {secret:?}:\n{text}");
    }
    // The usual disguises.
    for disguise in [
        "%2B4915559876543",
        "confidential",
        "Quimby",
        "4915559876543",
    ] {
        assert!(
            !text.contains(disguise),
            "{what} shows {disguise:?}:\n{text}"
        );
    }
}

/// `Display`, `Debug` and the whole chain of sources.
fn shown(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n{:?}", error.hint());
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(&format!("\n{source}\n{source:?}\n{source:#?}"));
        cause = source.source();
    }
    text
}

fn note<T: Debug>(out: &mut String, outcome: Result<T, Error>) {
    match outcome {
        Ok(value) => out.push_str(&format!("{value:?}\n{value:#?}\n")),
        Err(error) => out.push_str(&format!("{}\n", shown(&error))),
    }
}

/// Makes every call, and gives everything that their results show.
async fn everything(client: &Client) -> String {
    let mut out = format!("{client:?} {client:#?} {:?}", client.raw());
    let chat = client.conversation(conversation(CONVERSATION));
    out.push_str(&format!("{chat:?} {:?}", chat.id()));
    for policy in [OnUnknown::Verify, OnUnknown::Fail, OnUnknown::Resend] {
        let call = client.reply(ASSISTANT, customer(CUSTOMER), MESSAGE);
        let call = call
            .set_variable("customer_name", VARIABLE)
            .with_on_unknown(policy);
        out.push_str(&format!("{:?}", call.preview()));
        let outcome = call.await;
        if let Err(error) = &outcome {
            note(&mut out, client.verify(error).await);
        }
        note(&mut out, outcome);
        note(&mut out, chat.send(MESSAGE).with_on_unknown(policy).await);
    }
    let call = client.create_conversation(assistant_uuid());
    let call = call.set_variables(
        json!({"deep": {"names": [VARIABLE]}})
            .as_object()
            .cloned()
            .unwrap_or_default(),
    );
    note(&mut out, call.await);
    note(&mut out, chat.history().await);
    note(&mut out, chat.ai_on().await);
    note(&mut out, chat.ai_off().await);
    let list = client
        .list_conversations()
        .set_customer_phone(CUSTOMER)
        .set_whatsapp_sender_phone(CUSTOMER)
        .set_external_identifier(CUSTOMER);
    note(&mut out, list.clone().await);
    let rows: Vec<_> = list.stream().take(3).collect().await;
    rows.into_iter().for_each(|row| note(&mut out, row));
    note(&mut out, client.list_assistants().await);
    note(&mut out, client.account().await);
    let hook = client.enable_conversation_ended_webhook(ASSISTANT, HOOK);
    note(&mut out, hook.await);
    let path = format!("/user/x?phone=%2B{}", CUSTOMER.trim_start_matches('+'));
    let any = client.request("POST", &path).expect("a request");
    let any = any.set_json(json!({"message": MESSAGE, "name": [VARIABLE]}));
    note(&mut out, any.await);
    let raw = client.raw();
    let builder = raw.get_conversation().uuid(CONVERSATION);
    out.push_str(&format!(
        "{builder:?} {:?}",
        raw.list_conversations().customer_phone(CUSTOMER)
    ));
    out
}

fn quick(base_url: &str) -> famulor_core::ClientBuilder {
    famulor_tests::sdk::builder(base_url)
        .with_attempt_timeout(ms(300))
        .with_deadline(ms(500))
        .with_doubt_wait(ms(50))
        .with_max_retries(1)
}

/// A server that tells everything it knows, in every text of an error.
fn echo(status: u16) -> Then {
    let all = format!(
        "Bearer {KEY} may not tell {CUSTOMER} ({CUSTOMER}) in {CONVERSATION}: '{MESSAGE}', {VARIABLE}, {HOOK}"
    );
    let body = json!({
        "status": false,
        "error": all,
        "message": all,
        "error_code": all,
        "errors": {"message": [all, format!("  {MESSAGE} ")], "variables.name": [VARIABLE]},
    });
    let headers = [
        ("Content-Type", "application/json"),
        ("X-Request-Id", CONVERSATION),
    ];
    // What one call echoes of another's words it cannot know: only its own are asked for below.
    Then::answer(status, &headers, &body.to_string())
}

fn successes() -> Script {
    let reply = json!({"success": true, "conversation_id": CONVERSATION, "customer_identifier": CUSTOMER,
        "reply": ANSWER, "function_calls": [{"name": "find", "arguments": {"name": VARIABLE}, "result": VARIABLE}]});
    let history = json!({"status": true, "variables": {"name": VARIABLE}, "external_identifier": CUSTOMER,
        "history": [{"role": "user", "content": MESSAGE}, {"role": "assistant", "content": ANSWER}]});
    let turn = json!({"status": true, "message": ANSWER, "function_calls": []});
    let rows = json!({"data": [{"id": CONVERSATION, "external_identifier": CUSTOMER, "variables": {"name": VARIABLE}}],
        "next_cursor": CONVERSATION});
    let created = json!({"status": true, "conversation_id": CONVERSATION,
        "history": [{"role": "assistant", "content": ANSWER}]});
    let ok = |value: serde_json::Value| [Then::json(200, &value.to_string())];
    Script::new()
        .on(REPLY, ok(reply))
        .on(LIST, ok(rows))
        .on(
            &format!("GET /api/conversations/{CONVERSATION}"),
            ok(history),
        )
        .on(
            &format!("POST /api/conversations/{CONVERSATION}/messages"),
            ok(turn),
        )
        .on("POST /api/conversations", ok(created))
        .on(
            "*",
            ok(json!({"status": true, "name": VARIABLE, "email": VARIABLE, "data": []})),
        )
}

#[tokio::test]
async fn nothing_is_told_of_calls_that_succeed() {
    let (recorded, _guard) = Recorded::start();
    let plain = Wire::start(successes()).await;
    let builder = quick(&plain.base_url());
    assert_clean("a builder's Debug", &format!("{builder:?} {builder:#?}"));
    let client = builder.build().expect("a client");
    assert_clean("a result", &everything(&client).await);

    let secure = Secure::start(successes()).await;
    let client = quick(&secure.base_url())
        .with_ca_certificate(secure.certificate.clone().into_bytes())
        .build()
        .expect("a client");
    assert_clean("a result over TLS", &everything(&client).await);
    assert!(secure.wire.requests().len() > 10);

    let lines = recorded.lines();
    assert!(
        lines.iter().any(|line| line.contains("http.client")),
        "{lines:?}"
    );
    assert_clean("tracing", &lines.join("\n"));
    assert_clean("log", &Recorded::log());
    assert!(!Recorded::log().is_empty(), "the log is recorded");
}

#[tokio::test]
async fn nothing_is_told_of_calls_that_fail() {
    let (recorded, _guard) = Recorded::start();
    let unreadable = json!({"message": ANSWER, "reply": ANSWER, "history": 7, "data": 7, "ai_enabled": [],
        "conversation_id": [CONVERSATION], "name": [VARIABLE]});
    let failures = [
        Then::close(),
        Then::reset(),
        Then::stall(),
        Then::html(502, ANSWER),
        Then::html(200, ANSWER),
        Then::json(200, &unreadable.to_string()),
        Then::answer(
            302,
            &[("Location", "/login?token=cOrrectHorseBatteryStaple")],
            "",
        ),
        Then::answer(429, &[("Retry-After", "600")], "{}"),
        Then::send("not HTTP").and(Then::close()),
    ];
    let calls = failures.map(|then| async {
        let wire = Wire::start(Script::new().on("*", [then])).await;
        let client = quick(&wire.base_url()).build().expect("a client");
        assert_clean("an error", &everything(&client).await);
    });
    join_all(calls).await;
    let nobody = famulor_tests::wire::nobody().await;
    let client = quick(&nobody).build().expect("a client");
    assert_clean("an error", &everything(&client).await);
    assert_clean("tracing", &recorded.lines().join("\n"));
    assert_clean("log", &Recorded::log());
}

#[tokio::test]
async fn what_a_server_echoes_is_blacked_out() {
    for status in [200, 400, 401, 404, 409, 422, 429, 500] {
        let wire = Wire::start(Script::new().on("*", [echo(status)])).await;
        let client = quick(&wire.base_url()).with_max_retries(0);
        let client = client.build().expect("a client");
        let has = |error: Error, words: &[&str]| {
            let text = shown(&error);
            for word in words.iter().chain(&[KEY]) {
                assert!(!text.contains(word), "{status} shows {word:?}: {text}");
            }
            assert!(
                error.body().is_some(),
                "the body is kept for who asks for it"
            );
        };
        let call = client.reply(ASSISTANT, customer(CUSTOMER), format!(" {MESSAGE}\n"));
        let call = call
            .set_variable("name", VARIABLE)
            .with_on_unknown(OnUnknown::Fail);
        has(
            call.await.expect_err("refused"),
            &[CUSTOMER, MESSAGE, VARIABLE],
        );
        let chat = client.conversation(conversation(CONVERSATION));
        let call = chat.send(MESSAGE).with_on_unknown(OnUnknown::Fail);
        has(call.await.expect_err("refused"), &[MESSAGE, CONVERSATION]);
        has(chat.history().await.expect_err("refused"), &[CONVERSATION]);
        has(chat.ai_on().await.expect_err("refused"), &[CONVERSATION]);
        let call = client.create_conversation(assistant_uuid());
        let call = call.set_variable("name", json!([{ "first": VARIABLE }]));
        has(call.await.expect_err("refused"), &[VARIABLE]);
        let call = client.list_conversations();
        let call = call.set_whatsapp_sender_phone(CUSTOMER);
        has(call.await.expect_err("refused"), &[CUSTOMER]);
        let call = client.enable_conversation_ended_webhook(ASSISTANT, HOOK);
        has(call.await.expect_err("refused"), &[HOOK]);
        let any = client.request("POST", "/x?phone=%2B4915559876543");
        let any = any.expect("a request").set_json(json!({"a": [MESSAGE]}));
        has(any.await.expect_err("refused"), &[CUSTOMER, MESSAGE]);
    }
}

#[tokio::test]
async fn a_span_has_the_names_of_opentelemetry() {
    let (recorded, _guard) = Recorded::start();
    let answers = [Then::html(502, "bad"), Then::json(200, r#"{"name":"Ada"}"#)];
    let wire = Wire::start(Script::new().on("GET /api/user/me", answers)).await;
    let client = quick(&wire.base_url()).with_deadline(ms(5000));
    let client = client.build().expect("a client");
    client.account().await.expect("an account");
    let lines = recorded.lines();
    let spans: Vec<&String> = lines
        .iter()
        .filter(|line| line.starts_with("span") && line.contains("http.client"))
        .collect();
    assert_eq!(spans.len(), 2, "one an attempt: {lines:?}");
    for span in &spans {
        for field in [
            "otel.name=GET /user/me".to_owned(),
            "otel.kind=\"client\"".to_owned(),
            "http.request.method=\"GET\"".to_owned(),
            "url.template=\"/user/me\"".to_owned(),
            "server.address=\"127.0.0.1\"".to_owned(),
            format!("server.port={}", wire.address().port()),
        ] {
            assert!(span.contains(&field), "{span} has no {field}");
        }
    }
    let number = |span: &str| span.split(' ').nth(1).unwrap_or_default().to_owned();
    let of = |span: &str| {
        let own = format!("record {} ", number(span));
        let records = lines.iter().filter(|line| line.starts_with(&own));
        records.cloned().collect::<String>()
    };
    let (first, second) = (of(spans[0]), of(spans[1]));
    assert!(first.contains("http.response.status_code=502"), "{first}");
    assert!(first.contains("error.type=\"server\""), "{first}");
    assert!(first.contains("otel.status_code=\"ERROR\""), "{first}");
    assert!(!first.contains("resend_count"), "{first}");
    assert!(second.contains("http.response.status_code=200"), "{second}");
    assert!(second.contains("http.request.resend_count=1"), "{second}");
    assert!(!second.contains("error.type"), "{second}");
}
