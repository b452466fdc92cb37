//! When the next call may go, and the one after it.

use super::moment::micros;
use super::window::span;
use super::{Ledger, Moment, Rung};
use crate::Limit;

impl Ledger {
    /// The earliest moment at which a call under all of `limits` could be sent
    /// if `ahead` others go before it; not after `now` when it may go at once.
    ///
    /// A lower bound: it supposes that every call in flight ends this moment.
    /// So whoever waits until then misses nothing, and a deadline before then
    /// cannot be met.
    #[must_use]
    pub fn ready_at(&self, now: Moment, limits: &[Limit], ahead: usize) -> Moment {
        let rung = self.ladder.rung(now);
        let mut ready = self.frozen_until.max(now);
        for limit in limits {
            ready = ready.max(self.slot_at(now, limit, ahead));
            if rung != Rung::Burst {
                ready = ready.max(self.turn_at(now, limit, ahead, rung));
            }
        }
        ready
    }

    /// How many slots of `limit` our own calls keep busy.
    pub(super) fn busy(&self, now: Moment, limit: &Limit) -> usize {
        self.window_index(limit)
            .map_or(0, |window| self.released_after(window, now))
    }

    /// How many calls hold a slot of this window after `then`.
    pub(super) fn released_after(&self, window: usize, then: Moment) -> usize {
        let span = self.windows[window].span;
        let holds = |call: &&super::Call| call.counts_in(window) && call.release(span) > then;
        self.calls.iter().filter(holds).count()
    }

    /// When a slot of `limit` is free for the caller behind `ahead` others.
    fn slot_at(&self, now: Moment, limit: &Limit, ahead: usize) -> Moment {
        let slots = limit.requests() as usize;
        let Some(index) = self.window_index(limit) else {
            return rounds_later(now, limit, ahead);
        };
        let window = &self.windows[index];
        let foreign = window.foreign(now) as usize;
        if self.calls.len() + foreign + ahead < slots {
            return now;
        }
        let busy = self.released_after(index, now);
        if busy + foreign + ahead < slots {
            return now;
        }
        let ours = self
            .calls
            .iter()
            .filter(|call| call.counts_in(index) && call.release(window.span) > now)
            .map(|call| call.earliest_release(window.span, now));
        if ahead == 0 && busy + foreign == slots {
            let theirs = (foreign > 0).then_some(window.foreign_until);
            return ours.chain(theirs).min().unwrap_or(now);
        }
        let mut releases: Vec<Moment> = ours.collect();
        releases.extend(std::iter::repeat_n(
            window.foreign_until,
            foreign.min(slots),
        ));
        releases.sort_unstable();
        // The last `slots` releases are the ones that make room; before them
        // come the slots that are free now.
        let free = slots.saturating_sub(releases.len());
        let surplus = releases.len().saturating_sub(slots);
        let turn = ahead % slots;
        let first = if turn < free {
            now
        } else {
            releases[surplus + turn - free]
        };
        rounds_later(first, limit, ahead)
    }

    /// When pacing lets the caller behind `ahead` others go.
    fn turn_at(&self, now: Moment, limit: &Limit, ahead: usize, rung: Rung) -> Moment {
        let even = micros(limit.window()) / u64::from(limit.requests());
        let queue = ahead as u64;
        let own = self
            .window_index(limit)
            .map(|index| self.calls.iter().filter(move |call| call.counts_in(index)));
        let own = own.into_iter().flatten();
        match rung {
            Rung::Burst => now,
            Rung::Spaced => {
                // 2.5 % more than even: latency differs from send to send.
                let space = even.saturating_add(even / 40);
                let last = own.map(|call| call.granted).max();
                let next = last.map_or(now, |last| last.plus_micros(space).max(now));
                next.plus_micros(space.saturating_mul(queue))
            }
            Rung::OneAtATime => {
                let last = own.map(|call| call.earliest_done(now)).max();
                let next = last.map_or(now, |last| last.plus_micros(even).max(now));
                next.plus_micros(even.saturating_mul(queue))
            }
        }
    }
}

/// A slot serves one call a window: whoever is `slots` places further back gets
/// the same slot a whole span later.
fn rounds_later(first: Moment, limit: &Limit, ahead: usize) -> Moment {
    let rounds = ahead / limit.requests() as usize;
    first.plus_micros(span(limit).saturating_mul(rounds as u64))
}
