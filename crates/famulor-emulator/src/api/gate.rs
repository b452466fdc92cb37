//! Who may come in: keys, and the redirect that a browser gets instead.

use http::HeaderMap;
use http::header::{ACCEPT, AUTHORIZATION};

use super::refusal::Refusal;
use crate::caller::{Caller, Guest};
use crate::operation::Operation;

/// The caller, by token or, for the public operations, by address.
///
/// A token that is not known does not shut out of a public operation: a route
/// without authentication does not look at the header (inferred).
///
/// # Errors
///
/// The documented 401 of the operation.
pub(super) fn identify(
    accepted: &[String],
    operation: Operation,
    headers: &HeaderMap,
    guest: &Guest,
) -> Result<Caller, Refusal> {
    let token = bearer(headers);
    match token {
        Some(token) if accepted.is_empty() || accepted.iter().any(|known| known == token) => {
            Ok(guest.with_token(token))
        }
        _ if operation.is_public() => Ok(guest.without_token()),
        _ if operation.is_automation() => Err(Refusal::Automation),
        Some(_) => Err(Refusal::unknown_key()),
        None => Err(Refusal::missing_key()),
    }
}

/// Laravel's `expectsJson`, as far as the `Accept` header goes.
pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .any(|accept| accept.contains("/json") || accept.contains("+json"))
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
