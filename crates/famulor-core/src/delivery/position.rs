//! Where a conversation stands.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::same_text::trimmed;
use crate::{ConversationId, Reply};

/// Where a customer's conversation stands: how many messages of the customer it holds, and a mark of the last one.
///
/// A building block for senders that must survive a crash: kept from before a message is sent, it is the watermark by
/// which [`Client::look_for`](crate::Client::look_for) tells later whether the message arrived. It is learned by
/// [`Client::position`](crate::Client::position) or from a reply, by [`behind`](Self::behind).
///
/// It serializes to the same text in every version of this crate. That text names the conversation, and who knows a
/// conversation's id can read it: keep it like the messages.
///
/// ```
/// # fn main() -> Result<(), serde_json::Error> {
/// use famulor_core::Position;
///
/// let kept = r#"{"conversation":"c-1","user_messages":2,"last":12638187200555641996}"#;
/// let position: Position = serde_json::from_str(kept)?;
/// assert_eq!(position.conversation_id().map(|id| id.as_str()), Some("c-1"));
/// assert_eq!(serde_json::to_string(&position)?, kept);
/// # Ok(())
/// # }
/// ```
// The customer's own messages rather than the history's length: remarks of the system and answers of people come and go
// unasked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Position {
    /// `None`: the customer had no conversation yet.
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) user_messages: usize,
    /// A mark of the last one's text.
    last: Option<u64>,
}

/// How it is kept.
#[derive(Serialize, Deserialize)]
struct Written {
    conversation: Option<String>,
    user_messages: usize,
    last: Option<u64>,
}

impl From<Position> for Written {
    fn from(position: Position) -> Self {
        Self {
            conversation: position.conversation.map(|id| id.as_str().to_owned()),
            user_messages: position.user_messages,
            last: position.last,
        }
    }
}

impl TryFrom<Written> for Position {
    type Error = crate::Error;

    fn try_from(written: Written) -> crate::Result<Self> {
        Ok(Self {
            conversation: written.conversation.map(ConversationId::new).transpose()?,
            user_messages: written.user_messages,
            last: written.last,
        })
    }
}

impl Position {
    /// Where a conversation with these messages of the customer stands.
    pub(crate) fn after<'a>(
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

    /// The customer's conversation; `None` if there was none yet.
    #[must_use]
    pub fn conversation_id(&self) -> Option<&ConversationId> {
        self.conversation.as_ref()
    }

    /// Where the conversation stands once `message` was answered with `reply`. `None` if it was answered in another
    /// conversation than this one: where that stands is not known.
    #[must_use]
    pub fn behind(&self, message: &str, reply: &Reply) -> Option<Self> {
        self.clone()
            .behind_one_more(Some(reply.conversation_id().clone()), message)
    }

    /// One more message of the customer, `text`, was taken, into the conversation `found`.
    pub(crate) fn behind_one_more(self, found: Option<ConversationId>, text: &str) -> Option<Self> {
        if let (Some(before), Some(found)) = (&self.conversation, &found)
            && before != found
        {
            return None;
        }
        Some(Self {
            conversation: found.or(self.conversation),
            user_messages: self.user_messages + 1,
            last: Some(mark(text)),
        })
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

/// Shows how many messages, not which conversation.
impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Position")
            .field("conversation", &self.conversation)
            .field("user_messages", &self.user_messages)
            .finish_non_exhaustive()
    }
}

/// FNV-1a, which is the same in every version of every toolchain: a mark may be kept for years.
/// Source: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn mark(text: &str) -> u64 {
    trimmed(text)
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |mark, byte| {
            (mark ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::{Position, mark};

    #[test]
    fn a_mark_is_the_published_hash_of_the_trimmed_text() {
        // Source: the test vectors of draft-eastlake-fnv.
        assert_eq!(mark(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(mark(" a\n"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(mark("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_kept_position_is_read_back_and_shows_no_conversation() {
        let position =
            Position::after(Some(crate::ConversationId::trusted("secret".into())), ["a"]);
        let kept = serde_json::to_string(&position).expect("json");
        let read: Position = serde_json::from_str(&kept).expect("a position");
        assert_eq!(read, position);
        assert!(read.is_behind(&["a", "b"]) && !read.is_behind(&["b"]));
        assert!(!format!("{read:?}").contains("secret"));
    }
}
