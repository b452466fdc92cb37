//! Every documented error: the emulator gives it, byte for byte as JSON, and the client maps it to its documented kind.
//!
//! One test each, named for what goes wrong. Where the documentation says what causes an error, that causes it here;
//! the few that nothing in the emulator causes are put in its mouth by a fault.

use std::collections::BTreeSet;
use std::time::Duration;

use famulor_core::{AssistantId, AssistantUuid, Client, Conversation, Delivery, Error, ErrorKind};
use famulor_core::{ConversationKind, OnUnknown};
use famulor_emulator::{
    Before, CannedAnswer, Emulator, EmulatorBuilder, Fault, Operation, RateLimit,
};
use famulor_test_judge::emulator;
use famulor_tests::sdk::{ASSISTANT, CONVERSATION, KEY, assistant_uuid, conversation, customer};
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// An assistant that no account has.
const NO_ASSISTANT: AssistantId = AssistantId::new(9);

/// Where an error comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    /// What the documentation says causes it.
    Cause,
    /// Nothing that the emulator knows causes it.
    Fault,
}

/// An emulator whose time stands still, and a client that neither waits nor repeats.
struct Stage {
    emulator: Emulator,
    client: Client,
}

impl Stage {
    async fn new(builder: EmulatorBuilder) -> Self {
        Self::with_key(builder, Some(KEY)).await
    }

    async fn with_key(builder: EmulatorBuilder, key: Option<&str>) -> Self {
        let emulator = builder.time_scale(0.0).start().await.expect("a free port");
        let client = Client::builder()
            .with_base_url(&emulator.base_url())
            .without_proxy()
            .without_limits()
            .with_max_retries(0)
            .with_on_unknown(OnUnknown::Fail);
        let client = match key {
            Some(key) => client.with_api_key(key),
            None => client,
        };
        let client = client.build().expect("a client");
        Self { emulator, client }
    }

    fn chat(&self, id: &str) -> Conversation {
        self.client.conversation(conversation(id))
    }

    /// A call without the fields that the typed ones always send.
    async fn post(&self, path: &str, body: Value) -> Result<(), Error> {
        let call = self.client.request("POST", path).expect("a request");
        call.set_json(body).await.map(drop)
    }
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}

fn status_of(name: &str) -> u16 {
    let (_, rest) = name.split_once(".response.").expect("a response");
    rest[..3].parse().expect("a status")
}

/// The emulator's last answer was this body, and the client's error is what it means.
#[track_caller]
fn assert_mapped(
    name: &str,
    by: By,
    (kind, code): (ErrorKind, Option<&str>),
    (stage, outcome): (Stage, Result<(), Error>),
) {
    let (status, body) = (status_of(name), fixture(name));
    let error = outcome.expect_err("the call is refused");

    let entry = stage.emulator.journal().pop().expect("a request");
    let answered: Value = serde_json::from_slice(entry.answered.bytes()).expect("JSON");
    assert_eq!(
        (entry.status, &answered),
        (Some(status), &body),
        "{entry:?}"
    );
    assert!(!entry.processed && entry.billed.is_none(), "{entry:?}");
    assert_eq!(entry.fault.is_some(), by == By::Fault, "{entry:?}");

    assert_eq!(error.kind(), kind, "{error:?}");
    assert_eq!(error.code().map(|code| code.as_str()), code, "{error:?}");
    assert_eq!(error.delivery(), Delivery::Refused, "{error:?}");
    assert_eq!(error.status(), Some(status), "{error:?}");
    assert_eq!(error.attempts(), 1, "{error:?}");
    let kept: Value = serde_json::from_slice(error.body().expect("a body")).expect("JSON");
    assert_eq!(kept, body);
    for text in ["error", "message"]
        .iter()
        .filter_map(|key| body[key].as_str())
    {
        assert!(error.message().contains(text), "{text} in {error:?}");
    }
    for (field, complaints) in body["errors"].as_object().into_iter().flatten() {
        assert_eq!(json!(error.field_errors()[field]), *complaints, "{error:?}");
    }
    let wait = body["retry_after"].as_u64().map(Duration::from_secs);
    assert_eq!(error.retry_after(), wait, "{error:?}");
}

