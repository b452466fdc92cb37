//! What happens around every generated request.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, Response, header};

use crate::{Client, Error, Observer, Session, answer::Answer};

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
        // The generator's own header; the API does not know it.
        request.headers_mut().remove("api-version");
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
            *request.url_mut() = moved.parse().map_err(|_| {
                Error::InvalidRequest("the path of generate-reply does not make a URL".to_owned())
            })?;
        }
        Ok(())
    }

    async fn exec(&self, mut request: Request, _: &OperationInfo) -> reqwest::Result<Response> {
        if let Some(observer) = &self.inner.observer {
            watch_body(&mut request, observer);
        }
        let response = self.client.execute(request).await?;
        let answer = Answer::read(response, self.inner.body_ceiling).await;
        if let Some(observer) = &self.inner.observer {
            observer.note_answer(&answer);
        }
        Ok(answer.into_response())
    }
}

fn watch_body(request: &mut Request, observer: &Observer) {
    let Some(bytes) = request.body().and_then(reqwest::Body::as_bytes) else {
        return;
    };
    observer.note_body();
    let watched = WatchedBody {
        bytes: Some(Bytes::copy_from_slice(bytes)),
        observer: observer.clone(),
    };
    *request.body_mut() = Some(reqwest::Body::wrap(watched));
}

/// A request body that notes when the connection first asks for it. The connection does so after it has taken the
/// request and before it writes, so that "not asked" is proof that the message did not leave.
struct WatchedBody {
    bytes: Option<Bytes>,
    observer: Observer,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.observer.note_body_sent();
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
