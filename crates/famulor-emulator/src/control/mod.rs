//! The control plane: what a test in another process, or a person, reads and sets.

mod clock;
mod faults;
mod guard;
mod page;
mod tokens;
mod watch;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::api;
use crate::world::World;

/// Where the control plane lives on the server.
pub(crate) const BASE_PATH: &str = "/__emulator";

/// Everything under `/__emulator`.
pub(crate) fn router(world: Arc<World>) -> Router {
    let own = Arc::clone(&world);
    Router::new()
        .route("/__emulator", get(Redirect::permanent("/__emulator/")))
        .route("/__emulator/", get(page::html))
        .route("/__emulator/page.css", get(page::css))
        .route("/__emulator/page.js", get(page::js))
        .route("/__emulator/requests", get(watch::requests))
        .route("/__emulator/requests/{sequence}", get(watch::request))
        .route("/__emulator/deliveries", get(watch::deliveries))
        .route("/__emulator/deliveries/{sequence}", get(watch::delivery))
        .route("/__emulator/conversations", get(watch::conversations))
        .route("/__emulator/conversations/{id}", get(watch::conversation))
        .route("/__emulator/conversations/{id}/end", post(watch::end))
        .route("/__emulator/conversations/{id}/status", post(watch::status))
        .route("/__emulator/stats", get(watch::stats))
        .route("/__emulator/limits", get(tokens::limits))
        .route("/__emulator/balance", post(tokens::set_balance))
        .route("/__emulator/reset", post(clock::reset))
        .route("/__emulator/clock", get(clock::read).post(clock::advance))
        .route(
            "/__emulator/faults",
            get(faults::list).post(faults::inject).delete(faults::clear),
        )
        .route("/__emulator/faults/{id}", delete(faults::take_back))
        .route("/__emulator/port", post(faults::close_port))
        .layer(from_fn_with_state(Arc::clone(&world), guard::check))
        .with_state(world)
        // A path that is none is nobody's secret, and answered as the API does.
        .fallback(move |request: Request| async move {
            let (head, _) = request.into_parts();
            api::nowhere(&own, &head).map(Body::new)
        })
}

/// What was sent cannot be used; `error` says what would be right.
fn unreadable(error: &str) -> Response {
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        Json(json!({"error": error})),
    )
        .into_response()
}

/// The thing that was asked for, or 404.
fn found<T: Serialize>(thing: Option<T>) -> Response {
    match thing {
        Some(thing) => Json(thing).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn done(is_done: bool) -> StatusCode {
    if is_done {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}
