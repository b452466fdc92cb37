//! What would be sent, without sending it.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

use crate::ConversationId;
use crate::client::Shared;

/// A request as it would be sent, with the key redacted. It shows customers and messages: print it, do not log it.
///
/// ```
/// # fn main() -> famulor_core::Result<()> {
/// use famulor_core::{AssistantId, Client, CustomerId};
///
/// let client = Client::builder().with_api_key("1|abc").build()?;
/// let preview = client.reply(AssistantId::new(123), CustomerId::raw("crm-1")?, "Hello").preview()?;
/// assert_eq!(preview.method(), "POST");
/// assert!(preview.url().ends_with("/ai/generate-reply"));
/// assert_eq!(preview.headers()["authorization"], "Bearer [redacted]");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Serialize)]
pub struct RequestPreview {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

impl RequestPreview {
    pub(crate) fn new(shared: &Shared, method: &str, path: &str, body: Option<Value>) -> Self {
        let mut headers = BTreeMap::from([("accept".to_owned(), "application/json".to_owned())]);
        if shared.has_key() {
            headers.insert("authorization".to_owned(), "Bearer [redacted]".to_owned());
        }
        if body.is_some() {
            headers.insert("content-type".to_owned(), "application/json".to_owned());
        }
        Self {
            method: method.to_owned(),
            url: format!("{}{path}", shared.base_url.as_str()),
            headers,
            body,
        }
    }

    /// The HTTP method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The whole URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers, in lower case, with the key redacted.
    #[must_use]
    pub fn headers(&self) -> &BTreeMap<String, String> {
        &self.headers
    }

    /// The body, if there is one.
    #[must_use]
    pub fn body(&self) -> Option<&Value> {
        self.body.as_ref()
    }
}

/// Shows no URL and no body.
impl std::fmt::Debug for RequestPreview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestPreview")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// What stays as it is in a path segment. Source: RFC 3986, section 2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A conversation's id as one segment of a path.
pub(crate) fn segment(id: &ConversationId) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(id.as_str(), SEGMENT)
}

/// A path with the query's pairs that have a value.
pub(crate) fn with_query(path: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .filter_map(|(name, value)| {
            value.map(|value| format!("{name}={}", utf8_percent_encode(value, SEGMENT)))
        })
        .collect();
    if pairs.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", pairs.join("&"))
    }
}
