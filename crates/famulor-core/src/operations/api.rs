//! Any endpoint.

use famulor_gen::Answer;
use serde_json::Value;

use super::RequestPreview;
use super::reply::REPLY;
use crate::answers::ApiAnswer;
use crate::call::{Call, Effect, Operation, Start, run};
use crate::error::texts_in;
use crate::options::{CallOptions, awaitable, call_options};
use crate::{Client, Error, Result};

/// A call of any endpoint below the base URL: made by [`Client::request`].
///
/// It takes part in the quota and is repeated as its method allows: `GET` and `HEAD` after any failure, `PUT` and
/// `DELETE` too, `POST` and `PATCH` only when they are known not to have been processed. Dropping one that is not a
/// `GET` may leave it done.
#[derive(Clone)]
#[must_use = "a call does nothing until it is sent"]
pub struct ApiRequest {
    client: Client,
    options: CallOptions,
    method: reqwest::Method,
    path: String,
    body: Option<Value>,
}

call_options!(ApiRequest);
awaitable!(ApiRequest, ApiAnswer);

impl ApiRequest {
    pub(crate) fn new(client: Client, method: &str, path: &str) -> Result<Self> {
        let method = method
            .trim()
            .to_ascii_uppercase()
            .parse::<reqwest::Method>()
            .ok()
            .filter(|method| KNOWN_METHODS.contains(&method.as_str()))
            .ok_or_else(|| {
                Error::invalid_request("the method is none", "use GET, POST, PUT, PATCH or DELETE")
            })?;
        let options = client.options;
        Ok(Self {
            client,
            options,
            method,
            path: check_path(path)?,
            body: None,
        })
    }

    /// Sends this JSON as the body.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = famulor_emulator::Emulator::builder().start().await?;
    /// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
    /// # use famulor_core::AssistantId;
    /// let body = serde_json::json!({ "assistant_id": 123, "webhook_url": "https://example.com/hook" });
    /// let path = "/user/assistants/enable-conversation-ended-webhook";
    /// let answer = client.request("POST", path)?.set_json(body).await?;
    /// assert_eq!(answer.status(), 200);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// What would be sent. Sends nothing.
    ///
    /// # Errors
    /// None at present.
    pub fn preview(&self) -> Result<RequestPreview> {
        Ok(RequestPreview::new(
            &self.client.shared,
            self.method.as_str(),
            &self.path,
            self.body.clone(),
        ))
    }

    /// Makes the call.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error), as for the calls that have a builder of their own.
    pub async fn send(self) -> Result<ApiAnswer> {
        let shared = &self.client.shared;
        let route = self
            .path
            .split('?')
            .next()
            .unwrap_or_default()
            .trim_end_matches('/');
        let is_reply = route == shared.reply_path
            || route == REPLY.template
            || route == "/user/ai/generate-reply";
        let operation = Operation {
            method: method_name(&self.method),
            template: "(any)",
            effect: effect(&self.method),
            is_reply: is_reply && self.method == reqwest::Method::POST,
            // Which endpoints need a key is the server's to say.
            needs_key: false,
        };
        // What people wrote is in the body and in the query.
        let mut private = Vec::new();
        if let Some(body) = &self.body {
            texts_in(body, &mut private);
        }
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let values: Vec<String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(_, value)| {
                let decoded = percent_encoding::percent_decode_str(value);
                decoded.decode_utf8_lossy().into_owned()
            })
            .collect();
        private.extend(values.iter().map(String::as_str));
        let call = Call {
            shared,
            operation: &operation,
            options: &self.options,
            start: Start::now(&self.options),
            private: &private,
            attempts_before: 0,
        };
        let done = run(&call, |client| {
            let (method, path, body) = (self.method.clone(), self.path.clone(), self.body.clone());
            async move { client.any(method, &path, body.as_ref()).await }
        })
        .await;
        let answer: Answer = shared.concluded(done)?.value;
        Ok(ApiAnswer::new(answer))
    }
}

const KNOWN_METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

fn method_name(method: &reqwest::Method) -> &'static str {
    KNOWN_METHODS
        .into_iter()
        .find(|known| *known == method.as_str())
        .unwrap_or("POST")
}

/// What repeating a request of this method does. Source: RFC 9110, section 9.2.2.
fn effect(method: &reqwest::Method) -> Effect {
    match method.as_str() {
        "GET" | "HEAD" => Effect::Read,
        "PUT" | "DELETE" => Effect::Set,
        _ => Effect::Add,
    }
}

/// Refuses a path that would leave the base URL: the key must not travel.
fn check_path(path: &str) -> Result<String> {
    let refuse = |message: &str| {
        Err(Error::invalid_request(
            message,
            "write it as in /user/me, below the base URL",
        ))
    };
    let route = path.split(['?', '#']).next().unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(route).decode_utf8_lossy();
    if route.contains("://") || path.starts_with("//") {
        return refuse("the path is an address of its own");
    }
    if route.contains('\\')
        || path.contains(|c: char| c.is_control() || c == ' ')
        || path.contains('#')
    {
        return refuse("the path has a character that cannot stand in one");
    }
    if decoded
        .split(['/', '\\'])
        .any(|segment| matches!(segment, "." | ".."))
    {
        return refuse("the path has a dot segment");
    }
    if route.trim_matches('/').is_empty() {
        return refuse("the path is empty");
    }
    Ok(format!("/{}", path.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::check_path;

    #[test]
    fn a_path_that_leaves_the_base_url_is_refused() {
        for path in [
            "https://example.com/x",
            "//example.com/x",
            "/a/../../x",
            "/a/%2e%2e/x",
            "/a\\..\\x",
            "",
            "/",
            "/a#b",
        ] {
            assert!(check_path(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_path_with_or_without_a_slash_and_with_a_query_is_taken() -> crate::Result<()> {
        assert_eq!(check_path("user/me")?, "/user/me");
        assert_eq!(
            check_path("/user/calls?from=2025-01-01&url=https://x")?,
            "/user/calls?from=2025-01-01&url=https://x"
        );
        Ok(())
    }
}
