//! Where the client last saw each conversation.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use famulor_gen::{Role, types::Message};

use super::position::Position;
use crate::ConversationId;

/// How many are remembered. Beyond it all are forgotten: each then costs one more look, and memory stays bounded.
const CAPACITY: usize = 10_000;

/// Where the client last saw each conversation.
#[derive(Default)]
pub(crate) struct Positions(Mutex<HashMap<String, Position>>);

impl Positions {
    /// Takes a position out: while a message is under way, and after a call that was dropped, it is not known.
    pub(crate) fn take(&self, key: &str) -> Option<Position> {
        self.entries().remove(key)
    }

    pub(crate) fn set(&self, key: String, position: Position) {
        let mut entries = self.entries();
        if entries.len() >= CAPACITY && !entries.contains_key(&key) {
            entries.clear();
        }
        entries.insert(key, position);
    }

    /// A conversation was created with these opening messages.
    pub(crate) fn opened(&self, id: &ConversationId, opening: &[Message]) {
        let texts = opening
            .iter()
            .filter(|message| message.role == Role::User)
            .map(|message| message.content.as_deref().unwrap_or_default());
        self.set(
            id.as_str().to_owned(),
            Position::after(Some(id.clone()), texts),
        );
    }

    /// One more message of the customer, `text`, was taken, into the conversation `found`.
    pub(crate) fn advance(
        &self,
        key: String,
        before: Position,
        found: Option<ConversationId>,
        text: &str,
    ) {
        if let Some(position) = before.behind_one_more(found, text) {
            self.set(key, position);
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Position>> {
        // Nothing can panic while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
