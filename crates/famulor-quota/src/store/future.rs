//! What a store's operations return.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An answer of a store: there already, or on its way.
///
/// A store in memory answers on the spot, and pays for no allocation.
#[must_use = "a store's answer does nothing unless awaited"]
pub struct StoreFuture<T>(State<T>);

enum State<T> {
    Ready(Option<Result<T, StoreError>>),
    Coming(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>),
    Never,
}

impl<T> StoreFuture<T> {
    /// An answer that is there already.
    pub fn ready(answer: Result<T, StoreError>) -> Self {
        Self(State::Ready(Some(answer)))
    }

    /// An answer that has to be fetched.
    pub fn new(answer: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Self {
        Self(State::Coming(Box::pin(answer)))
    }

    /// The answer, if it is there already; else the future, to be awaited.
    pub(crate) fn now(self) -> Result<Result<T, StoreError>, Self> {
        match self.0 {
            State::Ready(Some(answer)) => Ok(answer),
            state => Err(Self(state)),
        }
    }

    /// An answer that never comes.
    pub fn never() -> Self {
        Self(State::Never)
    }
}

// Nothing in it is pinned in place: the future it may hold is in a box.
impl<T> Unpin for StoreFuture<T> {}

impl<T> Future for StoreFuture<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(answer) => match answer.take() {
                Some(answer) => Poll::Ready(answer),
                None => Poll::Pending,
            },
            State::Coming(answer) => answer.as_mut().poll(cx),
            State::Never => Poll::Pending,
        }
    }
}

impl<T> fmt::Debug for StoreFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "StoreFuture(ready)",
            State::Coming(_) => "StoreFuture(coming)",
            State::Never => "StoreFuture(never)",
        })
    }
}

/// A store could not be reached, or could not make sense of what it holds.
///
/// Whether a slot is free is then not known, so no call may be sent. The memory
/// store never fails.
#[derive(Debug, thiserror::Error)]
#[error("the quota store failed: {message}")]
pub struct StoreError {
    message: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// What was being done, in words a person can act on.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// The same, with what lies beneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
