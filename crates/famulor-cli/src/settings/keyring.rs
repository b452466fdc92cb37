//! The system's keyring as a place for keys: the cargo feature `keyring`, never needed.

use crate::failure::Failure;

#[cfg(feature = "keyring")]
fn entry(profile: &str) -> Result<keyring::v1::Entry, Failure> {
    use keyring::v1::{Entry, Error};

    Entry::new("famulor", profile).map_err(|error| match (error, Entry::store_status()) {
        // Why there is none says more than that there is none.
        (Error::NoDefaultStore, Err(cause)) => broken(cause),
        (error, _) => broken(&error),
    })
}

#[cfg(feature = "keyring")]
fn broken(error: &keyring::v1::Error) -> Failure {
    Failure::config(format!("the system's keyring cannot be used: {error}"))
        .next("keep the key in a file instead (famulor auth login), or set FAMULOR_API_KEY")
}

/// The key of a profile, if the keyring has one.
#[cfg(feature = "keyring")]
pub(super) fn read(profile: &str) -> Result<Option<String>, Failure> {
    match entry(profile)?.get_password() {
        Ok(key) => Ok(Some(key)),
        Err(keyring::v1::Error::NoEntry) => Ok(None),
        Err(error) => Err(broken(&error)),
    }
}

#[cfg(feature = "keyring")]
pub(super) fn write(profile: &str, key: &str) -> Result<(), Failure> {
    entry(profile)?
        .set_password(key)
        .map_err(|error| broken(&error))
}

#[cfg(feature = "keyring")]
pub(super) fn delete(profile: &str) -> Result<(), Failure> {
    match entry(profile)?.delete_credential() {
        Ok(()) | Err(keyring::v1::Error::NoEntry) => Ok(()),
        Err(error) => Err(broken(&error)),
    }
}

#[cfg(not(feature = "keyring"))]
fn not_built() -> Failure {
    Failure::config("this famulor was built without the system's keyring").next(
        "store the key in a file (famulor auth login), or build it in: cargo install --path \
         crates/famulor-cli --features keyring",
    )
}

#[cfg(not(feature = "keyring"))]
pub(super) fn read(_: &str) -> Result<Option<String>, Failure> {
    Err(not_built())
}

#[cfg(not(feature = "keyring"))]
pub(super) fn write(_: &str, _: &str) -> Result<(), Failure> {
    Err(not_built())
}

/// What this build cannot have stored, it need not delete.
#[cfg(not(feature = "keyring"))]
pub(super) fn delete(_: &str) -> Result<(), Failure> {
    Ok(())
}
