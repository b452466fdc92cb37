//! The kinds of failure.

use std::fmt;

/// What kind of failure an [`Error`](crate::Error) is.
///
/// ```
/// use famulor_core::ErrorKind;
///
/// fn advice(kind: ErrorKind) -> &'static str {
///     match kind {
///         ErrorKind::Balance => "top up, then run it again",
///         ErrorKind::RateLimited => "run it again later",
///         ErrorKind::UnknownOutcome | ErrorKind::Unreadable => "look at the conversation first",
///         _ => "read the message", // more kinds may come
///     }
/// }
/// # assert_eq!(advice(ErrorKind::Balance), "top up, then run it again");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value was refused before anything was sent: empty, too long, not of its form.
    ///
    /// # What to do
    /// Correct the value that the message names. Nothing was sent or billed.
    InvalidRequest,
    /// A setting of the client cannot work: base URL, key, certificate, an environment variable.
    ///
    /// # What to do
    /// Correct the setting that the message names. Nothing was sent.
    Config,
    /// The key is missing, wrong or not allowed to do this: 401, 403, or a redirect to a login page.
    ///
    /// # What to do
    /// Give the client a key of the account (`FAMULOR_API_KEY`). `/automate` calls need an "Automate API key".
    Auth,
    /// There is no such assistant or conversation, or it belongs to another account: 404.
    ///
    /// # What to do
    /// Check the id. Replies take an assistant's integer id, conversations its UUID.
    NotFound,
    /// The account's balance is too low, whatever status that came with (400, 402 and 422 are documented).
    ///
    /// # What to do
    /// Top the account up; then the same call can be made again. Nothing was billed.
    Balance,
    /// A limit is used up: a 429 that could not be waited for, or a wait for the quota that would pass the deadline.
    ///
    /// # What to do
    /// Try again after [`retry_after`](crate::Error::retry_after), or allow a longer wait.
    RateLimited,
    /// The server refused for another reason: validation, any other 4xx, `success: false`, a redirect.
    ///
    /// # What to do
    /// Read the message and [`field_errors`](crate::Error::field_errors); the same call would be refused again.
    Refused,
    /// No connection: name, connect or TLS failure. For a call that only reads, also no answer.
    ///
    /// # What to do
    /// Nothing was processed: the same call can be made again.
    Network,
    /// The server failed (5xx) on a call that only reads.
    ///
    /// # What to do
    /// Try again later.
    Server,
    /// The request was sent and no trustworthy answer came: it may have been processed and billed, or not.
    ///
    /// # What to do
    /// Do not blindly repeat it. Read the conversation back; repeat only if the message is not there.
    UnknownOutcome,
    /// The server said yes, and its answer cannot be read.
    ///
    /// # What to do
    /// Do not repeat it: it was processed and billed. Read the conversation to get the answer.
    Unreadable,
    /// A defect of this program.
    ///
    /// # What to do
    /// Report it, with the message.
    Internal,
}

impl ErrorKind {
    /// The word for it in the command line's JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Config => "config",
            Self::Auth => "auth",
            Self::NotFound => "not_found",
            Self::Balance => "balance",
            Self::RateLimited => "rate_limited",
            Self::Refused => "refused",
            Self::Network => "network",
            Self::Server => "server",
            Self::UnknownOutcome => "unknown_outcome",
            Self::Unreadable => "unreadable",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
