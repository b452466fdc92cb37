//! Where a store is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::{Error, ErrorKind, Result};

/// Where a store is. Its `Display` holds no user and no password.
#[derive(Clone)]
pub(crate) enum Location {
    File(PathBuf),
    Server(Box<PgConnectOptions>),
}

impl Location {
    pub(crate) fn parse(location: &str) -> Result<Self> {
        let wrong = |said: String| Err(Error::new(ErrorKind::Location, said));
        let known = "write a path, sqlite:PATH or postgres://…";
        if location.trim().is_empty() {
            return wrong(format!("the outbox has no location; {known}"));
        }
        if let Some(path) = location.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" => wrong(format!("the outbox has no location; {known}")),
                path => Ok(Self::File(path.into())),
            };
        }
        match location.split_once("://").map(|(scheme, _)| scheme) {
            None => Ok(Self::File(location.into())),
            Some("postgres" | "postgresql") => match PgConnectOptions::from_str(location) {
                Ok(options) => Ok(Self::Server(Box::new(
                    options
                        .application_name("famulor-outbox")
                        .disable_statement_logging(),
                ))),
                // The cause may quote the URL, which may hold a password.
                Err(_) => wrong(
                    "that is no URL of a PostgreSQL; write postgres://user:password@host:port/database".to_owned(),
                ),
            },
            // Not the rest of it, which may hold a password.
            Some(scheme) => wrong(format!("{scheme}:// is no outbox; {known}")),
        }
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the outbox {}", path.display()),
            Self::Server(options) => {
                let database = options.get_database();
                let database = database.unwrap_or_else(|| options.get_username());
                write!(f, "the PostgreSQL database {database} at ")?;
                match options.get_socket() {
                    Some(socket) => write!(f, "{}", socket.display()),
                    None => write!(f, "{}:{}", options.get_host(), options.get_port()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Location;

    #[test]
    fn a_location_shows_no_password() {
        for location in ["postgres://me:secret@host/db", "x:", "sqlite:a", "a"] {
            let parsed = Location::parse(location).unwrap();
            assert!(!parsed.to_string().contains("secret"), "{parsed}");
        }
        for location in [
            "mysql://me:secret@host/",
            "postgres://me:secret@[",
            "",
            "sqlite:",
        ] {
            let error = Location::parse(location).err().unwrap().to_string();
            assert!(
                error.contains("write") && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
