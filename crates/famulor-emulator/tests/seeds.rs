//! The three seed pages' own examples, against a fresh emulator.

mod probe;

use probe::{Probe, documented};
use serde_json::json;

#[tokio::test]
async fn seed_0_creates_a_conversation_with_the_documented_opening() {
    let probe = Probe::start().await;
    let request = documented("createConversation.request.seed000");
    let answer = probe.post("/conversations", &request).await;
    assert_eq!(answer.status, 200);

    let mut expected = documented("createConversation.response.200-success");
    expected["conversation_id"] = answer.body["conversation_id"].clone();
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn seed_1_reads_its_conversation_without_a_token() {
    let probe = Probe::start().await.without_token();
    let answer = probe
        .get("/conversations/7c9e6679-7425-40de-944b-e07fc1f90ae7")
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        documented("getConversation.response.200-success")
    );
}

#[tokio::test]
async fn seed_2_generates_a_reply_on_both_documented_paths() {
    let probe = Probe::start().await;
    let request = documented("generateReply.request.seed002");
    let first = probe.post("/ai/generate-reply", &request).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body["success"], json!(true));
    assert_eq!(first.body["customer_identifier"], json!("<string>"));
    assert_eq!(first.body["function_calls"], json!([]));
    assert_eq!(first.body["ai_disabled"], json!(false));
    assert!(
        first.body["reply"]
            .as_str()
            .is_some_and(|reply| !reply.is_empty())
    );

    let second = probe.post("/user/ai/generate-reply", &request).await;
    assert_eq!(second.status, 200);
    assert_eq!(
        second.body["conversation_id"],
        first.body["conversation_id"]
    );
}

#[tokio::test]
async fn the_documented_appointment_gets_the_documented_reply() {
    let probe = Probe::start().await;
    let answer = probe
        .post(
            "/ai/generate-reply",
            &documented("generateReply.request.hist-75a773b"),
        )
        .await;
    let mut expected = documented("generateReply.response.200-success");
    expected["conversation_id"] = answer.body["conversation_id"].clone();
    assert_eq!(answer.body, expected);
}
