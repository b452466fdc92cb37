//! The answer to a message in a conversation.

use famulor_gen::types::{FunctionCall, SendMessageResponse};
use serde::Serialize;

use crate::delivery::{Answered, Delivered};

/// The assistant's answer to a message in a conversation.
///
/// `Serialize` writes the API's own field names. `Debug` shows no content.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// # use famulor_core::AssistantUuid;
/// # let assistant = AssistantUuid::parse("550e8400-e29b-41d4-a716-446655440000")?;
/// # let chat = client.create_conversation(assistant).await?;
/// let turn = chat.send("I'd like an appointment").await?;
/// println!("{}", turn.text().unwrap_or("AI replies are off"));
/// for call in turn.function_calls() {
///     println!("the assistant ran {}", call.name);
/// }
/// # assert!(turn.text().is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub struct Turn {
    message: Option<String>,
    function_calls: Vec<FunctionCall>,
    #[serde(skip)]
    attempts: u32,
    #[serde(skip)]
    was_read_back: bool,
}

impl Turn {
    pub(crate) fn new(delivered: Delivered<SendMessageResponse>) -> Self {
        let (message, function_calls, was_read_back) = match delivered.answer {
            Answered::Directly(answer) => (answer.message, answer.function_calls, false),
            Answered::ReadBack { message, .. } => (message.content, message.function_calls, true),
        };
        let function_calls = function_calls.unwrap_or_default();
        Self {
            message,
            function_calls,
            attempts: delivered.attempts,
            was_read_back,
        }
    }

    /// The answer; `None` if AI replies are off.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The tools that the assistant ran.
    #[must_use]
    pub fn function_calls(&self) -> &[FunctionCall] {
        &self.function_calls
    }

    /// How often the message was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether the server's own answer was lost and this one was read from the conversation.
    #[must_use]
    pub fn was_read_back(&self) -> bool {
        self.was_read_back
    }
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn")
            .field("has_text", &self.message.is_some())
            .field("function_calls", &self.function_calls.len())
            .field("attempts", &self.attempts)
            .field("was_read_back", &self.was_read_back)
            .finish_non_exhaustive()
    }
}
