//! From an answer that is no usable success to what it means for the message.
//!
//! This is the table "What may be sent again" of the delivery rules.

use std::time::{Duration, SystemTime};

use famulor_gen::{Answer, BodyEnd};

use super::{Delivery, Error, ErrorCode, ErrorKind, envelope::Envelope};
use crate::call::Effect;

/// An answer that is no usable success, and what may follow it.
pub(crate) struct Refusal {
    pub(crate) error: Error,
    /// Whether the server said 429: the caller waits for the quota, then sends again.
    pub(crate) throttled: bool,
    /// Whether the same request may be sent again after a pause.
    pub(crate) repeatable: bool,
}

/// Says what an answer means that is no usable success.
pub(crate) fn classify_answer(answer: &Answer, effect: Effect) -> Refusal {
    let status = answer.status().as_u16();
    let envelope = Envelope::read(answer.body());
    let (kind, delivery) = match status {
        200..=299 if answer.is_refusal_inside_success() => {
            (refused_kind(status, &envelope), Delivery::Refused)
        }
        // "A 200 that is not JSON is unknown": a page of a proxy or of a login. Cut off or of another shape, it is the
        // API's own answer, so the request was processed.
        200..=299 if looks_like_json(answer) => (ErrorKind::Unreadable, Delivery::Processed),
        200..=299 => (
            without_trust(effect, ErrorKind::Unreadable),
            Delivery::Unknown,
        ),
        300..=399 if leads_to_login(answer) => (ErrorKind::Auth, Delivery::Refused),
        300..=499 => (refused_kind(status, &envelope), Delivery::Refused),
        _ => (without_trust(effect, ErrorKind::Server), Delivery::Unknown),
    };
    let text = envelope
        .text
        .clone()
        .unwrap_or_else(|| plain_text(kind, status, answer));
    let mut error = Error::new(kind, delivery, text).with_read_only(effect == Effect::Read);
    let details = error.details_mut();
    details.status = Some(status);
    details.hint = hint(kind, status).map(str::to_owned);
    details.retry_after = retry_after(answer, &envelope);
    details.code = envelope.code;
    details.field_errors = envelope.field_errors;
    details.body = Some(answer.body().clone());
    details.request_id = header(answer, "x-request-id").map(str::to_owned);
    let unsettled = matches!(delivery, Delivery::Unknown | Delivery::Processed);
    Refusal {
        throttled: status == 429,
        repeatable: unsettled && effect.may_repeat(),
        error,
    }
}

/// The kind of an outcome that cannot be trusted: for a call that only reads it changed nothing.
fn without_trust(effect: Effect, when_reading: ErrorKind) -> ErrorKind {
    if effect == Effect::Read {
        when_reading
    } else {
        ErrorKind::UnknownOutcome
    }
}

fn refused_kind(status: u16, envelope: &Envelope) -> ErrorKind {
    // 400, 402 and 422 are documented for a low balance; three of the four bodies carry no code (surprise 5).
    let says_balance = envelope.code == Some(ErrorCode::InsufficientBalance)
        || envelope
            .text
            .as_ref()
            .is_some_and(|text| text.to_lowercase().contains("insufficient balance"));
    match status {
        _ if says_balance => ErrorKind::Balance,
        _ if envelope.code == Some(ErrorCode::AssistantNotFound) => ErrorKind::NotFound,
        401 | 403 => ErrorKind::Auth,
        402 => ErrorKind::Balance,
        404 => ErrorKind::NotFound,
        429 => ErrorKind::RateLimited,
        _ => ErrorKind::Refused,
    }
}

fn leads_to_login(answer: &Answer) -> bool {
    header(answer, "location").is_some_and(|location| {
        let path = location.split(['?', '#']).next().unwrap_or_default();
        path.to_ascii_lowercase().contains("login")
    })
}

fn looks_like_json(answer: &Answer) -> bool {
    let first = answer
        .body()
        .iter()
        .find(|byte| !byte.is_ascii_whitespace());
    match (first, header(answer, "content-type")) {
        (Some(b'<'), _) => false,
        (_, Some(kind)) => kind.to_ascii_lowercase().contains("json"),
        (Some(b'{' | b'['), None) => true,
        // Cut off before its first byte, with nothing that says otherwise.
        (None, None) => answer.end() == BodyEnd::Cut,
        _ => false,
    }
}

/// What the server's wait hint says: the header first, then the body. Capped at a day, so that no answer can stall a
/// program for longer than a person would notice.
fn retry_after(answer: &Answer, envelope: &Envelope) -> Option<Duration> {
    const CEILING: f64 = 86_400.0;
    let seconds = header(answer, "retry-after")
        .and_then(parse_retry_after)
        .or(envelope.retry_after)?;
    Some(Duration::from_secs_f64(seconds.clamp(0.0, CEILING)))
}

/// Reads `Retry-After` as seconds, also fractional, or as an HTTP date. Source: RFC 9110, section 10.2.3.
fn parse_retry_after(value: &str) -> Option<f64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return seconds.is_finite().then_some(seconds);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(
        date.duration_since(SystemTime::now())
            .unwrap_or_default()
            .as_secs_f64(),
    )
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers().get(name)?.to_str().ok()
}

fn plain_text(kind: ErrorKind, status: u16, answer: &Answer) -> String {
    let text = match (kind, answer.end()) {
        (ErrorKind::Unreadable, BodyEnd::Cut) => "the answer was cut off",
        (ErrorKind::Unreadable, BodyEnd::TooLarge) => "the answer is larger than the client reads",
        (ErrorKind::Unreadable, _) => "the answer is not what the documentation has",
        (ErrorKind::Auth, _) if (300..400).contains(&status) => {
            "the server redirects to its login page"
        }
        (ErrorKind::Auth, _) => "the key is missing, wrong or not allowed to do this",
        (ErrorKind::NotFound, _) => "there is no such thing on the server",
        (ErrorKind::Balance, _) => "the account's balance is too low",
        (ErrorKind::RateLimited, _) => "the server says that a limit is used up",
        (ErrorKind::Refused, _) if (300..400).contains(&status) => {
            "the server redirects to another address"
        }
        (ErrorKind::Refused, _) => "the server refused the request without saying why",
        (_, _) if status < 300 => "the answer is no JSON",
        _ => "the server failed",
    };
    text.to_owned()
}

fn hint(kind: ErrorKind, status: u16) -> Option<&'static str> {
    match kind {
        ErrorKind::Auth => Some("check the API key and the base URL"),
        ErrorKind::NotFound => {
            Some("check the id; replies take an assistant's integer id, conversations its UUID")
        }
        ErrorKind::Balance => Some("top the account up, then repeat it"),
        ErrorKind::RateLimited => Some("repeat it after the given time, or allow a longer wait"),
        ErrorKind::Refused if (300..400).contains(&status) => {
            Some("check the base URL: redirects are not followed")
        }
        ErrorKind::Refused => {
            Some("correct the request; repeated as it is, it would be refused again")
        }
        ErrorKind::Server => Some("try again later"),
        ErrorKind::UnknownOutcome => Some("do not repeat it blindly: read the conversation first"),
        ErrorKind::Unreadable => Some("read the conversation to see the answer"),
        _ => None,
    }
}
