//! The rules themselves, for one account, with the time as an argument.
//!
//! A [`Ledger`] does no input or output and knows no clock: it is given the
//! [`Moment`] of every event. A store keeps one per account, in memory or
//! anywhere else.

mod call;
mod codec;
mod forecast;
mod ladder;
mod moment;
mod refusal;
mod window;
mod witness;

#[cfg(test)]
mod tests;

use std::time::Duration;

use call::Call;
pub use codec::DecodeError;
use ladder::Ladder;
pub use ladder::{Rung, StepDown};
pub use moment::Moment;
use window::Window;
#[cfg(feature = "redis")]
pub(crate) use window::span;

use crate::{Completion, Limit, SlotId, Usage};

/// How long after it was granted a permit may still be used.
///
/// A machine that slept in between would otherwise send on a slot that the
/// ledger has long given to somebody else.
pub const SEND_BEFORE: Duration = Duration::from_secs(2);

/// How long a request may still be on its way to the server after its sender
/// has given up on it: a proxy's buffer, a retransmission, a long queue.
pub const LATE_ARRIVAL: Duration = Duration::from_secs(30);

/// This long without a refusal, and an account steps up one rung; this long
/// without a sign of somebody else, and header witnesses count again.
pub const CLEAN_TIME: Duration = Duration::from_secs(30 * 60);

/// Windows an account can have, one bit each in a call.
const MAX_WINDOWS: usize = 32;

/// The slots of one account, and everything that bears on when the next call
/// may be sent.
///
/// ```
/// # use std::time::Duration;
/// # use famulor_quota::ledger::{Ledger, Moment};
/// # use famulor_quota::{Completion, Limit};
/// let limits = [Limit::new(1, Duration::from_secs(60), "replies")];
/// let hold = Duration::from_secs(92);
/// let at = |seconds: u64| Moment::from_micros(seconds * 1_000_000);
///
/// let mut ledger = Ledger::new(at(0));
/// let slot = ledger.acquire(at(0), &limits, hold).expect("a free slot");
/// ledger.complete(at(3), slot, Completion::Answered(None));
///
/// // Completed at 3 s: free again 60 s and a guard of 120 ms later.
/// let ready = ledger.acquire(at(10), &limits, hold).unwrap_err();
/// assert_eq!(ready, Moment::from_micros(63_120_000));
/// ```
#[derive(Clone, Debug)]
pub struct Ledger {
    /// In the order they were granted.
    calls: Vec<Call>,
    windows: Vec<Window>,
    watched_from: Moment,
    last_granted: Moment,
    frozen_until: Moment,
    foreign_seen_until: Moment,
    ladder: Ladder,
}

impl Ledger {
    /// An account that holds no slot, and every call of which since
    /// `watched_from` is known: when this program, or its store, began.
    #[must_use]
    pub fn new(watched_from: Moment) -> Self {
        Self {
            calls: Vec::new(),
            windows: Vec::new(),
            watched_from,
            last_granted: Moment::default(),
            frozen_until: Moment::default(),
            foreign_seen_until: Moment::default(),
            ladder: Ladder::default(),
        }
    }

    /// Takes a slot under every one of `limits`, or under none.
    ///
    /// The slot is given up by [`Ledger::complete`] or [`Ledger::reject`]; if
    /// neither is ever called, then by itself, `hold` and the limit's window
    /// from now. `hold` is for how long the request may still reach the server.
    ///
    /// # Errors
    ///
    /// The moment before which there is no use in asking again.
    pub fn acquire(
        &mut self,
        now: Moment,
        limits: &[Limit],
        hold: Duration,
    ) -> Result<SlotId, Moment> {
        let ready = self.ready_at(now, limits, 0);
        if ready > now {
            return Err(ready);
        }
        if self.calls.len() == self.calls.capacity() {
            self.make_room(now, limits);
        }
        let windows = self.windows_of(now, limits)?;
        let granted = now.max(self.last_granted.plus_micros(1));
        self.last_granted = granted;
        self.calls.push(Call {
            granted,
            done: now.plus(hold),
            windows,
            in_flight: true,
        });
        Ok(SlotId::from_moment(granted))
    }

    /// A call has ended other than by a refusal. Only ever shortens the time
    /// for which its slot is busy. A slot that has run out is ignored.
    pub fn complete(&mut self, now: Moment, slot: SlotId, how: Completion) {
        let Some(index) = self.find(slot) else {
            return;
        };
        match how {
            Completion::NotSent => {
                self.calls.remove(index);
            }
            Completion::Abandoned => {
                let call = &mut self.calls[index];
                call.done = call.done.min(now.plus(LATE_ARRIVAL));
                call.in_flight = false;
            }
            Completion::Answered(seen) => {
                if let Some(seen) = seen {
                    self.witness(now, index, &seen);
                }
                let call = &mut self.calls[index];
                call.done = call.done.min(now);
                call.in_flight = false;
            }
        }
    }

    /// Lets no call go for `time` from now; never shortens a longer freeze.
    pub fn freeze(&mut self, now: Moment, time: Duration) {
        let until = now.plus(time.min(refusal::MAX_FREEZE));
        self.frozen_until = self.frozen_until.max(until);
    }

    /// For how long the account is frozen; zero when it is not.
    #[must_use]
    pub fn frozen_for(&self, now: Moment) -> Duration {
        self.frozen_until.since(now)
    }

