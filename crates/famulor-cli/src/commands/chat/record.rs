//! What is said, written to a file as it is said.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use anstream::StripStream;
use famulor_core::{Message, Turn};

use crate::failure::Failure;
use crate::notes::BOLD;
use crate::transcript;

/// The file of `--transcript`, if there is one.
pub(super) struct Record(Option<(PathBuf, StripStream<File>)>);

impl Record {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Writes behind what the file holds; a new one is for its owner alone.
    pub(super) fn open(path: PathBuf) -> Result<Self, Failure> {
        let mut options = OpenOptions::new();
        let file = private(options.append(true).create(true)).open(&path);
        let file = file.map_err(|error| unwritable(&path, &error))?;
        Ok(Self(Some((path, StripStream::new(file)))))
    }

    pub(super) fn message(&mut self, message: &Message) -> Result<(), Failure> {
        self.write(|file| transcript::message(file, message))
    }

    pub(super) fn said(&mut self, role: &str, text: &str) -> Result<(), Failure> {
        self.write(|file| transcript::said(file, role, BOLD, text))
    }

    pub(super) fn turn(&mut self, turn: &Turn) -> Result<(), Failure> {
        self.write(|file| transcript::turn(file, turn))
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut StripStream<File>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let Some((path, file)) = &mut self.0 else {
            return Ok(());
        };
        write(file).map_err(|error| unwritable(path, &error))
    }
}

/// Writes a whole conversation to a file that must not be there yet.
pub(super) fn save(path: &Path, messages: &[Message]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = private(options.write(true).create_new(true)).open(path)?;
    let mut file = StripStream::new(file);
    messages
        .iter()
        .try_for_each(|message| transcript::message(&mut file, message))
}

/// People's words are for those who wrote them down.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::config(format!(
        "cannot write the transcript {}: {error}",
        path.display()
    ))
}
