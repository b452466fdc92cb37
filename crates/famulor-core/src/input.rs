//! What a caller passes in, checked before anything is sent.

mod assistant;
mod conversation_id;
mod customer;
mod message;
mod unknown_policy;

pub use assistant::{AssistantId, AssistantUuid};
pub use conversation_id::ConversationId;
pub use customer::CustomerId;
pub use unknown_policy::OnUnknown;

pub(crate) use message::check_message;
