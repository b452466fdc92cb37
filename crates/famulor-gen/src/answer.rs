//! One answer of the server, read once and kept whole.

use std::sync::{Arc, LazyLock};

use bytes::{Bytes, BytesMut};
use memchr::memmem::Finder;
use reqwest::{Request, Response, ResponseBuilderExt, StatusCode, Url, header::HeaderMap};
use serde::de::DeserializeOwned;

use crate::generated::{Error, ResponseValue};
use crate::hooks::watch_body;
use crate::{Client, Observer};

/// How much of an error's body is kept, in bytes: enough for any message, too little to fill a memory or a log.
pub const ERROR_BODY_CEILING: usize = 64 * 1024;

/// How much of a success's body is read by default, in bytes.
pub const SUCCESS_BODY_CEILING: usize = 16 * 1024 * 1024;

/// How the body of an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyEnd {
    /// All of it came.
    Complete,
    /// The connection failed or the time ran out before all of it came.
    Cut,
    /// It was longer than the ceiling; the rest was not read.
    TooLarge,
}

/// What the server answered: status, headers, and the body as far as it came and as far as the ceiling lets it.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct Answer(Arc<Whole>);

#[derive(Clone)]
struct Whole {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    end: BodyEnd,
}

impl Answer {
    /// An answer of these parts, for tests and fuzzing; `None` if HTTP has no such status or header.
    #[doc(hidden)]
    #[must_use]
    pub fn of(status: u16, headers: &[(&str, &[u8])], body: &[u8]) -> Option<Self> {
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            let name = http::HeaderName::try_from(*name).ok()?;
            map.insert(name, http::HeaderValue::from_bytes(value).ok()?);
        }
        Some(Self(Arc::new(Whole {
            status: StatusCode::from_u16(status).ok()?,
            headers: map,
            body: Bytes::copy_from_slice(body),
            end: BodyEnd::Complete,
        })))
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The body, as far as it came.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// How the body ended.
    #[must_use]
    pub fn end(&self) -> BodyEnd {
        self.0.end
    }

    /// Whether this is a 2xx whose body says that the request was refused: `status` or `success` is `false`.
    #[must_use]
    pub fn is_refusal_inside_success(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Envelope {
            #[serde(default)]
            status: serde_json::Value,
            #[serde(default)]
            success: serde_json::Value,
        }
        // Most successes are told by a look at their bytes, without parsing them twice.
        self.status().is_success()
            && may_say_no(self.body())
            && serde_json::from_slice::<Envelope>(self.body())
                .is_ok_and(|e| e.status == false || e.success == false)
    }

    /// Whether it is a success, and all of it came.
    pub(crate) fn is_whole_success(&self) -> bool {
        self.status().is_success()
            && self.end() == BodyEnd::Complete
            && !self.is_refusal_inside_success()
    }

    /// Reads a response to its end or to the ceiling for its status. Never fails: a body that is cut off is an answer
    /// too. Dropped on the way, as when its caller's time is up, it notes what came so far.
    pub(crate) async fn read(
        response: &mut Response,
        success_ceiling: usize,
        observer: Option<Observer>,
    ) -> Self {
        let status = response.status();
        let ceiling = if status.is_success() {
            success_ceiling
        } else {
            ERROR_BODY_CEILING
        };
        let mut reading = Reading {
            status,
            headers: std::mem::take(response.headers_mut()),
            first: Bytes::new(),
            rest: BytesMut::new(),
            observer,
        };
        let end = reading.read_body(response, ceiling).await;
        let observer = reading.observer.take();
        let answer = reading.answer(end);
        if let Some(observer) = observer {
            observer.note_answer(&answer);
        }
        answer
    }

    fn into_value<T>(self, value: T) -> ResponseValue<T> {
        let status = self.status();
        let headers = match Arc::try_unwrap(self.0) {
            Ok(whole) => whole.headers,
            // An observer has it too.
            Err(shared) => shared.headers.clone(),
        };
        ResponseValue::new(value, status, headers)
    }

