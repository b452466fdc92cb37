//! The two ids of an assistant, as two types.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// An assistant's integer id: for replies and everything under `/user`.
///
/// `list_assistants` shows it as `id`, beside the [`AssistantUuid`] that conversations want. The two are two types, so
/// that mixing them up does not compile.
///
/// Source: seed 002 (`assistant_id`, integer).
///
/// ```
/// # fn main() -> famulor_core::Result<()> {
/// use famulor_core::AssistantId;
///
/// let id: AssistantId = "123".parse()?;
/// assert_eq!(id, AssistantId::new(123));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssistantId(i64);

impl AssistantId {
    /// The assistant of this integer id.
    #[must_use]
    pub const fn new(id: i64) -> Self {
        Self(id)
    }

    /// The integer.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl From<i64> for AssistantId {
    fn from(id: i64) -> Self {
        Self(id)
    }
}

impl FromStr for AssistantId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        text.trim().parse().map(Self).map_err(|_| {
            Error::invalid_request(
                "the assistant id is not a whole number",
                "replies take the integer `id` of `list_assistants`; the UUID is for conversations",
            )
        })
    }
}

impl fmt::Display for AssistantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An assistant's UUID: for creating conversations.
///
/// Source: seed 000 (`assistant_id`, "UUID of the assistant").
///
/// ```
/// # fn main() -> famulor_core::Result<()> {
/// use famulor_core::AssistantUuid;
///
/// let uuid = AssistantUuid::parse("550e8400-e29b-41d4-a716-446655440000")?;
/// assert_eq!(uuid.to_string(), "550e8400-e29b-41d4-a716-446655440000");
/// assert!(AssistantUuid::parse("123").is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssistantUuid(uuid::Uuid);

impl AssistantUuid {
    /// Reads a UUID in its usual form with hyphens.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if it is none.
    pub fn parse(text: &str) -> Result<Self> {
        // Exactly the hyphenated form: the others that a UUID can take are most likely something else pasted here.
        let text = text.trim();
        match uuid::Uuid::try_parse(text) {
            Ok(uuid) if text.len() == 36 => Ok(Self(uuid)),
            _ => Err(Error::invalid_request(
                "the assistant's UUID is not a UUID",
                "conversations take the `uuid` of `list_assistants`; the integer `id` is for replies",
            )),
        }
    }
}

impl FromStr for AssistantUuid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for AssistantUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
