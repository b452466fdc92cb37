//! Bytes that can be read twice, and the mark by which the same ones are known again.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

/// An input that can be read from its beginning again.
pub(super) type Bytes<'s> = Digesting<&'s mut File>;

/// A file, or a private copy of what can be read only once.
pub(in super::super) struct Source {
    file: File,
    /// As it is called in messages.
    pub(in super::super) name: String,
}

/// A mark of all bytes of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Digest(pub(in super::super) String);

impl Source {
    /// Opens a file; what is none (a pipe, `<(…)`) is copied first. Blocks.
    pub(in super::super) fn file(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unreadable = |error| Failure::usage(format!("cannot read {name}: {error}"));
        let mut file = File::open(path).map_err(unreadable)?;
        let kind = file.metadata().map_err(unreadable)?.file_type();
        if kind.is_dir() {
            return Err(Failure::usage(format!(
                "cannot read {name}: it is a directory"
            )));
        }
        if !kind.is_file() {
            file = copied(&mut file, &name)?;
        }
        Ok(Self { file, name })
    }

    /// Copies standard input. Blocks.
    pub(in super::super) fn standard_input() -> Result<Self, Failure> {
        let name = "standard input".to_owned();
        let file = copied(&mut io::stdin().lock(), &name)?;
        Ok(Self { file, name })
    }

    /// From the beginning.
    pub(super) fn rewound(&mut self) -> Result<Bytes<'_>, Failure> {
        let back = self.file.seek(SeekFrom::Start(0));
        back.map_err(|error| Failure::usage(format!("cannot read {}: {error}", self.name)))?;
        Ok(Digesting {
            inner: &mut self.file,
            hash: Sha256::new(),
        })
    }
}

/// A copy without a name, which only this process can read and which ends with it.
fn copied(from: &mut impl Read, name: &str) -> Result<File, Failure> {
    let mut copy = || {
        let mut file = tempfile::tempfile()?;
        io::copy(from, &mut file).map(|_| file)
    };
    copy().map_err(|error| {
        Failure::usage(format!(
            "cannot take over {name}: {error} (it is copied to {} first)",
            std::env::temp_dir().display()
        ))
    })
}

/// Takes a digest of what is read through it.
pub(super) struct Digesting<R> {
    inner: R,
    hash: Sha256,
}

impl<R> Digesting<R> {
    pub(super) fn digest(self) -> Digest {
        let hash = self.hash.finalize();
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Digest(format!("sha256:{hex}"))
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hash.update(&buffer[..length]);
        Ok(length)
    }
}
