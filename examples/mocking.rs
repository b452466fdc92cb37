//! Testing your own code: with typed mocks, and with the emulator.
//!
//!     cargo test -p famulor-examples --example mocking
//!
//! Mocks for one answer and the branch that follows it, the emulator for everything that has a state: conversations,
//! limits, billing, lost answers. `cargo run -p famulor-examples --example mocking -- --emulator` runs the code itself.

use std::process::ExitCode;

use famulor_core::{AssistantId, Client, CustomerId, ErrorKind};
use famulor_examples::{Failure, Stage, report};

/// What a helpdesk of your own does with a ticket: the code under test.
async fn answer_ticket(
    client: &Client,
    assistant: AssistantId,
    contact: &str,
    text: &str,
) -> famulor_core::Result<String> {
    let customer = CustomerId::raw(format!("contact-{contact}"))?;
    match client.reply(assistant, customer, text).send().await {
        Ok(reply) => Ok(reply.text().unwrap_or("(a colleague is on it)").to_owned()),
        Err(error) if error.kind() == ErrorKind::Balance => Ok("(not answered: top up)".to_owned()),
        Err(error) => Err(error),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    report(run().await)
}

async fn run() -> Result<(), Failure> {
    let stage = Stage::from_args().await?;
    let client = stage.client()?;
    let text = answer_ticket(&client, stage.assistant(), "4711", "Where is my order?").await?;
    println!("{text}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use famulor_core::OnUnknown;
    use famulor_emulator::{After, Emulator, Fault, Operation};
    use famulor_httpmock::MockServerExt;
    use famulor_httpmock::types::{ApiError, GenerateReplyResponse};
    use httpmock::MockServer;
    use serde_json::json;

    use super::*;

    fn client(base_url: &str) -> famulor_core::Result<Client> {
        Client::builder()
            .with_api_key("test")
            .with_base_url(base_url)
            // A mock has no conversations that could be read back.
            .with_on_unknown(OnUnknown::Fail)
            .build()
    }

    #[tokio::test]
    async fn a_mock_gives_the_reply_that_the_test_wants() -> Result<(), Failure> {
        let server = MockServer::start_async().await;
        let reply: GenerateReplyResponse = serde_json::from_value(json!({
            "success": true, "conversation_id": "c1", "reply": "On its way.",
        }))?;
        let mock = server.generate_reply(|when, then| {
            when.into_inner()
                .json_body_includes(r#"{"customer_identifier":"contact-4711"}"#);
            then.ok(&reply);
        });
        let client = client(&famulor_httpmock::base_url(&server))?;
        let text = answer_ticket(&client, AssistantId::new(123), "4711", "Where is it?").await?;
        assert_eq!(text, "On its way.");
        assert_eq!(mock.calls(), 1);
        Ok(())
    }

    #[tokio::test]
    async fn a_mock_gives_the_refusal_that_the_test_wants() -> Result<(), Failure> {
        let server = MockServer::start_async().await;
        let refusal: ApiError = serde_json::from_value(json!({
            "success": false, "error": "Insufficient balance", "error_code": "INSUFFICIENT_BALANCE",
        }))?;
        let mock = server.generate_reply(|_, then| {
            then.payment_required(&refusal);
        });
        let client = client(&famulor_httpmock::base_url(&server))?;
        let text = answer_ticket(&client, AssistantId::new(123), "4711", "Where is it?").await?;
        assert_eq!(text, "(not answered: top up)");
        assert_eq!(mock.calls(), 1);
        Ok(())
    }

    #[tokio::test]
    async fn the_emulator_has_an_empty_purse_without_being_told_what_to_answer()
    -> Result<(), Failure> {
        let emulator = Emulator::builder().balance(0.0).start().await?;
        let client = client(&emulator.base_url())?;
        let text = answer_ticket(&client, AssistantId::new(123), "4711", "Where is it?").await?;
        assert_eq!(text, "(not answered: top up)");
        assert_eq!(emulator.stats().billed_messages, 0);
        Ok(())
    }

    #[tokio::test]
    async fn the_emulator_loses_an_answer_and_bills_once() -> Result<(), Failure> {
        let emulator = Emulator::builder().start().await?;
        emulator.inject(Fault::after(After::Close).on(Operation::GenerateReply));
        let client = Client::builder()
            .with_api_key("test")
            .with_base_url(&emulator.base_url())
            .build()?;
        let text = answer_ticket(&client, AssistantId::new(123), "4711", "Where is it?").await?;
        let conversation = emulator.conversation_of(123, "contact-4711");
        let last = conversation.as_ref().and_then(|it| it.history.last());
        assert_eq!(last.map(|message| &message.content), Some(&text));
        assert_eq!(emulator.stats().billed_messages, 1);
        Ok(())
    }
}
