//! A body that takes its time: stalls and slow drips.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::time::Sleep;

use crate::answer::Body;

/// Pieces of a body, each after a wait in real time: a client's timeout runs on
/// a real clock.
struct PacedBody {
    pieces: VecDeque<(Duration, Bytes)>,
    waiting: Option<Pin<Box<Sleep>>>,
}

pub(super) fn paced(pieces: impl IntoIterator<Item = (Duration, Bytes)>) -> Body {
    Body::Pieces(axum::body::Body::from_stream(PacedBody {
        pieces: pieces.into_iter().collect(),
        waiting: None,
    }))
}

impl Stream for PacedBody {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some((wait, _)) = self.pieces.front() else {
            return Poll::Ready(None);
        };
        let wait = *wait;
        if !wait.is_zero() {
            let waiting = self
                .waiting
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
            if waiting.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.waiting = None;
        }
        Poll::Ready(self.pieces.pop_front().map(|(_, piece)| Ok(piece)))
    }
}
