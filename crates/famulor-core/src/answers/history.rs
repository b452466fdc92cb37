//! A conversation as it was read.

use famulor_gen::LooseObject;
use famulor_gen::types::{Contact, GetConversationResponse, Message};
use serde::Serialize;

/// A conversation as it was read: its messages, variables and channel.
///
/// `Serialize` writes everything that the API returned, with its own field names. `Debug` shows no content.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// # use famulor_core::AssistantUuid;
/// use famulor_core::Role;
///
/// # let assistant = AssistantUuid::parse("550e8400-e29b-41d4-a716-446655440000")?;
/// # let chat = client.create_conversation(assistant).await?;
/// # chat.send("Hello").await?;
/// let history = chat.history().await?;
/// let asked = history.messages().iter().filter(|message| message.role == Role::User);
/// assert_eq!(asked.count(), 1);
/// let whole = serde_json::to_string(&history)?; // to keep it: everything the API returned
/// # assert!(whole.contains("Hello"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct History(GetConversationResponse);

impl History {
    pub(crate) fn new(answer: GetConversationResponse) -> Self {
        Self(answer)
    }

    /// All messages, oldest first.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        self.0.history.as_deref().unwrap_or_default()
    }

    /// The conversation's variables.
    #[must_use]
    pub fn variables(&self) -> &LooseObject {
        &self.0.variables
    }

    /// The customer identifier, in conversations of generate-reply.
    #[must_use]
    pub fn external_identifier(&self) -> Option<&str> {
        self.0.external_identifier.as_deref()
    }

    /// The sender, in WhatsApp conversations.
    #[must_use]
    pub fn whatsapp_sender(&self) -> Option<&Contact> {
        self.0.whatsapp_sender.as_ref()
    }

    /// The customer, in WhatsApp conversations.
    #[must_use]
    pub fn customer(&self) -> Option<&Contact> {
        self.0.customer.as_ref()
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History")
            .field("messages", &self.messages().len())
            .finish_non_exhaustive()
    }
}
