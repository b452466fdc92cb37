//! One answer of the server, read once and kept whole.

use bytes::{Bytes, BytesMut};
use reqwest::{Response, StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;

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
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) end: BodyEnd,
}

impl Answer {
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
            && self.body.windows(5).any(|word| word == b"false")
            && serde_json::from_slice::<Envelope>(&self.body)
                .is_ok_and(|e| e.status == false || e.success == false)
    }

    /// Reads a response to its end or to the ceiling for its status. Never fails: a body that is cut off is an answer too.
    pub(crate) async fn read(mut response: Response, success_ceiling: usize) -> Self {
        let status = response.status();
        let headers = response.headers().clone();
        let ceiling = if status.is_success() {
            success_ceiling
        } else {
            ERROR_BODY_CEILING
        };
        let (body, end) = read_body(&mut response, ceiling).await;
        Self {
            status,
            headers,
            body,
            end,
        }
    }

    /// A response with this answer's status, headers and body, and the answer itself in its extensions.
    pub(crate) fn into_response(self) -> Response {
        let mut response = http::Response::new(self.body.clone());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response.extensions_mut().insert(self);
        response.into()
    }
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

async fn read_body(response: &mut Response, ceiling: usize) -> (Bytes, BodyEnd) {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let end = match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = ceiling - first.len() - rest.len();
                let taken = chunk.slice(..chunk.len().min(room));
                // Most bodies are one chunk and need no copy.
                if first.is_empty() && rest.is_empty() {
                    first = taken;
                } else {
                    rest.extend_from_slice(&taken);
                }
                if chunk.len() <= room {
                    continue;
                }
                BodyEnd::TooLarge
            }
            Ok(None) => BodyEnd::Complete,
            Err(_) => BodyEnd::Cut,
        };
        if rest.is_empty() {
            return (first, end);
        }
        let mut whole = BytesMut::with_capacity(first.len() + rest.len());
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&rest);
        return (whole.freeze(), end);
    }
}

/// Decodes a response as the generated client's `from_response` does, but without losing status and headers when it
/// cannot: whatever is not the documented type comes back as [`Error::UnexpectedResponse`].
pub(crate) async fn decode<T: DeserializeOwned, E>(
    response: Response,
) -> Result<ResponseValue<T>, Error<E>> {
    let Some(answer) = response.extensions().get::<Answer>() else {
        return Err(Error::UnexpectedResponse(response));
    };
    if answer.end != BodyEnd::Complete || answer.is_refusal_inside_success() {
        return Err(Error::UnexpectedResponse(response));
    }
    match serde_json::from_slice(&answer.body) {
        Ok(value) => Ok(ResponseValue::new(
            value,
            answer.status,
            answer.headers.clone(),
        )),
        Err(_) => Err(Error::UnexpectedResponse(response)),
    }
}
