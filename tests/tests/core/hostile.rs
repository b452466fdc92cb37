//! Whatever a server sends: nothing panics, nothing unknown is lost.

use famulor_core::{Client, Error, ErrorKind, Role};
use famulor_tests::sdk::{ASSISTANT, LIST, REPLY, assistant_uuid, client, conversation, customer};
use famulor_tests::wire::{Script, Then, Wire};
use serde_json::{Value, json};

/// Every operation there is.
async fn all(client: &Client) -> Vec<(&'static str, Result<(), Error>)> {
    let chat = client.conversation(conversation("c-1"));
    let reply = client.reply(ASSISTANT, customer("crm-1"), "Hello");
    let send = chat.send("Hello");
    let webhook = client.enable_conversation_ended_webhook(ASSISTANT, "https://example.com/hook");
    let any = client.request("GET", "/user/folders").expect("a request");
    vec![
        (
            "reply",
            reply
                .with_on_unknown(famulor_core::OnUnknown::Fail)
                .await
                .map(drop),
        ),
        (
            "send",
            send.with_on_unknown(famulor_core::OnUnknown::Fail)
                .await
                .map(drop),
        ),
        (
            "create",
            client.create_conversation(assistant_uuid()).await.map(drop),
        ),
        ("history", chat.history().await.map(drop)),
        ("ai_on", chat.ai_on().await.map(drop)),
        ("conversations", client.list_conversations().await.map(drop)),
        ("assistants", client.list_assistants().await.map(drop)),
        ("account", client.account().await.map(drop)),
        ("webhook", webhook.await.map(drop)),
        ("any", any.await.map(drop)),
    ]
}

#[tokio::test]
async fn no_body_makes_a_call_panic() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let deep_object = format!("{}1{}", r#"{"error":"#.repeat(2000), "}".repeat(2000));
    let bodies = [
        "",
        "null",
        "true",
        "0",
        "-1e999",
        "\"text\"",
        "[]",
        "{}",
        "[[]]",
        "\u{feff}{}",
        "{\"a\":",
        r#"{"status":null,"success":null,"history":null,"data":null,"reply":null}"#,
        r#"{"status":[],"success":[],"history":{},"data":{},"reply":[],"message":[]}"#,
        r#"{"status":true,"history":[null,7,{},[]],"data":[null,7,{}],"conversation_id":"x"}"#,
        r#"{"error":{"code":{"a":1},"message":[]},"errors":[1,{"a":2}],"retry_after":[]}"#,
        r#"{"error":7,"message":{},"errors":{"a":7,"b":[7,null,{"c":"d"}],"":""}}"#,
        r#"{"error_code":"\u0000\u001b[31m","error":"\ud83e\udd80"}"#,
        deep.as_str(),
        deep_object.as_str(),
    ];
    let answers: Vec<Then> = [200, 201, 204, 302, 400, 404, 422, 599, 999]
        .into_iter()
        .flat_map(|status| bodies.map(|body| Then::json(status, body)))
        .collect();
    let rounds = answers.len();
    let wire = Wire::start(Script::new().on("*", answers)).await;
    let client = quiet(&wire.base_url());
    for _ in 0..rounds {
        for (name, outcome) in all(&client).await {
            let shown = format!("{outcome:?}");
            assert!(!shown.is_empty(), "{name}");
        }
    }
}

fn quiet(base_url: &str) -> Client {
    let client = famulor_tests::sdk::builder(base_url).with_max_retries(0);
    client.build().expect("a client")
}

#[tokio::test]
async fn what_the_documentation_does_not_have_is_kept_as_it_came() {
    let body = json!({
        "status": true,
        "history": [
            {"role": "supervisor", "content": "I take over", "seen_by": ["x"]},
            {"role": "assistant", "content": null, "function_calls": [
                {"name": "find", "arguments": [], "result": null, "took_ms": 7}
            ]},
        ],
        "variables": [],
        "api_revision": "2027-01",
    });
    let route = "GET /api/conversations/c-1";
    let wire = Wire::start(Script::new().on(route, [Then::json(200, &body.to_string())])).await;
    let chat = client(&wire.base_url()).conversation(conversation("c-1"));
    let history = chat.history().await.expect("a history");
    assert_eq!(
        history.messages()[0].role,
        Role::Other("supervisor".to_owned())
    );
    assert!(history.variables().is_empty());
    let written = serde_json::to_value(&history).expect("JSON");
    assert_eq!(written["api_revision"], "2027-01");
    assert_eq!(written["variables"], json!([]));
    assert_eq!(written["history"][0], body["history"][0]);
    assert_eq!(
        written["history"][1]["function_calls"],
        body["history"][1]["function_calls"]
    );
}

#[tokio::test]
async fn optional_fields_may_be_missing_or_null() {
    for body in [
        r#"{"success":true,"conversation_id":"c-1"}"#,
        r#"{"success":true,"conversation_id":"c-1","reply":null,"function_calls":null,"ai_disabled":null,"customer_identifier":null}"#,
        r#"{"success":true,"conversation_id":"c-1","function_calls":[],"ai_disabled":true,"more":{"x":[1]}}"#,
    ] {
        let wire = Wire::start(Script::new().on(REPLY, [Then::json(200, body)])).await;
        let client = client(&wire.base_url());
        let reply = client.reply(ASSISTANT, customer("crm-1"), "Hello");
        let reply = reply
            .await
            .unwrap_or_else(|error| panic!("{body}: {error:?}"));
        assert_eq!(reply.text(), None);
        assert_eq!(reply.customer_identifier(), "crm-1");
        assert!(reply.function_calls().is_empty());
        assert_eq!(reply.conversation_id().as_str(), "c-1");
    }
}

#[tokio::test]
async fn an_error_keeps_status_headers_and_body_whatever_they_are() {
    for body in [
        r#"{ "error": "no",  "error_code": "NEW_ONE", "trace": [1, {"x": null}] }"#,
        "<h1>No</h1>",
        "\u{0}\u{1}",
        "",
    ] {
        let headers = [
            ("Content-Type", "application/json"),
            ("X-Request-Id", "r-7"),
        ];
        let then = Then::answer(418, &headers, body);
        let wire = Wire::start(Script::new().on(LIST, [then])).await;
        let list = client(&wire.base_url()).list_conversations().await;
        let error = list.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.status(), Some(418));
        assert_eq!(error.request_id(), Some("r-7"));
        assert_eq!(error.body(), Some(body.as_bytes()));
        if body.contains("NEW_ONE") {
            assert_eq!(error.code().map(|code| code.as_str()), Some("NEW_ONE"));
        }
    }
}

#[tokio::test]
async fn a_huge_error_body_is_kept_up_to_a_bound() {
    let body = Value::String("x".repeat(1_000_000)).to_string();
    let wire = Wire::start(Script::new().on(LIST, [Then::json(500, &body)])).await;
    let client = quiet(&wire.base_url());
    let error = client.list_conversations().await.expect_err("a failure");
    assert_eq!(error.body().map(<[u8]>::len), Some(64 * 1024));
}
