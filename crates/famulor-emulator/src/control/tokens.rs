//! Tokens: what they have used, and what is on them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::unreadable;
use crate::caller::Caller;
use crate::lock;
use crate::money::Amount;
use crate::world::World;

pub(super) async fn limits(State(world): State<Arc<World>>) -> Json<Value> {
    let limits = lock(&world.limits);
    Json(json!({"limits": limits.used(world.clock.elapsed())}))
}

/// `{"token": "…", "dollars": 0}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Balance {
    token: String,
    dollars: f64,
}

pub(super) async fn set_balance(State(world): State<Arc<World>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Balance>(&body) {
        Ok(Balance { token, dollars }) => {
            let amount = Amount::dollars(dollars);
            lock(&world.state).set_balance(Caller::token(&token), amount);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(_) => unreadable("expected {\"token\": \"…\", \"dollars\": 0}"),
    }
}
