//! The operations of the API, one builder each.

mod account;
mod api;
mod conversation;
mod create_conversation;
mod history;
mod list_assistants;
mod list_conversations;
mod preview;
mod reply;
mod send_message;
mod set_ai;
mod webhook;

pub use account::GetAccount;
pub use api::ApiRequest;
pub use conversation::Conversation;
pub use create_conversation::CreateConversation;
pub use history::GetHistory;
pub use list_assistants::ListAssistants;
pub use list_conversations::ListConversations;
pub use preview::RequestPreview;
pub use reply::ReplyRequest;
pub use send_message::SendMessage;
pub use set_ai::SetAi;
pub use webhook::WebhookChange;

pub(crate) use history::HISTORY;
pub(crate) use list_conversations::LIST_CONVERSATIONS;
pub(crate) use reply::REPLY;

/// The generated builder refuses what this crate let through: the two disagree about a limit.
fn unbuildable(error: famulor_gen::types::error::ConversionError) -> crate::Error {
    crate::Error::invalid_request(error.to_string(), "correct the value that it names")
}
