//! What can go wrong with an outbox.

use std::fmt;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be done with an outbox.
///
/// `Display` is one line for a person: what happened, and what to do. It holds no message, customer or password. What
/// became of a message that was sent is not here but in its [`Row`](crate::Row).
///
/// ```no_run
/// # async fn example() -> famulor_outbox::Result<()> {
/// use famulor_outbox::{ErrorKind, Outbox};
///
/// match Outbox::open("outbox.sqlite").await {
///     Err(error) if error.kind() == ErrorKind::Newer => eprintln!("update this program: {error}"),
///     other => drop(other?),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    said: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// That is no place for an outbox: an unknown kind of URL, a folder that is not there, somebody else's file.
    /// Correct the location.
    Location,
    /// A newer version of this program has changed the store. Update this one; it has touched nothing.
    Newer,
    /// The same name stands for something else: a job's input, or a message with the same key, has changed. Choose
    /// another name.
    ChangedInput,
    /// The store does not answer: a server that is away, a file that somebody else has locked. Try again; what was under
    /// way is either stored whole or not at all.
    Unreachable,
    /// The store may not be written to. Check who owns the file and its folder, or what the user of the database may do.
    ReadOnly,
    /// There is no room left. Make some; nothing is lost.
    Full,
    /// There is no such row.
    NotFound,
    /// What was asked for cannot be done: a row in another state, an empty name.
    Invalid,
    /// The store failed in another way, or is damaged.
    Store,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, said: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            said: said.into(),
            source: None,
        }))
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure it is. Each kind's documentation says what to do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The same once more, for others who wait for the same transaction.
    pub(crate) fn again(&self) -> Self {
        Self::new(self.0.kind, self.0.said.clone())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.said)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("said", &self.0.said)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
