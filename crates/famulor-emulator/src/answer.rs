//! An answer on its way: nearly all are whole in memory, a few take their time.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
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

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    /// As long as most are.
    const USUAL: usize = 256;
    let mut body = Vec::with_capacity(USUAL);
    if serde_json::to_writer(&mut body, value).is_err() {
        // Maps with keys that are no text; the API has none.
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    }
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
