//! The ledger, and the ways of pacing that people use instead.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::time::Duration;

use famulor_quota::ledger::{LATE_ARRIVAL, Ledger, Moment, SEND_BEFORE};
use famulor_quota::{Completion, Limit, Seen, SlotId};
use governor::clock::{Clock, FakeRelativeClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::world::{REQUEST_TIMEOUT, micros};

/// How a call ended, as its sender saw it.
pub(crate) enum End {
    /// With what the headers said about the limit: counted requests.
    Answered(Option<u32>),
    /// With `Retry-After` in whole seconds, or without it.
    Refused(Option<u64>),
    TimedOut,
    NotSent,
}

pub(crate) trait Client {
    /// Sends a call, or says when to ask again.
    fn send(&mut self, now: u64, call: usize, skip: usize) -> Result<(), u64>;
    fn ended(&mut self, now: u64, call: usize, end: End);

    fn rung(&self) -> Option<String> {
        None
    }
}

/// This project's ledger.
pub(crate) struct LedgerPacer {
    ledger: Ledger,
    limits: [Limit; 1],
    slots: HashMap<usize, SlotId>,
    last: Moment,
}

impl LedgerPacer {
    pub(crate) fn new(limit: &Limit) -> Self {
        Self {
            ledger: Ledger::new(Moment::from_micros(0)),
            limits: [limit.clone()],
            slots: HashMap::new(),
            last: Moment::from_micros(0),
        }
    }
}

impl Client for LedgerPacer {
    fn send(&mut self, now: u64, call: usize, _: usize) -> Result<(), u64> {
        let hold = SEND_BEFORE + REQUEST_TIMEOUT + LATE_ARRIVAL;
        let granted = self
            .ledger
            .acquire(Moment::from_micros(now), &self.limits, hold);
        match granted {
            Ok(slot) => {
                self.slots.insert(call, slot);
                Ok(())
            }
            Err(ready) => Err(ready.as_micros()),
        }
    }

    fn ended(&mut self, now: u64, call: usize, end: End) {
        let now = Moment::from_micros(now);
        self.last = now;
        let Some(slot) = self.slots.remove(&call) else {
            return;
        };
        let limit = self.limits[0].clone();
        match end {
            End::Answered(counted) => {
                let seen = counted.map(|counted| Seen { limit, counted });
                self.ledger.complete(now, slot, Completion::Answered(seen));
            }
            End::TimedOut => self.ledger.complete(now, slot, Completion::Abandoned),
            End::NotSent => self.ledger.complete(now, slot, Completion::NotSent),
            End::Refused(hint) => {
                self.ledger.reject(now, slot, hint.map(Duration::from_secs));
            }
        }
    }

    fn rung(&self) -> Option<String> {
        let usage = self.ledger.usage(self.last, &self.limits);
        usage.first().map(|usage| usage.rung.to_string())
    }
}

type Direct =
    RateLimiter<NotKeyed, InMemoryState, FakeRelativeClock, NoOpMiddleware<governor::nanos::Nanos>>;

/// The crate governor, on a clock of the simulation's.
pub(crate) struct GovernorClient {
    limiter: Direct,
    clock: FakeRelativeClock,
    now: u64,
    frozen_until: u64,
}

impl GovernorClient {
    pub(crate) fn new(limit: &Limit, burst: u32) -> Self {
        let clock = FakeRelativeClock::default();
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(limit.window() / limit.requests())
            .unwrap_or(Quota::per_minute(burst))
            .allow_burst(burst);
        Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            now: 0,
            frozen_until: 0,
        }
    }
}

impl Client for GovernorClient {
    fn send(&mut self, now: u64, _: usize, _: usize) -> Result<(), u64> {
        self.clock
            .advance(Duration::from_micros(now.saturating_sub(self.now)));
        self.now = self.now.max(now);
        if self.frozen_until > now {
            return Err(self.frozen_until);
        }
        self.limiter.check().map_err(|not_yet| {
            let wait = not_yet.wait_time_from(self.clock.now());
            now + micros(wait).max(1)
        })
    }

    fn ended(&mut self, now: u64, _: usize, end: End) {
        freeze(&mut self.frozen_until, now, end);
    }
}

/// Sends when fewer than N were sent in the last window.
pub(crate) struct SendTimes {
    limit: Limit,
    sent: VecDeque<u64>,
    frozen_until: u64,
}

impl SendTimes {
    pub(crate) fn new(limit: &Limit) -> Self {
        Self {
            limit: limit.clone(),
            sent: VecDeque::new(),
            frozen_until: 0,
        }
    }
}

impl Client for SendTimes {
    fn send(&mut self, now: u64, _: usize, _: usize) -> Result<(), u64> {
        let window = micros(self.limit.window());
        while self.sent.front().is_some_and(|at| at + window <= now) {
            self.sent.pop_front();
        }
        if self.frozen_until > now {
            return Err(self.frozen_until);
        }
        match self.sent.front() {
            Some(oldest) if self.sent.len() >= self.limit.requests() as usize => {
                Err(oldest + window)
            }
            _ => {
                self.sent.push_back(now);
                Ok(())
            }
        }
    }

    fn ended(&mut self, now: u64, _: usize, end: End) {
        freeze(&mut self.frozen_until, now, end);
    }
}

/// After a 429, all callers wait what the server said: kinder than most clients are.
fn freeze(frozen_until: &mut u64, now: u64, end: End) {
    if let End::Refused(retry_after) = end {
        *frozen_until = now + retry_after.unwrap_or(60) * 1_000_000;
    }
}

/// Eight workers without a limit of their own; each waits what a 429 tells it.
pub(crate) struct RetryOnly {
    in_flight: usize,
    asleep: RefCell<Vec<u64>>,
}

const WORKERS: usize = 8;

impl RetryOnly {
    pub(crate) fn new() -> Self {
        Self {
            in_flight: 0,
            asleep: RefCell::default(),
        }
    }
}

impl Client for RetryOnly {
    fn send(&mut self, now: u64, _: usize, _: usize) -> Result<(), u64> {
        let mut asleep = self.asleep.borrow_mut();
        asleep.retain(|until| *until > now);
        if self.in_flight + asleep.len() < WORKERS {
            self.in_flight += 1;
            return Ok(());
        }
        // A worker that waits for its answer may be free at any time.
        let soon = now + 50_000;
        Err(asleep
            .iter()
            .copied()
            .min()
            .map_or(soon, |wake| wake.min(soon)))
    }

    fn ended(&mut self, now: u64, _: usize, end: End) {
        self.in_flight -= 1;
        if let End::Refused(retry_after) = end {
            let wait = retry_after.unwrap_or(60).max(1) * 1_000_000;
            self.asleep.borrow_mut().push(now + wait);
        }
    }
}
