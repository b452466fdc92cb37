//! One JSON object a line.

use std::io::{self, BufRead, BufReader};

use super::source::{Bytes, Digest};
use super::{BYTE_ORDER_MARK, BadLine, Entry, LONGEST_LINE, fields};
use crate::failure::Failure;

pub(in super::super) struct Lines<'s> {
    bytes: BufReader<Bytes<'s>>,
    line: Vec<u8>,
    number: u64,
}

/// How reading one line went.
enum Read {
    Whole,
    TooLong,
    End,
}

impl<'s> Lines<'s> {
    pub(super) fn new(bytes: Bytes<'s>) -> Self {
        Self {
            bytes: BufReader::with_capacity(64 * 1024, bytes),
            line: Vec::new(),
            number: 0,
        }
    }

    /// The next line that is not blank.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Failure> {
        loop {
            let read = self.read_line().map_err(|error| {
                let line = self.number + 1;
                Failure::usage(format!("cannot read line {line}: {error}"))
            })?;
            self.number += 1;
            match read {
                Read::End => return Ok(None),
                Read::TooLong => {
                    return Ok(Some(Entry::Bad(BadLine {
                        line: self.number,
                        cause: format!(
                            "it is longer than {} MiB, the most that one line may have",
                            LONGEST_LINE >> 20
                        ),
                        id: None,
                        customer: None,
                    })));
                }
                Read::Whole => {}
            }
            let mut line = self.line.as_slice();
            if self.number == 1 {
                line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(fields::of_json(self.number, line)));
            }
        }
    }

    /// Reads one line, without its end, and no more of it than may be kept.
    fn read_line(&mut self) -> io::Result<Read> {
        self.line.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let buffer = match self.bytes.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() && !any {
                return Ok(Read::End);
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            too_long |= self.line.len() + part.len() > LONGEST_LINE;
            if !too_long {
                self.line.extend_from_slice(part);
            }
            let used = end.map_or(buffer.len(), |end| end + 1);
            let is_last = end.is_some() || used == 0;
            self.bytes.consume(used);
            if is_last {
                return Ok(if too_long { Read::TooLong } else { Read::Whole });
            }
        }
    }

    pub(super) fn digest(self) -> Digest {
        self.bytes.into_inner().digest()
    }
}
