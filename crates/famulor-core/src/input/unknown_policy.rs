//! What to do when nobody knows whether a message arrived.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// What to do when a message was sent and no trustworthy answer came.
///
/// There is no idempotency key: a message that is sent again may be answered, appended and billed twice. So the default
/// reads the conversation back instead, which costs nothing.
///
/// ```
/// # fn main() -> famulor_core::Result<()> {
/// use famulor_core::OnUnknown;
///
/// assert_eq!("verify".parse::<OnUnknown>()?, OnUnknown::default());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnUnknown {
    /// Read the conversation back. If the message is there, take the assistant's answer. If it is proved not to be
    /// there (two readings, a quiet time between, no other message), send it again. Otherwise fail with
    /// [`ErrorKind::UnknownOutcome`](crate::ErrorKind::UnknownOutcome). At most once, plus verification.
    #[default]
    Verify,
    /// Fail at once and leave the decision to the caller.
    Fail,
    /// Send it again. It may then be billed twice.
    Resend,
}

impl OnUnknown {
    /// The word for it on a command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Fail => "fail",
            Self::Resend => "resend",
        }
    }
}

impl FromStr for OnUnknown {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "verify" => Ok(Self::Verify),
            "fail" => Ok(Self::Fail),
            "resend" => Ok(Self::Resend),
            _ => Err(Error::config(
                "the policy for unknown outcomes is none of verify, fail, resend",
                "choose one",
            )),
        }
    }
}

impl fmt::Display for OnUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
