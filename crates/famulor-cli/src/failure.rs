//! Why a command failed, whether the message was sent, and what to do next.

use std::io;
use std::time::Duration;

use crate::error_object::{ErrorFields, ErrorObject, Seconds};
use crate::exit::Exit;
use famulor_core::{Delivery, ErrorKind};

/// The end of a command that did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    Report(Box<Report>),
    /// Nobody reads our output any more (`famulor … | head`): end quietly.
    BrokenPipe,
    /// A server was told to stop, and did.
    Stopped(Exit),
    /// The command has said itself what is wrong.
    Told(Exit),
}

/// Everything that is told about a failure.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) kind: ErrorKind,
    /// The API's machine-readable code, if it sent one.
    pub(crate) code: Option<String>,
    /// The cause, in one line.
    pub(crate) message: String,
    /// Further lines: the API's complaints, field by field.
    pub(crate) details: Vec<String>,
    pub(crate) http_status: Option<u16>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) delivery: Delivery,
    /// The call reads and changes nothing.
    pub(crate) read_only: bool,
    pub(crate) attempts: u32,
    pub(crate) exit: Exit,
    /// What to do next.
    pub(crate) next: Option<String>,
    /// It is about many messages, and what became of each is told elsewhere.
    pub(crate) of_batch: bool,
}

impl Failure {
    fn before_sending(kind: ErrorKind, exit: Exit, message: String) -> Self {
        Self::Report(Box::new(Report {
            kind,
            code: None,
            message,
            details: Vec::new(),
            http_status: None,
            retry_after: None,
            delivery: Delivery::NotSent,
            read_only: false,
            attempts: 0,
            exit,
            next: None,
            of_batch: false,
        }))
    }

    /// An argument or its value is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::before_sending(ErrorKind::InvalidRequest, Exit::Usage, message.into())
    }

    /// The environment, a file or the configuration is wrong.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::before_sending(ErrorKind::Config, Exit::Usage, message.into())
    }

    /// Something broke that nobody planned for.
    pub(crate) fn unexpected(message: impl Into<String>) -> Self {
        Self::before_sending(ErrorKind::Internal, Exit::Unexpected, message.into())
    }

    /// No key, and the command cannot do without.
    pub(crate) fn no_key() -> Self {
        let message = "there is no API key".to_owned();
        Self::before_sending(ErrorKind::Auth, Exit::Auth, message).next(
            "store one with famulor auth login, set FAMULOR_API_KEY, or add --emulator: no key, \
             no cost",
        )
    }

    /// There is a stored key, and it is not for this address.
    pub(crate) fn key_elsewhere(bound_to: &str, base_url: &str) -> Self {
        let message =
            format!("the stored key is for {bound_to} alone, and is not sent to {base_url}");
        Self::before_sending(ErrorKind::Auth, Exit::Auth, message).next(
            "store one for that address too, in a profile of its own (famulor profile create, \
             famulor auth login), or set FAMULOR_API_KEY",
        )
    }

    /// A signal ended the command.
    pub(crate) fn by_signal(exit: Exit, delivery: Delivery, message: String) -> Self {
        let kind = match delivery {
            Delivery::NotSent => ErrorKind::Internal,
            Delivery::Refused => ErrorKind::RateLimited,
            _ => ErrorKind::UnknownOutcome,
        };
        let mut failure = Self::before_sending(kind, exit, message);
        if let Self::Report(report) = &mut failure {
            report.delivery = delivery;
        }
        failure
    }

    /// Adds a line each to the cause.
    pub(crate) fn details(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        if let Self::Report(report) = &mut self {
            report.details.extend(lines);
        }
        self
    }

    /// Nothing was to be sent, so nobody asks whether it was.
    pub(crate) fn of_this_machine(mut self) -> Self {
        if let Self::Report(report) = &mut self {
            report.read_only = true;
        }
        self
    }

    /// A whole batch failed, was stopped or left something open.
    pub(crate) fn of_batch(kind: ErrorKind, exit: Exit, message: impl Into<String>) -> Self {
        let mut failure = Self::before_sending(kind, exit, message.into());
        if let Self::Report(report) = &mut failure {
            report.of_batch = true;
        }
        failure
    }

    /// Says what to do next.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        if let Self::Report(report) = &mut self {
            report.next = Some(next.into());
        }
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Report(report) => report.exit,
            Self::BrokenPipe => Exit::Success,
            Self::Stopped(exit) | Self::Told(exit) => *exit,
        }
    }
}

