//! Operations of a store that must reach their end, whoever goes away.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;

use super::Shared;
use crate::AccountKey;
use crate::store::{Answer, Completion, StoreError, StoreFuture};

/// A store's operation that is finished by another task if its caller is
/// dropped in the middle of it.
pub(super) struct Unbroken<T: Send + 'static> {
    running: Option<StoreFuture<T>>,
    shared: Arc<Shared>,
    account: AccountKey,
    orphaned: fn(Arc<Shared>, AccountKey, T),
}

impl<T: Send + 'static> Unbroken<T> {
    fn new(
        shared: &Arc<Shared>,
        account: AccountKey,
        running: StoreFuture<T>,
        orphaned: fn(Arc<Shared>, AccountKey, T),
    ) -> Self {
        Self {
            running: Some(running),
            shared: Arc::clone(shared),
            account,
            orphaned,
        }
    }
}

impl Unbroken<Answer> {
    /// A slot that is granted to nobody goes back.
    pub(super) fn acquire(
        shared: &Arc<Shared>,
        account: AccountKey,
        running: StoreFuture<Answer>,
    ) -> Self {
        Self::new(shared, account, running, |shared, account, answer| {
            if let Answer::Granted(slot) = answer {
                let giving = shared.store.complete(account, slot, Completion::NotSent);
                detach(Self::ring_after(shared, account, giving));
            }
        })
    }

    async fn ring_after(shared: Arc<Shared>, account: AccountKey, giving: StoreFuture<()>) {
        if giving.await.is_ok() {
            shared.lines.wake_first(account);
        }
    }
}

impl Unbroken<()> {
    pub(super) fn complete(
        shared: &Arc<Shared>,
        account: AccountKey,
        running: StoreFuture<()>,
    ) -> Self {
        Self::new(shared, account, running, |shared, account, ()| {
            shared.lines.wake_first(account);
        })
    }
}

impl Unbroken<std::time::Duration> {
    pub(super) fn reject(
        shared: &Arc<Shared>,
        account: AccountKey,
        running: StoreFuture<std::time::Duration>,
    ) -> Self {
        Self::new(shared, account, running, |shared, account, frozen| {
            shared.tell_frozen(account, frozen);
        })
    }
}

impl<T: Send + 'static> Future for Unbroken<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(running) = &mut self.running else {
            return Poll::Pending;
        };
        let answer = Pin::new(running).poll(cx);
        if answer.is_ready() {
            self.running = None;
        }
        answer
    }
}

impl<T: Send + 'static> Drop for Unbroken<T> {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        let shared = Arc::clone(&self.shared);
        let (account, orphaned) = (self.account, self.orphaned);
        detach(async move {
            if let Ok(value) = running.await {
                orphaned(shared, account, value);
            }
        });
    }
}

/// Runs a future to its end without anybody waiting for it: here and now if it
/// can, else in tokio. Without a runtime it is lost, and with it at most a slot
/// until it runs out.
fn detach(work: impl Future<Output = ()> + Send + 'static) {
    let mut work = Box::pin(work);
    let mut cx = Context::from_waker(Waker::noop());
    if work.as_mut().poll(&mut cx).is_pending()
        && let Ok(runtime) = Handle::try_current()
    {
        runtime.spawn(work);
    }
}
