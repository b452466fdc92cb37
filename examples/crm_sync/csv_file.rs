//! The contacts as a CSV file, and another one with the answers, which is never half written.

use std::fs::File;
use std::path::{Path, PathBuf};

use famulor_core::Reply;
use famulor_examples::Failure;
use serde_json::{Map, Value};

use crate::contacts::{Contact, Counts, OURS, State};

/// All rows, in memory.
pub(crate) struct CsvFile {
    out: PathBuf,
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
    columns: Columns,
}

#[derive(Clone, Copy)]
struct Columns {
    id: usize,
    question: usize,
    state: usize,
    reply: usize,
    conversation_id: usize,
}

impl CsvFile {
    /// Reads an earlier run's answers, if it left some: their states say what must not be sent again. Else the contacts.
    pub(crate) fn open(contacts: &Path, out: &Path) -> Result<Self, Failure> {
        let file = Self::read(if out.exists() { out } else { contacts }, out)?;
        file.write()?;
        Ok(file)
    }

    fn read(path: &Path, out: &Path) -> Result<Self, Failure> {
        let mut reader = csv::Reader::from_path(path)
            .map_err(|error| format!("{}: {error}; nothing was sent", path.display()))?;
        let mut headers: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            rows.push(record?.iter().map(str::to_owned).collect::<Vec<_>>());
        }
        for ours in OURS {
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
            out: out.to_owned(),
            headers,
            rows,
            columns,
        })
    }

    /// Writes all of it beside the file and then puts it in its place: a crash leaves the old one or the new one.
    fn write(&self) -> Result<(), Failure> {
        let folder = match self.out.parent() {
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
        file.persist(&self.out)?;
        Ok(())
    }

    pub(crate) fn unasked(&self) -> Vec<Contact> {
        let Columns { id, question, .. } = self.columns;
        let asks = |row: &usize| !self.rows[*row][question].trim().is_empty();
        (0..self.rows.len())
            .filter(|row| self.state(*row).is_open() && asks(row))
            .map(|row| Contact {
                row: row as i64,
                id: self.rows[row][id].clone(),
                question: self.rows[row][question].clone(),
                variables: self.variables(row),
            })
            .collect()
    }

    pub(crate) fn set_state(&mut self, row: i64, state: State) -> Result<(), Failure> {
        let column = self.columns.state;
        state.as_str().clone_into(&mut self.cells(row)?[column]);
        self.write()
    }

    pub(crate) fn answered(&mut self, row: i64, reply: &Reply) -> Result<(), Failure> {
        let Columns {
            reply: text,
            conversation_id,
            ..
        } = self.columns;
        let cells = self.cells(row)?;
        reply
            .text()
            .unwrap_or_default()
            .clone_into(&mut cells[text]);
        reply
            .conversation_id()
            .as_str()
            .clone_into(&mut cells[conversation_id]);
        self.set_state(row, State::of(reply))
    }

    pub(crate) fn count(&self) -> Counts {
        let mut counts = Counts::default();
        (0..self.rows.len()).for_each(|row| counts.add(self.state(row), 1));
        counts
    }

    pub(crate) fn place(&self) -> &Path {
        &self.out
    }

    fn cells(&mut self, row: i64) -> Result<&mut Vec<String>, Failure> {
        let cells = usize::try_from(row)
            .ok()
            .and_then(|row| self.rows.get_mut(row));
        cells.ok_or_else(|| "there is no such row".into())
    }

    fn state(&self, row: usize) -> State {
        State::parse(&self.rows[row][self.columns.state]).unwrap_or(State::Unknown)
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
