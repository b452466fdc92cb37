//! What a database's failure means for a person.

use super::Location;
use crate::{Error, ErrorKind};

/// Why a step on the store failed.
#[derive(Debug)]
pub(crate) enum Failure {
    Sql(sqlx::Error),
    /// What was asked for cannot be done; nothing was written for it.
    Said(Error),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Said(error)
    }
}

impl Failure {
    pub(crate) fn damaged(said: &str) -> Self {
        Self::Said(Error::new(
            ErrorKind::Store,
            format!("the store is damaged: {said}; restore it from a backup"),
        ))
    }

    pub(crate) fn silent(location: &Location) -> Self {
        Self::Said(Error::new(
            ErrorKind::Unreachable,
            format!("{location} does not answer; check that it runs, then repeat it"),
        ))
    }

    fn kind(&self) -> ErrorKind {
        let error = match self {
            Self::Said(error) => return error.kind(),
            Self::Sql(error) => error,
        };
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    ErrorKind::ReadOnly
                }
                sqlx::Error::Configuration(_) => ErrorKind::Location,
                sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => ErrorKind::Store,
                _ => ErrorKind::Unreachable,
            };
        };
        let code = database.code().unwrap_or_default();
        if database
            .try_downcast_ref::<sqlx::sqlite::SqliteError>()
            .is_some()
        {
            // The code without its extension: <https://sqlite.org/rescode.html>.
            return match code.parse::<u32>().map(|code| code & 0xff) {
                Ok(5 | 6) => ErrorKind::Unreachable,
                Ok(8) => ErrorKind::ReadOnly,
                Ok(13) => ErrorKind::Full,
                // A write that failed: a limit on the size of files shows as such.
                Ok(10) if code == "778" => ErrorKind::Full,
                Ok(14) => ErrorKind::Location,
                _ => ErrorKind::Store,
            };
        }
        // <https://www.postgresql.org/docs/current/errcodes-appendix.html>
        match code.as_ref() {
            "25006" | "42501" => ErrorKind::ReadOnly,
            "53100" | "53200" => ErrorKind::Full,
            "28P01" | "28000" | "3D000" | "3F000" => ErrorKind::Location,
            "40001" | "40P01" | "55P03" | "25P03" => ErrorKind::Unreachable,
            code if code.starts_with("08") || code.starts_with("53") || code.starts_with("57") => {
                ErrorKind::Unreachable
            }
            _ => ErrorKind::Store,
        }
    }

    /// Whether the same again may work, without anybody doing anything.
    pub(crate) fn is_passing(&self) -> bool {
        self.kind() == ErrorKind::Unreachable
    }

    /// Says it of the store at `location`.
    pub(crate) fn of(self, location: &Location) -> Error {
        let kind = self.kind();
        let error = match self {
            Self::Said(error) => return error,
            Self::Sql(error) => error,
        };
        // What a server says of a failure names tables and settings; what it says of values is in its detail.
        let said = error
            .as_database_error()
            .map_or_else(|| error.to_string(), |error| error.message().to_owned());
        let text = match kind {
            ErrorKind::Unreachable if location.is_file() => {
                format!("{location} is locked by another program; end that, or repeat it later")
            }
            ErrorKind::Unreachable => {
                format!("{location} cannot be reached ({said}); check that it runs, then repeat it")
            }
            ErrorKind::ReadOnly if location.is_file() => format!(
                "{location} or its folder cannot be written to; check whose they are, or choose another place"
            ),
            ErrorKind::ReadOnly => {
                format!("{location} may not be written to ({said}); check what its user may do")
            }
            ErrorKind::Full => {
                format!(
                    "{location} cannot grow: the disk is full, or a limit on the size of files is reached; make room, nothing is lost"
                )
            }
            ErrorKind::Location => format!("{location} cannot be opened ({said}); check it"),
            _ if location.is_file() => format!(
                "{location} could not be used ({said}); it may be damaged or no outbox at all"
            ),
            _ => format!("{location} could not be used ({said})"),
        };
        Error::new(kind, text).with_source(error)
    }
}
