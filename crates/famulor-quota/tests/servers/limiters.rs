//! How servers count: six ways in use, and one that only wants even spacing.
//!
//! Times are microseconds.

use std::collections::VecDeque;
use std::fmt;

/// What a limiter says to one request.
pub(crate) struct Verdict {
    pub(crate) accepted: bool,
    /// How long until it would accept one again.
    pub(crate) retry_after: u64,
}

pub(crate) trait Limiter: fmt::Debug {
    fn arrive(&mut self, now: u64) -> Verdict;

    /// What `X-RateLimit-Remaining` says at this moment, where the server has
    /// such a header.
    fn remaining(&mut self, now: u64) -> Option<u32>;
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A window that begins with the first request counted (Laravel).
    FixedFromFirst,
    /// Windows aligned to the server's clock, shifted by so much.
    Aligned(u64),
    SlidingLog,
    /// The same, where a refused request counts like any other.
    SlidingLogCountingRefusals,
    /// Capacity N, N tokens a window.
    Bucket,
    /// Two counters, the older weighed by what is left of its window
    /// (Cloudflare, Upstash).
    SlidingCounter(u64),
    /// At least window ÷ N between two requests (nginx without a burst).
    EvenSpacing,
}

impl Kind {
    pub(crate) fn limiter(self, requests: u32, window: u64) -> Box<dyn Limiter> {
        let n = requests;
        match self {
            Self::FixedFromFirst => Box::new(Fixed {
                n,
                window,
                aligned: None,
                ends: 0,
                count: 0,
            }),
            Self::Aligned(shift) => Box::new(Fixed {
                n,
                window,
                aligned: Some(shift),
                ends: 0,
                count: 0,
            }),
            Self::SlidingLog | Self::SlidingLogCountingRefusals => Box::new(Log {
                n,
                window,
                refusals_count: matches!(self, Self::SlidingLogCountingRefusals),
                arrivals: VecDeque::new(),
            }),
            Self::Bucket => Box::new(Bucket {
                n: n.into(),
                window,
                level: u64::from(n) * window,
                at: 0,
            }),
            Self::SlidingCounter(shift) => Box::new(Counter {
                n: n.into(),
                window,
                shift,
                index: 0,
                current: 0,
                previous: 0,
            }),
            Self::EvenSpacing => Box::new(Even {
                space: window / u64::from(n),
                next: 0,
            }),
        }
    }
}

#[derive(Debug)]
struct Fixed {
    n: u32,
    window: u64,
    aligned: Option<u64>,
    ends: u64,
    count: u32,
}

impl Limiter for Fixed {
    fn arrive(&mut self, now: u64) -> Verdict {
        if now >= self.ends {
            self.count = 0;
            self.ends = match self.aligned {
                None => now + self.window,
                Some(shift) => ((now + shift) / self.window + 1) * self.window - shift,
            };
        }
        let accepted = self.count < self.n;
        self.count += u32::from(accepted);
        Verdict {
            accepted,
            retry_after: self.ends - now,
        }
    }

    fn remaining(&mut self, now: u64) -> Option<u32> {
        // A window that has ended is forgotten, and nothing counted yet.
        let counted = if now < self.ends { self.count } else { 0 };
        Some(self.n - counted)
    }
}

#[derive(Debug)]
struct Log {
    n: u32,
    window: u64,
    refusals_count: bool,
    arrivals: VecDeque<u64>,
}

impl Log {
    fn forget(&mut self, now: u64) {
        while self
            .arrivals
            .front()
            .is_some_and(|at| at + self.window <= now)
        {
            self.arrivals.pop_front();
        }
    }
}

impl Limiter for Log {
    fn arrive(&mut self, now: u64) -> Verdict {
        self.forget(now);
        let accepted = self.arrivals.len() < self.n as usize;
        if accepted || self.refusals_count {
            self.arrivals.push_back(now);
        }
        let over = self.arrivals.len().saturating_sub(self.n as usize);
        let oldest = self.arrivals.get(over).map_or(now, |at| at + self.window);
        Verdict {
            accepted,
            retry_after: oldest - now,
        }
    }

    fn remaining(&mut self, now: u64) -> Option<u32> {
        self.forget(now);
        Some(self.n.saturating_sub(self.arrivals.len() as u32))
    }
}

/// Tokens times window, so that it stays in whole numbers.
#[derive(Debug)]
struct Bucket {
    n: u64,
    window: u64,
    level: u64,
    at: u64,
}

impl Bucket {
    fn refill(&mut self, now: u64) {
        let refill = (now - self.at) * self.n;
        self.level = (self.level + refill).min(self.n * self.window);
        self.at = now;
    }
}

impl Limiter for Bucket {
    fn arrive(&mut self, now: u64) -> Verdict {
        self.refill(now);
        let accepted = self.level >= self.window;
        if accepted {
            self.level -= self.window;
        }
        Verdict {
            accepted,
            retry_after: self.window.saturating_sub(self.level).div_ceil(self.n),
        }
    }

    fn remaining(&mut self, now: u64) -> Option<u32> {
        self.refill(now);
        Some((self.level / self.window) as u32)
    }
}

#[derive(Debug)]
struct Counter {
    n: u64,
    window: u64,
    shift: u64,
    index: u64,
    current: u64,
    previous: u64,
}

impl Counter {
    /// What it estimates, and what is left of the current window.
    fn estimate(&mut self, now: u64) -> (u64, u64) {
        let index = (now + self.shift) / self.window;
        if index != self.index {
            self.previous = if index == self.index + 1 {
                self.current
            } else {
                0
            };
            self.current = 0;
            self.index = index;
        }
        let left = self.window - (now + self.shift) % self.window;
        (self.previous * left / self.window + self.current, left)
    }
}

impl Limiter for Counter {
    fn arrive(&mut self, now: u64) -> Verdict {
        let (estimate, left) = self.estimate(now);
        let accepted = estimate < self.n;
        self.current += u64::from(accepted);
        Verdict {
            accepted,
            retry_after: left,
        }
    }

    fn remaining(&mut self, now: u64) -> Option<u32> {
        let (estimate, _) = self.estimate(now);
        Some(self.n.saturating_sub(estimate) as u32)
    }
}

#[derive(Debug)]
struct Even {
    space: u64,
    next: u64,
}

impl Limiter for Even {
    fn arrive(&mut self, now: u64) -> Verdict {
        let accepted = now >= self.next;
        if accepted {
            self.next = now + self.space;
        }
        Verdict {
            accepted,
            retry_after: self.next.saturating_sub(now),
        }
    }

    fn remaining(&mut self, _: u64) -> Option<u32> {
        None
    }
}
