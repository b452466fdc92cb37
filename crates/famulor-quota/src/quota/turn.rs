//! A call that stands in line, whoever asks for it.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep_until};

use super::line::{PATIENCE, Standing};
use super::lines::Place;
use super::{AcquireError, AcquireRequest, Permit, Shared, Waiting};
use crate::store::{Ask, SlotId, Taken};

/// Timers are no finer than this, so asking a store more often is of no use.
const TIMER: Duration = Duration::from_millis(1);

/// The first place in the line: made by [`Quota::turn`](crate::Quota::turn) for a
/// caller who asks the ledger by itself, in a
/// [transaction of its own](crate::SharedDatabase).
///
/// | what the ledger said | call |
/// |---|---|
/// | slots are taken, and that is committed | [`granted`](Self::granted) |
/// | there is none | [`denied`](Self::denied), which waits for the next turn |
/// | it was not asked: there was nothing to take a slot for | drop it |
///
/// Dropping it leaves the line, and nothing behind. Others wait while it is
/// held, so ask at once.
#[must_use = "others wait while a turn is held; dropping it leaves the line"]
pub struct Turn {
    shared: Arc<Shared>,
    request: AcquireRequest,
    place: Place,
    began: Instant,
    deadline: Option<Instant>,
    /// Calls before it when it last looked.
    ahead: usize,
}

impl Turn {
    pub(super) fn join(shared: &Arc<Shared>, request: AcquireRequest, began: Instant) -> Self {
        let deadline = request.deadline(began);
        let place = shared.lines.join(&request, deadline);
        let mut turn = Self {
            shared: Arc::clone(shared),
            request,
            place,
            began,
            deadline,
            ahead: 0,
        };
        turn.stand();
        turn
    }

    /// What to ask of the ledger.
    #[must_use]
    pub fn ask(&self) -> Ask {
        self.request.ask()
    }

    /// How many slots may be taken at once, of the `most` that are of use: one if
    /// others wait for the same limits, whose turn is next.
    #[must_use]
    pub fn most(&self, most: usize) -> usize {
        match self.place.is_alone() {
            true => most,
            false => most.min(1),
        }
    }

    /// There was no slot, and there is none before `ready_in`: waits for the next
    /// turn. Dropping the future keeps the place in the line until this is dropped
    /// too.
    ///
    /// # Errors
    ///
    /// As [`Quota::acquire`](crate::Quota::acquire).
    pub async fn denied(&mut self, ready_in: Duration) -> Result<(), AcquireError> {
        self.refused(ready_in).await?;
        self.come().await
    }

    /// Slots were taken, and that is committed: a permit for each. Those that are
    /// dropped unused give their slots back.
    pub fn granted(self, taken: Taken) -> Vec<Permit> {
        let waited = self.began.elapsed();
        let (slots, asked) = taken.committed();
        self.place.served();
        let permit = |slot| self.shared.permit(&self.request, slot, asked, waited);
        slots.into_iter().map(permit).collect()
    }

    /// The same for one that the store itself was asked for.
    pub(super) fn served(self, slot: SlotId, asked: (Instant, SystemTime)) -> Permit {
        self.place.served();
        let waited = self.began.elapsed();
        self.shared.permit(&self.request, slot, asked, waited)
    }

    /// Waits until it may ask.
    pub(super) async fn come(&mut self) -> Result<(), AcquireError> {
        loop {
            let standing = self.stand();
            if standing.may_ask {
                return Ok(());
            }
            let mut ready_in = Duration::ZERO;
            if self.request.wants_forecast(self.deadline) {
                ready_in = self.shared.ready_in(&self.request, self.ahead).await?;
            }
            let now = Instant::now();
            let wake_at = standing.yields.then(|| now + PATIENCE);
            self.wait(now, ready_in, wake_at).await?;
        }
    }

    /// It has asked, and there was no slot: waits until there may be one.
    pub(super) async fn refused(&mut self, ready_in: Duration) -> Result<(), AcquireError> {
        let now = Instant::now();
        let wake_at = now.checked_add(ready_in.max(TIMER));
        if let Some(wake_at) = wake_at {
            self.place.denied(wake_at);
        }
        self.wait(now, ready_in, wake_at).await
    }

    fn stand(&mut self) -> Standing {
        let standing = self.place.standing(Instant::now());
        self.ahead = standing.ahead;
        standing
    }

    async fn wait(
        &self,
        now: Instant,
        ready_in: Duration,
        wake_at: Option<Instant>,
    ) -> Result<(), AcquireError> {
        let ahead = self.ahead;
        if self
            .deadline
            .is_some_and(|at| at <= now || now.checked_add(ready_in).is_none_or(|ready| ready > at))
        {
            return Err(AcquireError::WouldWait { ready_in, ahead });
        }
        self.request.tell(Waiting::new(ready_in, ahead));
        self.news(wake_at).await;
        Ok(())
    }

    /// Waits until there may be something new for this place.
    async fn news(&self, wake_at: Option<Instant>) {
        let timer = match (wake_at, self.deadline) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let timer = async {
            match timer {
                Some(at) => sleep_until(at).await,
                None => pending().await,
            }
        };
        let account = self.place.account();
        let changed = async {
            // Only who may ask has a use for it, and a store that fails here
            // leaves us the timer.
            if wake_at.is_none() || self.shared.store.changed(account).await.is_err() {
                pending::<()>().await;
            }
        };
        tokio::select! {
            () = self.place.rung() => {}
            () = timer => {}
            () = changed => {}
        }
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("request", &self.request)
            .field("ahead", &self.ahead)
            .finish_non_exhaustive()
    }
}
