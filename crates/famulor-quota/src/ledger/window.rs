//! What the ledger knows about one limit, beside the calls that count in it.

use super::Moment;
use super::moment::micros;
use crate::Limit;

/// One limit of one account.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// [`Limit`]'s stable id: scope and window.
    pub(super) id: u64,
    /// Window and guard, in microseconds.
    pub(super) span: u64,
    /// Slots that somebody else was seen to use.
    pub(super) foreign: u32,
    /// Until when those are kept out of our reach.
    pub(super) foreign_until: Moment,
}

impl Window {
    pub(super) fn new(limit: &Limit) -> Self {
        Self {
            id: limit.id(),
            span: span(limit),
            foreign: 0,
            foreign_until: Moment::default(),
        }
    }

    pub(super) fn foreign(&self, now: Moment) -> u32 {
        if self.foreign_until > now {
            self.foreign
        } else {
            0
        }
    }

    /// Somebody else used at least `count` slots of this window.
    pub(super) fn note_foreign(&mut self, count: u32, now: Moment) {
        // A smaller number says nothing against an earlier, larger one: it is
        // only ever a lower bound.
        if count >= self.foreign(now) {
            self.foreign = count;
            self.foreign_until = now.plus_micros(self.span);
        }
    }
}

/// The window of a limit and its guard, in microseconds.
///
/// The guard is for what the proof takes for granted: that both clocks run at
/// the same speed. NTP slews a clock by at most 500 ppm, two clocks can so part
/// at 1000 ppm, and this allows for twice that; 20 ms at least, because some
/// systems' timers are no finer than 16 ms.
pub(crate) fn span(limit: &Limit) -> u64 {
    let window = micros(limit.window());
    window.saturating_add((window / 500).max(20_000))
}
