//! An answer that a test wrote.

use std::collections::BTreeMap;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::answer::{Body, Response};

/// An answer with any status, headers and body.
///
/// In JSON, a `body` that is a string is sent as it is, anything else as JSON:
/// `{"status": 503, "headers": {"Retry-After": "7"}, "body": {"error": "busy"}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CannedAnswer {
    #[serde(deserialize_with = "status")]
    #[schemars(range(min = 200, max = 999))]
    status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Value,
}

/// One that ends a request: 1xx only announce an answer.
fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(deserializer)?;
    if (200..=999).contains(&status) {
        return Ok(status);
    }
    Err(serde::de::Error::custom(
        "a status is a number from 200 to 999, such as 503",
    ))
}

impl CannedAnswer {
    /// A JSON body.
    pub fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: BTreeMap::new(),
            body,
        }
        .header("Content-Type", "application/json")
    }

    /// Any other text.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: BTreeMap::new(),
            body: Value::String(body.into()),
        }
    }

    /// An HTML page.
    pub fn html(status: u16, body: impl Into<String>) -> Self {
        Self::text(status, body).header("Content-Type", "text/html; charset=UTF-8")
    }

    /// The page of a proxy that could not reach the server.
    pub fn bad_gateway() -> Self {
        Self::html(
            502,
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
             <center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n\
             </body>\r\n</html>\r\n",
        )
    }

    /// Laravel's answer to an exception of its own, debugging off.
    pub fn server_error() -> Self {
        Self::json(500, serde_json::json!({"message": "Server Error"}))
    }

    /// Documented for send-message: the assistant failed over `detail`.
    pub fn processing_failed(detail: &str) -> Self {
        let error = format!("Failed to process message: {detail}");
        Self::json(400, serde_json::json!({"status": false, "error": error}))
    }

    /// Adds or replaces a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    pub(super) fn response(&self) -> Response {
        let (body, content_type) = match &self.body {
            Value::Null => (String::new(), None),
            Value::String(text) => (text.clone(), None),
            json => (json.to_string(), Some("application/json")),
        };
        let mut response = Response::new(Body::from(body.into_bytes()));
        // A status that HTTP has no room for is a server out of its mind.
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(content_type) = content_type {
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (
                HeaderName::try_from(name.as_str()),
                HeaderValue::try_from(value.as_str()),
            ) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
