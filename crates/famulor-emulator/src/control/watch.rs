//! What happened, and what there is: requests, deliveries, conversations, figures.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{done, found, unreadable};
use crate::lock;
use crate::state::{Conversation, State as Account};
use crate::webhooks::{self, MessageStatus};
use crate::world::World;

#[derive(Deserialize)]
pub(super) struct After {
    /// Only what has a higher sequence: for a reader that follows.
    #[serde(default)]
    after: u64,
}

pub(super) async fn requests(
    State(world): State<Arc<World>>,
    Query(from): Query<After>,
) -> Json<Value> {
    let entries = lock(&world.record).journal.entries_after(from.after);
    Json(json!({"requests": entries}))
}

/// One request, with what was asked and what was answered.
pub(super) async fn request(
    State(world): State<Arc<World>>,
    Path(sequence): Path<u64>,
) -> Response {
    let entry = lock(&world.record).journal.entry(sequence);
    found(entry.map(|entry| {
        let mut whole = json!(entry);
        whole["asked"] = entry.asked.shown();
        whole["answered"] = entry.answered.shown();
        whole
    }))
}

pub(super) async fn deliveries(
    State(world): State<Arc<World>>,
    Query(from): Query<After>,
) -> Json<Value> {
    let mut entries = lock(&world.record).deliveries.entries();
    entries.retain(|entry| entry.sequence > from.after);
    Json(json!({"deliveries": entries}))
}

/// One delivery, with its payload.
pub(super) async fn delivery(
    State(world): State<Arc<World>>,
    Path(sequence): Path<u64>,
) -> Response {
    let entries = lock(&world.record).deliveries.entries();
    let entry = entries.into_iter().find(|entry| entry.sequence == sequence);
    found(entry.map(|entry| {
        let mut whole = json!(entry);
        whole["payload"] = entry.payload;
        whole
    }))
}

pub(super) async fn conversations(State(world): State<Arc<World>>) -> Json<Value> {
    /// As many as a person looks through; the API's own list has them all.
    const SHOWN: usize = 200;
    let state = lock(&world.state);
    let rows: Vec<Value> = state
        .conversations()
        .rev()
        .take(SHOWN)
        .map(|(_, conversation)| row(&state, conversation))
        .collect();
    Json(json!({"conversations": rows}))
}

pub(super) async fn conversation(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Response {
    let state = lock(&world.state);
    found(state.conversation(&id).map(|conversation| {
        let mut whole = row(&state, conversation);
        whole["history"] = json!(conversation.history);
        whole["variables"] = json!(conversation.variables);
        whole
    }))
}

fn row(state: &Account, conversation: &Conversation) -> Value {
    let assistant = state.assistant(conversation.assistant_id);
    json!({
        "id": conversation.id,
        "type": conversation.kind.name(),
        "assistant": assistant.map(|assistant| &assistant.name),
        "customer": conversation.external_identifier,
        "messages": conversation.history.len(),
        "ai_enabled": !conversation.ai_disabled,
        "ended": conversation.ended_at.is_some(),
        "total_cost": conversation.total_cost,
    })
}

pub(super) async fn end(State(world): State<Arc<World>>, Path(id): Path<String>) -> StatusCode {
    done(webhooks::end_now(&world, &id))
}

/// `{"status": "read"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Status {
    status: MessageStatus,
}

pub(super) async fn status(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    match serde_json::from_slice::<Status>(&body) {
        Ok(Status { status }) => done(webhooks::report_status(&world, &id, status)).into_response(),
        Err(error) => unreadable(&error.to_string()),
    }
}

pub(super) async fn stats(State(world): State<Arc<World>>) -> Response {
    Json(world.stats()).into_response()
}
