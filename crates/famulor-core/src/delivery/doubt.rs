//! What is needed to find out later what became of a message.

use tokio::time::Instant;

use super::position::Position;
use super::{Outgoing, Recipient};
use crate::{AssistantId, ConversationId, CustomerId};

/// A message whose outcome is not known. It holds the message's text, so it has no `Debug`.
pub(crate) struct Doubt {
    to: To,
    text: String,
    pub(super) watermark: Option<Position>,
    /// When the message was given up: the quiet time counts from here.
    pub(super) since: Instant,
}

enum To {
    Customer(AssistantId, CustomerId),
    Conversation(ConversationId),
}

impl Doubt {
    pub(super) fn new(outgoing: &Outgoing<'_>, watermark: Option<Position>) -> Self {
        let to = match outgoing.recipient {
            Recipient::Customer {
                assistant,
                customer,
            } => To::Customer(assistant, customer.clone()),
            Recipient::Conversation(id) => To::Conversation(id.clone()),
        };
        Self {
            to,
            text: outgoing.text.to_owned(),
            watermark,
            since: Instant::now(),
        }
    }

    pub(super) fn recipient(&self) -> Recipient<'_> {
        match &self.to {
            To::Customer(assistant, customer) => Recipient::Customer {
                assistant: *assistant,
                customer,
            },
            To::Conversation(id) => Recipient::Conversation(id),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn private(&self) -> Vec<&str> {
        match &self.to {
            To::Customer(_, customer) => vec![&self.text, customer.as_str()],
            To::Conversation(id) => vec![&self.text, id.as_str()],
        }
    }
}
