//! Calls on their way to a server and back, event by event.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use famulor_quota::Limit;

use super::clients::{Client, End};
use super::limiters::{Kind, Limiter};

pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) fn micros(time: Duration) -> u64 {
    time.as_micros() as u64
}

/// What happens to one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trip {
    /// Between the call before it and its own wish to be sent.
    pub(crate) pause: u64,
    pub(crate) to_server: u64,
    /// How long the server works on it after it was counted.
    pub(crate) processing: u64,
    pub(crate) back: u64,
    pub(crate) fate: Fate,
    /// Not counted by the first limit.
    pub(crate) read: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    /// Its sender gives up before the answer; it may arrive after that.
    TimedOut,
    NotSent,
}

/// Whether answers carry `X-RateLimit-Limit` and `-Remaining`, and as of when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Headers {
    Absent,
    /// As of the request's arrival (Laravel's `ThrottleRequestsWithRedis`).
    OnArrival,
    /// As of when the answer is written, with all that arrived while the server
    /// worked on it (Laravel's `ThrottleRequests`, which is its default).
    WhenWritten,
}

/// A token that a server limits.
pub(crate) struct World {
    limits: Vec<(Limit, Box<dyn Limiter>)>,
    pub(crate) headers: Headers,
    /// Whether a 429 carries `Retry-After`.
    pub(crate) hints: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) accepted: usize,
    /// When calls were refused.
    pub(crate) refused: Vec<u64>,
    pub(crate) ended: u64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives(usize),
    /// Its answer is written, with what was counted on its arrival.
    IsWritten(usize, Option<u32>),
    Answer(usize, Option<u32>),
    Refusal(usize, Option<u64>),
    GivesUp(usize),
    Fails(usize),
}

impl World {
    pub(crate) fn new(limits: &[(Limit, Kind)]) -> Self {
        let limits = limits.iter().map(|(limit, kind)| {
            let limiter = kind.limiter(limit.requests(), micros(limit.window()));
            (limit.clone(), limiter)
        });
        Self {
            limits: limits.collect(),
            headers: Headers::Absent,
            hints: true,
        }
    }

    /// Requests that somebody else sends.
    pub(crate) fn stranger(&mut self, at: u64, requests: u32) {
        for _ in 0..requests {
            for (_, limiter) in &mut self.limits {
                limiter.arrive(at);
            }
        }
    }

    /// Sends the calls one after another, each as soon as the client allows.
    pub(crate) fn run(&mut self, client: &mut dyn Client, begin: u64, trips: &[Trip]) -> Outcome {
        let mut events = BinaryHeap::new();
        let mut outcome = Outcome::default();
        let mut next = 0;
        let mut waits = false;
        let mut ask_at = begin;
        loop {
            let due = events.peek().map(|Reverse((at, _))| *at);
            let asks = next < trips.len() && due.is_none_or(|due| ask_at < due);
            if asks {
                let (now, trip) = (ask_at, trips[next]);
                match client.send(now, next, usize::from(trip.read)) {
                    Err(later) => (ask_at, waits) = (later, true),
                    Ok(()) => {
                        self.depart(&mut events, now, next, trip);
                        next += 1;
                        waits = false;
                        ask_at = now + trips.get(next).map_or(0, |trip| trip.pause);
                    }
                }
                continue;
            }
            let Some(Reverse((now, event))) = events.pop() else {
                return outcome;
            };
            outcome.ended = now;
            match event {
                Event::Arrives(call) => {
                    let trip = &trips[call];
                    let (takes, next) = self.arrive(now, call, trip, &mut outcome);
                    if trip.fate == Fate::Answered {
                        events.push(Reverse((now + takes, next)));
                    }
                }
                Event::IsWritten(call, on_arrival) => {
                    let counted = match self.headers {
                        Headers::WhenWritten if !trips[call].read => self.counted(now),
                        _ => on_arrival,
                    };
                    let back = now + trips[call].back;
                    events.push(Reverse((back, Event::Answer(call, counted))));
                }
                Event::Answer(call, counted) => client.ended(now, call, End::Answered(counted)),
                Event::GivesUp(call) => client.ended(now, call, End::TimedOut),
                // These two give a slot back, so whoever waits asks again.
                Event::Fails(call) => {
                    client.ended(now, call, End::NotSent);
                    ask_at = if waits { now } else { ask_at };
                }
                Event::Refusal(call, hint) => {
                    client.ended(now, call, End::Refused(hint));
                    ask_at = if waits { now } else { ask_at };
                }
            }
        }
    }

    fn depart(
        &self,
        events: &mut BinaryHeap<Reverse<(u64, Event)>>,
        now: u64,
        call: usize,
        trip: Trip,
    ) {
        match trip.fate {
            Fate::NotSent => events.push(Reverse((now + trip.to_server, Event::Fails(call)))),
            Fate::Answered => events.push(Reverse((now + trip.to_server, Event::Arrives(call)))),
            Fate::TimedOut => {
                let gives_up = now + micros(REQUEST_TIMEOUT);
                events.push(Reverse((gives_up, Event::GivesUp(call))));
                events.push(Reverse((now + trip.to_server, Event::Arrives(call))));
            }
        }
    }

    /// Counts a request; what happens to it next, and how long that takes.
    fn arrive(
        &mut self,
        now: u64,
        call: usize,
        trip: &Trip,
        outcome: &mut Outcome,
    ) -> (u64, Event) {
        for (index, (_, limiter)) in self.limits.iter_mut().enumerate() {
            if trip.read && index == 0 {
                continue;
            }
            let verdict = limiter.arrive(now);
            if !verdict.accepted {
                outcome.refused.push(now);
                // Whole seconds, cut off, as Laravel has it.
                let hint = self.hints.then_some(verdict.retry_after / 1_000_000);
                return (trip.back, Event::Refusal(call, hint));
            }
        }
        outcome.accepted += 1;
        let counted = match self.headers {
            Headers::OnArrival if !trip.read => self.counted(now),
            _ => None,
        };
        (trip.processing, Event::IsWritten(call, counted))
    }

    /// What the headers say of the first limit.
    fn counted(&mut self, now: u64) -> Option<u32> {
        let (limit, limiter) = &mut self.limits[0];
        let remaining = limiter.remaining(now)?;
        Some(limit.requests() - remaining)
    }
}
