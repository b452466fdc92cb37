//! The client against Prism, a mock server that other people wrote, serving the same `openapi.yaml`: so that the emulator
//! is not the only judge of the client.
//!
//! `cargo xtask judge prism` starts Prism and runs this; alone, it has nobody to talk to.

mod between;

use famulor_core::{Client, Error, ErrorKind, OnUnknown};
use famulor_tests::sdk::{ASSISTANT, KEY, assistant_uuid, conversation, customer};
use serde_json::{Value, json};

use crate::between::{Between, Wanted};

const SPEC: &str = include_str!("../../../openapi.yaml");

fn prism() -> String {
    std::env::var("FAMULOR_PRISM")
        .expect("FAMULOR_PRISM holds Prism's address; cargo xtask judge prism sets it")
}

fn client(between: &Between) -> Client {
    Client::builder()
        .with_base_url(&between.base_url())
        .with_api_key(KEY)
        .without_proxy()
        .without_limits()
        .with_max_retries(0)
        .with_on_unknown(OnUnknown::Fail)
        .build()
        .expect("a client")
}

/// An answer that the spec describes. Null: by its schema alone.
struct Example {
    operation: String,
    wanted: Wanted,
    status: u16,
    value: Value,
}

/// Every example of every answer of every operation.
fn examples() -> Vec<Example> {
    let spec: Value = serde_yaml_ng::from_str(SPEC).expect("openapi.yaml is YAML");
    let follow = |value: &Value| match value["$ref"].as_str() {
        Some(way) => spec
            .pointer(way.trim_start_matches('#'))
            .expect("a way")
            .clone(),
        None => value.clone(),
    };
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for (path, methods) in fields(&spec["paths"]) {
        for (method, operation) in fields(&methods) {
            let Some(name) = operation["operationId"].as_str() else {
                continue;
            };
            let example = |status: u16, prefer: String, value: Value| Example {
                operation: name.to_owned(),
                wanted: Wanted {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    prefer,
                },
                status,
                value,
            };
            let before = found.len();
            for (status, response) in fields(&operation["responses"]) {
                // `4XX` has none.
                let Ok(status) = status.parse() else { continue };
                let json = follow(&response)["content"]["application/json"].clone();
                for (key, value) in fields(&json["examples"]) {
                    let prefer = format!("code={status}, example={key}");
                    let value = follow(&value)["value"].clone();
                    found.push(example(status, prefer, value));
                }
            }
            if found[before..].iter().all(|example| example.status != 200) {
                // Prism makes one up from the schema.
                found.push(example(200, "code=200".to_owned(), Value::Null));
            }
        }
    }
    found
}

/// Makes the call of an operation; what a caller gets, as JSON, or null where that is nothing.
async fn call(client: &Client, operation: &str) -> Result<Value, Error> {
    fn json(answer: impl serde::Serialize) -> Value {
        serde_json::to_value(answer).expect("JSON")
    }
    let chat = client.conversation(conversation("7c9e6679-7425-40de-944b-e07fc1f90ae7"));
    Ok(match operation {
        "createConversation" => {
            let call = client.create_conversation(assistant_uuid());
            json(call.set_variable("company", "Acme").await?)
        }
        "getConversation" => json(chat.history().await?),
        "sendMessage" => json(chat.send("I would like a demo").await?),
        "generateReply" => {
            let call = client.reply(ASSISTANT, customer("+49155551234"), "Hi");
            json(call.set_variable("source", "whatsapp").await?)
        }
        "listConversations" => json(client.list_conversations().await?),
        "listAssistants" => json(client.list_assistants().await?),
        "getMe" => json(client.account().await?),
        "enableConversationAi" => json!({"ai_enabled": chat.ai_on().await?}),
        "disableConversationAi" => json!({"ai_enabled": chat.ai_off().await?}),
        "enableConversationEndedWebhook" => {
            let url = "https://example.com/hook";
            let call = client.enable_conversation_ended_webhook(ASSISTANT, url);
            call.await?;
            Value::Null
        }
        "disableConversationEndedWebhook" => {
            let call = client.disable_conversation_ended_webhook(ASSISTANT);
            call.await?;
            Value::Null
        }
        other => panic!("{other}: this test cannot call it yet"),
    })
}

/// What the documentation says that a refusal means.
fn kind_of(status: u16, value: &Value) -> ErrorKind {
    let says_balance = value["error"]
        .as_str()
        .is_some_and(|text| text.contains("Insufficient balance"));
    match status {
        400 | 402 | 422 if says_balance => ErrorKind::Balance,
        401 | 403 => ErrorKind::Auth,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        _ => ErrorKind::Refused,
    }
}

