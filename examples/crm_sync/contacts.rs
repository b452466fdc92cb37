//! The contacts, wherever they are kept, and what has become of each one's question.

use std::path::Path;

use famulor_core::Reply;
use famulor_examples::Failure;
use serde_json::{Map, Value};

use crate::csv_file::CsvFile;
use crate::database::Database;

/// The columns that we write.
pub(crate) const OURS: [&str; 3] = ["state", "reply", "conversation_id"];

/// What has become of a contact's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing yet.
    Open,
    /// It may have been sent; if nobody is at work, nobody knows.
    Sending,
    /// The reply is written back.
    Answered,
    /// A person has taken the conversation over.
    Person,
    /// It was not processed: to be tried again.
    Failed,
    /// It was sent and its outcome is not known: for a person to look at.
    Unknown,
}

impl State {
    const ALL: [Self; 6] = [
        Self::Open,
        Self::Sending,
        Self::Answered,
        Self::Person,
        Self::Failed,
        Self::Unknown,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "",
            Self::Sending => "sending",
            Self::Answered => "answered",
            Self::Person => "person",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether its question may be sent without asking anyone.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Failed)
    }

    /// What an answer makes of it.
    pub(crate) fn of(reply: &Reply) -> Self {
        match reply.text() {
            Some(_) => Self::Answered,
            None => Self::Person,
        }
    }
}

/// What is to be sent for a row.
pub(crate) struct Contact {
    /// Where its row is: for us to find it again.
    pub(crate) row: i64,
    pub(crate) id: String,
    pub(crate) question: String,
    pub(crate) variables: Map<String, Value>,
}

/// How many are in which state.
#[derive(Default)]
pub(crate) struct Counts {
    /// Answered, or with a person.
    pub(crate) answered: usize,
    pub(crate) failed: usize,
    pub(crate) unknown: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, state: State, rows: usize) {
        match state {
            State::Answered | State::Person => self.answered += rows,
            State::Failed => self.failed += rows,
            State::Unknown => self.unknown += rows,
            State::Open | State::Sending => {}
        }
    }
}

/// A CSV file, or a table of a SQLite database.
pub(crate) enum Contacts {
    Csv(CsvFile),
    Sqlite(Database),
}

impl Contacts {
    /// Opens them; a row that an earlier run left in the middle is now unknown.
    pub(crate) async fn open(
        from: &Path,
        table: &str,
        out: Option<&Path>,
    ) -> Result<Self, Failure> {
        if !is_database(from) {
            let out = out.unwrap_or(Path::new("answered.csv"));
            return Ok(Self::Csv(CsvFile::open(from, out)?));
        }
        if out.is_some() {
            return Err(
                "a database has the answers written into it: leave --out away; nothing was sent"
                    .into(),
            );
        }
        Ok(Self::Sqlite(Database::open(from, table).await?))
    }

    /// The rows with a question that may be sent. Every column that is not ours becomes a variable.
    pub(crate) async fn unasked(&mut self) -> Result<Vec<Contact>, Failure> {
        match self {
            Self::Csv(file) => Ok(file.unasked()),
            Self::Sqlite(database) => database.unasked().await,
        }
    }

    /// On the disk once this returns.
    pub(crate) async fn set_state(&mut self, row: i64, state: State) -> Result<(), Failure> {
        match self {
            Self::Csv(file) => file.set_state(row, state),
            Self::Sqlite(database) => database.set_state(row, state).await,
        }
    }

    /// Writes an answer back, and the id under which the conversation can be found later.
    pub(crate) async fn answered(&mut self, row: i64, reply: &Reply) -> Result<(), Failure> {
        match self {
            Self::Csv(file) => file.answered(row, reply),
            Self::Sqlite(database) => database.answered(row, reply).await,
        }
    }

    pub(crate) async fn count(&mut self) -> Result<Counts, Failure> {
        match self {
            Self::Csv(file) => Ok(file.count()),
            Self::Sqlite(database) => database.count().await,
        }
    }

    /// Where the answers are.
    pub(crate) fn place(&self) -> &Path {
        match self {
            Self::Csv(file) => file.place(),
            Self::Sqlite(database) => database.place(),
        }
    }
}

/// By the name's ending, as people name such files.
fn is_database(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| {
        ["db", "sqlite", "sqlite3"].contains(&ending.to_ascii_lowercase().as_str())
    })
}
