//! The messages of a batch: read a line at a time, every bad line with its cause.
//!
//! The whole input is read twice: to check it and to take it over. So nothing is sent of an input that is wrong
//! somewhere, and a million lines need no more memory than one.

mod csv;
mod fields;
mod jsonl;
mod source;

use std::path::Path;

use clap::ValueEnum;
use famulor_core::{AssistantId, CustomerId};
use serde_json::{Map, Value};

use crate::failure::Failure;

pub(in crate::commands) use self::fields::Fields;
pub(super) use self::source::{Digest, Source};

/// The longest line, in bytes: it bounds the memory. The API names no longest message.
const LONGEST_LINE: usize = 1024 * 1024;

/// What some editors put at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How the input is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object a line
    Jsonl,
    /// A header and a row a message; var.NAME columns are variables
    Csv,
}

impl Format {
    /// By the name's ending; JSON lines for every other one.
    pub(super) fn of(path: &Path) -> Self {
        let is_csv = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        if is_csv { Self::Csv } else { Self::Jsonl }
    }
}

/// A line that can be sent.
pub(super) struct Message {
    /// 1 for the first line of the file.
    pub(super) line: u64,
    pub(super) assistant: AssistantId,
    pub(super) customer: CustomerId,
    pub(super) text: String,
    pub(super) variables: Map<String, Value>,
    /// The caller's own.
    pub(super) id: Option<String>,
}

/// A line that cannot, and as much of it as its row can show.
pub(super) struct BadLine {
    pub(super) line: u64,
    /// What is wrong, without anything that a customer or a caller wrote.
    pub(super) cause: String,
    pub(super) id: Option<String>,
    pub(super) customer: Option<String>,
}

pub(super) enum Entry {
    Message(Message),
    Bad(BadLine),
}

/// Reads a source from its beginning.
pub(super) enum Reader<'s> {
    Jsonl(jsonl::Lines<'s>),
    Csv(Box<csv::Records<'s>>),
}

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s mut Source, format: Format) -> Result<Self, Failure> {
        let bytes = source.rewound()?;
        Ok(match format {
            Format::Jsonl => Self::Jsonl(jsonl::Lines::new(bytes)),
            Format::Csv => Self::Csv(Box::new(csv::Records::new(bytes)?)),
        })
    }

    /// The next line that holds something. `Err`: the rest cannot be read at all.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Failure> {
        match self {
            Self::Jsonl(lines) => lines.next(),
            Self::Csv(records) => records.next(),
        }
    }

    /// Of everything that was read.
    pub(super) fn digest(self) -> Digest {
        match self {
            Self::Jsonl(lines) => lines.digest(),
            Self::Csv(records) => records.digest(),
        }
    }
}
