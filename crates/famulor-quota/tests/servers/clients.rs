//! The ledger under test, and the client everybody writes first.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use famulor_quota::ledger::{LATE_ARRIVAL, Ledger, Moment, SEND_BEFORE};
use famulor_quota::{Completion, Limit, Rung, Seen, SlotId};

use super::world::{REQUEST_TIMEOUT, micros};

/// How a call ended, as its sender saw it.
pub(crate) enum End {
    /// With what the headers said about the first limit: counted requests.
    Answered(Option<u32>),
    /// With `Retry-After` in whole seconds, or without it.
    Refused(Option<u64>),
    TimedOut,
    NotSent,
}

pub(crate) trait Client {
    /// A call under all limits from `skip` on: sent, or when to ask again.
    fn send(&mut self, now: u64, call: usize, skip: usize) -> Result<(), u64>;
    fn ended(&mut self, now: u64, call: usize, end: End);
}

/// A ledger, asked no sooner than it said there would be use in it.
pub(crate) struct LedgerClient {
    pub(crate) ledger: Ledger,
    limits: Vec<Limit>,
    slots: HashMap<usize, SlotId>,
    /// What the ledger foretold last, for which limits, and on which rung.
    foretold: Option<(Moment, usize, Rung)>,
    pub(crate) rungs: Vec<Rung>,
}

impl LedgerClient {
    pub(crate) fn new(limits: &[Limit]) -> Self {
        Self {
            ledger: Ledger::new(Moment::from_micros(0)),
            limits: limits.to_vec(),
            slots: HashMap::new(),
            foretold: None,
            rungs: Vec::new(),
        }
    }
}

impl Client for LedgerClient {
    fn send(&mut self, now: u64, call: usize, skip: usize) -> Result<(), u64> {
        let now = Moment::from_micros(now);
        let hold = SEND_BEFORE + REQUEST_TIMEOUT + LATE_ARRIVAL;
        match self.ledger.acquire(now, &self.limits[skip..], hold) {
            Ok(slot) => {
                self.foretold = None;
                self.slots.insert(call, slot);
                Ok(())
            }
            Err(ready) => {
                assert!(ready > now, "told to ask again at once");
                let rung = self.ledger.usage(now, &self.limits)[0].rung;
                self.foretold = Some((ready, skip, rung));
                Err(ready.as_micros())
            }
        }
    }

    fn ended(&mut self, now: u64, call: usize, end: End) {
        let now = Moment::from_micros(now);
        let slot = self.slots.remove(&call).expect("a call that was sent");
        if matches!(end, End::NotSent | End::Refused(_)) {
            self.foretold = None;
        }
        match end {
            End::Answered(counted) => {
                let limit = self.limits[0].clone();
                let seen = counted.map(|counted| Seen { limit, counted });
                self.ledger.complete(now, slot, Completion::Answered(seen));
                self.check_foretold(now);
            }
            End::TimedOut => {
                self.ledger.complete(now, slot, Completion::Abandoned);
                self.check_foretold(now);
            }
            End::NotSent => self.ledger.complete(now, slot, Completion::NotSent),
            End::Refused(retry_after) => {
                let hint = retry_after.map(Duration::from_secs);
                self.ledger.reject(now, slot, hint);
            }
        }
        self.rungs
            .push(self.ledger.usage(now, &self.limits)[0].rung);
    }
}

impl LedgerClient {
    /// Whoever sleeps until the foretold moment must not miss a slot.
    fn check_foretold(&self, now: Moment) {
        let Some((foretold, skip, rung)) = self.foretold else {
            return;
        };
        let limits = &self.limits[skip..];
        let usage = self.ledger.usage(now, limits);
        if foretold > now && usage[0].rung == rung {
            let ready = self.ledger.ready_at(now, limits, 0);
            assert!(
                ready >= foretold,
                "{ready:?} is before the foretold {foretold:?}"
            );
        }
    }
}

/// Sends when fewer than N requests were sent in the last window: right if
/// every request took the same time to arrive.
pub(crate) struct SendTimeLog {
    limit: Limit,
    sent: VecDeque<u64>,
    frozen_until: u64,
}

impl SendTimeLog {
    pub(crate) fn new(limit: &Limit) -> Self {
        Self {
            limit: limit.clone(),
            sent: VecDeque::new(),
            frozen_until: 0,
        }
    }
}

impl Client for SendTimeLog {
    fn send(&mut self, now: u64, _: usize, _: usize) -> Result<(), u64> {
        let window = micros(self.limit.window());
        while self.sent.front().is_some_and(|at| at + window <= now) {
            self.sent.pop_front();
        }
        if self.frozen_until > now {
            return Err(self.frozen_until);
        }
        if self.sent.len() >= self.limit.requests() as usize {
            return Err(self.sent[0] + window);
        }
        self.sent.push_back(now);
        Ok(())
    }

    fn ended(&mut self, now: u64, _: usize, end: End) {
        if let End::Refused(retry_after) = end {
            self.frozen_until = now + retry_after.unwrap_or(60) * 1_000_000;
        }
    }
}
