//! Sending a message to a conversation.

use famulor_gen::ResponseValue;
use famulor_gen::types::{SendMessageRequest, SendMessageResponse};

use super::RequestPreview;
use super::preview::segment;
use crate::answers::Turn;
use crate::call::{Call, Effect, Operation, Start};
use crate::delivery::{Outgoing, Recipient, deliver};
use crate::input::check_message;
use crate::options::{CallOptions, awaitable, call_options};
use crate::{Client, ConversationId, OnUnknown, Result};

const SEND: Operation = Operation {
    method: "POST",
    template: "/conversations/{uuid}/messages",
    effect: Effect::Add,
    is_reply: false,
    needs_key: false,
};

/// Sends a message to a conversation: made by [`Conversation::send`](super::Conversation::send).
///
/// Billed in `widget` conversations. Messages of one conversation go one at a time, in the order in which they were
/// sent. Before the first message to a conversation that this client has not seen, the default policy
/// [`OnUnknown::Verify`] reads it once, so that an unknown outcome can be settled.
///
/// Source: reference page of send-conversation.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// # use famulor_core::AssistantUuid;
/// use famulor_core::OnUnknown;
///
/// # let assistant = AssistantUuid::parse("550e8400-e29b-41d4-a716-446655440000")?;
/// # let chat = client.create_conversation(assistant).await?;
/// // Somebody waits: rather an error now than an answer in two minutes. `client.verify(&error)` settles it later.
/// let turn = chat.send("Hello").with_on_unknown(OnUnknown::Fail).await?;
/// # assert!(turn.text().is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct SendMessage {
    client: Client,
    options: CallOptions,
    conversation: ConversationId,
    message: String,
}

call_options!(SendMessage);
awaitable!(SendMessage, Turn);

impl SendMessage {
    pub(crate) fn new(client: Client, conversation: ConversationId, message: String) -> Self {
        let options = client.options;
        Self {
            client,
            options,
            conversation,
            message,
        }
    }

    /// What to do when nobody knows whether the message arrived. Default: the client's, [`OnUnknown::Verify`].
    pub fn with_on_unknown(mut self, policy: OnUnknown) -> Self {
        self.options.on_unknown = policy;
        self
    }

    /// The quiet time before "the message is not there" is believed. Default: the client's, 120 s.
    pub fn with_doubt_wait(mut self, wait: std::time::Duration) -> Self {
        self.options.doubt_wait = wait;
        self
    }

    /// What would be sent. Sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the message is empty or over 2000 characters.
    pub fn preview(&self) -> Result<RequestPreview> {
        check_message(&self.message, true)?;
        let path = format!("/conversations/{}/messages", segment(&self.conversation));
        let body = serde_json::json!({ "message": self.message });
        Ok(RequestPreview::new(
            &self.client.shared,
            SEND.method,
            &path,
            Some(body),
        ))
    }

    /// Sends the message and waits for the assistant's reply.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error). Its [`delivery`](crate::Error::delivery) says whether the message was sent: on
    /// `Unknown` and `Processed` do not repeat it.
    ///
    /// # Dropping
    /// While it waits for the quota or its turn, nothing was sent. Later, the message may have been processed and
    /// billed: prefer [`with_deadline`](Self::with_deadline).
    pub async fn send(self) -> Result<Turn> {
        check_message(&self.message, true)?;
        let body: SendMessageRequest = SendMessageRequest::builder()
            .message(self.message.clone())
            .try_into()
            .map_err(super::unbuildable)?;
        let private = [self.message.as_str(), self.conversation.as_str()];
        let shared = &self.client.shared;
        let call = Call {
            shared,
            operation: &SEND,
            options: &self.options,
            start: Start::now(&self.options),
            private: &private,
            attempts_before: 0,
        };
        let outgoing = Outgoing {
            recipient: Recipient::Conversation(&self.conversation),
            text: &self.message,
        };
        let delivered = deliver(
            call,
            outgoing,
            |_: &SendMessageResponse| None,
            |client| {
                let (id, body) = (self.conversation.as_str().to_owned(), body.clone());
                async move {
                    client
                        .send_message()
                        .uuid(id)
                        .body(body)
                        .send()
                        .await
                        .map(ResponseValue::into_inner)
                }
            },
        )
        .await;
        Ok(Turn::new(shared.concluded(delivered)?))
    }
}
