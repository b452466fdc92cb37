//! What a slot costs in memory and time, beside governor's keyed check.

use std::future::Future;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use famulor_quota::{AccountKey, Answer, Ask, Completion, Lane, Limit, MemoryStore, QuotaStore};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Slots that each token takes: all of a minute's.
const SLOTS: u32 = 5;

pub(crate) struct Cost {
    pub(crate) tokens: usize,
    /// Nanoseconds of one acquire and its complete.
    pub(crate) pair: f64,
    /// Nanoseconds of one keyed check of governor.
    pub(crate) check: f64,
    /// Bytes of memory a token, where there are enough to tell.
    pub(crate) bytes: Option<f64>,
}

impl Cost {
    pub(crate) fn ratio(&self) -> f64 {
        self.pair / self.check
    }
}

pub(crate) fn measure() -> Vec<Cost> {
    [1, 1_000, 1_000_000].map(of_tokens).into()
}

/// Each token takes and completes its five slots, on a fresh store each time; the smaller ones so often that the clock
/// can tell.
fn of_tokens(tokens: usize) -> Cost {
    let rounds = (200_000 / tokens).max(1);
    let limits: Arc<[Limit]> = Arc::new([Limit::new(SLOTS, Duration::from_secs(60), "replies")]);
    let keys: Vec<AccountKey> = (0..tokens)
        .map(|token| AccountKey::new(token.to_le_bytes()))
        .collect();
    let before = resident_bytes();
    let mut ours = Duration::ZERO;
    let mut bytes = None;
    for _ in 0..rounds {
        let store = MemoryStore::new();
        let start = Instant::now();
        for _ in 0..SLOTS {
            for key in &keys {
                let hold = Duration::from_secs(92);
                let ask = Ask::new(*key, Arc::clone(&limits), Lane::Interactive, hold);
                if let Ok(Answer::Granted(slot)) = now(store.acquire(ask)) {
                    let _ = now(store.complete(*key, slot, Completion::Answered(None)));
                }
            }
        }
        ours += start.elapsed();
        if tokens >= 1_000_000 {
            let after = resident_bytes();
            bytes = Some(after.saturating_sub(before) as f64 / tokens as f64);
        }
    }
    let mut theirs = Duration::ZERO;
    let burst = NonZeroU32::new(SLOTS).unwrap_or(NonZeroU32::MIN);
    for _ in 0..rounds {
        let limiter: DefaultKeyedRateLimiter<AccountKey> =
            RateLimiter::keyed(Quota::per_minute(burst));
        let start = Instant::now();
        for _ in 0..SLOTS {
            for key in &keys {
                let _ = limiter.check_key(key);
            }
        }
        theirs += start.elapsed();
    }
    let times = (rounds * tokens) as f64 * f64::from(SLOTS);
    Cost {
        tokens,
        pair: ours.as_nanos() as f64 / times,
        check: theirs.as_nanos() as f64 / times,
        bytes,
    }
}

/// A store in memory answers at once.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a store in memory answers at once"),
    }
}

/// Memory of this process that is in use, on Linux.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .map_or(0, |kilobytes| kilobytes * 1024)
}
