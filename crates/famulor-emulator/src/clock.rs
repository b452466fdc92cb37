//! Emulated time: it can run faster than real time, stand still, and be moved forward.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::lock;

/// The emulator's only source of time.
///
/// Everything the emulated server decides by time (its limits, its timestamps,
/// how long an answer takes) asks this clock, so a test moves it instead of
/// sleeping and a demonstration runs it fast.
pub(crate) struct Clock {
    origin: Timestamp,
    started: Instant,
    scale: f64,
    moved: Mutex<Duration>,
    /// Whether it ever was: nobody waits for the lock of a clock that just runs.
    has_moved: AtomicBool,
    was_moved: Notify,
}

impl Clock {
    pub(crate) fn new(origin: Timestamp, scale: f64) -> Self {
        Self {
            origin,
            started: Instant::now(),
            scale,
            moved: Mutex::default(),
            has_moved: AtomicBool::new(false),
            was_moved: Notify::new(),
        }
    }

    /// Emulated time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        // A scale that overflows the clock is a clock at its end, not a panic.
        let ran = Duration::try_from_secs_f64(self.started.elapsed().as_secs_f64() * self.scale)
            .unwrap_or(Duration::MAX / 4);
        if !self.has_moved.load(Ordering::Acquire) {
            return ran;
        }
        ran.saturating_add(*lock(&self.moved))
    }

    /// The emulated moment that lies `elapsed` after the start.
    pub(crate) fn timestamp(&self, elapsed: Duration) -> Timestamp {
        timestamp(self.origin, elapsed)
    }

    /// The emulated moment of the start.
    pub(crate) fn origin(&self) -> Timestamp {
        self.origin
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.timestamp(self.elapsed())
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut moved = lock(&self.moved);
        *moved = moved.saturating_add(by);
        self.has_moved.store(true, Ordering::Release);
        self.was_moved.notify_one();
    }

    /// Done once the clock has been moved; for one waiter.
    pub(crate) async fn moved(&self) {
        self.was_moved.notified().await;
    }

    /// How long after the start a moment lies; nothing for those before it.
    pub(crate) fn elapsed_at(&self, time: Timestamp) -> Duration {
        Duration::try_from(time.duration_since(self.origin)).unwrap_or_default()
    }

    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    /// How long an emulated duration takes on a real clock. A clock that stands
    /// still has no answer, so there the duration is taken as it is.
    pub(crate) fn real(&self, emulated: Duration) -> Duration {
        if self.scale > 0.0 {
            Duration::try_from_secs_f64(emulated.as_secs_f64() / self.scale).unwrap_or(emulated)
        } else {
            emulated
        }
    }
}

/// The moment that lies `elapsed` after `origin`.
pub(crate) fn timestamp(origin: Timestamp, elapsed: Duration) -> Timestamp {
    let elapsed = SignedDuration::try_from(elapsed).unwrap_or(SignedDuration::MAX);
    origin.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
}
