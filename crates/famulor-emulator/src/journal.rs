//! What happened, request by request: a bounded list, never a token, never a message.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::clock::timestamp;
use crate::money::Amount;
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

    fn copy(body: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(body))
    }

    /// The part of a body that is kept.
    fn kept(body: &[u8]) -> &[u8] {
        &body[..body.len().min(Self::LONGEST)]
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
    notes: VecDeque<Note>,
    capacity: usize,
    next: u64,
    /// The emulated time at the start.
    origin: Timestamp,
}

/// What is written down of a request while it is served: as little work as can
/// be. [`JournalEntry`] is made of it for those who look.
pub(crate) struct Note {
    sequence: u64,
    pub(crate) elapsed: Duration,
    method: Method,
    operation: Option<Operation>,
    pub(crate) status: Option<u16>,
    pub(crate) counted: bool,
    pub(crate) processed: bool,
    pub(crate) billed: Option<Amount>,
    pub(crate) fault: Option<String>,
    /// All texts, one after the other in the order of [`Part`], so that they are
    /// written into one piece of memory: a journal is long, and what it holds is
    /// in no cache any more.
    texts: Vec<u8>,
    /// Where each part ends.
    ends: [u32; 5],
}

/// What is known of a request in text, in the order in which it becomes known.
#[derive(Clone, Copy)]
enum Part {
    Path,
    Customer,
    Asked,
    Token,
    Answered,
}

impl Note {
    /// Whom a request is about, and what it says.
    pub(crate) fn asked(&mut self, customer: Option<&str>, body: &[u8]) {
        self.write(Part::Customer, customer.unwrap_or_default().as_bytes());
        self.write(Part::Asked, Recorded::kept(body));
    }

    /// The mark of who asks.
    pub(crate) fn token(&mut self, mark: &str) {
        self.write(Part::Token, mark.as_bytes());
    }

    /// What it was answered.
    pub(crate) fn answered(&mut self, body: &[u8]) {
        self.write(Part::Answered, Recorded::kept(body));
    }

    /// Nothing that comes after this part is written before it.
    fn write(&mut self, part: Part, text: &[u8]) {
        let index = part as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.texts.truncate(start as usize);
        self.texts.extend_from_slice(text);
        let end = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.ends[index..].fill(end);
    }

    fn part(&self, part: Part) -> &[u8] {
        let index = part as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let range = start as usize..self.ends[index] as usize;
        self.texts.get(range).unwrap_or_default()
    }

    /// Empty: none. A customer has a name, and a token a mark.
    fn text(&self, part: Part) -> Option<String> {
        let text = self.part(part);
        (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
    }

    fn entry(&self, origin: Timestamp) -> JournalEntry {
        JournalEntry {
            sequence: self.sequence,
            time: timestamp(origin, self.elapsed).into(),
            elapsed: self.elapsed,
            method: self.method.to_string(),
            path: self.text(Part::Path).unwrap_or_default(),
            operation: self.operation,
            token: self.text(Part::Token),
            customer: self.text(Part::Customer),
            status: self.status,
            counted: self.counted,
            processed: self.processed,
            billed: self.billed.map(Amount::as_dollars),
            fault: self.fault.clone(),
            asked: Recorded::copy(self.part(Part::Asked)),
            answered: Recorded::copy(self.part(Part::Answered)),
        }
    }
}

impl Journal {
    pub(crate) fn new(capacity: usize, origin: Timestamp) -> Self {
        Self {
            notes: VecDeque::new(),
            capacity: capacity.max(1),
            next: 1,
            origin,
        }
    }

    /// Writes a request down and gives it its number.
    pub(crate) fn begin(&mut self, arrival: Arrival<'_>) -> u64 {
        let sequence = self.next;
        self.next += 1;
        // A full journal writes over what it forgets, in the memory that is there.
        let forgotten = if self.notes.len() == self.capacity {
            self.notes.pop_front()
        } else {
            None
        };
        let mut texts = forgotten.map(|note| note.texts).unwrap_or_default();
        texts.clear();
        // Memory for a usual request is used again, more than that is given back.
        texts.shrink_to(USUAL);
        texts.reserve(USUAL);
        let mut note = Note {
            sequence,
            elapsed: arrival.elapsed,
            method: arrival.method.clone(),
            operation: arrival.operation,
            status: None,
            counted: false,
            processed: false,
            billed: None,
            fault: None,
            texts,
            ends: [0; 5],
        };
        note.write(Part::Path, arrival.path.as_bytes());
        self.notes.push_back(note);
        sequence
    }

    /// Adds to what is known of a request, unless it is forgotten already.
    pub(crate) fn note(&mut self, sequence: u64, note: impl FnOnce(&mut Note)) {
        if let Some(known) = self
            .index(sequence)
            .and_then(|index| self.notes.get_mut(index))
        {
            note(known);
        }
    }

    pub(crate) fn entry(&self, sequence: u64) -> Option<JournalEntry> {
        let note = self.notes.get(self.index(sequence)?)?;
        Some(note.entry(self.origin))
    }

    fn index(&self, sequence: u64) -> Option<usize> {
        let first = self.notes.front()?.sequence;
        usize::try_from(sequence.checked_sub(first)?).ok()
    }

    pub(crate) fn entries(&self) -> Vec<JournalEntry> {
        let entry = |note: &Note| note.entry(self.origin);
        self.notes.iter().map(entry).collect()
    }

    /// Those with a higher sequence.
    pub(crate) fn entries_after(&self, sequence: u64) -> Vec<JournalEntry> {
        let first = self.index(sequence.saturating_add(1)).unwrap_or_default();
        self.notes
            .range(first.min(self.notes.len())..)
            .map(|note| note.entry(self.origin))
            .collect()
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.capacity, self.origin);
    }
}

/// As many bytes as all texts of a usual request take.
const USUAL: usize = 640;

/// What is known of a request when it arrives.
pub(crate) struct Arrival<'a> {
    pub(crate) elapsed: Duration,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) operation: Option<Operation>,
}

pub(crate) fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let time = Timestamp::try_from(*time).map_err(serde::ser::Error::custom)?;
    serializer.collect_str(&format_args!("{time:.3}"))
}

fn seconds<S: Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(elapsed.as_secs_f64())
}
