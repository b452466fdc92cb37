//! Why a task failed: one line a cause.

use std::fmt;

/// Why a task failed.
#[derive(Debug)]
pub(crate) struct Failure(Vec<String>);

impl Failure {
    pub(crate) fn new(cause: impl Into<String>) -> Self {
        Self(vec![cause.into()])
    }

    pub(crate) fn many(causes: Vec<String>) -> Self {
        Self(causes)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
