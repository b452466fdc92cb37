//! What can go wrong, and where.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::canned::CannedAnswer;
use super::duration_text;

/// What goes wrong, by the place where it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Effect {
    /// Before the call is processed: nothing is stored, nothing billed.
    Before(Before),
    /// After the call is processed: a message is stored, a reply billed.
    After(After),
    /// A well-formed answer that a client had better be ready for.
    Answer(AsAnswer),
}

/// What goes wrong before a call is processed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Before {
    /// The connection is reset (RST) before the call reaches the limits: the
    /// server never took it in. (A port that refuses to connect is a server
    /// that is not there: shut the emulator down for that.)
    Refuse,
    /// The connection is closed (FIN) after the limits counted the call.
    Close,
    /// The call waits this long, in real time, and is then processed, even if
    /// the client has given up meanwhile.
    Delay(#[serde(with = "duration_text")] Duration),
    /// This answer, instead of processing. The limits have counted the call.
    #[serde(alias = "status")]
    Answer(CannedAnswer),
}

/// What goes wrong after a call is processed. A call that is refused, with
/// whatever error, was not processed and goes by unharmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum After {
    /// The connection is closed without an answer.
    Close,
    /// The answer begins, with its full `Content-Length`, and the connection is
    /// closed after this many bytes of the body.
    Cut(usize),
    /// The answer arrives whole, and its body is not JSON.
    Garble,
    /// The answer waits this long, in real time: a client's timeout runs on a
    /// real clock.
    Delay(#[serde(with = "duration_text")] Duration),
    /// This answer instead of the real one.
    #[serde(alias = "status")]
    Answer(CannedAnswer),
}

/// Answers that are well-formed and unpleasant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AsAnswer {
    /// The 429 of the limit that this operation shows. Not processed, not counted.
    TooManyRequests {
        /// With `Retry-After` and the `X-RateLimit-*` headers.
        headers: bool,
        /// Seconds, in the headers and in the body.
        retry_after: u64,
    },
    /// A redirect to a login page, which an expired key may give (facts,
    /// surprise 11). Not processed, not counted.
    LoginRedirect,
    /// An HTML page with status 502, from a proxy that could not reach the
    /// server. Not processed; for a 502 after processing, see [`After::Answer`]
    /// and [`CannedAnswer::bad_gateway`].
    BadGateway,
    /// Status 200 around a refusal: `success:false`, or `status:false` where the
    /// operation has that envelope. Not processed.
    RefusalInSuccess,
    /// A 422 with an `error_code` that no documentation names. Not processed.
    UnknownErrorCode,
    /// Processed; a history carries one more turn, with a role that is not documented.
    UnknownRole,
    /// Processed; `variables` are PHP's empty map, `[]` (facts, surprise 9).
    EmptyVariables,
    /// Processed; the answer has fields that are not documented.
    UnknownFields,
}

/// Where in a call's way an effect is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before anything knows of the call, the limits included.
    Gate,
    /// Once the limits have let the call in.
    Door,
    /// Once the call is processed.
    Exit,
}

impl Effect {
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Before(Before::Refuse)
            | Self::Answer(AsAnswer::TooManyRequests { .. } | AsAnswer::LoginRedirect) => {
                Place::Gate
            }
            Self::Before(_)
            | Self::Answer(
                AsAnswer::BadGateway | AsAnswer::RefusalInSuccess | AsAnswer::UnknownErrorCode,
            ) => Place::Door,
            Self::After(_)
            | Self::Answer(
                AsAnswer::UnknownRole | AsAnswer::EmptyVariables | AsAnswer::UnknownFields,
            ) => Place::Exit,
        }
    }

    /// What the journal calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Before(Before::Refuse) => "before:refuse",
            Self::Before(Before::Close) => "before:close",
            Self::Before(Before::Delay(_)) => "before:delay",
            Self::Before(Before::Answer(_)) => "before:answer",
            Self::After(After::Close) => "after:close",
            Self::After(After::Cut(_)) => "after:cut",
            Self::After(After::Garble) => "after:garble",
            Self::After(After::Delay(_)) => "after:delay",
            Self::After(After::Answer(_)) => "after:answer",
            Self::Answer(AsAnswer::TooManyRequests { .. }) => "answer:too_many_requests",
            Self::Answer(AsAnswer::LoginRedirect) => "answer:login_redirect",
            Self::Answer(AsAnswer::BadGateway) => "answer:bad_gateway",
            Self::Answer(AsAnswer::RefusalInSuccess) => "answer:refusal_in_success",
            Self::Answer(AsAnswer::UnknownErrorCode) => "answer:unknown_error_code",
            Self::Answer(AsAnswer::UnknownRole) => "answer:unknown_role",
            Self::Answer(AsAnswer::EmptyVariables) => "answer:empty_variables",
            Self::Answer(AsAnswer::UnknownFields) => "answer:unknown_fields",
        }
    }
}

impl From<Before> for Effect {
    fn from(before: Before) -> Self {
        Self::Before(before)
    }
}

impl From<After> for Effect {
    fn from(after: After) -> Self {
        Self::After(after)
    }
}

impl From<AsAnswer> for Effect {
    fn from(answer: AsAnswer) -> Self {
        Self::Answer(answer)
    }
}
