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
    /// A batch came to its end, and some of its messages failed or need a person.
    BatchUnfinished = 10,
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

    /// The same for a failure that was kept in a store, by the name of its kind.
    pub(crate) fn of_name(kind: &str) -> Self {
        [
            ErrorKind::InvalidRequest,
            ErrorKind::Config,
            ErrorKind::Refused,
            ErrorKind::Auth,
            ErrorKind::NotFound,
            ErrorKind::Balance,
            ErrorKind::RateLimited,
            ErrorKind::Network,
            ErrorKind::Server,
            ErrorKind::UnknownOutcome,
            ErrorKind::Unreadable,
        ]
        .into_iter()
        .find(|known| known.as_str() == kind)
        .map_or(Self::Unexpected, |known| Self::of(known, false))
    }

    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}
