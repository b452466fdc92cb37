//! What a log or a terminal may get to see: no body, no key, no customer.

use std::error::Error;

use famulor_gen::types::{GenerateReplyRequest, GetConversationResponse};
use famulor_gen::{Observer, Session};

use crate::server::{Server, nobody};
use crate::{Outcome, client, failure, with_session};

/// Everything that printing an error can show, its causes too.
fn shown(error: &dyn Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn an_error_without_an_answer_shows_no_url() -> Outcome {
    let client = client(&nobody().await?)?;
    let failure = failure(
        client
            .list_conversations()
            .customer_phone("+49155551234")
            .send()
            .await,
    );
    let shown = shown(&failure);
    assert!(failure.source().is_some(), "the cause is kept");
    for word in ["49155551234", "customer_phone", "secret", "Bearer"] {
        assert!(!shown.contains(word), "{word} in {shown}");
    }
    Ok(())
}

#[tokio::test]
async fn an_unexpected_answer_shows_neither_body_nor_headers() -> Outcome {
    let server = Server::answering("502 Bad Gateway", "text/html", "<b>Jane Smith</b>").await?;
    let observer = Observer::new();
    let session = Session::new()
        .with_token("1|secret")?
        .with_observer(observer.clone());
    let client = with_session(&server.base_url, session)?;
    let failure = failure(client.get_me().send().await);
    let shown = format!("{} {observer:?} {client:?}", shown(&failure));
    for word in ["Jane", "r-7", "secret"] {
        assert!(!shown.contains(word), "{word} in {shown}");
    }
    assert_eq!(failure.to_string(), "unexpected answer with status 502");
    Ok(())
}

#[tokio::test]
async fn a_request_that_is_refused_here_does_not_show_what_it_held() -> Outcome {
    let client = client(&nobody().await?)?;
    let customer = "jane@example.com ".repeat(20);
    let call = client
        .generate_reply()
        .body_map(|body| {
            body.assistant_id(1)
                .customer_identifier(customer)
                .message("Hi")
        })
        .send();
    let shown = shown(&failure(call.await));
    assert!(!shown.contains("jane"), "{shown}");
    assert!(shown.contains("255"), "the limit is named: {shown}");
    Ok(())
}

#[test]
fn debug_of_a_type_shows_its_name_and_no_content() -> Outcome {
    let reply = r#"{"assistant_id":123,"customer_identifier":"jane@example.com","message":"my card is 4111"}"#;
    let reply: GenerateReplyRequest = serde_json::from_str(reply)?;
    let chat = r#"{"status":true,"history":[{"role":"user","content":"my card is 4111"}],"variables":{"name":"jane"},"x":"jane"}"#;
    let chat: GetConversationResponse = serde_json::from_str(chat)?;
    let shown = format!(
        "{reply:?} {:?} {chat:?} {:?} {:?}",
        reply.customer_identifier, chat.history, chat.variables
    );
    for word in ["jane", "4111"] {
        assert!(!shown.contains(word), "{word} in {shown}");
    }
    assert!(shown.contains("GenerateReplyRequest"));
    Ok(())
}
