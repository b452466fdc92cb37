//! Emulated time: read, moved, and the way back to the start.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::unreadable;
use crate::duration_text;
use crate::world::World;

pub(super) async fn reset(State(world): State<Arc<World>>) -> StatusCode {
    world.reset();
    StatusCode::NO_CONTENT
}

pub(super) async fn read(State(world): State<Arc<World>>) -> Json<Value> {
    Json(time(&world))
}

/// `{"advance": "60s"}`, `{"advance": 60}`, or `{"to": "2025-01-07T09:00:00Z"}`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Move {
    Advance(Span),
    To(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Span {
    Seconds(f64),
    Text(String),
}

pub(super) async fn advance(State(world): State<Arc<World>>, body: Bytes) -> Response {
    let by = match serde_json::from_slice(&body) {
        Ok(Move::Advance(Span::Seconds(seconds))) => Duration::try_from_secs_f64(seconds).ok(),
        Ok(Move::Advance(Span::Text(text))) => duration_text::parse(&text),
        Ok(Move::To(text)) => match text.parse::<Timestamp>() {
            Ok(time) => {
                let Ok(by) = Duration::try_from(time.duration_since(world.clock.now())) else {
                    return unreadable("that time is past, and time does not run backwards");
                };
                Some(by)
            }
            Err(_) => None,
        },
        Err(_) => None,
    };
    let Some(by) = by else {
        return unreadable(
            "expected {\"advance\": \"60s\"}, {\"advance\": 60} or {\"to\": \"2025-01-07T09:00:00Z\"}",
        );
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
