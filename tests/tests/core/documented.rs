//! The documented bodies, replayed byte by byte.

use famulor_core::{Delivery, Error, ErrorKind, OnUnknown};
use famulor_tests::sdk::{ASSISTANT, REPLY, assistant_uuid, builder, conversation, customer};
use famulor_tests::wire::{Script, Then, Wire};

/// Every fixture's name and body.
fn fixtures() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    let files = std::fs::read_dir(folder).expect("the fixtures");
    files
        .filter_map(|file| {
            let path = file.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            Some((name, std::fs::read_to_string(path).ok()?))
        })
        .collect()
}

/// `generateReply.response.402-….json` → (`generateReply`, 402)
fn answer_of(name: &str) -> Option<(String, u16)> {
    let name = name.strip_prefix("invalid-").unwrap_or(name);
    let (operation, rest) = name.split_once(".response.")?;
    let status = rest.split(['-', '.']).next()?.parse().ok()?;
    Some((operation.to_owned(), status))
}

/// Makes the call of an operation against a server that answers everything so.
async fn call(operation: &str, then: Then) -> Result<String, Error> {
    let wire = Wire::start(Script::new().on("*", [then])).await;
    let client = builder(&wire.base_url()).with_max_retries(0);
    let client = client
        .with_on_unknown(OnUnknown::Fail)
        .build()
        .expect("one");
    let chat = client.conversation(conversation("7c9e6679-7425-40de-944b-e07fc1f90ae7"));
    let json = |value: serde_json::Result<String>| value.expect("JSON");
    Ok(match operation {
        "createConversation" => json(serde_json::to_string(
            &client.create_conversation(assistant_uuid()).await?,
        )),
        "getConversation" => json(serde_json::to_string(&chat.history().await?)),
        "sendMessage" => json(serde_json::to_string(&chat.send("Hello").await?)),
        "listConversations" => json(serde_json::to_string(&client.list_conversations().await?)),
        "listAssistants" => json(serde_json::to_string(&client.list_assistants().await?)),
        "getMe" => json(serde_json::to_string(&client.account().await?)),
        "enableConversationAi" => chat.ai_on().await?.to_string(),
        "disableConversationAi" => chat.ai_off().await?.to_string(),
        "enableConversationEndedWebhook" => {
            let url = "https://example.com/hook";
            let call = client.enable_conversation_ended_webhook(ASSISTANT, url);
            format!("{:?}", call.await?)
        }
        "disableConversationEndedWebhook" => {
            let call = client.disable_conversation_ended_webhook(ASSISTANT);
            format!("{:?}", call.await?)
        }
        _ => {
            let call = client.reply(ASSISTANT, customer("+49155551234"), "Hello");
            json(serde_json::to_string(&call.await?))
        }
    })
}

#[tokio::test]
async fn every_documented_refusal_is_understood() {
    let mut seen = 0;
    for (name, body) in fixtures() {
        let Some((operation, status)) = answer_of(&name).filter(|(_, status)| *status >= 400)
        else {
            continue;
        };
        let outcome = call(&operation, Then::json(status, &body)).await;
        let error = outcome.expect_err(&name);
        let wanted = match status {
            401 | 403 => ErrorKind::Auth,
            402 => ErrorKind::Balance,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited,
            _ if body.contains("Insufficient balance") => ErrorKind::Balance,
            _ => ErrorKind::Refused,
        };
        assert_eq!(error.kind(), wanted, "{name}: {error:?}");
        assert_eq!(error.delivery(), Delivery::Refused, "{name}");
        assert_eq!(error.status(), Some(status), "{name}");
        assert_eq!(error.body(), Some(body.as_bytes()), "{name}");
        let json: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(
            error.code().map(|code| code.as_str()),
            json["error_code"].as_str(),
            "{name}"
        );
        for text in ["error", "message"]
            .iter()
            .filter_map(|key| json[key].as_str())
        {
            assert!(error.message().contains(text), "{name}: {error}");
        }
        if status == 429 {
            assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(60));
        }
        for (field, texts) in json["errors"].as_object().into_iter().flatten() {
            assert_eq!(
                serde_json::json!(error.field_errors()[field]),
                *texts,
                "{name}"
            );
        }
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} fixtures");
}

#[tokio::test]
async fn every_documented_success_is_read() {
    let mut seen = 0;
    for (name, body) in fixtures() {
        let Some((operation, status)) = answer_of(&name).filter(|(_, status)| *status < 300) else {
            continue;
        };
        if name.starts_with("invalid-") {
            continue;
        }
        let outcome = call(&operation, Then::json(status, &body)).await;
        let written = outcome.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(!written.is_empty());
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} fixtures");
}

#[tokio::test]
async fn the_documented_requests_are_what_goes_over_the_wire() {
    let wire = Wire::start(Script::new()).await;
    let client = builder(&wire.base_url()).with_max_retries(0);
    let client = client
        .with_on_unknown(OnUnknown::Resend)
        .build()
        .expect("one");
    let call = client.reply(
        ASSISTANT,
        customer("+49155551234"),
        "I'd like an appointment",
    );
    let call = call.set_variable("customer_name", "John");
    call.await.expect_err("a 404");
    let seen = &wire.requests()[0];
    assert_eq!(seen.route(), REPLY);
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let bearer = format!("Bearer {}", famulor_tests::sdk::KEY);
    assert_eq!(seen.header("authorization"), Some(bearer.as_str()));
    let agent = seen.header("user-agent").unwrap_or_default();
    assert!(agent.starts_with("famulor-rust/"), "{agent}");
    assert_eq!(seen.header("api-version"), None);
    assert_eq!(
        seen.json(),
        serde_json::json!({
            "assistant_id": 123,
            "customer_identifier": "+49155551234",
            "message": "I'd like an appointment",
            "variables": {"customer_name": "John"},
        })
    );
}
