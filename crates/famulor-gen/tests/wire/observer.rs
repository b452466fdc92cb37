//! Whether a billed message may have arrived, known also where the call only failed.

use std::time::Duration;

use famulor_gen::types::GenerateReplyRequest;
use famulor_gen::{BodyEnd, Client, FailureKind, Observer, Session};

use crate::server::{Server, Then, answer, nobody};
use crate::{Outcome, failure, with_session};

fn observed(base_url: &str) -> reqwest::Result<(Client, Observer)> {
    let observer = Observer::new();
    let client = with_session(base_url, Session::new().with_observer(observer.clone()))?;
    Ok((client, observer))
}

fn reply() -> Result<GenerateReplyRequest, serde_json::Error> {
    serde_json::from_str(
        r#"{"assistant_id":123,"customer_identifier":"+49155551234","message":"Hi"}"#,
    )
}

#[tokio::test]
async fn a_refused_connection_took_no_message() -> Outcome {
    let (client, observer) = observed(&nobody().await?)?;
    let failure = failure(client.generate_reply().body(reply()?).send().await);
    assert_eq!(failure.kind(), FailureKind::NoAnswer);
    assert!(!observer.body_was_sent());
    assert!(observer.answer().is_none());
    Ok(())
}

#[tokio::test]
async fn a_server_that_closes_after_reading_may_have_the_message() -> Outcome {
    let server = Server::start(Then::Close).await?;
    let (client, observer) = observed(&server.base_url)?;
    let failure = failure(client.generate_reply().body(reply()?).send().await);
    assert_eq!(failure.kind(), FailureKind::NoAnswer);
    assert!(observer.body_was_sent());
    assert!(observer.answer().is_none());
    assert_eq!(server.requests().len(), 1, "sent once");
    Ok(())
}

#[tokio::test]
async fn a_caller_who_gives_up_still_learns_that_the_message_left() -> Outcome {
    let server = Server::start(Then::Wait).await?;
    let (client, observer) = observed(&server.base_url)?;
    let call = client.generate_reply().body(reply()?).send();
    let given_up = tokio::time::timeout(Duration::from_millis(300), call).await;
    assert!(given_up.is_err());
    assert!(observer.body_was_sent());
    Ok(())
}

#[tokio::test]
async fn the_answer_is_noted_as_it_came() -> Outcome {
    let body = r#"{ "success": false,  "error_code": "NEW_ONE" }"#;
    let server = Server::answering("402 Payment Required", "application/json", body).await?;
    let (client, observer) = observed(&server.base_url)?;
    let _ = failure(client.generate_reply().body(reply()?).send().await);
    let answer = observer.answer().ok_or("there was an answer")?;
    assert_eq!(answer.status().as_u16(), 402);
    assert_eq!(answer.body(), body, "byte by byte");
    assert_eq!(answer.end(), BodyEnd::Complete);
    Ok(())
}

#[tokio::test]
async fn a_cut_answer_is_noted_too() -> Outcome {
    let bytes = answer("200 OK", "application/json", r#"{"succ"#, 90).into_bytes();
    let server = Server::start(Then::Send(bytes)).await?;
    let (client, observer) = observed(&server.base_url)?;
    let _ = failure(client.generate_reply().body(reply()?).send().await);
    let answer = observer.answer().ok_or("there was an answer")?;
    assert_eq!(
        (answer.status().as_u16(), answer.end()),
        (200, BodyEnd::Cut)
    );
    Ok(())
}

#[tokio::test]
async fn a_request_without_a_body_sends_none() -> Outcome {
    let server = Server::answering("200 OK", "application/json", "{}").await?;
    let (client, observer) = observed(&server.base_url)?;
    client
        .get_me()
        .send()
        .await
        .map_err(famulor_gen::Failure::from)?;
    assert!(!observer.body_was_sent());
    assert!(observer.answer().is_some());
    Ok(())
}
