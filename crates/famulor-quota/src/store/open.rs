//! A store by its name on a command line or in a configuration.

use super::{MemoryStore, QuotaStore, StoreError};

/// Opens the store that `name` describes.
///
/// | name | store | feature |
/// |---|---|---|
/// | `memory` | [`MemoryStore`]: this process alone | |
/// | a path, or `sqlite:PATH` | `SqliteStore`: the processes of one machine | `sqlite` |
/// | `postgres://…`, `postgresql://…` | `PostgresStore` | `postgres` |
/// | `redis://…`, `valkey://…`, `redis+unix://…` | `RedisStore` | `redis` |
///
/// ```
/// # use famulor_quota::{Quota, open_store};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let quota = Quota::with_store(open_store("memory").await?);
/// let error = open_store("mysql://localhost/quota").await.err().unwrap();
/// assert!(error.to_string().contains("mysql:// is none of"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// When there is no such kind of store, this program was built without it, or it
/// cannot be opened or reached. No password of the name is ever in the error.
pub async fn open_store(name: &str) -> Result<Box<dyn QuotaStore>, StoreError> {
    match Name::parse(name)? {
        Name::Memory => Ok(Box::new(MemoryStore::new())),
        Name::Path(path) => sqlite(path).await,
        Name::Postgres => postgres(name).await,
        Name::Redis => redis(name).await,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Name<'a> {
    Memory,
    Path(&'a str),
    Postgres,
    Redis,
}

impl<'a> Name<'a> {
    fn parse(name: &'a str) -> Result<Self, StoreError> {
        const KNOWN: &str = "memory, a path, postgres://…, redis://…";
        if name.trim().is_empty() {
            return Err(StoreError::new(format!(
                "it has no name; write one of {KNOWN}"
            )));
        }
        if name == "memory" {
            return Ok(Self::Memory);
        }
        if let Some(path) = name.strip_prefix("sqlite:") {
            return Ok(Self::Path(path.strip_prefix("//").unwrap_or(path)));
        }
        match name.split_once("://").map(|(scheme, _)| scheme) {
            None => Ok(Self::Path(name)),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            Some("redis" | "rediss" | "redis+unix" | "valkey" | "valkeys" | "valkey+unix") => {
                Ok(Self::Redis)
            }
            // Not the rest of it, which may hold a password.
            Some(scheme) => Err(StoreError::new(format!("{scheme}:// is none of {KNOWN}"))),
        }
    }
}

#[cfg(feature = "sqlite")]
async fn sqlite(path: &str) -> Result<Box<dyn QuotaStore>, StoreError> {
    Ok(Box::new(super::SqliteStore::open(path).await?))
}

#[cfg(not(feature = "sqlite"))]
async fn sqlite(path: &str) -> Result<Box<dyn QuotaStore>, StoreError> {
    Err(not_built(
        &format!("to keep it in the file {path}"),
        "sqlite",
    ))
}

#[cfg(feature = "postgres")]
async fn postgres(url: &str) -> Result<Box<dyn QuotaStore>, StoreError> {
    Ok(Box::new(super::PostgresStore::connect(url).await?))
}

#[cfg(not(feature = "postgres"))]
async fn postgres(_: &str) -> Result<Box<dyn QuotaStore>, StoreError> {
    Err(not_built("to keep it in PostgreSQL", "postgres"))
}

#[cfg(feature = "redis")]
async fn redis(url: &str) -> Result<Box<dyn QuotaStore>, StoreError> {
    Ok(Box::new(super::RedisStore::connect(url).await?))
}

#[cfg(not(feature = "redis"))]
async fn redis(_: &str) -> Result<Box<dyn QuotaStore>, StoreError> {
    Err(not_built("to keep it in Redis", "redis"))
}

#[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "redis")))]
fn not_built(what: &str, feature: &str) -> StoreError {
    StoreError::new(format!(
        "this program was built without what it takes {what}: famulor-quota's feature \"{feature}\""
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_store_it_is() {
        for (name, expected) in [
            ("memory", Name::Memory),
            ("quota.db", Name::Path("quota.db")),
            ("/var/lib/a b/quota.db", Name::Path("/var/lib/a b/quota.db")),
            ("./memory", Name::Path("./memory")),
            ("C:\\quota.db", Name::Path("C:\\quota.db")),
            ("sqlite:quota.db", Name::Path("quota.db")),
            ("sqlite:///quota.db", Name::Path("/quota.db")),
            ("postgres://localhost/quota", Name::Postgres),
            ("postgresql:///quota?host=/run", Name::Postgres),
            ("redis://localhost", Name::Redis),
            ("valkey://localhost", Name::Redis),
            ("redis+unix:///run/redis.sock", Name::Redis),
        ] {
            assert_eq!(Name::parse(name).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_refused_without_its_password() {
        for name in ["", " ", "mysql://me:secret@host/", "http://me:secret@host"] {
            let error = Name::parse(name).unwrap_err().to_string();
            assert!(error.contains("postgres://"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[tokio::test]
    async fn a_store_that_was_not_built_in_names_its_feature() {
        let error = open_store("postgres://localhost").await.err().unwrap();
        assert!(
            error.to_string().contains("feature \"postgres\""),
            "{error}"
        );
    }
}
