//! What platforms call.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use famulor_core::AssistantId;
use famulor_outbox::{ErrorKind, NewMessage, Outbox};
use http::{HeaderMap, StatusCode};

use crate::channel::{Channel, Rejected};

pub(crate) fn router(
    channels: &[Arc<dyn Channel>],
    outbox: &Outbox,
    assistant: AssistantId,
) -> Router {
    let mut router = Router::new();
    for channel in channels {
        let path = format!("/{}", channel.name());
        let (channel, outbox) = (Arc::clone(channel), outbox.clone());
        let receive = async move |headers: HeaderMap, body: Bytes| {
            receive(&*channel, &outbox, assistant, &headers, &body).await
        };
        router = router.route(&path, post(receive));
    }
    router.layer(DefaultBodyLimit::max(256 * 1024))
}

/// Says thanks only once the message is on the disk: until then the platform calls again.
async fn receive(
    channel: &dyn Channel,
    outbox: &Outbox,
    assistant: AssistantId,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response {
    let incoming = match channel.receive(headers, body) {
        Ok(Some(incoming)) => incoming,
        Ok(None) => return channel.thanks(),
        Err(Rejected::Forged) => return StatusCode::FORBIDDEN.into_response(),
        Err(Rejected::Garbled) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let message = NewMessage::new(assistant, incoming.customer, incoming.text)
        .with_job(channel.name())
        .with_key(&incoming.key)
        .with_id(&incoming.reply_to);
    match outbox.enqueue(message).await {
        Ok(_) => channel.thanks(),
        // The same id with another text, or a text that the API never takes: calling again does not help.
        Err(error) if matches!(error.kind(), ErrorKind::ChangedInput | ErrorKind::Invalid) => {
            eprintln!("a message of {} was left out: {error}", channel.name());
            channel.thanks()
        }
        Err(error) => {
            eprintln!("a message of {} could not be kept: {error}", channel.name());
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
