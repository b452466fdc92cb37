//! After a 429.

use std::time::Duration;

use super::{Ledger, Moment, longest};
use crate::SlotId;

/// Laravel cuts `Retry-After` down to whole seconds, so it may be up to a
/// second short; 0 is a common value. Without the header, the least to wait.
const ROUNDING: Duration = Duration::from_secs(1);

/// A hint longer than this is followed this far and then tried again: a broken
/// header must not silence an account for a day.
pub(super) const MAX_FREEZE: Duration = Duration::from_secs(60 * 60);

impl Ledger {
    /// A call was refused with 429: gives its slot back and freezes the account
    /// for `retry_after` and a second. Without that header: until the oldest
    /// slot's release, a window at most. Returns for how long the account is
    /// frozen now.
    pub fn reject(&mut self, now: Moment, slot: SlotId, retry_after: Option<Duration>) -> Duration {
        let busy = self.calls.iter().filter(|call| !self.is_over(call, now));
        let busy = u32::try_from(busy.count()).unwrap_or(u32::MAX);
        let call = self.find(slot).map(|index| self.calls.remove(index));
        if let Some(call) = &call {
            let known_from = self.watched_from.plus_micros(longest(&self.windows, call));
            let explained =
                call.granted < known_from || self.foreign_seen(now) || self.foreign_now(now);
            self.ladder.refused(now, call.granted, explained, busy);
        }
        let time = match retry_after {
            Some(hint) => hint.saturating_add(ROUNDING),
            None => {
                let bits = call.map_or(u32::MAX, |call| call.windows);
                self.oldest_release(now, bits).max(ROUNDING)
            }
        };
        self.freeze(now, time);
        self.frozen_for(now)
    }

    /// Whether slots are kept out of our reach at the moment.
    fn foreign_now(&self, now: Moment) -> bool {
        self.windows.iter().any(|window| window.foreign(now) > 0)
    }

    /// Until the oldest slot's release, in whichever of these windows that is
    /// latest: the refusal does not say which of them was full.
    fn oldest_release(&self, now: Moment, bits: u32) -> Duration {
        let of_window = |(index, window): (usize, &super::Window)| {
            let calls = self.calls.iter().filter(|call| call.counts_in(index));
            let releases = calls.map(|call| call.release(window.span));
            let oldest = releases.filter(|release| *release > now).min();
            let one_window = now.plus_micros(window.span);
            oldest.map_or(one_window, |oldest| oldest.min(one_window))
        };
        let windows = self.windows.iter().enumerate();
        let until = windows
            .filter(|(index, _)| bits & (1 << index) != 0)
            .map(of_window)
            .max();
        until.map_or(Duration::ZERO, |until| until.since(now))
    }
}
