//! Who may come in: keys, and the redirect that a browser gets instead.

use super::head::Head;
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
    head: &Head<'_>,
    guest: &Guest,
) -> Result<Caller, Refusal> {
    let token = bearer(head);
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

pub(super) fn bearer<'a>(head: &Head<'a>) -> Option<&'a str> {
    let (scheme, token) = head.authorization?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
