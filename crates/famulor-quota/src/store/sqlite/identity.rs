//! Which file a path leads to.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use crate::store::FileId;

/// Tells a file from another one that has taken its place, where the system says
/// which is which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(pub(super) Option<FileId>);

impl Identity {
    /// The file at `path`; a new one, which only its owner may read, when there
    /// is none.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?;
        Ok(Self(FileId::at(path)))
    }

    pub(super) fn is_at(self, path: &Path) -> bool {
        Self(FileId::at(path)) == self
    }
}
