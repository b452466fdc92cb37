//! An answer on its way: nearly all are whole in memory, a few take their time.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use memchr::memchr2;
use serde::Serialize;

/// What the API answers with.
pub(crate) type Response = http::Response<Body>;

/// The body of an answer. Not a boxed one: the journal keeps what was said, and
/// a body that is there at once can be kept without reading it again.
pub(crate) enum Body {
    /// All of it, in memory.
    Whole(Bytes),
    /// In pieces: the control plane's, and those that stall or break off.
    Pieces(axum::body::Body),
}

impl Body {
    pub(crate) const EMPTY: Self = Self::Whole(Bytes::new());
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes.into())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Pieces(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Pieces(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Pieces(body) => body.size_hint(),
        }
    }
}

/// As long as most bodies are.
const USUAL: usize = 512;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(USUAL);
    if serde_json::to_writer(&mut body, value).is_err() {
        // Maps with keys that are no text; the API has none.
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    }
    of_json(status, body)
}

fn of_json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = http::Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A 200 with JSON.
pub(crate) fn ok(value: &impl Serialize) -> Response {
    json(StatusCode::OK, value)
}

/// A status and nothing else.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = http::Response::new(Body::EMPTY);
    *response.status_mut() = status;
    response
}

/// A JSON object that is written as it comes, for the answer that a load test
/// asks for by the million: half the work of serde's, which looks at every key
/// and at every letter of every text.
pub(crate) struct Object(Vec<u8>);

impl Object {
    pub(crate) fn new() -> Self {
        let mut body = Vec::with_capacity(USUAL);
        body.push(b'{');
        Self(body)
    }

    pub(crate) fn field(mut self, name: &'static str, value: &impl Serialize) -> Self {
        self.name(name);
        let end = self.0.len();
        if serde_json::to_writer(&mut self.0, value).is_err() {
            self.0.truncate(end);
            self.0.extend_from_slice(b"null");
        }
        self
    }

    pub(crate) fn text(mut self, name: &'static str, text: &str) -> Self {
        // No short cut out of the loop: so it is done many bytes at a time.
        let has_controls = text.bytes().fold(false, |any, byte| any | (byte < 0x20));
        if has_controls {
            return self.field(name, &text);
        }
        self.name(name);
        self.0.push(b'"');
        let mut rest = text.as_bytes();
        while let Some(next) = memchr2(b'"', b'\\', rest) {
            self.0.extend_from_slice(&rest[..next]);
            self.0.extend_from_slice(&[b'\\', rest[next]]);
            rest = &rest[next + 1..];
        }
        self.0.extend_from_slice(rest);
        self.0.push(b'"');
        self
    }

    /// A 200 with it.
    pub(crate) fn ok(mut self) -> Response {
        self.0.push(b'}');
        of_json(StatusCode::OK, self.0)
    }

    fn name(&mut self, name: &'static str) {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Body, Object};

    #[test]
    fn an_object_reads_back_as_it_was_written() {
        for text in [
            "",
            "plain",
            "a \"quote\"",
            "back\\slash",
            "\"\\\" at both ends \\",
            "line\nfeed",
            "\u{1}",
            "ä🙂",
            "\u{7f}",
        ] {
            let response = Object::new()
                .text("a", text)
                .field("b", &None::<&str>)
                .field("c", &[1, 2])
                .text("d", text)
                .ok();
            let Body::Whole(body) = response.into_body() else {
                panic!("in pieces");
            };
            let read: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(read, json!({"a": text, "b": null, "c": [1, 2], "d": text}));
            let as_serde = json!({"a": text}).to_string();
            let start = &as_serde[..as_serde.len() - 1];
            assert!(body.starts_with(start.as_bytes()), "{text:?}");
        }
    }
}
