//! How servers count: six ways in use, and one that only wants even spacing.
//!
//! Times are microseconds.

use std::collections::VecDeque;
use std::fmt;

/// What a limiter says to one request.
pub(crate) struct Verdict {
    pub(crate) accepted: bool,
    /// What `X-RateLimit-Remaining` says, where the server has such a header.
    pub(crate) remaining: Option<u32>,
    /// How long until it would accept one again.
    pub(crate) retry_after: u64,
}

pub(crate) trait Limiter: fmt::Debug {
    fn arrive(&mut self, now: u64) -> Verdict;
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
            remaining: Some(self.n - self.count),
            retry_after: self.ends - now,
        }
    }
}

#[derive(Debug)]
struct Log {
    n: u32,
    window: u64,
    refusals_count: bool,
    arrivals: VecDeque<u64>,
}

impl Limiter for Log {
    fn arrive(&mut self, now: u64) -> Verdict {
        while self
            .arrivals
            .front()
            .is_some_and(|at| at + self.window <= now)
        {
            self.arrivals.pop_front();
        }
        let accepted = self.arrivals.len() < self.n as usize;
        if accepted || self.refusals_count {
            self.arrivals.push_back(now);
        }
        let over = self.arrivals.len().saturating_sub(self.n as usize);
        let oldest = self.arrivals.get(over).map_or(now, |at| at + self.window);
        Verdict {
            accepted,
            remaining: Some(self.n.saturating_sub(self.arrivals.len() as u32)),
            retry_after: oldest - now,
        }
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

impl Limiter for Bucket {
    fn arrive(&mut self, now: u64) -> Verdict {
        let refill = (now - self.at) * self.n;
        self.level = (self.level + refill).min(self.n * self.window);
        self.at = now;
        let accepted = self.level >= self.window;
        if accepted {
            self.level -= self.window;
        }
        Verdict {
            accepted,
            remaining: Some((self.level / self.window) as u32),
            retry_after: self.window.saturating_sub(self.level).div_ceil(self.n),
        }
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

impl Limiter for Counter {
    fn arrive(&mut self, now: u64) -> Verdict {
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
        let estimate = self.previous * left / self.window + self.current;
        let accepted = estimate < self.n;
        self.current += u64::from(accepted);
        let after = estimate + u64::from(accepted);
        Verdict {
            accepted,
            remaining: Some(self.n.saturating_sub(after) as u32),
            retry_after: left,
        }
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
            remaining: None,
            retry_after: self.next.saturating_sub(now),
        }
    }
}
