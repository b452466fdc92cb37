//! The documented refusals: four envelopes, each with its operations (facts, surprise 4).

use http::StatusCode;
use http::header::{ALLOW, HeaderValue};
use serde_json::{Map, Value, json};

use crate::answer::{self, Response};

const NO_BALANCE: &str = "Insufficient balance. Please top up your account.";

/// Why a call is not processed.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// `{"status":false,"error":…}`: `/conversations*` and `/automate*`.
    Status(StatusCode, String),
    /// `{"success":false,"error":…,"error_code":…}`: generate-reply.
    Coded(StatusCode, &'static str, &'static str),
    /// `{"message":…}`: Laravel.
    Message(StatusCode, String),
    /// `{"message":…,"errors":{…}}`: Laravel's validation.
    Invalid(String, Map<String, Value>),
    /// `{"error":…}`: a missing or unknown key under `/automate`.
    Automation,
    /// `{"error":…,"message":…}`: a missing or unknown key (authentication guide).
    Key(&'static str, &'static str),
    /// 405, with the methods that the route has.
    Method(String, &'static str),
}

impl Refusal {
    pub(crate) fn conversation_not_found() -> Self {
        Self::Status(StatusCode::NOT_FOUND, "Conversation not found".to_owned())
    }

    /// Of `/conversations`.
    pub(crate) fn assistant_not_found() -> Self {
        Self::Status(StatusCode::NOT_FOUND, "Assistant not found".to_owned())
    }

    /// Of `/conversations*`, which answers 400 where generate-reply answers 402
    /// (facts, surprise 5).
    pub(crate) fn no_balance_for_conversation() -> Self {
        Self::Status(StatusCode::BAD_REQUEST, NO_BALANCE.to_owned())
    }

    pub(crate) fn no_balance_for_reply() -> Self {
        Self::Coded(
            StatusCode::PAYMENT_REQUIRED,
            NO_BALANCE,
            "INSUFFICIENT_BALANCE",
        )
    }

    pub(crate) fn missing_key() -> Self {
        Self::Key(
            "Missing Authorization header",
            "Authorization header is required",
        )
    }

    pub(crate) fn unknown_key() -> Self {
        Self::Key(
            "Invalid API key",
            "The provided API key is invalid or expired",
        )
    }

    /// Laravel's answer to a path that it has no route for.
    pub(crate) fn no_route(path: &str) -> Self {
        let path = path.trim_start_matches('/');
        Self::Message(
            StatusCode::NOT_FOUND,
            format!("The route {path} could not be found."),
        )
    }

    /// Laravel's answer to a method that the route does not have.
    pub(crate) fn wrong_method(method: &str, path: &str, supported: &'static str) -> Self {
        let path = path.trim_start_matches('/');
        Self::Method(
            format!(
                "The {method} method is not supported for route {path}. Supported methods: \
                 {supported}."
            ),
            supported,
        )
    }

    pub(crate) fn response(self) -> Response {
        match self {
            Self::Status(status, error) => {
                answer::json(status, &json!({"status": false, "error": error}))
            }
            Self::Coded(status, error, code) => {
                let body = json!({"success": false, "error": error, "error_code": code});
                answer::json(status, &body)
            }
            Self::Message(status, message) => answer::json(status, &json!({"message": message})),
            Self::Invalid(message, errors) => {
                let body = json!({"message": message, "errors": errors});
                answer::json(StatusCode::UNPROCESSABLE_ENTITY, &body)
            }
            Self::Automation => {
                answer::json(StatusCode::UNAUTHORIZED, &json!({"error": "Unauthorized"}))
            }
            Self::Key(error, message) => {
                let body = json!({"error": error, "message": message});
                answer::json(StatusCode::UNAUTHORIZED, &body)
            }
            Self::Method(message, supported) => {
                let body = json!({"message": message});
                let mut response = answer::json(StatusCode::METHOD_NOT_ALLOWED, &body);
                let supported = HeaderValue::from_static(supported);
                response.headers_mut().insert(ALLOW, supported);
                response
            }
        }
    }
}
