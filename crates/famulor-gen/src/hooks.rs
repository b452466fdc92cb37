//! What happens around every generated request.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, header};

use crate::{Client, Error, Observer, Session, route};

/// An HTTP client that is safe for billed calls: it follows no redirect (a token must not travel), repeats nothing, and
/// has no time limit of its own beyond 10 seconds for connecting.
///
/// # Errors
/// If the system's TLS certificates cannot be read.
pub fn http_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(std::time::Duration::from_secs(10))
        .build()
}

impl ClientHooks<Session> for Client {
    async fn pre<E>(&self, request: &mut Request, info: &OperationInfo) -> Result<(), Error<E>> {
        if let Some(authorization) = &self.inner.authorization {
            request
                .headers_mut()
                .insert(header::AUTHORIZATION, authorization.clone());
        }
        if let (Some(path), "generate_reply") = (&self.inner.reply_path, info.operation_id) {
            let moved = format!(
                "{}/{}",
                self.baseurl.trim_end_matches('/'),
                path.trim_start_matches('/')
            );
            *request.url_mut() = route::url(self, moved)?;
        }
        Ok(())
    }
}

/// Has the observer note when the connection takes the request's body.
pub(crate) fn watch_body(request: &mut Request, observer: &Observer) {
    let body = request.body_mut();
    // Of a body that is not there as a whole, or empty, the connection's asking proves nothing.
    let whole = body.as_ref().and_then(reqwest::Body::as_bytes);
    if whole.is_none_or(<[u8]>::is_empty) {
        return;
    }
    observer.note_body();
    *body = body.take().map(|body| {
        reqwest::Body::wrap(WatchedBody {
            body,
            observer: observer.clone(),
        })
    });
}

/// A request body that notes when the connection first asks for it. The connection does so after it has taken the
/// request and before it writes, so that "not asked" is proof that the message did not leave. Once it was withdrawn, the
/// body fails instead, which ends the connection with the request incomplete.
struct WatchedBody {
    body: reqwest::Body,
    observer: Observer,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if !self.body.is_end_stream() && !self.observer.hand_over_body() {
            return Poll::Ready(Some(Err(std::io::Error::other("the request was given up"))));
        }
        Pin::new(&mut self.body)
            .poll_frame(context)
            .map_err(std::io::Error::other)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
