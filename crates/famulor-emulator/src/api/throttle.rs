//! The limits at work: who is let in, and what a 429 looks like.

use http::StatusCode;
use serde_json::json;

use crate::answer::{self, Response};
use crate::caller::Caller;
use crate::limits::{LimitHeaders, RateLimit, Scope, TooMany};
use crate::lock;
use crate::operation::Operation;
use crate::world::World;

/// Counts the call, or says which limit it is over.
pub(super) fn admit(
    world: &World,
    caller: &Caller,
    operation: Operation,
    sequence: u64,
) -> Result<(), TooMany> {
    let (now, admitted) = if !world.is_limited {
        (None, Ok(()))
    } else {
        let mut limits = lock(&world.limits);
        // Read under the lock, so that no later call is counted earlier.
        let now = world.clock.elapsed();
        (Some(now), limits.admit(caller, operation, now))
    };
    let mut record = lock(&world.record);
    match admitted {
        Ok(_) => record.tally.let_in(caller),
        Err(_) => record.tally.rate_limited(),
    }
    record.journal.note(sequence, |entry| {
        entry.elapsed = now.unwrap_or(entry.elapsed);
        entry.token(caller.mark());
        entry.counted = admitted.is_ok();
    });
    admitted
}

/// What an answer says of the limits: what is left when it is written, as
/// Laravel reads it after the handler, and not when the call came in.
pub(super) fn write_headers(
    world: &World,
    caller: &Caller,
    operation: Operation,
    response: &mut Response,
) {
    if !world.is_limited {
        return;
    }
    let limits = lock(&world.limits);
    if let Some(headers) = limits.headers(caller, operation, world.clock.elapsed()) {
        headers.write(response.headers_mut());
    }
}

/// A 429 with its headers.
pub(super) fn refuse(world: &World, too_many: &TooMany) -> Response {
    let seconds = too_many.retry_after;
    let mut response = body(too_many.scope, seconds);
    let reset = world
        .clock
        .now()
        .as_second()
        .saturating_add_unsigned(seconds);
    too_many
        .headers
        .write_refused(seconds, reset, response.headers_mut());
    response
}

/// The two documented bodies of a 429.
fn body(scope: Scope, retry_after: u64) -> Response {
    let body = match scope {
        Scope::Reply => json!({
            "message": "Too Many Attempts.",
            "retry_after": retry_after,
        }),
        Scope::General => json!({
            "error": "Rate limit exceeded",
            "message": "Too many requests. Please try again later.",
            "retry_after": retry_after,
        }),
    };
    answer::json(StatusCode::TOO_MANY_REQUESTS, &body)
}

/// A 429 that no limit asked for.
pub(super) fn pretend(
    world: &World,
    operation: Operation,
    headers: bool,
    retry_after: u64,
) -> Response {
    // With limits off, the ones that are documented.
    let documented = match operation {
        Operation::GenerateReply => (Scope::Reply, RateLimit::REPLIES),
        _ => (Scope::General, RateLimit::BURST),
    };
    let shown = lock(&world.limits).shown(operation);
    let (scope, limit) = shown.unwrap_or(documented);
    if !headers {
        return body(scope, retry_after);
    }
    let too_many = TooMany {
        scope,
        headers: LimitHeaders::counted(limit.requests(), 0),
        retry_after,
    };
    refuse(world, &too_many)
}
