//! A handle on one conversation.

use famulor_gen::types::CreateConversationResponse;
use famulor_gen::types::Message;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::{GetHistory, SendMessage, SetAi};
use crate::{Client, ConversationId};

/// A handle on one conversation: from [`Client::create_conversation`], or from [`Client::conversation`] for one that
/// exists. Cheap to clone.
///
/// ```no_run
/// # async fn example(client: famulor_core::Client) -> famulor_core::Result<()> {
/// use famulor_core::ConversationId;
///
/// let chat = client.conversation(ConversationId::new("7c9e6679-7425-40de-944b-e07fc1f90ae7")?);
/// for message in chat.history().await?.messages() {
///     println!("{}: {}", message.role, message.content.as_deref().unwrap_or_default());
/// }
/// # Ok(())
/// # }
/// ```
///
/// `Serialize` writes `conversation_id` and `history`, the opening messages.
#[derive(Clone)]
pub struct Conversation {
    client: Client,
    id: ConversationId,
    opening: Vec<Message>,
}

impl Conversation {
    pub(crate) fn existing(client: Client, id: ConversationId) -> Self {
        Self {
            client,
            id,
            opening: Vec::new(),
        }
    }

    pub(crate) fn created(client: Client, answer: CreateConversationResponse) -> Self {
        let id = ConversationId::trusted(answer.conversation_id);
        let opening = answer.history.unwrap_or_default();
        client.shared.positions.opened(&id, &opening);
        Self {
            client,
            id,
            opening,
        }
    }

    /// Its id: keep it to come back to the conversation.
    #[must_use]
    pub fn id(&self) -> &ConversationId {
        &self.id
    }

    /// The opening messages, if this handle created the conversation. Empty if the assistant has none.
    #[must_use]
    pub fn opening_history(&self) -> &[Message] {
        &self.opening
    }

    /// Sends a message, at most 2000 characters, and waits for the assistant's reply. Billed in `widget` conversations.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// # use famulor_core::AssistantUuid;
    /// # let assistant = AssistantUuid::parse("550e8400-e29b-41d4-a716-446655440000")?;
    /// # let chat = client.create_conversation(assistant).await?;
    /// let turn = chat.send("I would like to schedule a demo").await?;
    /// println!("{}", turn.text().unwrap_or_default());
    /// # assert!(turn.text().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn send(&self, message: impl Into<String>) -> SendMessage {
        SendMessage::new(self.client.clone(), self.id.clone(), message.into())
    }

    /// Reads all messages.
    pub fn history(&self) -> GetHistory {
        GetHistory::new(self.client.clone(), self.id.clone())
    }

    /// Lets the assistant answer again. Needs a key, by the documentation an "Automate API key".
    pub fn ai_on(&self) -> SetAi {
        SetAi::new(self.client.clone(), self.id.clone(), true)
    }

    /// Has the assistant stop answering: a person takes over. Needs a key, by the documentation an "Automate API key".
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// # use famulor_core::AssistantUuid;
    /// # let assistant = AssistantUuid::parse("550e8400-e29b-41d4-a716-446655440000")?;
    /// # let chat = client.create_conversation(assistant).await?;
    /// assert!(!chat.ai_off().await?);
    /// assert_eq!(chat.send("Is anybody there?").await?.text(), None); // kept, and for a person to answer
    /// assert!(chat.ai_on().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ai_off(&self) -> SetAi {
        SetAi::new(self.client.clone(), self.id.clone(), false)
    }
}

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation")
            .field("opening_messages", &self.opening.len())
            .finish_non_exhaustive()
    }
}

impl Serialize for Conversation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Conversation", 2)?;
        object.serialize_field("conversation_id", &self.id)?;
        object.serialize_field("history", &self.opening)?;
        object.end()
    }
}
