//! Hearing from PostgreSQL what other processes have done.
//!
//! It only wakes: whoever waits asks the store, and asks it now and then anyway.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use crate::sql::{CHANNEL, Location};

/// How long it waits before it connects again.
const AGAIN: Duration = Duration::from_secs(5);

/// Listens until it is dropped.
pub(super) struct Listening(Option<AbortHandle>);

impl Listening {
    /// Must be called on a tokio runtime.
    pub(super) fn start(location: &Location, news: &Arc<Notify>) -> Self {
        let Location::Server(options) = location else {
            return Self(None);
        };
        let (options, news) = (options.clone(), Arc::clone(news));
        let listening = tokio::spawn(async move {
            loop {
                let _ = hear(&options, &news).await;
                sleep(AGAIN).await;
            }
        });
        Self(Some(listening.abort_handle()))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(listening) = &self.0 {
            listening.abort();
        }
    }
}

async fn hear(options: &PgConnectOptions, news: &Notify) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    news.notify_waiters();
    while listener.try_recv().await?.is_some() {
        news.notify_waiters();
    }
    Ok(())
}
