//! What a slot costs in memory and time, beside governor's keyed check.

use std::future::Future;
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use famulor_quota::{AccountKey, Answer, Ask, Completion, Lane, Limit, MemoryStore, QuotaStore};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::size::Size;
use crate::turns::{Compared, Turn, ours_first};

/// Slots that each token takes: all of a minute's.
const SLOTS: u32 = 5;

/// Tokens, fresh stores in a turn, and turns: so many that the clock can tell.
const SIZES: [(usize, usize, usize); 3] = [(1, 4_000, 41), (1_000, 8, 41), (1_000_000, 1, 5)];

/// So many tokens take so much memory that the system's pages can tell.
const ENOUGH: usize = 1_000_000;

pub(crate) struct Cost {
    pub(crate) tokens: usize,
    /// Nanoseconds of one acquire and its complete, and of one keyed check of governor.
    pub(crate) time: Compared,
    /// Bytes of memory a token, and what governor takes, where there are enough to tell.
    pub(crate) bytes: Option<(f64, f64)>,
}

pub(super) fn measure(size: Size) -> Vec<Cost> {
    let sizes = SIZES.into_iter();
    sizes
        .take(size.pick(SIZES.len(), SIZES.len(), 2))
        .map(|(tokens, stores, turns)| {
            of_tokens(tokens, stores, size.pick(turns, turns.div_ceil(2), 3))
        })
        .collect()
}

/// Each token takes and completes its five slots, on a fresh store each time.
pub(crate) fn of_tokens(tokens: usize, stores: usize, turns: usize) -> Cost {
    let keys: Vec<AccountKey> = (0..tokens)
        .map(|token| AccountKey::new(token.to_le_bytes()))
        .collect();
    let times = (stores * tokens) as f64 * f64::from(SLOTS);
    let each = |time: Duration| time.as_nanos() as f64 / times;
    let (mut bytes, mut governors_bytes) = (0, 0);
    let mut measured = Vec::new();
    for turn in 0..turns {
        // Most turns find memory that earlier ones have given back: the most is what it takes.
        let mut ours = || {
            let (time, grown) = ledger(&keys, stores);
            bytes = bytes.max(grown);
            each(time)
        };
        let mut yardstick = || {
            let (time, grown) = governor(&keys, stores);
            governors_bytes = governors_bytes.max(grown);
            each(time)
        };
        let (ours, yardstick) = if ours_first(turn) {
            let ours = ours();
            (ours, yardstick())
        } else {
            let yardstick = yardstick();
            (ours(), yardstick)
        };
        measured.push(Turn { ours, yardstick });
    }
    let of_one = |bytes: u64| bytes as f64 / tokens as f64;
    Cost {
        tokens,
        time: Compared::of(&measured),
        bytes: (tokens >= ENOUGH).then(|| (of_one(bytes), of_one(governors_bytes))),
    }
}

/// The time of all pairs, and the memory that the last store took.
fn ledger(keys: &[AccountKey], stores: usize) -> (Duration, u64) {
    let limits: Arc<[Limit]> = Arc::new([Limit::new(SLOTS, Duration::from_secs(60), "replies")]);
    let mut time = Duration::ZERO;
    let mut grown = 0;
    for _ in 0..stores {
        let before = (keys.len() >= ENOUGH).then(resident_bytes);
        let store = MemoryStore::new();
        let mut granted = 0;
        let start = Instant::now();
        for _ in 0..SLOTS {
            for key in keys {
                let hold = Duration::from_secs(92);
                let ask = Ask::new(*key, Arc::clone(&limits), Lane::Interactive, hold);
                if let Ok(Answer::Granted(slot)) = now(store.acquire(ask)) {
                    let _ = now(store.complete(*key, slot, Completion::Answered(None)));
                    granted += 1;
                }
            }
        }
        time += start.elapsed();
        assert_eq!(granted, keys.len() * SLOTS as usize, "every slot was free");
        grown = before.map_or(0, |before| resident_bytes().saturating_sub(before));
    }
    (time, grown)
}

fn governor(keys: &[AccountKey], stores: usize) -> (Duration, u64) {
    let burst = NonZeroU32::new(SLOTS).unwrap_or(NonZeroU32::MIN);
    let mut time = Duration::ZERO;
    let mut grown = 0;
    for _ in 0..stores {
        let before = (keys.len() >= ENOUGH).then(resident_bytes);
        let limiter: DefaultKeyedRateLimiter<AccountKey> =
            RateLimiter::keyed(Quota::per_minute(burst));
        let mut granted = 0;
        let start = Instant::now();
        for _ in 0..SLOTS {
            for key in keys {
                granted += usize::from(limiter.check_key(key).is_ok());
            }
        }
        time += start.elapsed();
        assert_eq!(granted, keys.len() * SLOTS as usize, "every check passed");
        grown = before.map_or(0, |before| resident_bytes().saturating_sub(before));
    }
    (time, grown)
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
