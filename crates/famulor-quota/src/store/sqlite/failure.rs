//! What a person can do about a SQLite that fails.

use std::path::Path;

use super::BUSY;
use crate::StoreError;
use crate::ledger::DecodeError;

/// Why a step on a ledger's file failed.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(sqlx::Error),
    Ledger(DecodeError),
    /// A sentence of our own about the file.
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
    /// Says it of the file at `path`.
    pub(super) fn of(self, path: &Path) -> StoreError {
        let path = path.display();
        let error = match self {
            Self::Said(said) => return StoreError::new(format!("{path} {said}")),
            Self::Ledger(error) => return StoreError::new(format!("in {path}, {error}")),
            Self::Sql(error) => error,
        };
        StoreError::new(match primary_code(&error) {
            Some(5 | 6) => format!(
                "{path} has been locked by another process for {} s",
                BUSY.as_secs()
            ),
            Some(8) => format!("{path}, its folder or a file beside it cannot be written to"),
            Some(13) => format!("{path} cannot grow: the disk is full"),
            Some(11 | 26) => format!(
                "{path} is damaged or is no SQLite file; if it holds nothing but the quota, delete it, and calls may be refused for one window"
            ),
            Some(14) => format!("{path} cannot be opened"),
            _ => format!("{path} could not be used: {error}"),
        })
    }

    /// Somebody else holds a lock that a little patience outlasts.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Sql(error) if matches!(primary_code(error), Some(5 | 6)))
    }
}

/// SQLite's result code without its extension: <https://sqlite.org/rescode.html>.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code = error.as_database_error()?.code()?;
    Some(code.parse::<u32>().ok()? & 0xff)
}
