//! One thing that is wrong, in one line.

use std::fmt;

/// One thing that is wrong: in which file, at which JSON path, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    file: String,
    path: String,
    cause: String,
}

impl Problem {
    pub(crate) fn new(
        file: impl Into<String>,
        path: impl Into<String>,
        cause: impl Into<String>,
    ) -> Self {
        Self {
            file: file.into(),
            path: path.into(),
            cause: cause.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.cause)
    }
}
