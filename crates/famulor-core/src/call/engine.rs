//! From a request to an answer: a slot, an attempt, and what may follow it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use famulor_gen::{Error as Generated, Observer, types::ApiError};
use tokio::time::Instant;
use tracing::Instrument;

use super::outcome::{Outcome, outcome};
use super::slot::{Settlement, settle};
use super::{Effect, Operation, backoff, span};
use crate::client::Shared;
use crate::error::Refusal;
use crate::options::CallOptions;
use crate::transport::within_connect_timeout;
use crate::usage::count;
use crate::{Delivery, Error, ErrorKind, Result};

/// When a call began. Its one deadline covers queueing, attempts, waits and reading back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) deadline: Instant,
}

impl Start {
    pub(crate) fn now(options: &CallOptions) -> Self {
        // A clock cannot hold every deadline; a year is as good as none.
        let longest = Duration::from_secs(365 * 86_400);
        Self {
            deadline: Instant::now() + options.deadline.min(longest),
        }
    }

    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// One call, apart from what it sends.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) operation: &'a Operation,
    pub(crate) options: &'a CallOptions,
    pub(crate) start: Start,
    /// What people said or are called: blacked out wherever a server quotes it.
    pub(crate) private: &'a [&'a str],
    /// Attempts made before, by an earlier round of the same call.
    pub(crate) attempts_before: u32,
}

/// What came of a call, and what it took.
pub(crate) struct Done<T> {
    pub(crate) value: T,
    pub(crate) attempts: u32,
}

/// Makes a call until it is answered, refused, or may not be made again.
///
/// Dropping the future before a slot is free leaves nothing behind. Dropping it later leaves the outcome unknown: the
/// server may process what was sent.
pub(crate) async fn run<T, F, R>(call: &Call<'_>, send: F) -> Result<Done<T>>
where
    F: Fn(famulor_gen::Client) -> R,
    R: Future<Output = std::result::Result<T, Generated<ApiError>>>,
{
    if call.operation.needs_key && !call.shared.has_key() {
        return Err(missing_key().with_read_only(call.operation.effect == Effect::Read));
    }
    let mut attempts = call.attempts_before;
    let mut at_head = false;
    let mut unsettled = false;
    loop {
        let permit = match call.slot(at_head).await {
            Ok(permit) => permit,
            Err(error) => return Err(call.finish(error, attempts, unsettled)),
        };
        if call.start.left().is_zero() {
            settle(permit, Settlement::NotSent).await;
            return Err(call.finish(too_late(), attempts, unsettled));
        }
        attempts += 1;
        count(&call.shared.counters.calls);

        let observer = Observer::new();
        let span = span::attempt(call.shared, call.operation, attempts);
        let limit = call.options.attempt_timeout.min(call.start.left());
        let sending = send(call.shared.generated_with(observer.clone()));
        let sending = within_connect_timeout(
            call.options.connect_timeout,
            tokio::time::timeout(limit, sending),
        );
        let result = sending.instrument(span.clone()).await.ok();

        let outcome = outcome(result, &observer, call.operation);
        if let Some(answer) = observer.answer() {
            span::note_status(&span, answer.status().as_u16());
        }
        let (settlement, error, again) = match outcome {
            Outcome::Answered(value) => {
                settle(permit, Settlement::Answered(&observer)).await;
                return Ok(Done { value, attempts });
            }
            Outcome::Impossible(error) => {
                settle(permit, Settlement::NotSent).await;
                return Err(call.finish(error, attempts - 1, unsettled));
            }
            Outcome::NotSent(error) => (Settlement::NotSent, error, true),
            Outcome::Unanswered(error) => (
                Settlement::Unanswered,
                error,
                call.operation.effect.may_repeat(),
            ),
            Outcome::Refused(Refusal {
                error,
                throttled: true,
                ..
            }) => {
                count(&call.shared.counters.rate_limited);
                at_head = true;
                (Settlement::Throttled(error.retry_after()), error, true)
            }
            Outcome::Refused(Refusal {
                error, repeatable, ..
            }) => (Settlement::Answered(&observer), error, repeatable),
        };
        span::note_failure(&span, error.kind().as_str());
        let throttled = matches!(settlement, Settlement::Throttled(_));
        let frozen = settle(permit, settlement).await;
        let error = call.finish(error, attempts, unsettled);
        unsettled |= matches!(error.delivery(), Delivery::Unknown | Delivery::Processed);
        let pause = match throttled {
            true => frozen,
            false => backoff::pause(attempts - call.attempts_before, error.retry_after()),
        };
        let tries_left = attempts <= call.options.max_retries;
        if !(again && tries_left && call.can_wait(pause, throttled)) {
            return Err(if throttled {
                throttled_for_good(error, frozen)
            } else {
                error
            });
        }
        // A frozen quota makes everyone on the token wait, this call at the head of its line.
        if !throttled || permit_free(call) {
            tokio::time::sleep(pause).await;
        }
    }
}

fn permit_free(call: &Call<'_>) -> bool {
    call.shared.limits(call.operation.is_reply).is_empty()
}

fn throttled_for_good(error: Error, frozen: Duration) -> Error {
    let wait = error.retry_after().unwrap_or(frozen);
    error.with_retry_after(Some(wait))
}

fn too_late() -> Error {
    Error::new(
        ErrorKind::Network,
        Delivery::NotSent,
        "the deadline came before it could be sent",
    )
    .with_hint("allow a longer deadline")
}

pub(super) fn missing_key() -> Error {
    Error::new(ErrorKind::Auth, Delivery::NotSent, "this call needs an API key and the client has none")
        .with_hint("set FAMULOR_API_KEY, or give the builder a key; without one only the conversation calls work")
}

/// What became of the last attempt does not undo what an earlier one may have done.
fn about_a_setting(error: &mut Error, unsettled: bool) {
    let details = error.details_mut();
    if unsettled && matches!(details.delivery, Delivery::NotSent | Delivery::Refused) {
        details.delivery = Delivery::Unknown;
        if matches!(details.kind, ErrorKind::Network | ErrorKind::RateLimited) {
            details.kind = ErrorKind::UnknownOutcome;
        }
    }
    if details.kind == ErrorKind::UnknownOutcome {
        details.hint = Some("make the same call again: it changes nothing twice".to_owned());
    }
}

impl Call<'_> {
    fn can_wait(&self, pause: Duration, throttled: bool) -> bool {
        let allowed = self
            .options
            .max_wait
            .filter(|_| throttled)
            .unwrap_or(Duration::MAX);
        pause < self.start.left() && pause <= backoff::LONGEST_HINT && pause <= allowed
    }

    /// What every failure of a call carries, and nothing that a person said.
    ///
    /// `unsettled`: an earlier attempt may have been processed.
    pub(super) fn finish(&self, error: Error, attempts: u32, unsettled: bool) -> Error {
        let mut error = error
            .with_attempts(attempts)
            .with_read_only(self.operation.effect == Effect::Read);
        if self.operation.effect == Effect::Set {
            about_a_setting(&mut error, unsettled);
        }
        error.black_out(self.private);
        self.shared.black_out_key(&mut error);
        error
    }
}
