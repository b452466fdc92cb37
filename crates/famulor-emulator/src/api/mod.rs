//! The API under `/api`: an operation for a method and path, and one way that every call goes.

mod about;
mod account;
mod assistants;
mod call;
mod conversations;
mod cursor;
mod exchange;
mod fields;
mod gate;
mod head;
mod listing;
mod pipeline;
mod refusal;
mod replies;
mod route;
mod takeover;
mod throttle;
mod validation;

pub(crate) use self::head::{Head, names_json};
pub(crate) use self::pipeline::{nowhere, serve, serve_whole};

/// Where the API lives on the server.
pub(crate) const BASE_PATH: &str = "/api";
