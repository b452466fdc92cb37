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

/// All limits, and what every caller has used of them.
pub(crate) struct Limits {
    algorithm: LimitAlgorithm,
    limits: Vec<(Scope, RateLimit)>,
    meters: HashMap<(Caller, usize), Meter>,
}

enum Meter {
    Fixed(FixedWindow),
    SlidingLog(SlidingLog),
    TokenBucket(TokenBucket),
}

impl Limits {
    pub(crate) fn new(
        algorithm: LimitAlgorithm,
        general: &[RateLimit],
        reply: Option<RateLimit>,
    ) -> Self {
        // The general limits come first: a route's own throttle runs inside the
        // group's in Laravel.
        let limits = general
            .iter()
            .map(|limit| (Scope::General, *limit))
            .chain(reply.map(|limit| (Scope::Reply, limit)))
            .collect();
        Self {
            algorithm,
            limits,
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
    ) -> Result<Option<LimitHeaders>, TooMany> {
        let mut shown: Option<(Scope, LimitHeaders)> = None;
        for (index, (scope, limit)) in self.limits.iter().enumerate() {
            if *scope == Scope::Reply && operation != Operation::GenerateReply {
                continue;
            }
            let meter = self
                .meters
                .entry((caller.clone(), index))
                .or_insert_with(|| Meter::new(self.algorithm));
            match meter.take(*limit, now) {
                Ok(remaining) => {
                    let headers = LimitHeaders::counted(limit.requests(), remaining);
                    // Generate-reply shows its own limit; elsewhere Laravel keeps
                    // the headers with the fewest remaining.
                    let better = match &shown {
                        None => true,
                        Some(_) if *scope == Scope::Reply => true,
                        Some((_, shown)) => remaining < shown.remaining(),
                    };
                    if better {
                        shown = Some((*scope, headers));
                    }
                }
                Err(wait) => {
                    return Err(TooMany {
                        scope: *scope,
                        headers: LimitHeaders::counted(limit.requests(), 0),
                        retry_after: wait.as_secs(),
                    });
                }
            }
        }
        Ok(shown.map(|(_, headers)| headers))
    }

    /// Gives every caller a fresh quota.
    pub(crate) fn reset(&mut self) {
        self.meters.clear();
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

impl Meter {
    fn new(algorithm: LimitAlgorithm) -> Self {
        match algorithm {
            LimitAlgorithm::Fixed => Self::Fixed(FixedWindow::default()),
            LimitAlgorithm::SlidingLog => Self::SlidingLog(SlidingLog::default()),
            LimitAlgorithm::TokenBucket => Self::TokenBucket(TokenBucket::default()),
        }
    }

    /// What remains after this call, or how long until the next may come.
    fn take(&mut self, limit: RateLimit, now: Duration) -> Result<u32, Duration> {
        match self {
            Self::Fixed(meter) => meter.take(limit, now),
            Self::SlidingLog(meter) => meter.take(limit, now),
            Self::TokenBucket(meter) => meter.take(limit, now),
        }
    }
}
