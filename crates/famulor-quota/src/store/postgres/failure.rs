//! What a person can do about a PostgreSQL that fails.

use std::borrow::Cow;
use std::time::Duration;

use crate::StoreError;
use crate::ledger::DecodeError;

/// Why a step failed.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(sqlx::Error),
    Ledger(DecodeError),
    Silent(Duration),
    /// A sentence of our own about the server.
    Said(String),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Ledger(error)
    }
}

impl Failure {
    /// Says it of the server at `place`.
    pub(super) fn of(self, place: &str) -> StoreError {
        StoreError::new(match self {
            Self::Said(said) => format!("{place} {said}"),
            Self::Ledger(error) => format!("in {place}, {error}"),
            Self::Silent(time) => format!("{place} has not answered for {} s", time.as_secs()),
            Self::Sql(sqlx::Error::Io(error)) => format!("{place} cannot be reached: {error}"),
            Self::Sql(sqlx::Error::Database(error)) => format!("{place} says: {}", error.message()),
            Self::Sql(error) => format!("{place} could not be used: {error}"),
        })
    }

    /// PostgreSQL's own code for an error, its SQLSTATE.
    pub(super) fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
        error.as_database_error()?.code()
    }
}