    /// The figures of each of `limits`. `waiting` is 0: a ledger has no queue.
    #[must_use]
    pub fn usage(&self, now: Moment, limits: &[Limit]) -> Vec<Usage> {
        let of = |limit: &Limit| {
            let window = self.window_index(limit);
            Usage {
                limit: limit.clone(),
                busy: u32::try_from(self.busy(now, limit)).unwrap_or(u32::MAX),
                foreign: window.map_or(0, |index| self.windows[index].foreign(now)),
                waiting: 0,
                next_free: self
                    .ready_at(now, std::slice::from_ref(limit), 0)
                    .since(now),
                frozen_for: self.frozen_for(now),
                foreign_seen: self.foreign_seen(now),
                rung: self.ladder.rung(now),
                step_down: self.ladder.reason(now),
            }
        };
        limits.iter().map(of).collect()
    }

    /// Whether a new ledger would say the same as this one: then a store need
    /// not keep it.
    #[must_use]
    pub fn is_idle(&self, now: Moment) -> bool {
        self.frozen_until <= now
            && !self.foreign_seen(now)
            && self.ladder.rung(now) == Rung::Burst
            && !self.may_count_refused(now)
            && self.calls.iter().all(|call| self.is_over(call, now))
    }

    /// When there will be nothing to remember any more, or somewhat later.
    #[cfg(feature = "redis")]
    pub(crate) fn remembered_until(&self, now: Moment) -> Moment {
        let spans = self.windows.iter().map(|window| window.span);
        let span = spans.max().unwrap_or(0);
        let calls = self.calls.iter().map(|call| call.release(span));
        let until = calls.chain([now, self.frozen_until, self.foreign_seen_until]);
        until
            .chain(self.ladder.remembered_until(span))
            .max()
            .unwrap_or(now)
    }

    /// Gives back memory that only busier times needed.
    pub fn shrink(&mut self, now: Moment) {
        self.prune(now);
        self.calls.shrink_to_fit();
    }

    fn find(&self, slot: SlotId) -> Option<usize> {
        let granted = slot.moment();
        self.calls
            .binary_search_by_key(&granted, |call| call.granted)
            .ok()
    }

    fn window_index(&self, limit: &Limit) -> Option<usize> {
        self.windows
            .iter()
            .position(|window| window.id == limit.id())
    }

    /// The bits of `limits`, making room for those seen for the first time.
    fn windows_of(&mut self, now: Moment, limits: &[Limit]) -> Result<u32, Moment> {
        let mut bits = 0;
        for limit in limits {
            let index = match self.window_index(limit) {
                Some(index) => index,
                None => self.add_window(now, limit)?,
            };
            bits |= 1 << index;
        }
        Ok(bits)
    }

    fn add_window(&mut self, now: Moment, limit: &Limit) -> Result<usize, Moment> {
        if self.windows.len() < MAX_WINDOWS {
            self.windows.reserve_exact(1);
            self.windows.push(Window::new(limit));
            return Ok(self.windows.len() - 1);
        }
        self.prune(now);
        let in_use = self.calls.iter().fold(0, |bits, call| bits | call.windows);
        match (0..MAX_WINDOWS).find(|index| in_use & (1 << index) == 0) {
            Some(index) => {
                self.windows[index] = Window::new(limit);
                Ok(index)
            }
            // Nobody has 33 limits at a time on one account; whoever does waits.
            None => Err(now.plus(Duration::from_secs(1))),
        }
    }

    /// Room for one more call; for as many as the tightest limit allows at
    /// first, because most accounts never need more.
    fn make_room(&mut self, now: Moment, limits: &[Limit]) {
        self.prune(now);
        let have = self.calls.capacity();
        if self.calls.len() == have {
            let tightest = limits.iter().map(Limit::requests).min().unwrap_or(1);
            let first = usize::try_from(tightest).map_or(8, |tightest| tightest.min(8));
            let more = if have == 0 { first } else { (have / 2).max(2) };
            self.calls.reserve_exact(more);
        }
    }

    /// Forgets calls whose slots are free and that no answer still to come can
    /// have counted.
    fn prune(&mut self, now: Moment) {
        let unfinished = self.calls.iter().find(|call| call.unfinished(now));
        let horizon = unfinished.map_or(now, |call| call.granted);
        let windows = &self.windows;
        self.calls
            .retain(|call| call.release(longest(windows, call)) > horizon);
    }

    fn is_over(&self, call: &Call, now: Moment) -> bool {
        call.release(longest(&self.windows, call)) <= now
    }

    /// Whether some server might still count a call that it refused.
    fn may_count_refused(&self, now: Moment) -> bool {
        let spans = self.windows.iter().map(|window| window.span);
        let refused_at = self.ladder.refused_at();
        refused_at > Moment::default() && refused_at.plus_micros(spans.max().unwrap_or(0)) > now
    }

    fn foreign_seen(&self, now: Moment) -> bool {
        self.foreign_seen_until > now
    }
}

/// The longest window and guard that `call` counts in.
fn longest(windows: &[Window], call: &Call) -> u64 {
    let spans = windows.iter().enumerate();
    let own = spans.filter(|(index, _)| call.counts_in(*index));
    own.map(|(_, window)| window.span).max().unwrap_or(0)
}
