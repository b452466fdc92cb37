//! Exit codes: scripts are written against them.

use famulor_core::ErrorKind;

/// What the process tells its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    Unexpected = 1,
    Usage = 2,
    Refused = 3,
    Auth = 4,
    NotFound = 5,
    Balance = 6,
    RateLimited = 7,
    /// Network or server failure, known not to have been processed.
    NotProcessed = 8,
    /// Sent, no trustworthy answer.
    OutcomeUnknown = 9,
    Interrupted = 130,
    Terminated = 143,
}

impl Exit {
    /// A call that only reads changed nothing, so its failures never leave a doubt.
    pub(crate) fn of(kind: ErrorKind, read_only: bool) -> Self {
        match kind {
            ErrorKind::InvalidRequest | ErrorKind::Config => Self::Usage,
            ErrorKind::Refused => Self::Refused,
            ErrorKind::Auth => Self::Auth,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Balance => Self::Balance,
            ErrorKind::RateLimited => Self::RateLimited,
            ErrorKind::Network | ErrorKind::Server => Self::NotProcessed,
            ErrorKind::UnknownOutcome | ErrorKind::Unreadable if read_only => Self::NotProcessed,
            ErrorKind::UnknownOutcome | ErrorKind::Unreadable => Self::OutcomeUnknown,
            _ => Self::Unexpected,
        }
    }

    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}