#[tokio::test]
#[ignore = "needs Prism: cargo xtask judge prism"]
async fn every_documented_answer_of_every_operation_is_understood() {
    let between = Between::start(&prism()).await;
    let client = client(&between);
    let examples = examples();
    let (mut successes, mut refusals) = (0, 0);
    for example in &examples {
        let place = format!("{} {}", example.operation, example.wanted.prefer);
        between.want(example.wanted.clone());
        match call(&client, &example.operation).await {
            Ok(answer) => {
                assert_eq!(example.status, 200, "{place}");
                assert_same(&place, &answer, &example.value);
                successes += 1;
            }
            Err(error) => {
                assert_eq!(error.status(), Some(example.status), "{place}: {error:?}");
                let kind = kind_of(example.status, &example.value);
                assert_eq!(error.kind(), kind, "{place}: {error:?}");
                let body = error.body().expect("a body");
                let body: Value = serde_json::from_slice(body).expect("JSON");
                assert_eq!(body, example.value, "{place}");
                refusals += 1;
            }
        }
        assert!(between.answered() > 0, "{place}: nothing reached Prism");
        let violations = between.violations();
        assert!(violations.is_empty(), "{place}: {violations:?}");
    }
    let operations: std::collections::BTreeSet<_> =
        examples.iter().map(|example| &example.operation).collect();
    // As many as there were once: a spec that could not be read has none.
    let enough = operations.len() >= 11 && successes >= 11 && refusals >= 40;
    assert!(enough, "{operations:?}: {successes}, {refusals}");
    println!(
        "prism: {} operations, {successes} successes and {refusals} refusals, no violation",
        operations.len()
    );
}

/// Every field of the answer that the example has is as the example has it.
#[track_caller]
fn assert_same(place: &str, answer: &Value, example: &Value) {
    if answer.is_null() || example.is_null() {
        return;
    }
    let (rows, fields) = match answer {
        Value::Array(rows) => (rows.as_slice(), example["data"].as_array()),
        _ => (std::slice::from_ref(answer), None),
    };
    let expected = fields.map_or(std::slice::from_ref(example), Vec::as_slice);
    assert_eq!(rows.len(), expected.len(), "{place}");
    let mut same = 0;
    for (row, expected) in rows.iter().zip(expected) {
        for (name, value) in row.as_object().expect("an object") {
            if let Some(expected) = expected.get(name) {
                assert_eq!(value, expected, "{place}: {name}");
                same += 1;
            }
        }
    }
    assert!(
        same > 0 || expected.is_empty(),
        "{place}: nothing to compare"
    );
}

/// Filters go into the query, which the examples above do not have.
#[tokio::test]
#[ignore = "needs Prism: cargo xtask judge prism"]
async fn filters_and_pages_are_asked_for_as_the_spec_has_them() {
    let between = Between::start(&prism()).await;
    let client = client(&between);
    between.want(Wanted {
        method: "GET".to_owned(),
        path: "/user/conversations".to_owned(),
        prefer: "code=200".to_owned(),
    });
    let list = client
        .list_conversations()
        .set_kind(famulor_core::ConversationKind::Widget)
        .set_assistant_id(ASSISTANT)
        .set_customer_phone("+49155551234")
        .set_external_identifier("crm 42/7")
        .set_per_page(100);
    list.await.expect("a page");
    let assistants = client.list_assistants().set_per_page(100).set_page(2);
    assistants.await.expect("a page");
    assert_eq!(between.answered(), 1);
    let violations = between.violations();
    assert!(violations.is_empty(), "{violations:?}");
}

/// Prism does look: what the spec does not allow is a violation.
#[tokio::test]
#[ignore = "needs Prism: cargo xtask judge prism"]
async fn prism_objects_to_a_request_that_the_spec_does_not_have() {
    let between = Between::start(&prism()).await;
    let client = client(&between);
    for body in [
        json!({"customer_identifier": "crm-1", "message": "Hello"}),
        json!({"assistant_id": "seven", "customer_identifier": "crm-1", "message": "Hello"}),
        json!({"assistant_id": 7, "customer_identifier": "", "message": "Hello"}),
    ] {
        let call = client.request("POST", "/ai/generate-reply");
        let outcome = call.expect("a request").set_json(body.clone()).await;
        let error = outcome.expect_err("refused");
        assert_eq!(error.status(), Some(422), "{body}: {error:?}");
        assert_eq!(between.violations().len(), 1, "{body}");
    }
    // A key of the wrong kind.
    let keyless = Client::builder()
        .with_base_url(&between.base_url())
        .without_proxy()
        .without_limits()
        .build()
        .expect("a client");
    let outcome = keyless.request("GET", "/user/me").expect("a request").await;
    assert_eq!(outcome.expect_err("refused").kind(), ErrorKind::Auth);
    assert_eq!(between.violations().len(), 1);
}
