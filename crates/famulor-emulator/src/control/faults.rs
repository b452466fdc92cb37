//! Faults, set and taken back; and the port, closed for a while.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{done, unreadable};
use crate::duration_text;
use crate::faults::{Fault, FaultBook};
use crate::script::words;
use crate::world::World;

pub(super) async fn list(State(world): State<Arc<World>>) -> Json<Value> {
    let pending = world.faults.with(|book| book.pending());
    Json(json!({"faults": pending}))
}

/// One fault, or a list of them.
pub(super) async fn inject(State(world): State<Arc<World>>, body: Bytes) -> Response {
    let faults = match serde_json::from_slice::<Value>(&body) {
        // No untagged enum: those do not say what is wrong.
        Ok(Value::Array(many)) => many.into_iter().map(words::read).collect(),
        Ok(one) => words::read(one).map(|fault| vec![fault]),
        Err(error) => Err(format!("the body is no JSON: {error}")),
    };
    let faults: Vec<Fault> = match faults {
        Ok(faults) => faults,
        Err(error) => return unreadable(&error),
    };
    let pending = world.faults.with(|book| {
        for fault in faults {
            book.inject(fault);
        }
        book.pending()
    });
    (StatusCode::CREATED, Json(json!({"faults": pending}))).into_response()
}

pub(super) async fn take_back(State(world): State<Arc<World>>, Path(id): Path<u64>) -> StatusCode {
    done(world.faults.with(|book| book.take_back(id)))
}

pub(super) async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.faults.with(FaultBook::clear);
    StatusCode::NO_CONTENT
}

/// `{"closed_for": "2s"}`, in real time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Closed {
    #[serde(with = "duration_text")]
    closed_for: Duration,
}

/// Answered on the connection that is there; the next one is refused.
pub(super) async fn close_port(State(world): State<Arc<World>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Closed>(&body) {
        Ok(order) => {
            world.doors.close_for(order.closed_for).await;
            StatusCode::NO_CONTENT.into_response()
        }
        Err(_) => unreadable("expected {\"closed_for\": \"2s\"}"),
    }
}
