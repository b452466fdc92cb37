//! Hearing what other processes have changed.

use futures_util::StreamExt;
use redis::{Client, RedisError};

use super::scripts::CHANNEL;
use crate::store::listener::Listener;
use crate::store::news::News;

pub(super) fn listener(client: Client) -> Listener {
    Listener::new(move |news| {
        let client = client.clone();
        async move {
            let _ = hear(client, &news).await;
        }
    })
}

async fn hear(client: Client, news: &News) -> Result<(), RedisError> {
    let mut listener = client.get_async_pubsub().await?;
    listener.subscribe(CHANNEL).await?;
    news.tell_all();
    let mut told = listener.on_message();
    while let Some(message) = told.next().await {
        // The account's key: its bytes are between the braces.
        let key: String = message.get_payload()?;
        news.tell_hex(key.split(['{', '}']).nth(1).unwrap_or_default());
    }
    Ok(())
}
