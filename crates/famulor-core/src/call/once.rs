//! One attempt in a slot that was taken before.

use std::future::Future;

use famulor_gen::{Error as Generated, Observer, types::ApiError};
use tracing::Instrument;

use super::engine::missing_key;
use super::outcome::{Outcome, outcome};
use super::reply_slot::ReplySlot;
use super::slot::{Settlement, settle};
use super::{Call, span};
use crate::error::Refusal;
use crate::transport::within_connect_timeout;
use crate::usage::count;
use crate::{Delivery, Result};

/// Makes one attempt at a message that is billed.
///
/// Dropping the future before it is polled gives the slot back; later, the outcome is not known.
pub(crate) async fn run_in<T, F, R>(call: &Call<'_>, slot: ReplySlot, send: F) -> Result<T>
where
    F: FnOnce(famulor_gen::Client) -> R,
    R: Future<Output = std::result::Result<T, Generated<ApiError>>>,
{
    let shared = call.shared;
    if call.operation.needs_key && !shared.has_key() {
        return Err(missing_key());
    }
    let reservation = shared.counters.reserve_billed()?;
    let permit = slot.use_up(shared).await?;
    count(&shared.counters.calls);
    reservation.keep();

    let observer = Observer::new();
    let span = span::attempt(shared, call.operation, 1);
    let limit = call.options.attempt_timeout.min(call.start.left());
    let sending = send(shared.generated_with(observer.clone()));
    let sending = within_connect_timeout(
        call.options.connect_timeout,
        tokio::time::timeout(limit, sending),
    );
    let result = sending.instrument(span.clone()).await.ok();

    let outcome = outcome(result, &observer, call.operation);
    if let Some(answer) = observer.answer() {
        span::note_status(&span, answer.status().as_u16());
    }
    let (settlement, error) = match outcome {
        Outcome::Answered(value) => {
            settle(permit, Settlement::Answered(&observer)).await;
            count(&shared.counters.replies);
            return Ok(value);
        }
        Outcome::Impossible(error) | Outcome::NotSent(error) => (Settlement::NotSent, error),
        Outcome::Unanswered(error) => (Settlement::Unanswered, error),
        Outcome::Refused(Refusal {
            error,
            throttled: true,
            ..
        }) => {
            count(&shared.counters.rate_limited);
            (Settlement::Throttled(error.retry_after()), error)
        }
        Outcome::Refused(Refusal { error, .. }) => (Settlement::Answered(&observer), error),
    };
    span::note_failure(&span, error.kind().as_str());
    let throttled = matches!(settlement, Settlement::Throttled(_));
    let frozen = settle(permit, settlement).await;
    let error = call.finish(error, 1, false);
    if matches!(error.delivery(), Delivery::NotSent | Delivery::Refused) {
        reservation.give_back();
    }
    Err(match throttled {
        true => error.with_retry_after(Some(frozen)),
        false => error,
    })
}
