//! Where the client last saw each conversation.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use famulor_gen::{Role, types::Message};

use crate::ConversationId;

/// How many are remembered. Beyond it all are forgotten: each then costs one more look, and memory stays bounded.
const CAPACITY: usize = 10_000;

/// How many messages of the customer a conversation had.
///
/// Their number rather than the history's length: remarks of the system and answers of people come and go unasked.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    /// `None`: the customer had no conversation yet.
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) user_messages: usize,
}

/// Where the client last saw each conversation.
#[derive(Default)]
pub(crate) struct Positions(Mutex<HashMap<String, Position>>);

impl Positions {
    pub(crate) fn get(&self, key: &str) -> Option<Position> {
        self.entries().get(key).cloned()
    }

    fn set(&self, key: String, position: Position) {
        let mut entries = self.entries();
        if entries.len() >= CAPACITY && !entries.contains_key(&key) {
            entries.clear();
        }
        entries.insert(key, position);
    }

    /// A conversation was created with these opening messages.
    pub(crate) fn opened(&self, id: &ConversationId, opening: &[Message]) {
        let user_messages = opening
            .iter()
            .filter(|message| message.role == Role::User)
            .count();
        self.set(
            id.as_str().to_owned(),
            Position {
                conversation: Some(id.clone()),
                user_messages,
            },
        );
    }

    /// One more message of the customer was taken.
    pub(crate) fn advance(
        &self,
        key: String,
        before: Option<Position>,
        conversation: Option<ConversationId>,
    ) {
        if let Some(before) = before {
            let conversation = conversation.or(before.conversation);
            self.set(
                key,
                Position {
                    conversation,
                    user_messages: before.user_messages + 1,
                },
            );
        }
    }

    pub(crate) fn forget(&self, key: &str) {
        self.entries().remove(key);
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Position>> {
        // Nothing can panic while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
