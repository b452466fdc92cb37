//! The server's rate limits: how many calls of whom, when, and what the answer says of it.
//!
//! This is an implementation of its own, on purpose: a client's ledger that was
//! tested against itself would share its mistakes with its test.

mod fixed;
mod headers;
mod rate;
mod sliding_log;
mod token_bucket;

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

pub(crate) use self::headers::LimitHeaders;
pub use self::rate::{ParseRateLimitError, RateLimit};

use self::fixed::FixedWindow;
use self::sliding_log::SlidingLog;
use self::token_bucket::TokenBucket;
use crate::caller::Caller;
use crate::operation::Operation;

/// How the server counts. Which one the real server uses is not documented; its
/// backend is Laravel, whose throttle is [`Fixed`](Self::Fixed).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitAlgorithm {
    /// A window that starts at the first counted request, as Laravel's does.
    #[default]
    Fixed,
    /// No more than N accepted requests in any window.
    SlidingLog,
    /// N tokens, refilled evenly over the window.
    TokenBucket,
}

/// Which limit refused a call; the two have different documented bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All endpoints.
    General,
    /// generate-reply alone.
    Reply,
}

/// A call that came too soon.
#[derive(Debug)]
pub(crate) struct TooMany {
    pub(crate) scope: Scope,
    pub(crate) headers: LimitHeaders,
    /// Whole seconds, rounded down as Laravel does: up to a second too short.
    pub(crate) retry_after: u64,
}

/// A limit, and for which calls it is.
pub(crate) type Scoped = (Scope, RateLimit);

/// All limits, and what every caller has used of them.
pub(crate) struct Limits {
    algorithm: LimitAlgorithm,
    limits: Vec<Scoped>,
    /// Callers with limits of their own.
    own: HashMap<Caller, Vec<Scoped>>,
    /// In the order of the caller's limits.
    meters: HashMap<Caller, Vec<Meter>>,
}

/// What a caller has used of one limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LimitUse {
    /// The token's fingerprint, or the address of a caller without one.
    pub token: String,
    /// `replies` or `general`.
    pub scope: &'static str,
    /// How many requests the window holds.
    pub limit: u32,
    /// The window, in seconds of emulated time.
    pub window_s: f64,
    /// How many of them are used.
    pub used: u32,
    /// Seconds of emulated time until nothing of it is used, if nothing more comes.
    pub free_in_s: f64,
}

/// The limits in the order in which they count. The general ones come first: a
/// route's own throttle runs inside the group's in Laravel.
pub(crate) fn in_order(general: &[RateLimit], reply: Option<RateLimit>) -> Vec<Scoped> {
    general
        .iter()
        .map(|limit| (Scope::General, *limit))
        .chain(reply.map(|limit| (Scope::Reply, limit)))
        .collect()
}

enum Meter {
    Fixed(FixedWindow),
    SlidingLog(SlidingLog),
    TokenBucket(TokenBucket),
}

impl Limits {
    pub(crate) fn new(
        algorithm: LimitAlgorithm,
        limits: Vec<Scoped>,
        own: HashMap<Caller, Vec<Scoped>>,
    ) -> Self {
        Self {
            algorithm,
            limits,
            own,
            meters: HashMap::new(),
        }
    }

    /// Counts a call at emulated time `now`, or refuses it.
    ///
    /// Limits are taken one after the other, and a call that a later one
    /// refuses stays counted in the earlier ones, as in Laravel's
    /// `ThrottleRequests`. A refused call is not counted by the limit that
    /// refuses it.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when one of the limits is used up.
    pub(crate) fn admit(
        &mut self,
        caller: &Caller,
        operation: Operation,
        now: Duration,
    ) -> Result<(), TooMany> {
        let limits = of(&self.own, &self.limits, caller);
        if limits.is_empty() {
            return Ok(());
        }
        let meters = match self.meters.get_mut(caller) {
            Some(meters) => meters,
            None => {
                let fresh = limits.iter().map(|_| Meter::new(self.algorithm)).collect();
                self.meters.entry(caller.clone()).or_insert(fresh)
            }
        };
        for ((scope, limit), meter) in limits.iter().zip(meters) {
            if !scope.is_for(operation) {
                continue;
            }
            meter.take(*limit, now).map_err(|wait| TooMany {
                scope: *scope,
                headers: LimitHeaders::counted(limit.requests(), 0),
                retry_after: wait.as_secs(),
            })?;
        }
        Ok(())
    }

