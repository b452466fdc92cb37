//! Taking a slot of the quota before an attempt, and saying how the attempt ended.

use std::sync::Arc;
use std::time::Duration;

use famulor_gen::Observer;
use famulor_quota::{AcquireError, AcquireRequest, Limit, Permit, Witness};
use http::HeaderName;

use super::Call;
use crate::{Delivery, Error, ErrorKind, Result};

static LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
static REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");

/// How an attempt ended, as far as the quota cares.
pub(super) enum Settlement<'a> {
    Answered(&'a Observer),
    NotSent,
    Unanswered,
    Throttled(Option<Duration>),
}

impl Call<'_> {
    /// Waits for a slot that is fresh enough to be used; `None` if there are no limits.
    pub(super) async fn slot(&self, at_head: bool) -> Result<Option<Permit>> {
        let limits = self.shared.limits(self.operation.is_reply);
        if limits.is_empty() {
            return Ok(None);
        }
        loop {
            let mut permit = self.permit(limits, at_head).await?;
            match permit.mark_sent() {
                Ok(()) => return Ok(Some(permit)),
                Err(_) => permit.give_back().await,
            }
        }
    }

    /// Waits for a slot.
    pub(super) async fn permit(&self, limits: &Arc<[Limit]>, at_head: bool) -> Result<Permit> {
        let request = self.request(limits, at_head);
        let acquired = match self.options.only_now {
            true => self.shared.quota.try_acquire(request).await,
            false => self.shared.quota.acquire(request).await,
        };
        let permit = acquired.map_err(no_slot)?;
        self.shared.counters.add_waited(permit.waited());
        Ok(permit)
    }

    /// What it asks of the quota.
    pub(super) fn request(&self, limits: &Arc<[Limit]>, at_head: bool) -> AcquireRequest {
        let mut request = AcquireRequest::new(self.shared.account, Arc::clone(limits))
            .with_deadline(self.start.deadline)
            .with_request_timeout(self.options.attempt_timeout.min(self.start.left()))
            .with_lane(self.options.lane)
            .at_head(at_head);
        if let Some(wait) = self.options.max_wait {
            request = request.with_max_wait(wait);
        }
        if let Some(tell) = self.shared.wait_observer.clone() {
            request = request.on_wait(move |waiting| tell(&waiting.into()));
        }
        request
    }
}

/// Tells the quota how the attempt ended; says for how long the token is frozen after a 429.
pub(super) async fn settle(permit: Option<Permit>, how: Settlement<'_>) -> Duration {
    let Some(permit) = permit else {
        // Without limits only the server's own hint is left. Laravel cuts it down to whole seconds, so it may be up to
        // one second short, and is 0 in the last of them.
        return match how {
            Settlement::Throttled(hint) => hint
                .unwrap_or_default()
                .saturating_add(Duration::from_secs(1)),
            _ => Duration::ZERO,
        };
    };
    match how {
        Settlement::Answered(observer) => permit.complete(witness(observer)).await,
        Settlement::NotSent => permit.give_back().await,
        Settlement::Unanswered => permit.abandon().await,
        Settlement::Throttled(hint) => return permit.reject(hint).await,
    }
    Duration::ZERO
}

fn witness(observer: &Observer) -> Option<Witness> {
    let headers = observer.answer()?.headers();
    let number = |name: &HeaderName| headers.get(name)?.to_str().ok()?.trim().parse().ok();
    Some(Witness::new(number(&LIMIT)?, number(&REMAINING)?))
}

pub(super) fn no_slot(error: AcquireError) -> Error {
    match error {
        AcquireError::WouldWait { ready_in, .. } => Error::new(
            ErrorKind::RateLimited,
            Delivery::NotSent,
            format!(
                "the quota has no free slot in time; the next one comes in {:.0} s",
                ready_in.as_secs_f64().ceil()
            ),
        )
        .with_hint("repeat it then, or allow a longer wait and deadline")
        .with_retry_after(Some(ready_in)),
        other => Error::new(
            ErrorKind::Network,
            Delivery::NotSent,
            "the quota's store cannot be asked for a slot",
        )
        .with_hint("check that the store can be reached, then repeat it")
        .with_source(other),
    }
}
