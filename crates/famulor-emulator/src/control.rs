//! The control plane: what a test in another process reads and sets.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::{Fault, parse_duration};
use crate::lock;
use crate::server::Peer;
use crate::world::World;

/// Everything under `/__emulator`.
pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/__emulator/requests", get(requests))
        .route("/__emulator/stats", get(stats))
        .route("/__emulator/reset", post(reset))
        .route("/__emulator/clock", get(clock).post(advance))
        .route(
            "/__emulator/faults",
            get(faults).post(inject).delete(clear_faults),
        )
        .layer(from_fn_with_state(Arc::clone(&world), only_loopback))
        .with_state(world)
}

/// Whoever can reach the control plane can read customers' identifiers and
/// break the server: other machines may only if that was asked for.
async fn only_loopback(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let is_near = request
        .extensions()
        .get::<Peer>()
        .is_some_and(|peer| peer.0.ip().to_canonical().is_loopback());
    if is_near || world.config.control_from_anywhere {
        return next.run(request).await;
    }
    let body = json!({"error": "The control plane answers on this machine only"});
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}

#[derive(Deserialize)]
struct After {
    /// Only requests with a higher sequence: for a reader that follows.
    #[serde(default)]
    after: u64,
}

async fn requests(State(world): State<Arc<World>>, Query(from): Query<After>) -> Json<Value> {
    let mut entries = lock(&world.record).journal.entries();
    entries.retain(|entry| entry.sequence > from.after);
    Json(json!({"requests": entries}))
}

async fn stats(State(world): State<Arc<World>>) -> Response {
    Json(world.stats()).into_response()
}

async fn reset(State(world): State<Arc<World>>) -> StatusCode {
    world.reset();
    StatusCode::NO_CONTENT
}

async fn clock(State(world): State<Arc<World>>) -> Json<Value> {
    Json(time(&world))
}

/// `{"advance": "60s"}`, or a number of seconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: Span,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Span {
    Seconds(f64),
    Text(String),
}

async fn advance(State(world): State<Arc<World>>, body: Bytes) -> Response {
    let by = match serde_json::from_slice::<Advance>(&body) {
        Ok(Advance { advance }) => match advance {
            Span::Seconds(seconds) => Duration::try_from_secs_f64(seconds).ok(),
            Span::Text(text) => parse_duration(&text),
        },
        Err(_) => None,
    };
    let Some(by) = by else {
        return unreadable("expected {\"advance\": \"60s\"} or {\"advance\": 60}");
    };
    world.clock.advance(by);
    Json(time(&world)).into_response()
}

fn time(world: &World) -> Value {
    let elapsed = world.clock.elapsed();
    json!({
        "now": format!("{:.3}", world.clock.timestamp(elapsed)),
        "elapsed_s": elapsed.as_secs_f64(),
        "time_scale": world.clock.scale(),
    })
}

async fn faults(State(world): State<Arc<World>>) -> Json<Value> {
    let pending = lock(&world.faults).pending();
    Json(json!({"faults": pending}))
}

/// One fault, or a list of them.
async fn inject(State(world): State<Arc<World>>, body: Bytes) -> Response {
    let faults = match serde_json::from_slice::<Value>(&body) {
        // No untagged enum: those do not say what is wrong.
        Ok(Value::Array(many)) => many.into_iter().map(serde_json::from_value).collect(),
        Ok(one) => serde_json::from_value(one).map(|fault| vec![fault]),
        Err(error) => Err(error),
    };
    let faults: Vec<Fault> = match faults {
        Ok(faults) => faults,
        Err(error) => return unreadable(&error.to_string()),
    };
    let mut book = lock(&world.faults);
    for fault in faults {
        book.inject(fault);
    }
    (StatusCode::CREATED, Json(json!({"faults": book.pending()}))).into_response()
}

async fn clear_faults(State(world): State<Arc<World>>) -> StatusCode {
    lock(&world.faults).clear();
    StatusCode::NO_CONTENT
}

fn unreadable(error: &str) -> Response {
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        Json(json!({"error": error})),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower_service::Service;

    use super::*;
    use crate::Emulator;

    async fn stats_for(peer: &str, open: bool) -> StatusCode {
        let config = Emulator::builder()
            .control_from_anywhere(open)
            .into_config();
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static("/__emulator/stats");
        let address = peer.parse().expect("an address");
        request.extensions_mut().insert(Peer(address));
        let answer = router(Arc::new(World::new(config))).call(request).await;
        answer.expect("an answer").status()
    }

    #[tokio::test]
    async fn other_machines_are_kept_out_unless_they_are_let_in() {
        for near in [
            "127.0.0.1:4000",
            "127.8.8.8:4000",
            "[::1]:4000",
            "[::ffff:127.0.0.1]:4000",
        ] {
            assert_eq!(stats_for(near, false).await, StatusCode::OK, "{near}");
        }
        for far in ["192.168.1.7:4000", "[2001:db8::1]:4000"] {
            assert_eq!(stats_for(far, false).await, StatusCode::FORBIDDEN, "{far}");
            assert_eq!(stats_for(far, true).await, StatusCode::OK, "{far}");
        }
    }
}