    /// A response with this answer's status, headers and body, and the answer itself in its extensions.
    fn into_response(self, url: Url) -> Response {
        // Without a URL of its own the conversion would make one up.
        let mut response = http::Response::builder()
            .url(url)
            .body(self.body().clone())
            .unwrap_or_default();
        *response.status_mut() = self.status();
        *response.headers_mut() = self.headers().clone();
        response.extensions_mut().insert(self);
        response.into()
    }
}

/// Whether `false` is somewhere the value of `"status"` or `"success"`.
fn may_say_no(body: &[u8]) -> bool {
    static FALSE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("false"));
    FALSE.find_iter(body).any(|at| {
        let before = body[..at].trim_ascii_end();
        let key = before.strip_suffix(b":").map(<[u8]>::trim_ascii_end);
        key.is_some_and(|key| key.ends_with(b"\"status\"") || key.ends_with(b"\"success\""))
    })
}

/// Shows status and length, never headers or content.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status().as_u16())
            .field("body_bytes", &self.body().len())
            .field("end", &self.end())
            .finish_non_exhaustive()
    }
}

/// An answer of which the head has come and the body is coming.
struct Reading {
    status: StatusCode,
    headers: HeaderMap,
    /// Most bodies are one chunk and need no copy.
    first: Bytes,
    rest: BytesMut,
    observer: Option<Observer>,
}

impl Reading {
    async fn read_body(&mut self, response: &mut Response, ceiling: usize) -> BodyEnd {
        loop {
            match response.chunk().await {
                Ok(Some(mut chunk)) => {
                    let room = ceiling - self.first.len() - self.rest.len();
                    let too_large = chunk.len() > room;
                    chunk.truncate(room);
                    if self.first.is_empty() && self.rest.is_empty() {
                        self.first = chunk;
                    } else {
                        self.rest.extend_from_slice(&chunk);
                    }
                    if too_large {
                        return BodyEnd::TooLarge;
                    }
                }
                Ok(None) => return BodyEnd::Complete,
                Err(_) => return BodyEnd::Cut,
            }
        }
    }

    fn answer(&mut self, end: BodyEnd) -> Answer {
        let first = std::mem::take(&mut self.first);
        let body = if self.rest.is_empty() {
            first
        } else {
            let mut whole = BytesMut::with_capacity(first.len() + self.rest.len());
            whole.extend_from_slice(&first);
            whole.extend_from_slice(&self.rest);
            whole.freeze()
        };
        Answer(Arc::new(Whole {
            status: self.status,
            headers: std::mem::take(&mut self.headers),
            body,
            end,
        }))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(observer) = self.observer.take() {
            let answer = self.answer(BodyEnd::Cut);
            observer.note_answer(&answer);
        }
    }
}

impl Client {
    /// Sends a request and reads the answer. The response is what is left of it: its URL.
    pub(crate) async fn answer(&self, mut request: Request) -> reqwest::Result<(Answer, Response)> {
        if let Some(observer) = &self.inner.observer {
            watch_body(&mut request, observer);
        }
        let mut response = self.client.execute(request).await?;
        let observer = self.inner.observer.clone();
        let answer = Answer::read(&mut response, self.inner.body_ceiling, observer).await;
        Ok((answer, response))
    }
}

/// Sends a generated request and decodes the answer: a whole success into `T`, a refusal with a documented status into
/// `E`. Whatever else comes is an [`Error::UnexpectedResponse`] with status, headers and body.
pub(crate) async fn ask<T: DeserializeOwned, E: DeserializeOwned>(
    client: &Client,
    request: Request,
    is_documented_refusal: impl Fn(u16) -> bool,
) -> Result<ResponseValue<T>, Error<E>> {
    let (answer, response) = client.answer(request).await?;
    if answer.is_whole_success() {
        if let Ok(value) = serde_json::from_slice(answer.body()) {
            return Ok(answer.into_value(value));
        }
    } else if answer.end() == BodyEnd::Complete
        && is_documented_refusal(answer.status().as_u16())
        && let Ok(value) = serde_json::from_slice(answer.body())
    {
        return Err(Error::ErrorResponse(answer.into_value(value)));
    }
    Err(unexpected(answer, response))
}

pub(crate) fn unexpected<E>(answer: Answer, response: Response) -> Error<E> {
    let url = response.url().clone();
    Error::UnexpectedResponse(answer.into_response(url))
}
