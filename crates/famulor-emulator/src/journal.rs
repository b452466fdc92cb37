//! What happened, request by request: a bounded list, never a token, never a message.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::operation::Operation;

/// One request, as the server saw it.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct JournalEntry {
    /// 1 for the first request after a start or a reset.
    pub sequence: u64,
    /// When it arrived, in emulated time: at the limits, if it got that far.
    #[serde(serialize_with = "rfc3339")]
    pub time: SystemTime,
    /// The same, since the emulator started.
    #[serde(rename = "elapsed_s", serialize_with = "seconds")]
    pub elapsed: Duration,
    /// The HTTP method.
    pub method: String,
    /// The path, with `/api`, without the query.
    pub path: String,
    /// The operation, if the path and method are one's.
    pub operation: Option<Operation>,
    /// A one-way mark of the token; without a token, of an accepted call, the address.
    pub token: Option<String>,
    /// The customer identifier, or the id of the conversation.
    pub customer: Option<String>,
    /// The status that was sent. `None` while the request is under way, and
    /// when a fault closed the connection instead of answering.
    pub status: Option<u16>,
    /// The limits counted it.
    pub counted: bool,
    /// It was done: a message is stored, a reply generated, a page read.
    pub processed: bool,
    /// What it cost, in US dollars.
    pub billed: Option<f64>,
    /// The fault that was played, such as `after:close`; two of them are
    /// separated by a comma.
    pub fault: Option<String>,
    /// The body of the request. Not in lists: it holds what was said.
    #[serde(skip)]
    pub asked: Recorded,
    /// The body of the answer, as the API gave it, or as a fault put it in its
    /// place. Not in lists.
    #[serde(skip)]
    pub answered: Recorded,
}

/// A body that was kept, up to a length; nothing else of it shows in `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Recorded(Bytes);

impl Recorded {
    /// Longer bodies than any documented one are cut, so that the journal's
    /// length bounds its memory.
    const LONGEST: usize = 16 * 1024;

    pub(crate) fn of(body: &Bytes) -> Self {
        // A copy: a slice of what hyper has read keeps its whole buffer alive.
        Self(Bytes::copy_from_slice(
            &body[..body.len().min(Self::LONGEST)],
        ))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As JSON where it is some, else as text; null for none.
    pub(crate) fn shown(&self) -> Value {
        if self.0.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.0)
            .unwrap_or_else(|_| String::from_utf8_lossy(&self.0).into_owned().into())
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl fmt::Debug for JournalEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} {} {}", self.sequence, self.method, self.path)?;
        match self.status {
            Some(status) => write!(f, " {status}")?,
            None => write!(f, " unanswered")?,
        }
        if self.processed {
            write!(f, ", processed")?;
        }
        if let Some(billed) = self.billed {
            write!(f, ", billed {billed}")?;
        }
        if let Some(fault) = &self.fault {
            write!(f, ", {fault}")?;
        }
        Ok(())
    }
}

/// The last requests, oldest first.
pub(crate) struct Journal {
    entries: VecDeque<JournalEntry>,
    capacity: usize,
    next: u64,
}

impl Journal {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            capacity: capacity.max(1),
            next: 1,
        }
    }

    /// Writes a request down and gives it its number.
    pub(crate) fn begin(&mut self, arrival: Arrival) -> u64 {
        let sequence = self.next;
        self.next += 1;
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
        }
        self.entries.push_back(JournalEntry {
            sequence,
            time: SystemTime::from(arrival.time),
            elapsed: arrival.elapsed,
            method: arrival.method,
            path: arrival.path,
            operation: arrival.operation,
            token: None,
            customer: None,
            status: None,
            counted: false,
            processed: false,
            billed: None,
            fault: None,
            asked: Recorded::default(),
            answered: Recorded::default(),
        });
        sequence
    }

    /// Adds to what is known of a request, unless it is forgotten already.
    pub(crate) fn note(&mut self, sequence: u64, note: impl FnOnce(&mut JournalEntry)) {
        if let Some(entry) = self
            .index(sequence)
            .and_then(|index| self.entries.get_mut(index))
        {
            note(entry);
        }
    }

    pub(crate) fn entry(&self, sequence: u64) -> Option<JournalEntry> {
        self.entries.get(self.index(sequence)?).cloned()
    }

    fn index(&self, sequence: u64) -> Option<usize> {
        let first = self.entries.front()?.sequence;
        usize::try_from(sequence.checked_sub(first)?).ok()
    }

    pub(crate) fn entries(&self) -> Vec<JournalEntry> {
        self.entries.iter().cloned().collect()
    }

    /// Those with a higher sequence.
    pub(crate) fn entries_after(&self, sequence: u64) -> Vec<JournalEntry> {
        let first = self.index(sequence + 1).unwrap_or_default();
        self.entries
            .range(first.min(self.entries.len())..)
            .cloned()
            .collect()
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.capacity);
    }
}

/// What is known of a request when it arrives.
pub(crate) struct Arrival {
    pub(crate) time: Timestamp,
    pub(crate) elapsed: Duration,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) operation: Option<Operation>,
}

pub(crate) fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let time = Timestamp::try_from(*time).map_err(serde::ser::Error::custom)?;
    serializer.collect_str(&format_args!("{time:.3}"))
}

fn seconds<S: Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(elapsed.as_secs_f64())
}
