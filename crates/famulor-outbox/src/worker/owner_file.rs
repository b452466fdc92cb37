//! Knowing at once that a worker on a file is gone.
//!
//! A worker holds a lock on a file of its own beside the store. The system takes the lock from it when its process ends,
//! however it does. Who can lock the file knows that its owner is gone, and need not wait for the lease.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::sql::Location;

/// A worker's file, locked. Dropping it lets the lock go and leaves the file, as the end of a process does: whoever comes next
/// sees at once that its owner is gone.
pub(super) struct OwnerFile {
    path: PathBuf,
    _locked: File,
}

impl OwnerFile {
    /// The store knows that its owner has ended: nobody has to find out.
    pub(super) fn tidy(self) {
        let _ = fs::remove_file(&self.path);
    }

    /// `None` where the store is no file, or its folder does not know locks: then the lease has to do.
    pub(super) fn lock(location: &Location, owner: i64) -> Option<Self> {
        let path = path(location, owner)?;
        // Under another name until it is locked: nobody may find it unlocked.
        let new = path.with_extension("new");
        let locked = || -> io::Result<File> {
            let file = open(&new, true)?;
            if !try_lock(&file)? {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            fs::rename(&new, &path)?;
            Ok(file)
        };
        match locked() {
            Ok(locked) => Some(Self {
                path,
                _locked: locked,
            }),
            Err(_) => {
                let _ = fs::remove_file(&new);
                None
            }
        }
    }

    /// Whether the owner is known to be gone.
    pub(super) fn is_abandoned(location: &Location, owner: i64) -> bool {
        let Some(path) = path(location, owner) else {
            return false;
        };
        open(&path, false).is_ok_and(|file| try_lock(&file).unwrap_or(false))
    }

    /// Tidies up after an owner that is gone and forgotten.
    pub(super) fn remove(location: &Location, owner: i64) {
        if let Some(path) = path(location, owner) {
            let _ = fs::remove_file(path);
        }
    }
}

fn path(location: &Location, owner: i64) -> Option<PathBuf> {
    let Location::File(store) = location else {
        return None;
    };
    let mut name = store.file_name()?.to_owned();
    name.push(format!("-worker-{owner}"));
    Some(store.parent().unwrap_or(Path::new("")).join(name))
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(create)
        .truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn try_lock(file: &File) -> io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn try_lock(_: &File) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_abandoned_once_nobody_holds_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::File(folder.path().join("outbox.sqlite"));
        assert!(!OwnerFile::is_abandoned(&location, 7), "nothing is known");
        let owner = OwnerFile::lock(&location, 7).unwrap();
        assert!(!OwnerFile::is_abandoned(&location, 7));
        // As the end of a process does: the lock goes and the file stays.
        drop(owner);
        assert!(OwnerFile::is_abandoned(&location, 7));
        OwnerFile::remove(&location, 7);
        assert!(!OwnerFile::is_abandoned(&location, 7));
        OwnerFile::lock(&location, 8).unwrap().tidy();
        assert!(!OwnerFile::is_abandoned(&location, 8), "it said so itself");
    }
}