macro_rules! documented_errors {
    ($($test:ident: $file:literal => $kind:ident, $code:expr, $by:expr, $scene:block)*) => {
        /// The documented bodies that have a test.
        const TESTED: &[&str] = &[$($file),*];

        $(#[tokio::test]
        async fn $test() {
            let played = async $scene.await;
            assert_mapped($file, $by, (ErrorKind::$kind, $code), played);
        })*
    };
}

documented_errors! {
    a_key_that_is_none_of_the_accounts: "common.response.401-invalid-api-key.authguide.json"
        => Auth, None, By::Cause, {
        let stage = Stage::with_key(emulator().token(KEY), Some("another")).await;
        let outcome = stage.client.account().await.map(drop);
        (stage, outcome)
    }

    no_key_at_all: "common.response.401-missing-authorization-header.authguide.json"
        => Auth, None, By::Cause, {
        let stage = Stage::with_key(emulator(), None).await;
        // The typed calls do not even send it without a key.
        let call = stage.client.request("GET", "/user/me").expect("a request");
        let outcome = call.await.map(drop);
        (stage, outcome)
    }

    a_key_that_may_not_do_this: "common.response.403-insufficient-permissions.authguide.json"
        => Auth, None, By::Fault, {
        let body = fixture("common.response.403-insufficient-permissions.authguide.json");
        let stage = Stage::new(emulator().fault(Fault::before(Before::Answer(
            CannedAnswer::json(403, body),
        )))).await;
        let outcome = stage.client.account().await.map(drop);
        (stage, outcome)
    }

    the_limit_of_all_endpoints: "common.response.429-rate-limit-exceeded.authguide.json"
        => RateLimited, None, By::Cause, {
        let one_a_minute = RateLimit::every(1, Duration::from_secs(60));
        let stage = Stage::new(emulator().general_limits([one_a_minute])).await;
        stage.client.account().await.expect("the first one is let in");
        let outcome = stage.client.account().await.map(drop);
        (stage, outcome)
    }

    a_new_conversation_without_balance: "createConversation.response.400-insufficient-balance.json"
        => Balance, None, By::Cause, {
        let stage = Stage::new(emulator().balance(0.0)).await;
        let call = stage.client.create_conversation(assistant_uuid());
        let outcome = call.set_kind(ConversationKind::Widget).await.map(drop);
        (stage, outcome)
    }

    a_new_conversation_with_nobody: "createConversation.response.404-assistant-not-found.json"
        => NotFound, None, By::Cause, {
        let stage = Stage::new(emulator()).await;
        let nobody = AssistantUuid::parse(NOBODY).expect("a UUID");
        let outcome = stage.client.create_conversation(nobody).await.map(drop);
        (stage, outcome)
    }

    switching_the_ai_off_with_a_wrong_key: "disableConversationAi.response.401-unauthorized.json"
        => Auth, None, By::Cause, {
        let stage = Stage::with_key(emulator().token(KEY), Some("another")).await;
        let outcome = stage.chat(CONVERSATION).ai_off().await.map(drop);
        (stage, outcome)
    }

    switching_the_ai_off_where_nothing_is: "disableConversationAi.response.404-not-found.json"
        => NotFound, None, By::Cause, {
        let stage = Stage::new(emulator()).await;
        let outcome = stage.chat(NOBODY).ai_off().await.map(drop);
        (stage, outcome)
    }

    switching_the_ai_on_with_a_wrong_key: "enableConversationAi.response.401-unauthorized.json"
        => Auth, None, By::Cause, {
        let stage = Stage::with_key(emulator().token(KEY), Some("another")).await;
        let outcome = stage.chat(CONVERSATION).ai_on().await.map(drop);
        (stage, outcome)
    }

    switching_the_ai_on_where_nothing_is: "enableConversationAi.response.404-not-found.json"
        => NotFound, None, By::Cause, {
        let stage = Stage::new(emulator()).await;
        let outcome = stage.chat(NOBODY).ai_on().await.map(drop);
        (stage, outcome)
    }

    the_webhook_of_nobody: "disableConversationEndedWebhook.response.404-not-found.json"
        => NotFound, None, By::Cause, {
        let stage = Stage::new(emulator()).await;
        let call = stage.client.disable_conversation_ended_webhook(NO_ASSISTANT);
        let outcome = call.await.map(drop);
        (stage, outcome)
    }

    a_webhook_without_an_assistant:
        "disableConversationEndedWebhook.response.422-validation-error.json"
        => Refused, None, By::Cause, {
        let stage = Stage::new(emulator()).await;
        let path = "/user/assistants/disable-conversation-ended-webhook";
        let outcome = stage.post(path, json!({})).await;
        (stage, outcome)
    }

    a_reply_without_balance: "generateReply.response.402-insufficient-balance.json"
        => Balance, Some("INSUFFICIENT_BALANCE"), By::Cause, {
        let stage = Stage::new(emulator().balance(0.0)).await;
        let call = stage.client.reply(ASSISTANT, customer("crm-1"), "Hello");
        let outcome = call.await.map(drop);
        (stage, outcome)
    }

    a_reply_of_nobody: "generateReply.response.404-assistant-not-found.json"
        => NotFound, Some("ASSISTANT_NOT_FOUND"), By::Cause, {
        let stage = Stage::new(emulator()).await;
        let call = stage.client.reply(NO_ASSISTANT, customer("crm-1"), "Hello");
        let outcome = call.await.map(drop);
        (stage, outcome)
    }

    a_reply_without_an_assistant: "generateReply.response.422-validation-error.json"
        => Refused, None, By::Cause, {
        let stage = Stage::new(emulator()).await;
        let body = json!({"customer_identifier": "crm-1", "message": "Hello"});
        let outcome = stage.post("/ai/generate-reply", body).await;
        (stage, outcome)
    }

    the_sixth_reply_of_a_minute: "generateReply.response.429-rate-limited.json"
        => RateLimited, None, By::Cause, {
        let stage = Stage::new(emulator()).await;
        for _ in 0..5 {
            let call = stage.client.reply(ASSISTANT, customer("crm-1"), "Hello");
            call.await.expect("five are let in");
        }
        let call = stage.client.reply(ASSISTANT, customer("crm-1"), "Hello");
        let outcome = call.await.map(drop);
        (stage, outcome)
    }

    a_history_where_nothing_is: "getConversation.response.404-not-found.json"
        => NotFound, None, By::Cause, {
        let stage = Stage::new(emulator()).await;
        let outcome = stage.chat(NOBODY).history().await.map(drop);
        (stage, outcome)
    }

    a_message_without_balance: "sendMessage.response.400-insufficient-balance.json"
        => Balance, None, By::Cause, {
        let stage = Stage::new(emulator().balance(0.0)).await;
        let outcome = stage.chat(CONVERSATION).send("Hello").await.map(drop);
        (stage, outcome)
    }

    a_message_that_cannot_be_processed: "sendMessage.response.400-processing-error.json"
        => Refused, None, By::Fault, {
        let answer = CannedAnswer::processing_failed("invalid tool output");
        let fault = Fault::before(Before::Answer(answer)).on(Operation::SendMessage);
        let stage = Stage::new(emulator().fault(fault)).await;
        let outcome = stage.chat(CONVERSATION).send("Hello").await.map(drop);
        (stage, outcome)
    }

    a_message_where_nothing_is: "sendMessage.response.404-not-found.json"
        => NotFound, None, By::Cause, {
        let stage = Stage::new(emulator()).await;
        let outcome = stage.chat(NOBODY).send("Hello").await.map(drop);
        (stage, outcome)
    }

    a_message_without_words: "sendMessage.response.422-validation-error.json"
        => Refused, None, By::Cause, {
        let stage = Stage::new(emulator()).await;
        let path = format!("/conversations/{CONVERSATION}/messages");
        let outcome = stage.post(&path, json!({})).await;
        (stage, outcome)
    }
}

#[test]
fn every_documented_error_has_its_test() {
    let index = include_str!("../fixtures/INDEX.tsv");
    let documented: BTreeSet<&str> = index
        .lines()
        .filter_map(|line| line.split('\t').next())
        // Those are written by this project, to be refused.
        .filter(|name| !name.starts_with("invalid-") && name.contains(".response."))
        .filter(|name| status_of(name) >= 400)
        .collect();
    let tested: BTreeSet<&str> = TESTED.iter().copied().collect();
    assert_eq!(tested, documented);
    assert_eq!(tested.len(), TESTED.len(), "one test each");
}
