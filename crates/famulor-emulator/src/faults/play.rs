//! What an effect does to a call.

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_LENGTH, LOCATION};
use serde_json::{Value, json};

use super::canned::CannedAnswer;
use super::cut_body::cut_after;
use super::{After, AsAnswer, Before, Effect};
use crate::answer::{Body, Response};
use crate::operation::Operation;

/// In a response's extensions: close the connection instead of sending it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hangup {
    /// An orderly end (FIN).
    Close,
    /// A reset (RST).
    Reset,
}

/// In a response's extensions: what its body was before it was made to stall or
/// to break off.
#[derive(Clone)]
pub(crate) struct Spoiled(pub(crate) Bytes);

/// A response that will not be sent.
pub(crate) fn hang_up(how: Hangup) -> Response {
    let mut response = Response::new(Body::EMPTY);
    response.extensions_mut().insert(how);
    response
}

/// Sends a browser to the login page, as Laravel does with a request that does
/// not ask for JSON.
pub(crate) fn to_login_page(host: &str) -> Response {
    let address = format!("http://{host}/login");
    let page = format!(
        "<!DOCTYPE html>\n<html><head><meta http-equiv=\"refresh\" content=\"0;url='{address}'\" \
         /><title>Redirecting to {address}</title></head><body>Redirecting to \
         <a href=\"{address}\">{address}</a>.</body></html>\n"
    );
    let mut response = CannedAnswer::html(302, page).response();
    if let Ok(address) = HeaderValue::try_from(address) {
        response.headers_mut().insert(LOCATION, address);
    }
    response
}

impl Effect {
    /// What happens at the door: an answer instead of processing, or a wait and
    /// then `None`.
    pub(crate) async fn instead(&self, operation: Operation) -> Option<Response> {
        match self {
            Self::Before(Before::Refuse) => Some(hang_up(Hangup::Reset)),
            Self::Before(Before::Close) => Some(hang_up(Hangup::Close)),
            Self::Before(Before::Delay(delay)) => {
                tokio::time::sleep(*delay).await;
                None
            }
            Self::Before(Before::Answer(answer)) => Some(answer.response()),
            Self::Answer(AsAnswer::BadGateway) => Some(CannedAnswer::bad_gateway().response()),
            Self::Answer(AsAnswer::RefusalInSuccess) => Some(refusal(
                200,
                operation,
                "The service is not available for this account",
            )),
            Self::Answer(AsAnswer::UnknownErrorCode) => Some(
                CannedAnswer::json(
                    422,
                    json!({
                        "success": false,
                        "error": "The assistant is on holiday",
                        "error_code": "ASSISTANT_ON_HOLIDAY",
                    }),
                )
                .response(),
            ),
            _ => None,
        }
    }

    /// What happens to the answer of a processed call.
    pub(crate) async fn spoil(&self, response: Response) -> Response {
        match self {
            Self::After(After::Close) => hang_up(Hangup::Close),
            Self::After(After::Cut(keep)) => cut(response, *keep),
            Self::After(After::Garble) => with_body(response, garble),
            Self::After(After::Delay(delay)) => {
                tokio::time::sleep(*delay).await;
                response
            }
            Self::After(After::Answer(answer)) => answer.response(),
            Self::Answer(AsAnswer::UnknownRole) => with_json(response, add_unknown_role),
            Self::Answer(AsAnswer::EmptyVariables) => with_json(response, empty_variables),
            Self::Answer(AsAnswer::UnknownFields) => with_json(response, add_unknown_fields),
            Self::Wire(wire) => wire.carry(response),
            _ => response,
        }
    }
}

fn refusal(status: u16, operation: Operation, error: &str) -> Response {
    let body = match operation {
        Operation::CreateConversation
        | Operation::GetConversation
        | Operation::SendMessage
        | Operation::DisableConversationAi
        | Operation::EnableConversationAi => json!({"status": false, "error": error}),
        _ => json!({"success": false, "error": error, "error_code": "SERVICE_UNAVAILABLE"}),
    };
    CannedAnswer::json(status, body).response()
}

fn cut(response: Response, keep: usize) -> Response {
    let (mut head, body) = response.into_parts();
    let body = whole(body);
    // One byte short at least: a body that is all there is not cut.
    let kept = body.slice(..keep.min(body.len().saturating_sub(1)));
    head.headers
        .insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    head.extensions.insert(Spoiled(kept.clone()));
    Response::from_parts(head, cut_after(kept))
}

/// Half of the JSON, and bytes that are not even text.
fn garble(body: &[u8]) -> Vec<u8> {
    let mut garbled = body[..body.len() / 2].to_vec();
    garbled.extend_from_slice(b"\xff\xfe<!-- \x00");
    garbled
}

fn add_unknown_role(body: &mut Value) {
    if let Some(Value::Array(history)) = body.get_mut("history") {
        history.push(json!({"role": "supervisor", "content": "I'm taking over from here."}));
    }
}

fn empty_variables(body: &mut Value) {
    if let Some(variables) = body.get_mut("variables") {
        *variables = json!([]);
    }
    if let Some(Value::Array(rows)) = body.get_mut("data") {
        rows.iter_mut().for_each(empty_variables);
    }
}

fn add_unknown_fields(body: &mut Value) {
    if let Value::Object(fields) = body {
        fields.insert("api_revision".to_owned(), json!("2027-01"));
        fields.insert("meta".to_owned(), json!({"trace": ["a", 1, null]}));
    }
}

fn with_json(response: Response, change: impl FnOnce(&mut Value)) -> Response {
    with_body(response, |body| match serde_json::from_slice(body) {
        Ok(mut json) => {
            change(&mut json);
            json.to_string().into_bytes()
        }
        Err(_) => body.to_vec(),
    })
}

fn with_body(response: Response, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Response {
    let (mut head, body) = response.into_parts();
    let body = change(&whole(body));
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body))
}

/// A fault's own body, in pieces, is not spoiled once more.
pub(super) fn whole(body: Body) -> Bytes {
    match body {
        Body::Whole(bytes) => bytes,
        Body::Pieces(_) => Bytes::new(),
    }
}
