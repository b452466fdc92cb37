//! A body that ends too early.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use crate::answer::Body;

/// Sends what it has and then fails, which makes hyper close the connection.
struct CutBody {
    kept: Option<Bytes>,
    flushed: bool,
}

pub(super) fn cut_after(kept: Bytes) -> Body {
    Body::Pieces(axum::body::Body::from_stream(CutBody {
        kept: Some(kept),
        flushed: false,
    }))
}

impl Stream for CutBody {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(kept) = self.kept.take() {
            return Poll::Ready(Some(Ok(kept)));
        }
        // hyper throws away what it has buffered when a body fails, and flushes
        // when a body has nothing ready: so have nothing ready, once.
        if !self.flushed {
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("cut off on request"))))
    }
}
