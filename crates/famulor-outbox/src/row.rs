//! A message in an outbox, and what became of it.

use std::fmt;
use std::str::FromStr;

use famulor_core::{FunctionCall, OnUnknown};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result, State};

/// How many rows a job can have, as a power of two.
const ORDINAL_BITS: u32 = 40;

/// Names a row of a store. Within a job, ids are in input order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RowId(pub(crate) i64);

impl RowId {
    /// The row of a job by its place in the input: one number, so that a job's rows lie side by side in the store.
    pub(crate) fn of(job: i64, ordinal: i64) -> Result<Self> {
        if !(1..1 << ORDINAL_BITS).contains(&ordinal) || !(0..1 << 22).contains(&job) {
            return Err(Error::new(
                ErrorKind::Invalid,
                "the line number is 0, or the store is out of row numbers",
            ));
        }
        Ok(Self((job << ORDINAL_BITS) | ordinal))
    }

    /// The ids that a job's rows can have, the ends included.
    pub(crate) fn range_of(job: i64) -> (i64, i64) {
        (
            job << ORDINAL_BITS,
            (job << ORDINAL_BITS) | ((1 << ORDINAL_BITS) - 1),
        )
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RowId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = text.trim().parse().ok().filter(|number| *number > 0);
        let invalid = || Error::new(ErrorKind::Invalid, "a row's id is a whole number above 0");
        number.map(Self).ok_or_else(invalid)
    }
}

/// A message in an outbox, and what became of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Row {
    /// Its id in the store.
    pub id: RowId,
    /// The job that it belongs to.
    pub job: String,
    /// The caller's key for it.
    pub key: Option<String>,
    /// The line of the input that it comes from, from 1.
    pub line: Option<u64>,
    /// The caller's own id for it.
    pub caller_id: Option<String>,
    /// The account that sends it.
    pub account: String,
    /// The assistant; 0 if the line was unusable.
    pub assistant: i64,
    /// The customer identifier; empty if the line was unusable.
    pub customer: String,
    /// How far it has got.
    pub state: State,
    /// What the assistant said. `None` also where a person has taken the conversation over.
    pub reply: Option<String>,
    /// The conversation that it is in.
    pub conversation_id: Option<String>,
    /// The tools that the assistant ran.
    pub function_calls: Vec<FunctionCall>,
    /// Whether a person has taken the conversation over; `None` while it is not known.
    pub ai_disabled: Option<bool>,
    /// Why it was not answered, or not yet.
    pub error: Option<RowError>,
    /// How often it was sent, or was about to be.
    pub attempts: u32,
    /// Why a person has to decide.
    pub reason: Option<String>,
    /// What to do when nobody knows whether it arrived.
    pub on_unknown: OnUnknown,
}

impl Row {
    /// Whether nothing happens to it any more unless somebody asks for it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.state.is_final()
            || (self.state == State::InDoubt && self.on_unknown == OnUnknown::Fail)
    }
}

/// Shows how it stands; no text, no customer, no conversation.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("id", &self.id)
            .field("job", &self.job)
            .field("line", &self.line)
            .field("state", &self.state)
            .field("has_reply", &self.reply.is_some())
            .field("attempts", &self.attempts)
            .field("reason", &self.reason)
            .field("error", &self.error.as_ref().map(|error| &error.kind))
            .finish_non_exhaustive()
    }
}

/// Why a message was not answered, in the words of the contract's error object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RowError {
    /// The kind of failure, as [`famulor_core::ErrorKind`] names it.
    pub kind: String,
    /// The API's `error_code`, where it sent one.
    pub code: Option<String>,
    /// What happened, in the server's words where it gave any. What it quoted of the message is blacked out.
    pub message: String,
    /// The HTTP status, if the server answered.
    pub http_status: Option<u16>,
    /// How long the server asked to wait, in seconds.
    pub retry_after_s: Option<f64>,
    /// Whether it was sent: `not_sent`, `refused`, `unknown`, `processed`.
    pub delivery: String,
}

impl RowError {
    pub(crate) fn of(error: &famulor_core::Error) -> Self {
        Self {
            kind: error.kind().as_str().to_owned(),
            code: error.code().map(|code| code.as_str().to_owned()),
            message: error.message().to_owned(),
            http_status: error.status(),
            retry_after_s: error.retry_after().map(|wait| wait.as_secs_f64()),
            delivery: error.delivery().as_str().to_owned(),
        }
    }

    pub(crate) fn plain(kind: &str, message: impl Into<String>, delivery: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            code: None,
            message: message.into(),
            http_status: None,
            retry_after_s: None,
            delivery: delivery.to_owned(),
        }
    }

    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What a person decides about a row in review.
#[derive(Clone)]
#[non_exhaustive]
pub enum Resolution {
    /// It arrived: this is what the conversation shows.
    Done {
        /// The assistant's answer, if there is one.
        reply: Option<String>,
        /// The conversation, if it is known.
        conversation_id: Option<String>,
    },
    /// It did not arrive: send it again. If it did, it is billed twice.
    SendAgain,
    /// Leave it: it counts as failed.
    GiveUp,
}

impl fmt::Debug for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done { .. } => "Done",
            Self::SendAgain => "SendAgain",
            Self::GiveUp => "GiveUp",
        })
    }
}
