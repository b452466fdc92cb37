//! Whom a fault is for, where that is a token or an assistant.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::seeded::{FINGERPRINT_LENGTH, fingerprint};

/// A token, known by its fingerprint.
///
/// Read from the token itself or from the fingerprint that journal and stats
/// show; written as the fingerprint, so that no list of faults gives a token away.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub struct TokenMark(String);

impl TokenMark {
    /// The mark of a token; of a fingerprint, itself.
    pub fn of(token: &str) -> Self {
        let is_mark = token.len() == FINGERPRINT_LENGTH
            && token.chars().all(|letter| {
                letter.is_ascii_digit()
                    || (letter.is_ascii_lowercase() && letter.is_ascii_hexdigit())
            });
        Self(if is_mark {
            token.to_owned()
        } else {
            fingerprint(token)
        })
    }

    pub(crate) fn is_of(&self, token: &str) -> bool {
        // A token that looks like a fingerprint was kept as it is.
        self.0 == fingerprint(token) || self.0 == token
    }
}

impl From<String> for TokenMark {
    fn from(token: String) -> Self {
        Self::of(&token)
    }
}

impl From<TokenMark> for String {
    fn from(mark: TokenMark) -> Self {
        mark.0
    }
}

impl fmt::Debug for TokenMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An assistant, by either of its two names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "an assistant is named by its id, such as 123, or by its UUID"
)]
pub enum AssistantRef {
    /// The integer id.
    Id(i64),
    /// The UUID.
    Uuid(String),
}

impl From<i64> for AssistantRef {
    fn from(id: i64) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for AssistantRef {
    fn from(uuid: &str) -> Self {
        Self::Uuid(uuid.to_owned())
    }
}
