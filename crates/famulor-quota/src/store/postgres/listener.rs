//! Hearing what other processes have changed.

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

use crate::store::listener::Listener;
use crate::store::news::News;

pub(super) fn listener(options: PgConnectOptions) -> Listener {
    Listener::new(move |news| {
        let options = options.clone();
        async move {
            let _ = hear(options, &news).await;
        }
    })
}

async fn hear(options: PgConnectOptions, news: &News) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen("famulor_quota").await?;
    news.tell_all();
    while let Some(told) = listener.try_recv().await? {
        news.tell_hex(told.payload());
    }
    Ok(())
}
