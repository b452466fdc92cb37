//! The answer to a reply request.

use famulor_gen::types::{FunctionCall, GenerateReplyResponse};
use serde::Serialize;

use crate::delivery::{Answered, Delivered};
use crate::{ConversationId, CustomerId};

/// The assistant's reply to a customer's message.
///
/// `Serialize` writes the API's own field names. `Debug` shows no content.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// # use famulor_core::{AssistantId, CustomerId};
/// let reply = client.reply(AssistantId::new(123), CustomerId::raw("crm-4711")?, "Hello").await?;
/// match reply.text() {
///     Some(text) => println!("{text}"),
///     None => println!("a person answers here: {}", reply.conversation_id()),
/// }
/// assert_eq!((reply.attempts(), reply.was_read_back()), (1, false));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Reply {
    #[cfg_attr(feature = "schemars", schemars(with = "String"))]
    conversation_id: ConversationId,
    customer_identifier: String,
    reply: Option<String>,
    function_calls: Vec<FunctionCall>,
    ai_disabled: bool,
    #[serde(skip)]
    attempts: u32,
    #[serde(skip)]
    was_read_back: bool,
}

impl Reply {
    pub(crate) fn new(delivered: Delivered<GenerateReplyResponse>, customer: &CustomerId) -> Self {
        let attempts = delivered.attempts;
        match delivered.answer {
            Answered::Directly(answer) => Self {
                conversation_id: ConversationId::trusted(answer.conversation_id),
                customer_identifier: answer
                    .customer_identifier
                    .unwrap_or_else(|| customer.as_str().to_owned()),
                reply: answer.reply,
                function_calls: answer.function_calls.unwrap_or_default(),
                ai_disabled: answer.ai_disabled.unwrap_or_default(),
                attempts,
                was_read_back: false,
            },
            Answered::ReadBack {
                conversation,
                message,
            } => Self {
                conversation_id: conversation,
                customer_identifier: customer.as_str().to_owned(),
                reply: message.content,
                function_calls: message.function_calls.unwrap_or_default(),
                ai_disabled: false,
                attempts,
                was_read_back: true,
            },
        }
    }

    /// The reply; `None` if a person has taken the conversation over.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.reply.as_deref()
    }

    /// The conversation that the message went to: keep it for reference.
    #[must_use]
    pub fn conversation_id(&self) -> &ConversationId {
        &self.conversation_id
    }

    /// The customer identifier, as the server has it.
    #[must_use]
    pub fn customer_identifier(&self) -> &str {
        &self.customer_identifier
    }

    /// The tools that the assistant ran.
    #[must_use]
    pub fn function_calls(&self) -> &[FunctionCall] {
        &self.function_calls
    }

    /// Whether AI replies are off, as after a person has taken the conversation over.
    #[must_use]
    pub fn ai_disabled(&self) -> bool {
        self.ai_disabled
    }

    /// How often the message was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether the server's own answer was lost and the reply was read from the conversation.
    #[must_use]
    pub fn was_read_back(&self) -> bool {
        self.was_read_back
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("has_text", &self.reply.is_some())
            .field("function_calls", &self.function_calls.len())
            .field("ai_disabled", &self.ai_disabled)
            .field("attempts", &self.attempts)
            .field("was_read_back", &self.was_read_back)
            .finish_non_exhaustive()
    }
}
