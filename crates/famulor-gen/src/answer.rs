//! One answer of the server, read once and kept whole.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use reqwest::{Response, ResponseBuilderExt, StatusCode, Url, header::HeaderMap};
use serde::de::DeserializeOwned;

use crate::Observer;
use crate::generated::{Error, ResponseValue};

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
#[derive(Clone)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Arc<HeaderMap>,
    pub(crate) body: Bytes,
    pub(crate) end: BodyEnd,
}

impl Answer {
    /// An answer of these parts, for fuzzing; `None` if HTTP has no such status or header.
    #[cfg(fuzzing)]
    #[doc(hidden)]
    pub fn of(status: u16, headers: &[(&str, &[u8])], body: &[u8]) -> Option<Self> {
        let mut map = HeaderMap::new();
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            let name = http::HeaderName::try_from(*name).ok()?;
            map.insert(name, http::HeaderValue::from_bytes(value).ok()?);
        }
        Some(Self {
            status: StatusCode::from_u16(status).ok()?,
            headers: Arc::new(map),
            body: Bytes::copy_from_slice(body),
            end: BodyEnd::Complete,
        })
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, as far as it came.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// How the body ended.
    #[must_use]
    pub fn end(&self) -> BodyEnd {
        self.end
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
        self.status.is_success()
            && may_say_no(&self.body)
            && serde_json::from_slice::<Envelope>(&self.body)
                .is_ok_and(|e| e.status == false || e.success == false)
    }

    /// Reads a response to its end or to the ceiling for its status. Never fails: a body that is cut off is an answer
    /// too. Dropped on the way, as when its caller's time is up, it notes what came so far.
    pub(crate) async fn read(
        mut response: Response,
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
        let end = reading.read_body(&mut response, ceiling).await;
        let observer = reading.observer.take();
        let answer = reading.answer(end);
        if let Some(observer) = observer {
            observer.note_answer(&answer);
        }
        answer
    }

    /// A response with this answer's status, headers and body, and the answer itself in its extensions.
    pub(crate) fn into_response(self, url: Url) -> Response {
        // Without a URL of its own the conversion would make one up, and parse it every time.
        let mut response = http::Response::builder()
            .url(url)
            .body(self.body.clone())
            .unwrap_or_default();
        *response.status_mut() = self.status;
        *response.headers_mut() = HeaderMap::clone(&self.headers);
        response.extensions_mut().insert(self);
        response.into()
    }
}

/// Whether `"status"` or `"success"` is somewhere followed by `false`.
fn may_say_no(body: &[u8]) -> bool {
    let starts = body.windows(2).enumerate().filter(|(_, two)| two == b"\"s");
    let keys = starts.filter_map(|(start, _)| {
        let rest = &body[start..];
        rest.strip_prefix(b"\"status\"")
            .or_else(|| rest.strip_prefix(b"\"success\""))
    });
    keys.map(<[u8]>::trim_ascii_start).any(|rest| {
        let value = rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start);
        value.is_some_and(|value| value.starts_with(b"false"))
    })
}

/// Shows status and length, never headers or content.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status.as_u16())
            .field("body_bytes", &self.body.len())
            .field("end", &self.end)
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
                Ok(Some(chunk)) => {
                    let room = ceiling - self.first.len() - self.rest.len();
                    let taken = chunk.slice(..chunk.len().min(room));
                    if self.first.is_empty() && self.rest.is_empty() {
                        self.first = taken;
                    } else {
                        self.rest.extend_from_slice(&taken);
                    }
                    if chunk.len() > room {
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
        Answer {
            status: self.status,
            headers: Arc::new(std::mem::take(&mut self.headers)),
            body,
            end,
        }
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

/// Decodes a response as the generated client's `from_response` does, but without losing status and headers when it
/// cannot: whatever is not the documented type comes back as [`Error::UnexpectedResponse`].
pub(crate) async fn decode<T: DeserializeOwned, E>(
    mut response: Response,
) -> Result<ResponseValue<T>, Error<E>> {
    let Some(answer) = response.extensions().get::<Answer>() else {
        return Err(Error::UnexpectedResponse(response));
    };
    if answer.end != BodyEnd::Complete || answer.is_refusal_inside_success() {
        return Err(Error::UnexpectedResponse(response));
    }
    match serde_json::from_slice(&answer.body) {
        Ok(value) => {
            let status = answer.status;
            let headers = std::mem::take(response.headers_mut());
            Ok(ResponseValue::new(value, status, headers))
        }
        Err(_) => Err(Error::UnexpectedResponse(response)),
    }
}