impl From<famulor_core::Error> for Failure {
    fn from(error: famulor_core::Error) -> Self {
        let kind = error.kind();
        let read_only = error.is_read_only();
        let details = error
            .field_errors()
            .iter()
            .flat_map(|(field, complaints)| complaints.iter().map(move |c| (field, c)))
            // A single complaint is often the message itself.
            .filter(|(_, complaint)| complaint.as_str() != error.message())
            .map(|(field, complaint)| format!("{field}: {complaint}"))
            .collect();
        Self::Report(Box::new(Report {
            kind,
            code: error.code().map(|code| code.as_str().to_owned()),
            message: error.message().to_owned(),
            details,
            http_status: error.status(),
            retry_after: error.retry_after(),
            delivery: error.delivery(),
            read_only,
            attempts: error.attempts(),
            exit: Exit::of(kind, read_only),
            next: next_step(kind, &error),
            of_batch: false,
        }))
    }
}

/// The library's advice speaks of builders; where a flag does it, name the flag.
fn next_step(kind: ErrorKind, error: &famulor_core::Error) -> Option<String> {
    let advice = match (kind, error.delivery()) {
        (ErrorKind::Auth, Delivery::Refused) => {
            "check the key in FAMULOR_API_KEY (or --api-key-file): it was refused"
        }
        (ErrorKind::RateLimited, Delivery::NotSent) => {
            "try again later, or allow a longer wait with --max-wait and --deadline"
        }
        (ErrorKind::Network, _) => "check the connection and --base-url, then run it again",
        (ErrorKind::UnknownOutcome | ErrorKind::Unreadable, _) if !error.is_read_only() => {
            "look at the conversation (famulor conversation list, famulor conversation get) \
             before sending it again: a second message is billed a second time"
        }
        _ => return error.hint().map(str::to_owned),
    };
    Some(advice.to_owned())
}

/// Standard output failed: quietly if its reader went away, loudly otherwise.
/// Answers are written once they are there, so what was asked for is done.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::BrokenPipe;
        }
        let mut failure = Self::unexpected(format!("cannot write the output: {error}"));
        if let Self::Report(report) = &mut failure {
            report.delivery = Delivery::Processed;
        }
        failure
    }
}

impl Report {
    /// The object that JSON output puts on standard error.
    pub(crate) fn json(&self) -> ErrorObject<'_> {
        ErrorObject {
            error: ErrorFields {
                kind: self.kind.as_str(),
                code: self.code.as_deref(),
                message: self.one_line().into(),
                http_status: self.http_status,
                retry_after_s: self.retry_after.map(Seconds::from),
                delivery: self.delivery.as_str(),
                attempts: self.attempts,
                exit: self.exit.code(),
            },
        }
    }

    /// The cause with all of the API's complaints: JSON has one field for both.
    fn one_line(&self) -> String {
        let details = self.details.iter().map(|detail| format!("; {detail}"));
        std::iter::once(self.message.clone())
            .chain(details)
            .collect()
    }

    /// `HTTP 404, ASSISTANT_NOT_FOUND`, for people.
    pub(crate) fn answer_line(&self) -> Option<String> {
        let status = self.http_status?;
        Some(match &self.code {
            Some(code) => format!("HTTP {status}, {code}"),
            None => format!("HTTP {status}"),
        })
    }

    /// Answers "was it sent?". Nothing to answer when nothing was to be sent.
    pub(crate) fn delivery_line(&self) -> Option<&'static str> {
        if self.read_only || self.of_batch {
            return None;
        }
        match (self.delivery, self.kind) {
            (Delivery::NotSent, ErrorKind::Internal) if self.exit == Exit::Unexpected => None,
            (Delivery::NotSent, _) => Some("nothing was sent"),
            (Delivery::Refused, _) => Some("it was refused before it was processed: not billed"),
            (Delivery::Processed, ErrorKind::Internal) => {
                Some("it was done (and billed, if it was billable); only its answer is not shown")
            }
            (Delivery::Processed, _) => Some(
                "it was sent and processed (and billed, if it was billable), though the answer \
                 could not be read",
            ),
            _ => Some("it was sent; whether it was processed, and billed, is not known"),
        }
    }
}
