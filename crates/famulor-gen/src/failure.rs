//! A view of the generated error that loses nothing and shows no body.

use bytes::Bytes;
use reqwest::{StatusCode, header::HeaderMap};

use crate::{
    answer::{Answer, BodyEnd},
    generated::{Error, types::ApiError},
};

/// What kind of failure a [`Failure`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The request was not made: a value is missing or breaks a documented limit.
    InvalidRequest,
    /// No answer: connecting, sending or waiting failed.
    NoAnswer,
    /// The server refused, with a documented error body.
    Refused,
    /// The server refused inside a 2xx: `status` or `success` is `false`.
    RefusedInsideSuccess,
    /// An answer that is not what the documentation has: another status, no JSON, another shape, a body cut off.
    Unexpected,
}

/// A view of [`Error`] that keeps status, headers and body whatever the server sent, and whose `Display` and `Debug`
/// show none of them but the status and the error's own text.
///
/// ```no_run
/// # async fn example(client: famulor_gen::Client) {
/// use famulor_gen::{Failure, FailureKind};
///
/// if let Err(error) = client.get_conversation().uuid("7c9e6679").send().await {
///     let failure = Failure::from(error);
///     if failure.kind() == FailureKind::Refused {
///         eprintln!("{:?}: {}", failure.status(), failure.text().unwrap_or_default());
///     }
/// }
/// # }
/// ```
pub struct Failure {
    kind: FailureKind,
    status: Option<StatusCode>,
    headers: HeaderMap,
    body: Bytes,
    end: Option<BodyEnd>,
    source: Option<reqwest::Error>,
    reason: Option<String>,
}

impl Failure {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The status, if the server answered.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The headers; empty if the server did not answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, at most 64 KiB of it for an error status. A documented error has been read into its type and is written
    /// again from there; an [`Observer`](crate::Observer) has the bytes as they came.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How the body ended, if there was one.
    #[must_use]
    pub fn body_end(&self) -> Option<BodyEnd> {
        self.end
    }

    /// The error's text, from whichever of the documented envelopes it came in.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        // Not through `ApiError`: another field of an unexpected type must not cost the text.
        let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        let text = |field| body.get(field).and_then(serde_json::Value::as_str);
        match (text("error"), text("message")) {
            (Some(title), Some(message)) => Some(format!("{title}: {message}")),
            (title, message) => title.or(message).map(str::to_owned),
        }
    }

    fn without_answer(
        kind: FailureKind,
        source: Option<reqwest::Error>,
        reason: Option<String>,
    ) -> Self {
        Self {
            kind,
            status: None,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            end: None,
            // An error's own URL can carry a customer's phone number in its query.
            source: source.map(reqwest::Error::without_url),
            reason,
        }
    }
}

impl From<Error<ApiError>> for Failure {
    fn from(error: Error<ApiError>) -> Self {
        match error {
            Error::ErrorResponse(response) => Self {
                kind: FailureKind::Refused,
                status: Some(response.status()),
                headers: response.headers().clone(),
                body: serde_json::to_vec(response.as_ref())
                    .unwrap_or_default()
                    .into(),
                end: Some(BodyEnd::Complete),
                source: None,
                reason: None,
            },
            Error::UnexpectedResponse(response) => {
                let answer = response.extensions().get::<Answer>();
                Self {
                    kind: match answer {
                        Some(answer) if answer.is_refusal_inside_success() => {
                            FailureKind::RefusedInsideSuccess
                        }
                        _ => FailureKind::Unexpected,
                    },
                    status: Some(response.status()),
                    headers: response.headers().clone(),
                    body: answer
                        .map(|answer| answer.body().clone())
                        .unwrap_or_default(),
                    end: answer.map(Answer::end),
                    source: None,
                    reason: None,
                }
            }
            Error::InvalidRequest(reason) => {
                Self::without_answer(FailureKind::InvalidRequest, None, Some(reason))
            }
            Error::CommunicationError(source)
            | Error::InvalidUpgrade(source)
            | Error::ResponseBodyError(source) => {
                Self::without_answer(FailureKind::NoAnswer, Some(source), None)
            }
            Error::InvalidResponsePayload(body, _) => Self {
                body,
                ..Self::without_answer(FailureKind::Unexpected, None, None)
            },
            Error::Custom(reason) => {
                Self::without_answer(FailureKind::InvalidRequest, None, Some(reason))
            }
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.kind, self.status, self.text()) {
            (FailureKind::InvalidRequest, ..) => {
                write!(
                    f,
                    "not sent: {}",
                    self.reason.as_deref().unwrap_or("the request is not valid")
                )
            }
            (FailureKind::NoAnswer, ..) => f.write_str("no answer from the server"),
            (
                FailureKind::Refused | FailureKind::RefusedInsideSuccess,
                Some(status),
                Some(text),
            ) => {
                write!(f, "refused with {}: {text}", status.as_u16())
            }
            (_, Some(status), _) => write!(f, "unexpected answer with status {}", status.as_u16()),
            _ => f.write_str("unexpected answer"),
        }
    }
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failure")
            .field("kind", &self.kind)
            .field("status", &self.status.map(|status| status.as_u16()))
            .field("body_end", &self.end)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}
