//! Every documented body over HTTP, as it stands in the documentation: requests leave so, answers are taken so.

use std::path::Path;

use famulor_gen::types;
use famulor_gen::{Client, Failure, FailureKind, Session, http_client};
use httpmock::MockServer;
use serde_json::{Value, from_value};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// What a caller gets to see: the answer written out again, or the failure.
type Seen = Result<Value, Failure>;

/// Sends a request, and has what came written out.
macro_rules! seen {
    ($request:expr) => {
        match $request.send().await {
            Ok(answer) => Ok(serde_json::to_value(answer.into_inner())?),
            Err(error) => Err(Failure::from(error)),
        }
    };
}

/// Calls an operation by its name in the spec.
async fn call(client: &Client, operation: &str, body: Value) -> Outcome<Seen> {
    Ok(match operation {
        "createConversation" => {
            let body: types::CreateConversationRequest = from_value(body)?;
            seen!(client.create_conversation().body(body))
        }
        "getConversation" => seen!(client.get_conversation().uuid("c1")),
        "sendMessage" => {
            let body: types::SendMessageRequest = from_value(body)?;
            seen!(client.send_message().uuid("c1").body(body))
        }
        "generateReply" => {
            let body: types::GenerateReplyRequest = from_value(body)?;
            seen!(client.generate_reply().body(body))
        }
        "listConversations" => seen!(client.list_conversations()),
        "disableConversationAi" => seen!(client.disable_conversation_ai().uuid("c1")),
        "enableConversationAi" => seen!(client.enable_conversation_ai().uuid("c1")),
        "listAssistants" => seen!(client.list_assistants()),
        "enableConversationEndedWebhook" => {
            let body: types::EnableConversationEndedWebhookRequest = from_value(body)?;
            seen!(client.enable_conversation_ended_webhook().body(body))
        }
        "disableConversationEndedWebhook" => {
            let body: types::DisableConversationEndedWebhookRequest = from_value(body)?;
            seen!(client.disable_conversation_ended_webhook().body(body))
        }
        "getMe" => seen!(client.get_me()),
        other => return Err(format!("{other}: this test cannot call it yet").into()),
    })
}

/// A documented body, and what its name says.
struct Documented {
    file: String,
    operation: String,
    /// Of a response; a request has none.
    status: Option<u16>,
    text: String,
}

/// Everything but webhooks and what must be refused.
fn documented() -> Outcome<Vec<Documented>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let words: Vec<&str> = file.split('.').collect();
        let status = match words[..] {
            [_, "request", ..] => None,
            [_, "response", status, ..] => Some(status[..3].parse()?),
            _ => continue,
        };
        if !file.starts_with("invalid-") {
            let operation = words[0].to_owned();
            let text = std::fs::read_to_string(&path)?;
            found.push(Documented {
                file,
                operation,
                status,
                text,
            });
        }
    }
    assert!(found.len() > 40, "the bodies are not where they were");
    Ok(found)
}

/// A request that the operation takes, where it takes one.
fn request_of(operation: &str, bodies: &[Documented]) -> Outcome<Value> {
    let request = bodies
        .iter()
        .find(|b| b.operation == operation && b.status.is_none());
    Ok(request
        .map(|b| serde_json::from_str(&b.text))
        .transpose()?
        .unwrap_or_default())
}

fn client(server: &MockServer) -> Outcome<Client> {
    let session = Session::new().with_token("1|abc")?;
    Ok(Client::new_with_client(
        &server.url("/api"),
        http_client()?,
        session,
    ))
}

#[tokio::test]
async fn every_documented_answer_arrives_whole() -> Outcome {
    let bodies = documented()?;
    let every: std::collections::BTreeSet<&str> = bodies
        .iter()
        .map(|b| b.operation.as_str())
        .filter(|name| *name != "common")
        .collect();
    for documented in &bodies {
        let Some(status) = documented.status else {
            continue;
        };
        let expected: Value = serde_json::from_str(&documented.text)?;
        let server = MockServer::start_async().await;
        server.mock(|when, then| {
            when.any_request();
            then.status(status)
                .header("content-type", "application/json")
                .body(&documented.text);
        });
        let operations = match documented.operation.as_str() {
            // Any operation may answer it.
            "common" => every.iter().copied().collect(),
            operation => vec![operation],
        };
        for operation in operations {
            let place = format!("{operation} on {}", documented.file);
            let request = request_of(operation, &bodies)?;
            match call(&client(&server)?, operation, request).await? {
                Ok(answer) => {
                    assert!(status < 400, "{place} is a success");
                    assert_eq!(answer, expected, "{place}");
                }
                Err(failure) => {
                    assert_eq!(failure.kind(), FailureKind::Refused, "{place}: {failure}");
                    assert_eq!(
                        failure.status().map(|s| s.as_u16()),
                        Some(status),
                        "{place}"
                    );
                    assert_eq!(
                        serde_json::from_slice::<Value>(failure.body())?,
                        expected,
                        "{place}"
                    );
                    assert!(failure.text().is_some(), "{place} has no text");
                }
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_documented_request_leaves_as_it_stands() -> Outcome {
    let bodies = documented()?;
    let requests = bodies.iter().filter(|b| b.status.is_none());
    for documented in requests {
        let body: Value = serde_json::from_str(&documented.text)?;
        let server = MockServer::start_async().await;
        let mock = server.mock(|when, then| {
            when.method("POST")
                .header("content-type", "application/json")
                .json_body(body.clone());
            then.status(200).body("{}");
        });
        let _ = call(&client(&server)?, &documented.operation, body).await?;
        assert_eq!(mock.calls(), 1, "{}", documented.file);
    }
    Ok(())
}
