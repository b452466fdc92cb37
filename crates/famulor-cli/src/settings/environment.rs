//! The environment, read once.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::failure::Failure;

/// The variables of this process. A variable that is set to nothing counts as
/// not set, as everywhere; only an empty key is an error of its own.
pub(crate) struct Environment(BTreeMap<String, OsString>);

impl Environment {
    pub(crate) fn of_process() -> Self {
        Self::from_vars(std::env::vars_os())
    }

    pub(crate) fn from_vars(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(
            vars.into_iter()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
                .collect(),
        )
    }

    pub(crate) fn raw(&self, name: &str) -> Option<&OsString> {
        self.0.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.raw(name) {
            None => Ok(None),
            Some(value) if value.is_empty() => Ok(None),
            // The value stays out of the message: it may be a key.
            Some(value) => value
                .clone()
                .into_string()
                .map(Some)
                .map_err(|_| Failure::config(format!("{name} is not text (not valid UTF-8)"))),
        }
    }
}
