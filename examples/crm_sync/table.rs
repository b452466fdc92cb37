//! The contacts, as a CSV file that is never half written.

use std::fs::File;
use std::path::Path;

use famulor_core::Reply;
use famulor_examples::Failure;
use serde_json::{Map, Value};

/// What has become of a contact's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing yet.
    Open,
    /// It may have been sent; if nobody is at work, nobody knows.
    Sending,
    /// The reply is in the table.
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

    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "",
            Self::Sending => "sending",
            Self::Answered => "answered",
            Self::Person => "person",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether its question may be sent without asking anyone.
    fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Failed)
    }
}

/// What is to be sent for a row.
pub(crate) struct Contact {
    pub(crate) row: usize,
    pub(crate) id: String,
    pub(crate) question: String,
    pub(crate) variables: Map<String, Value>,
}

/// All rows, in memory.
pub(crate) struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
    columns: Columns,
}

struct Columns {
    id: usize,
    question: usize,
    state: usize,
    reply: usize,
    conversation_id: usize,
}

impl Table {
    /// Reads a table; a row that an earlier run left in the middle is now unknown.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let mut reader = csv::Reader::from_path(path)
            .map_err(|error| format!("{}: {error}; nothing was sent", path.display()))?;
        let mut headers: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            rows.push(record?.iter().map(str::to_owned).collect::<Vec<_>>());
        }
        for ours in ["state", "reply", "conversation_id"] {
            if !headers.iter().any(|name| name == ours) {
                headers.push(ours.to_owned());
            }
        }
        let column = |name: &str| {
            headers
                .iter()
                .position(|header| header == name)
                .ok_or_else(|| {
                    format!(
                        "{}: there is no column `{name}`; nothing was sent",
                        path.display()
                    )
                })
        };
        let columns = Columns {
            id: column("id")?,
            question: column("question")?,
            state: column("state")?,
            reply: column("reply")?,
            conversation_id: column("conversation_id")?,
        };
        for row in &mut rows {
            row.resize(headers.len(), String::new());
            let state = State::parse(&row[columns.state]).ok_or_else(|| {
                format!(
                    "{}: a state is none of ours; nothing was sent",
                    path.display()
                )
            })?;
            if state == State::Sending {
                row[columns.state] = State::Unknown.as_str().to_owned();
            }
        }
        Ok(Self {
            headers,
            rows,
            columns,
        })
    }

    /// Writes all of it beside `path` and then puts it in its place: a crash leaves the old file or the new one.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let file = tempfile::NamedTempFile::new_in(folder)?;
        let mut writer = csv::Writer::from_writer(file);
        writer.write_record(&self.headers)?;
        for row in &self.rows {
            writer.write_record(row)?;
        }
        let file = writer.into_inner()?;
        File::sync_all(file.as_file())?;
        file.persist(path)?;
        Ok(())
    }

    /// The rows with a question that may be sent. Every column that is not ours becomes a variable.
    pub(crate) fn open(&self) -> Vec<Contact> {
        let Columns { id, question, .. } = self.columns;
        self.open_rows()
            .map(|row| Contact {
                row,
                id: self.rows[row][id].clone(),
                question: self.rows[row][question].clone(),
                variables: self.variables(row),
            })
            .collect()
    }

    pub(crate) fn set_state(&mut self, row: usize, state: State) {
        state
            .as_str()
            .clone_into(&mut self.rows[row][self.columns.state]);
    }

    /// Writes an answer into its row, and the id under which the conversation can be found later.
    pub(crate) fn answered(&mut self, row: usize, reply: &Reply) {
        self.set_state(
            row,
            match reply.text() {
                Some(_) => State::Answered,
                None => State::Person,
            },
        );
        let cells = &mut self.rows[row];
        reply
            .text()
            .unwrap_or_default()
            .clone_into(&mut cells[self.columns.reply]);
        reply
            .conversation_id()
            .as_str()
            .clone_into(&mut cells[self.columns.conversation_id]);
    }

    pub(crate) fn id(&self, row: usize) -> &str {
        &self.rows[row][self.columns.id]
    }

    /// How many are answered (or with a person), failed, and unknown.
    pub(crate) fn count(&self) -> (usize, usize, usize) {
        let of = |wanted: &[State]| {
            let states = (0..self.rows.len()).map(|row| self.state(row));
            states.filter(|state| wanted.contains(state)).count()
        };
        (
            of(&[State::Answered, State::Person]),
            of(&[State::Failed]),
            of(&[State::Unknown]),
        )
    }

    fn state(&self, row: usize) -> State {
        State::parse(&self.rows[row][self.columns.state]).unwrap_or(State::Unknown)
    }

    fn open_rows(&self) -> impl Iterator<Item = usize> {
        let asks = |row: &usize| !self.rows[*row][self.columns.question].trim().is_empty();
        (0..self.rows.len()).filter(move |row| self.state(*row).is_open() && asks(row))
    }

    fn variables(&self, row: usize) -> Map<String, Value> {
        let Columns {
            id,
            question,
            state,
            reply,
            conversation_id,
        } = self.columns;
        let ours = [id, question, state, reply, conversation_id];
        let cells = self.headers.iter().zip(&self.rows[row]).enumerate();
        cells
            .filter(|(column, (_, cell))| !ours.contains(column) && !cell.is_empty())
            .map(|(_, (header, cell))| (header.clone(), cell.clone().into()))
            .collect()
    }
}
