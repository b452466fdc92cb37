//! What the API looks at in the head of a request.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Uri};

/// The part of a request's head that a decision hangs on, whoever has read it.
#[derive(Debug, Default)]
pub(crate) struct Head<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    /// Where the query is; `None`: there is none.
    pub(crate) uri: Option<&'a Uri>,
    pub(crate) host: Option<&'a str>,
    pub(crate) authorization: Option<&'a str>,
    /// The body is said to be JSON.
    pub(crate) is_json: bool,
    /// Laravel's `expectsJson`, as far as the `Accept` header goes.
    pub(crate) wants_json: bool,
}

impl<'a> Head<'a> {
    pub(crate) fn of(parts: &'a Parts) -> Self {
        let headers = &parts.headers;
        let mut accepted = headers.get_all(ACCEPT).iter();
        Self {
            method: parts.method.clone(),
            path: parts.uri.path(),
            uri: Some(&parts.uri),
            host: text(headers, &HOST),
            authorization: text(headers, &AUTHORIZATION),
            is_json: text(headers, &CONTENT_TYPE).is_some_and(names_json),
            wants_json: accepted.any(|accept| accept.to_str().is_ok_and(names_json)),
        }
    }

    /// The name under which the client knows this server.
    pub(super) fn host(&self) -> &str {
        self.host.unwrap_or("localhost")
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Laravel's `isJson` and `wantsJson`, which look for the same two words.
pub(crate) fn names_json(kind: &str) -> bool {
    // What nearly all say needs no search.
    kind == "application/json" || kind.contains("/json") || kind.contains("+json")
}
