//! The API's own error codes.

use std::fmt;

/// The API's `error_code`. Open: any other value is kept as it came.
///
/// Source: seed 002; the WhatsApp pages show that the set is open (facts page, sendWhatsappTemplate).
///
/// ```
/// use famulor_core::ErrorCode;
///
/// assert_eq!(ErrorCode::from("INSUFFICIENT_BALANCE"), ErrorCode::InsufficientBalance);
/// assert_eq!(ErrorCode::from("TWILIO_ERROR_63016").as_str(), "TWILIO_ERROR_63016");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// `ASSISTANT_NOT_FOUND`: the assistant does not exist or belongs to another account.
    AssistantNotFound,
    /// `INSUFFICIENT_BALANCE`: the account's balance is too low.
    InsufficientBalance,
    /// A code that the documentation of these calls does not have, as it came.
    Other(String),
}

impl ErrorCode {
    /// The code as the API writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::AssistantNotFound => "ASSISTANT_NOT_FOUND",
            Self::InsufficientBalance => "INSUFFICIENT_BALANCE",
            Self::Other(code) => code,
        }
    }
}

impl From<&str> for ErrorCode {
    fn from(code: &str) -> Self {
        match code {
            "ASSISTANT_NOT_FOUND" => Self::AssistantNotFound,
            "INSUFFICIENT_BALANCE" => Self::InsufficientBalance,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
