//! Where the client last saw each conversation.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use famulor_gen::{Role, types::Message};

use super::same_text::trimmed;
use crate::ConversationId;

/// How many are remembered. Beyond it all are forgotten: each then costs one more look, and memory stays bounded.
const CAPACITY: usize = 10_000;

/// How many messages of the customer a conversation had, and which was the last.
///
/// Their number rather than the history's length: remarks of the system and answers of people come and go unasked.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    /// `None`: the customer had no conversation yet.
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) user_messages: usize,
    /// A mark of the last one's text.
    last: Option<u64>,
}

impl Position {
    /// Where a conversation with these messages of the customer stands.
    pub(crate) fn behind<'a>(
        conversation: Option<ConversationId>,
        user_messages: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut position = Self {
            conversation,
            user_messages: 0,
            last: None,
        };
        for text in user_messages {
            position.user_messages += 1;
            position.last = Some(mark(text));
        }
        position
    }

    /// Whether a history still shows what was behind this position: one that was shortened, or that shows only its
    /// newest part, says nothing about what came after.
    pub(crate) fn is_behind(&self, user_messages: &[&str]) -> bool {
        let Some(last) = self.user_messages.checked_sub(1) else {
            return true;
        };
        let found = user_messages.get(last).map(|text| mark(text));
        found.is_some() && (self.last.is_none() || found == self.last)
    }
}

fn mark(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    trimmed(text).hash(&mut hasher);
    hasher.finish()
}

/// Where the client last saw each conversation.
#[derive(Default)]
pub(crate) struct Positions(Mutex<HashMap<Arc<str>, Position>>);

impl Positions {
    /// Takes a position out: while a message is under way, and after a call that was dropped, it is not known.
    pub(crate) fn take(&self, key: &str) -> Option<Position> {
        self.entries().remove(key)
    }

    pub(crate) fn set(&self, key: impl Into<Arc<str>>, position: Position) {
        let key = key.into();
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
        self.set(id.as_str(), Position::behind(Some(id.clone()), texts));
    }

    /// One more message of the customer, `text`, was taken, into the conversation `found`.
    pub(crate) fn advance(
        &self,
        key: impl Into<Arc<str>>,
        before: Position,
        found: Option<ConversationId>,
        text: &str,
    ) {
        // Another conversation than before was begun in the meantime: where that stands is not known.
        if let (Some(before), Some(found)) = (&before.conversation, &found)
            && before != found
        {
            return;
        }
        let position = Position {
            conversation: found.or(before.conversation),
            user_messages: before.user_messages + 1,
            last: Some(mark(text)),
        };
        self.set(key, position);
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Arc<str>, Position>> {
        // Nothing can panic while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
