//! What a browser can ask for.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use famulor_examples::Failure;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::desk::{Desk, Refused};
use crate::session::Session;
use crate::words;

/// Nothing from elsewhere, nothing inline, in nobody's frame. The page sets all text as text; should that fail one
/// day, no script runs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// In characters; the page says the same.
const LONGEST_MESSAGE: usize = 1000;

/// What stands between a browser and this server.
#[derive(Clone, Copy)]
pub(crate) struct Door {
    pub(crate) https: bool,
    pub(crate) behind_proxy: bool,
}

#[derive(Clone)]
struct Server {
    desk: Arc<Desk>,
    door: Door,
}

#[derive(Deserialize)]
struct Said {
    text: String,
}

pub(crate) fn router(desk: Arc<Desk>, door: Door) -> Router {
    const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
    Router::new()
        .route("/", get(page))
        .route(
            "/chat.css",
            get(async || file("text/css; charset=utf-8", include_str!("page.css"))),
        )
        .route(
            "/chat.js",
            get(async || file(JAVASCRIPT, include_str!("page.js"))),
        )
        .route("/messages", get(messages).post(say))
        .layer(DefaultBodyLimit::max(16 * 1024))
        .with_state(Server { desk, door })
}

async fn page(State(server): State<Server>, headers: HeaderMap) -> Response {
    let page = file("text/html; charset=utf-8", include_str!("page.html"));
    if Session::of(&headers).is_some() {
        return page;
    }
    match Session::new() {
        Ok(session) => ([(SET_COOKIE, session.cookie(server.door.https))], page).into_response(),
        Err(failure) => broken(&failure),
    }
}

async fn messages(State(server): State<Server>, headers: HeaderMap) -> Response {
    let Some(session) = Session::of(&headers) else {
        return refusal(
            StatusCode::UNAUTHORIZED,
            "This chat has ended. Please reload the page.",
        );
    };
    match server.desk.view(&session).await {
        Ok(view) => ([(CACHE_CONTROL, "no-store")], Json(view)).into_response(),
        Err(failure) => broken(&failure),
    }
}

/// Takes JSON only: a form of another page cannot send that.
async fn say(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    said: Result<Json<Said>, JsonRejection>,
) -> Response {
    let Some(session) = Session::of(&headers) else {
        return refusal(
            StatusCode::UNAUTHORIZED,
            "This chat has ended. Please reload the page.",
        );
    };
    let Ok(Json(Said { text })) = said else {
        return refusal(StatusCode::BAD_REQUEST, "This is no message.");
    };
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_MESSAGE {
        let cause = format!("A message has 1 to {LONGEST_MESSAGE} characters.");
        return refusal(StatusCode::UNPROCESSABLE_ENTITY, &cause);
    }
    let address = address(server.door, peer, &headers);
    match server.desk.say(&session, address, text.to_owned()).await {
        Ok(Ok(())) => StatusCode::ACCEPTED.into_response(),
        Ok(Err(Refused::Busy)) => refusal(
            StatusCode::CONFLICT,
            "Please wait for the answer to your last message.",
        ),
        Ok(Err(Refused::TooMany(wait))) => too_many(wait),
        Ok(Err(Refused::Full)) => {
            let cause = "Too many people are asking at the moment. Please try again later.";
            refusal(StatusCode::SERVICE_UNAVAILABLE, cause)
        }
        Err(failure) => broken(&failure),
    }
}

/// The visitor's address: the last one of the header, which our own proxy has put there, or the connection's.
fn address(door: Door, peer: SocketAddr, headers: &HeaderMap) -> IpAddr {
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let forwarded = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next());
    let forwarded = forwarded.and_then(|address| address.trim().parse().ok());
    forwarded.filter(|_| door.behind_proxy).unwrap_or(peer.ip())
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

fn refusal(status: StatusCode, cause: &str) -> Response {
    (status, Json(json!({ "error": cause }))).into_response()
}

fn too_many(wait: Duration) -> Response {
    let cause = format!(
        "You have written a lot. Your message was not sent: please try again in {}.",
        words::about(wait)
    );
    let seconds = wait.as_secs_f64().ceil().to_string();
    let refusal = refusal(StatusCode::TOO_MANY_REQUESTS, &cause);
    ([("retry-after", seconds)], refusal).into_response()
}

fn broken(failure: &Failure) -> Response {
    eprintln!("a request failed: {failure}");
    refusal(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong here. Please try again.",
    )
}
