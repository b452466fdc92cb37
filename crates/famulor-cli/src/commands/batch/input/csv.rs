//! A header and a record a message.

use std::collections::VecDeque;
use std::io::{self, Read};

use ::csv::{ByteRecord, ReaderBuilder};
use famulor_core::AssistantId;
use serde_json::Value;

use super::fields::{self, ASSISTANT, CUSTOMER, ID, MESSAGE, Parts};
use super::source::{Bytes, Digest};
use super::{BYTE_ORDER_MARK, BadLine, Entry, LONGEST_LINE};
use crate::failure::Failure;

/// Columns named so are variables.
const VARIABLE: &str = "var.";

pub(in super::super) struct Records<'s> {
    reader: ::csv::Reader<Bounded<io::Chain<io::Cursor<Vec<u8>>, Bytes<'s>>>>,
    columns: Vec<Column>,
    record: ByteRecord,
}

#[derive(Debug, PartialEq, Eq)]
enum Column {
    Assistant,
    Customer,
    Message,
    Id,
    Variable(String),
}

impl<'s> Records<'s> {
    /// Reads the header.
    pub(super) fn new(mut bytes: Bytes<'s>) -> Result<Self, Failure> {
        let mut beginning = Vec::new();
        let looked_at = bytes.by_ref().take(64 * 1024).read_to_end(&mut beginning);
        looked_at.map_err(|error| Failure::usage(format!("cannot read the header: {error}")))?;
        if beginning.starts_with(BYTE_ORDER_MARK) {
            beginning.drain(..BYTE_ORDER_MARK.len());
        }
        let delimiter = delimiter(&beginning);
        let bounded = Bounded {
            inner: io::Cursor::new(beginning).chain(bytes),
            layout: Layout::new(delimiter),
            since_record: 0,
        };
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            // Records of another length are reported like any other bad line.
            .flexible(true)
            .from_reader(bounded);
        let mut record = ByteRecord::new();
        let read = reader.read_byte_record(&mut record);
        if !read.map_err(|error| unreadable(&error, 1))? {
            return Err(Failure::usage(
                "the input has no header: its first line names the columns assistant_id, \
                 customer_identifier, message, and any of id and var.NAME",
            ));
        }
        let _ = reader.get_mut().layout.next_record();
        let columns = columns(&record)?;
        Ok(Self {
            reader,
            columns,
            record,
        })
    }

    pub(super) fn next(&mut self) -> Result<Option<Entry>, Failure> {
        self.reader.get_mut().since_record = 0;
        let read = self.reader.read_byte_record(&mut self.record);
        // The reader's own number is that of the blank line before, if there is one.
        let layout = &mut self.reader.get_mut().layout;
        let line = layout.next_record();
        let is_open = layout.is_open_at_end();
        if !read.map_err(|error| unreadable(&error, line))? {
            return Ok(None);
        }
        if is_open {
            // All lines behind it are in it: nobody can tell what to leave out.
            return Err(Failure::usage(format!(
                "line {line}: a quotation mark that opens in this record is never closed, so the rest of the input is in it"
            )));
        }
        Ok(Some(self.entry(line)))
    }

    fn entry(&self, line: u64) -> Entry {
        let bad = |cause| {
            Entry::Bad(BadLine {
                line,
                cause,
                id: None,
                customer: None,
            })
        };
        if self.record.len() != self.columns.len() {
            return bad(format!(
                "it has {} cells, the header has {}",
                self.record.len(),
                self.columns.len()
            ));
        }
        let mut parts = Parts::default();
        for (column, cell) in self.columns.iter().zip(&self.record) {
            let Ok(cell) = std::str::from_utf8(cell) else {
                return bad(format!("{} is not UTF-8", column.name()));
            };
            if cell.is_empty() {
                // An empty cell is how a table says "not there".
                if matches!(
                    column,
                    Column::Assistant | Column::Customer | Column::Message
                ) {
                    parts.causes.push(fields::missing(&column.name()));
                }
                continue;
            }
            match column {
                Column::Assistant => match cell.trim().parse() {
                    Ok(number) => parts.assistant = Some(AssistantId::new(number)),
                    Err(_) => parts.causes.push(format!(
                        "{ASSISTANT} is no whole number; the assistant's number is wanted, such as 123"
                    )),
                },
                Column::Customer => parts.customer = Some(cell.to_owned()),
                Column::Message => parts.text = Some(cell.to_owned()),
                Column::Id => parts.id = Some(cell.to_owned()),
                Column::Variable(name) => {
                    parts.variables.insert(name.clone(), Value::from(cell));
                }
            }
        }
        fields::checked(line, parts)
    }

    pub(super) fn digest(self) -> Digest {
        let (_, bytes) = self.reader.into_inner().inner.into_inner();
        bytes.digest()
    }
}

impl Column {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            ASSISTANT => Self::Assistant,
            CUSTOMER => Self::Customer,
            MESSAGE => Self::Message,
            ID => Self::Id,
            other => match other.strip_prefix(VARIABLE) {
                Some(variable) if !variable.is_empty() => Self::Variable(variable.to_owned()),
                _ => return None,
            },
        })
    }

    /// As messages call it: a variable's name only if it looks like one.
    fn name(&self) -> String {
        match self {
            Self::Assistant => ASSISTANT.to_owned(),
            Self::Customer => CUSTOMER.to_owned(),
            Self::Message => MESSAGE.to_owned(),
            Self::Id => ID.to_owned(),
            Self::Variable(name) if fields::is_name(name) => format!("{VARIABLE}{name}"),
            Self::Variable(_) => "a variable".to_owned(),
        }
    }
}

