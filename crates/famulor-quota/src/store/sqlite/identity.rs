//! Which file a path leads to.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// Tells a file from another one that has taken its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identity {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
}

impl Identity {
    /// The file at `path`; a new one, which only its owner may read, when there
    /// is none.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?;
        Self::of(path)
    }

    pub(super) fn is_at(&self, path: &Path) -> bool {
        Self::of(path).is_ok_and(|other| other == *self)
    }

    fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let device_and_inode = (found.dev(), found.ino());
            Ok(Self { device_and_inode })
        }
        #[cfg(not(unix))]
        {
            let _ = found;
            Ok(Self {})
        }
    }
}
