//! What a command prints: data on standard output, in the format that was asked for.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::json;
use crate::table;

/// How answers are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON value
    Json,
    /// One JSON object a line
    Jsonl,
    /// A table with lines
    Table,
}

impl Format {
    pub(crate) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        <Self as ValueEnum>::from_str(text, false)
            .map_err(|_| "none of text, json, jsonl, table".to_owned())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value();
        f.write_str(name.as_ref().map_or("", |name| name.get_name()))
    }
}

/// Standard output in one format.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Output {
    pub(crate) format: Format,
}

impl Output {
    /// One answer. `text` writes what a person reads; it makes the server's text
    /// visible itself, because only it knows what is one line.
    pub(crate) fn object<T: Serialize>(
        self,
        answer: &T,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.text(text),
            Format::Json => raw(&json::pretty(answer).map_err(unserializable)?),
            Format::Jsonl => raw(&json::compact(answer).map_err(unserializable)?),
            Format::Table => {
                let answer = serde_json::to_value(answer).map_err(unserializable)?;
                self.text(|out| writeln!(out, "{}", table::object(&answer)))
            }
        }
    }

    /// Rows of a list, with the columns that tables show; JSON shows all fields.
    pub(crate) fn rows<T: Serialize>(self, rows: &[T], columns: &[&str]) -> Result<(), Failure> {
        match self.format {
            Format::Json => raw(&json::pretty(&rows).map_err(unserializable)?),
            Format::Jsonl => rows.iter().try_for_each(|row| self.row(row)),
            Format::Text | Format::Table => {
                let rows: Vec<Value> = rows
                    .iter()
                    .map(serde_json::to_value)
                    .collect::<Result<_, _>>()
                    .map_err(unserializable)?;
                let lines = self.format == Format::Table;
                self.text(|out| writeln!(out, "{}", table::rows(&rows, columns, lines)))
            }
        }
    }

    /// One row as soon as it is known: only JSON lines can be printed so.
    pub(crate) fn row(self, row: &impl Serialize) -> Result<(), Failure> {
        raw(&json::compact(row).map_err(unserializable)?)
    }

    /// Text, whatever the format: colours are taken out where they do not belong.
    pub(crate) fn text(
        self,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        text(&mut out)?;
        out.flush()?;
        Ok(())
    }
}

/// Bytes as they are, past the filter for colours.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(())
}

fn unserializable(error: serde_json::Error) -> Failure {
    Failure::unexpected(format!("cannot write the answer as JSON: {error}"))
}
