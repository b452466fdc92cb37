//! A conversation's id, as an opaque string.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// A conversation's id: an opaque string.
///
/// It is documented as a UUID, but the documentation's own examples are not all UUIDs, so none is demanded. Whoever
/// knows it can read the conversation and write to it without a key: treat it as a secret. `Debug` does not show it.
///
/// Source: seeds 000 and 002; facts page, surprises 3 and 7.
///
/// ```
/// # fn main() -> famulor_core::Result<()> {
/// use famulor_core::ConversationId;
///
/// let id = ConversationId::new("f3wqsa-asd23-grt4-ggg34-derf4")?;
/// assert_eq!(id.as_str(), "f3wqsa-asd23-grt4-ggg34-derf4");
/// assert!(ConversationId::new("..").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConversationId(String);

impl ConversationId {
    /// Takes an id as the API gave it. In a path it is one percent-encoded segment, so no id reaches another route.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if it is empty, `.` or `..`: those would make
    /// another path.
    pub fn new(id: impl Into<String>) -> Result<Self> {
        let id = id.into();
        if matches!(id.as_str(), "" | "." | "..") {
            return Err(Error::invalid_request(
                "the conversation id is empty or a dot segment",
                "take the `conversation_id` of an answer",
            ));
        }
        Ok(Self(id))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id that the server gave.
    pub(crate) fn trusted(id: String) -> Self {
        Self(id)
    }
}

impl FromStr for ConversationId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::new(text)
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConversationId(..)")
    }
}

impl serde::Serialize for ConversationId {
    fn serialize<S: serde::Serializer>(
        &self,
        serializer: S,
    ) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
