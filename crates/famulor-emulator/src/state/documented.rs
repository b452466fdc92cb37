//! What the documentation's examples take for granted: its assistant, its conversation.

use serde::Deserialize;

use super::{Assistant, Conversation, ConversationKind, Message, Variables};

/// Seed 0 creates a conversation with this assistant; seed 2 and the row of
/// list-assistants use its integer id.
const ASSISTANT_ID: i64 = 123;
const ASSISTANT_UUID: &str = "550e8400-e29b-41d4-a716-446655440000";

/// An assistant that waits for the customer: its conversations start with an
/// empty history (seed 0, "Empty if the assistant has no initial message").
const SILENT_ASSISTANT_ID: i64 = 124;
const SILENT_ASSISTANT_UUID: &str = "3f2b8c1e-5d47-4a90-9c6e-2b7f1d0a8e64";

/// Seed 1 reads this conversation back.
const CONVERSATION_ID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

/// Seed 1's body, as documented.
const CONVERSATION: &str = include_str!("documented_conversation.json");

pub(super) fn assistants() -> Vec<Assistant> {
    vec![
        Assistant {
            id: ASSISTANT_ID,
            uuid: ASSISTANT_UUID.to_owned(),
            name: "Sales Assistant".to_owned(),
            opening_message: Some(
                "Hello {{customer_name}}! Welcome to {{company}} support. How can I help you today?"
                    .to_owned(),
            ),
            variables: [("company_name", "Famulor"), ("product_focus", "AI Telephony")]
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect(),
            ..Assistant::default()
        },
        Assistant {
            id: SILENT_ASSISTANT_ID,
            uuid: SILENT_ASSISTANT_UUID.to_owned(),
            name: "Back Office Assistant".to_owned(),
            ..Assistant::default()
        },
    ]
}

pub(super) fn conversation() -> Conversation {
    #[derive(Default, Deserialize)]
    struct Documented {
        history: Vec<Message>,
        variables: Option<Variables>,
    }

    let documented: Documented = serde_json::from_str(CONVERSATION).unwrap_or_default();
    Conversation {
        id: CONVERSATION_ID.to_owned(),
        assistant_id: ASSISTANT_ID,
        kind: ConversationKind::Widget,
        variables: documented.variables,
        history: documented.history,
        ..Conversation::default()
    }
}
