//! Answers that go wrong on their way.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING};
use http::{HeaderValue, Version};

use super::Wire;
use super::paced_body::paced;
use super::play::{Hangup, Spoiled, hang_up, whole};
use crate::answer::{Body, Response};

/// In a response's extensions: these bytes instead of what an HTTP server would write.
#[derive(Clone)]
pub(crate) struct Raw(pub(crate) Bytes);

impl Wire {
    /// What becomes of the answer of a processed call.
    pub(super) fn carry(&self, response: Response) -> Response {
        match self {
            // The port is closed before a call is processed.
            Self::Refuse(_) => response,
            Self::Reset => hang_up(Hangup::Reset),
            Self::Stall(duration) => stall(response, *duration),
            Self::Drip { bytes, every } => drip(response, *bytes, *every),
            Self::BadChunk => bad_chunk(response),
            Self::OversizedHeader(length) => oversized_header(response, *length),
        }
    }
}

fn stall(response: Response, duration: Duration) -> Response {
    pace(response, |body| {
        let half = body.len() / 2;
        vec![
            (Duration::ZERO, body.slice(..half)),
            (duration, body.slice(half..)),
        ]
    })
}

fn drip(response: Response, bytes: usize, every: Duration) -> Response {
    pace(response, |body| {
        let step = bytes.max(1);
        (0..body.len())
            .step_by(step)
            .map(|start| (every, body.slice(start..(start + step).min(body.len()))))
            .collect()
    })
}

fn pace(response: Response, cut: impl FnOnce(Bytes) -> Vec<(Duration, Bytes)>) -> Response {
    let (mut head, body) = response.into_parts();
    let body = whole(body);
    head.headers
        .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    head.extensions.insert(Spoiled(body.clone()));
    Response::from_parts(head, paced(cut(body)))
}

/// A chunk, and then a chunk whose length is no number. An HTTP server cannot
/// be made to write that, so it is written here.
fn bad_chunk(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let body = whole(body);
    head.headers.remove(CONTENT_LENGTH);
    head.headers
        .insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    head.headers
        .insert(CONNECTION, HeaderValue::from_static("close"));
    let mut raw = Vec::new();
    raw.extend_from_slice(format!("{:?} {}\r\n", Version::HTTP_11, head.status).as_bytes());
    for (name, value) in &head.headers {
        raw.extend_from_slice(name.as_str().as_bytes());
        raw.extend_from_slice(b": ");
        raw.extend_from_slice(value.as_bytes());
        raw.extend_from_slice(b"\r\n");
    }
    let half = body.len() / 2;
    raw.extend_from_slice(format!("\r\n{half:x}\r\n").as_bytes());
    raw.extend_from_slice(&body[..half]);
    raw.extend_from_slice(b"\r\nno-length\r\n");
    raw.extend_from_slice(&body[half..]);
    raw.extend_from_slice(b"\r\n0\r\n\r\n");

    let mut response = Response::new(Body::EMPTY);
    *response.status_mut() = head.status;
    response.extensions_mut().insert(Spoiled(body));
    response.extensions_mut().insert(Raw(raw.into()));
    response
}

fn oversized_header(mut response: Response, length: usize) -> Response {
    const NAME: HeaderName = HeaderName::from_static("x-oversized");
    // Letters only, so it always is a header's value.
    if let Ok(value) = HeaderValue::try_from("x".repeat(length)) {
        response.headers_mut().insert(NAME, value);
    }
    response
}