fn columns(header: &ByteRecord) -> Result<Vec<Column>, Failure> {
    let mut columns = Vec::new();
    let mut causes = Vec::new();
    for cell in header {
        let Ok(name) = std::str::from_utf8(cell) else {
            causes.push("a column's name is not UTF-8".to_owned());
            continue;
        };
        match Column::of(name.trim()) {
            Some(column) if columns.contains(&column) => {
                causes.push(format!("{} is there twice", column.name()));
            }
            Some(column) => columns.push(column),
            None => causes.push(fields::unknown("column", name.trim())),
        }
    }
    let needed = [Column::Assistant, Column::Customer, Column::Message];
    if !needed.iter().any(|column| columns.contains(column)) {
        // Nothing of it is shown: it is somebody's message.
        causes = vec!["it names none of the columns".to_owned()];
    } else {
        for needed in needed.iter().filter(|column| !columns.contains(column)) {
            causes.push(fields::missing(&needed.name()));
        }
    }
    if causes.is_empty() {
        return Ok(columns);
    }
    Err(Failure::usage(format!(
        "line 1, the header: {}",
        causes.join("; ")
    ))
    .next("the first line names the columns: assistant_id,customer_identifier,message,id,var.NAME"))
}

/// A comma, or what spreadsheets write where the comma is in numbers.
fn delimiter(beginning: &[u8]) -> u8 {
    let header = beginning
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let has = |delimiter| header.contains(&delimiter);
    *b",;\t"
        .iter()
        .find(|delimiter| has(**delimiter))
        .unwrap_or(&b',')
}

fn unreadable(error: &::csv::Error, line: u64) -> Failure {
    match error.kind() {
        ::csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Failure::usage(format!(
                "line {line}: the record that begins here is longer than {} MiB, the most that one may have; \
                 is a quotation mark not closed?",
                LONGEST_LINE >> 20
            ))
        }
        ::csv::ErrorKind::Io(error) => Failure::usage(format!("cannot read line {line}: {error}")),
        _ => Failure::usage(format!("line {line}: it is not CSV")),
    }
}

/// Refuses to read on in a record that never ends, and knows of quotation marks that never close: the reader takes the
/// end of the input for the closing one.
struct Bounded<R> {
    inner: R,
    layout: Layout,
    since_record: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_record > LONGEST_LINE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let length = self.inner.read(buffer)?;
        self.since_record += length;
        self.layout.follow(&buffer[..length]);
        Ok(length)
    }
}

/// Where records begin, and whether what was read so far ends inside quotation marks.
struct Layout {
    delimiter: u8,
    place: Place,
    line: u64,
    /// Behind a CR, which a LF may follow: together they are one end of a line.
    after_cr: bool,
    /// The lines on which the records begin that were read ahead.
    begun: VecDeque<u64>,
    at_end: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    BeforeRecord,
    BeforeCell,
    InCell,
    Quoted,
    /// Behind a quotation mark that closes, unless another one follows.
    PerhapsClosed,
}

impl Layout {
    fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            place: Place::BeforeRecord,
            line: 1,
            after_cr: false,
            begun: VecDeque::new(),
            at_end: false,
        }
    }

    fn follow(&mut self, bytes: &[u8]) {
        self.at_end |= bytes.is_empty();
        for &byte in bytes {
            let ends_line = matches!(byte, b'\n' | b'\r');
            if self.place == Place::BeforeRecord && !ends_line {
                self.begun.push_back(self.line);
            }
            if byte == b'\r' || (byte == b'\n' && !self.after_cr) {
                self.line += 1;
            }
            self.after_cr = byte == b'\r';
            self.place = match self.place {
                Place::Quoted if byte == b'"' => Place::PerhapsClosed,
                Place::Quoted => Place::Quoted,
                _ if ends_line => Place::BeforeRecord,
                _ if byte == self.delimiter => Place::BeforeCell,
                Place::InCell => Place::InCell,
                _ if byte == b'"' => Place::Quoted,
                _ => Place::InCell,
            };
        }
    }

    /// The line of the next record, in the order in which they are read.
    fn next_record(&mut self) -> u64 {
        self.begun.pop_front().unwrap_or(self.line)
    }

    fn is_open_at_end(&self) -> bool {
        self.at_end && self.place == Place::Quoted
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    fn lines(text: &str) -> Vec<u64> {
        let mut layout = Layout::new(b',');
        // Byte by byte, as the worst of readers would.
        text.bytes().for_each(|byte| layout.follow(&[byte]));
        layout.begun.into()
    }

    #[test]
    fn records_begin_on_the_lines_that_an_editor_shows() {
        assert_eq!(lines("a\nb\n\n\nc\n"), [1, 2, 5]);
        assert_eq!(lines("a\r\nb\r\n\r\nc"), [1, 2, 4]);
        assert_eq!(lines("a\rb\r"), [1, 2]);
        assert_eq!(lines("x,\"1\n2\r\n3\"\ny,\"\"\"\n\"\nz"), [1, 4, 6]);
        assert_eq!(lines("5\" pipe,\"\"\nb"), [1, 2]);
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_noticed() {
        for (text, is_open) in [
            ("a,\"b\nc", true),
            ("a,\"b\"\"", true),
            ("a,\"b\"", false),
            ("5\" pipe", false),
            ("\"a\"b\"", false),
        ] {
            let mut layout = Layout::new(b',');
            layout.follow(text.as_bytes());
            assert!(!layout.is_open_at_end(), "{text}: it may go on");
            layout.follow(b"");
            assert_eq!(layout.is_open_at_end(), is_open, "{text}");
        }
    }
}
