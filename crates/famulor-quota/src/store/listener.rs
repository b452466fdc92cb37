//! A task that listens for news as long as a store is in use.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::StoreFuture;
use super::news::News;
use crate::AccountKey;

/// How long to leave a server alone that cannot be reached.
const RETRY: Duration = Duration::from_secs(1);

type Hearing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Listens once somebody waits, until it is dropped.
pub(super) struct Listener {
    pub(super) news: Arc<News>,
    hear: Arc<dyn Fn(Arc<News>) -> Hearing + Send + Sync>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    /// `hear` connects, says that anything may have changed, because what was
    /// before is not told again, and passes on what it hears until that fails.
    pub(super) fn new<F>(hear: impl Fn(Arc<News>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self {
            news: Arc::new(News::new()),
            hear: Arc::new(move |news| Box::pin(hear(news))),
            task: Mutex::default(),
        }
    }

    pub(super) fn changed(&self, account: AccountKey) -> StoreFuture<()> {
        self.listen();
        let news = Arc::clone(&self.news);
        StoreFuture::new(async move {
            news.changed(account).await;
            Ok(())
        })
    }

    fn listen(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        // It is finished when the runtime is that it ran in.
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let (hear, news) = (Arc::clone(&self.hear), Arc::clone(&self.news));
            *task = Some(tokio::spawn(async move {
                loop {
                    // Errors are told to those who ask for slots; those who
                    // wait have a timer.
                    hear(Arc::clone(&news)).await;
                    sleep(RETRY).await;
                }
            }));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.abort();
        }
    }
}
