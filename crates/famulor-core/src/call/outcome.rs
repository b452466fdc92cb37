//! What became of one attempt, read from the generated client's result and from what its observer saw.

use famulor_gen::{Error as Generated, Observer, types::ApiError};

use super::{Effect, Operation};
use crate::error::{Refusal, classify_answer};
use crate::{Delivery, Error, ErrorKind};

/// What became of one attempt.
pub(super) enum Outcome<T> {
    /// The documented answer.
    Answered(T),
    /// Any other answer.
    Refused(Refusal),
    /// It failed before the server could have it.
    NotSent(Error),
    /// It was sent, and no answer came.
    Unanswered(Error),
    /// It was never tried: a value cannot be sent.
    Impossible(Error),
}

/// Reads the result of an attempt. `None` stands for one that ran out of time.
pub(super) fn outcome<T>(
    result: Option<Result<T, Generated<ApiError>>>,
    observer: &Observer,
    operation: &Operation,
) -> Outcome<T> {
    let error = match result {
        Some(Ok(value)) => return Outcome::Answered(value),
        Some(Err(error)) => Some(error),
        None => None,
    };
    if let Some(answer) = observer.answer() {
        return Outcome::Refused(classify_answer(answer, operation.effect));
    }
    let source = match error {
        Some(Generated::InvalidRequest(reason)) => {
            return Outcome::Impossible(Error::invalid_request(reason, "correct the value"));
        }
        Some(Generated::CommunicationError(source)) => Some(source),
        _ => None,
    };
    // Only a request with a body is watched; of the others a failed connection is the only proof.
    let unsent = observer.has_body() && !observer.body_was_sent();
    let failed_to_connect = source.as_ref().is_some_and(reqwest::Error::is_connect);
    if failed_to_connect || unsent {
        let text = source
            .as_ref()
            .map_or("no connection in time", connect_text);
        let error = Error::new(ErrorKind::Network, Delivery::NotSent, text)
            .with_hint("check the network and the base URL, then repeat it");
        return Outcome::NotSent(with_source(error, source));
    }
    let text = match &source {
        None => "no answer in time",
        Some(source) if source.is_timeout() => "no answer in time",
        Some(_) => "the connection ended before the answer came",
    };
    let (kind, hint) = match operation.effect {
        Effect::Read => (ErrorKind::Network, "try again later"),
        Effect::Set | Effect::Add => (
            ErrorKind::UnknownOutcome,
            "do not repeat it blindly: read the conversation first",
        ),
    };
    Outcome::Unanswered(with_source(
        Error::new(kind, Delivery::Unknown, text).with_hint(hint),
        source,
    ))
}

fn connect_text(source: &reqwest::Error) -> &'static str {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(source);
    while let Some(error) = cause {
        if error.is::<tokio::time::error::Elapsed>() {
            return "no connection in time";
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::ConnectionRefused
        {
            return "the server refuses connections";
        }
        let text = error.to_string();
        if text.contains("dns error") {
            return "the server's name cannot be resolved";
        }
        if text.contains("certificate") {
            return "the server's certificate is not trusted";
        }
        cause = error.source();
    }
    "no connection to the server"
}

fn with_source(error: Error, source: Option<reqwest::Error>) -> Error {
    match source {
        // Its URL can hold a conversation id or a customer.
        Some(source) => error.with_source(source.without_url()),
        None => error,
    }
}