    /// What an answer that is written at `now` says of the limits; `None`: there
    /// are none.
    pub(crate) fn headers(
        &self,
        caller: &Caller,
        operation: Operation,
        now: Duration,
    ) -> Option<LimitHeaders> {
        let limits = of(&self.own, &self.limits, caller);
        let meters = self.meters.get(caller).map(Vec::as_slice);
        let mut shown: Option<LimitHeaders> = None;
        for (index, (scope, limit)) in limits.iter().enumerate() {
            if !scope.is_for(operation) {
                continue;
            }
            // Nothing is used any more after a reset.
            let meter = meters.and_then(|meters| meters.get(index));
            let used = meter.map_or(0, |meter| meter.used(*limit, now).0);
            let remaining = limit.requests().saturating_sub(used);
            // Generate-reply shows its own limit; elsewhere Laravel keeps the
            // headers with the fewest remaining.
            if *scope == Scope::Reply || shown.is_none_or(|shown| remaining < shown.remaining()) {
                shown = Some(LimitHeaders::counted(limit.requests(), remaining));
            }
        }
        shown
    }

    /// Nobody has a limit.
    pub(crate) fn are_off(&self) -> bool {
        self.limits.is_empty() && self.own.values().all(Vec::is_empty)
    }

    /// Gives every caller a fresh quota.
    pub(crate) fn reset(&mut self) {
        self.meters.clear();
    }

    /// What every known caller has used of each of their limits.
    pub(crate) fn used(&self, now: Duration) -> Vec<LimitUse> {
        let mut used = Vec::new();
        for (caller, meters) in &self.meters {
            let limits = of(&self.own, &self.limits, caller);
            for ((scope, limit), meter) in limits.iter().zip(meters) {
                let (count, free_in) = meter.used(*limit, now);
                used.push(LimitUse {
                    token: caller.mark().to_string(),
                    scope: match scope {
                        Scope::Reply => "replies",
                        Scope::General => "general",
                    },
                    limit: limit.requests(),
                    window_s: limit.window().as_secs_f64(),
                    used: count,
                    free_in_s: free_in.as_secs_f64(),
                });
            }
        }
        used.sort_by(|left, right| left.token.cmp(&right.token));
        used
    }

    /// The limit that an answer of this operation shows.
    pub(crate) fn shown(&self, operation: Operation) -> Option<(Scope, RateLimit)> {
        let own = |(scope, _): &&(Scope, RateLimit)| match operation {
            Operation::GenerateReply => *scope == Scope::Reply,
            _ => *scope == Scope::General,
        };
        self.limits
            .iter()
            .find(own)
            .or(self.limits.first())
            .copied()
    }
}

/// The caller's own limits, or else everybody's.
fn of<'l>(
    own: &'l HashMap<Caller, Vec<Scoped>>,
    everybodys: &'l [Scoped],
    caller: &Caller,
) -> &'l [Scoped] {
    if own.is_empty() {
        return everybodys;
    }
    own.get(caller).map_or(everybodys, Vec::as_slice)
}

impl Scope {
    fn is_for(self, operation: Operation) -> bool {
        self == Self::General || operation == Operation::GenerateReply
    }
}

impl Meter {
    fn new(algorithm: LimitAlgorithm) -> Self {
        match algorithm {
            LimitAlgorithm::Fixed => Self::Fixed(FixedWindow::default()),
            LimitAlgorithm::SlidingLog => Self::SlidingLog(SlidingLog::default()),
            LimitAlgorithm::TokenBucket => Self::TokenBucket(TokenBucket::default()),
        }
    }

    /// Counts a call.
    ///
    /// # Errors
    ///
    /// How long until the next may come.
    fn take(&mut self, limit: RateLimit, now: Duration) -> Result<(), Duration> {
        match self {
            Self::Fixed(meter) => meter.take(limit, now),
            Self::SlidingLog(meter) => meter.take(limit, now),
            Self::TokenBucket(meter) => meter.take(limit, now),
        }
    }

    /// How much is used, and how long until nothing is.
    fn used(&self, limit: RateLimit, now: Duration) -> (u32, Duration) {
        match self {
            Self::Fixed(meter) => meter.used(limit, now),
            Self::SlidingLog(meter) => meter.used(limit, now),
            Self::TokenBucket(meter) => meter.used(limit, now),
        }
    }
}
