//! The ledger against models of the servers it may meet.
//!
//! Delays, losses and reordering are chosen by proptest; the clock is an
//! argument, so hours pass in microseconds.

mod clients;
mod limiters;
mod world;

use std::time::Duration;

use clients::{LedgerClient, SendTimeLog};
use famulor_quota::{Limit, Rung};
use limiters::Kind;
use proptest::collection::vec;
use proptest::prelude::*;
use world::{Fate, Headers, Outcome, Trip, World, micros};

const SECOND: u64 = 1_000_000;

fn limit(requests: u32, seconds: u64) -> Limit {
    Limit::new(requests, Duration::from_secs(seconds), "replies")
}

/// Mostly quick, now and then very slow, so that calls overtake each other.
fn delay() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..SECOND / 5,
        3 => SECOND / 5..5 * SECOND,
        1 => 5 * SECOND..29 * SECOND,
    ]
}

fn trip() -> impl Strategy<Value = Trip> {
    let fate = prop_oneof![
        16 => Just(Fate::Answered),
        1 => Just(Fate::TimedOut),
        1 => Just(Fate::NotSent),
    ];
    let pause = prop_oneof![8 => Just(0), 1 => 0..3 * SECOND, 1 => 0..100 * SECOND];
    let late = 0..89 * SECOND;
    (pause, delay(), delay(), delay(), late, fate, any::<bool>()).prop_map(
        |(pause, to_server, processing, back, late, fate, read)| Trip {
            pause,
            to_server: if fate == Fate::TimedOut {
                late
            } else {
                to_server
            },
            processing,
            back,
            fate,
            read,
        },
    )
}

fn headers() -> impl Strategy<Value = Headers> {
    prop_oneof![
        Just(Headers::Absent),
        Just(Headers::OnArrival),
        Just(Headers::WhenWritten),
    ]
}

fn trips() -> impl Strategy<Value = Vec<Trip>> {
    vec(trip(), 1..120)
}

/// Calls that all take the same path, with delays that go around a short list.
fn backlog(calls: usize, delays: &[(u64, u64)]) -> Vec<Trip> {
    let delays = delays.iter().cycle().take(calls);
    let trip = |&(to_server, processing): &(u64, u64)| Trip {
        pause: 0,
        to_server,
        processing,
        back: SECOND / 50,
        fate: Fate::Answered,
        read: false,
    };
    delays.map(trip).collect()
}

/// Servers for which a full set of slots is all it takes.
fn counting_server() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::FixedFromFirst),
        (0..60 * SECOND).prop_map(Kind::Aligned),
        Just(Kind::SlidingLog),
        Just(Kind::SlidingLogCountingRefusals),
        Just(Kind::Bucket),
    ]
}

/// Servers that refuse bursts which are within the limit.
fn pacing_server() -> impl Strategy<Value = Kind> {
    prop_oneof![
        (0..60 * SECOND).prop_map(Kind::SlidingCounter),
        Just(Kind::EvenSpacing),
    ]
}

fn run(limit: &Limit, kind: Kind, headers: Headers, trips: &[Trip]) -> (Outcome, LedgerClient) {
    let mut world = World::new(&[(limit.clone(), kind)]);
    world.headers = headers;
    let mut client = LedgerClient::new(std::slice::from_ref(limit));
    let reads_count = trips.iter().map(|trip| Trip {
        read: false,
        ..*trip
    });
    let trips: Vec<_> = reads_count.collect();
    let outcome = world.run(&mut client, 0, &trips);
    (outcome, client)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_server_that_counts_in_a_window_never_refuses(
        kind in counting_server(),
        requests in 1..9_u32,
        seconds in prop_oneof![Just(1_u64), Just(10), Just(60)],
        headers in headers(),
        trips in trips(),
    ) {
        let limit = limit(requests, seconds);
        let (outcome, client) = run(&limit, kind, headers, &trips);
        prop_assert_eq!(outcome.refused, Vec::<u64>::new());
        prop_assert!(client.rungs.iter().all(|rung| *rung == Rung::Burst));
    }

    #[test]
    fn several_limits_at_once_are_all_kept(
        kinds in [counting_server(), counting_server(), counting_server()],
        headers in headers(),
        trips in trips(),
    ) {
        let limits = [
            limit(5, 60),
            Limit::new(12, Duration::from_secs(60), "all"),
            Limit::new(4, Duration::from_secs(10), "all"),
        ];
        let servers: Vec<_> = limits.iter().cloned().zip(kinds).collect();
        let mut world = World::new(&servers);
        world.headers = headers;
        let mut client = LedgerClient::new(&limits);
        let outcome = world.run(&mut client, 0, &trips);
        prop_assert_eq!(outcome.refused, Vec::<u64>::new());
    }

    #[test]
    fn a_server_that_refuses_bursts_is_soon_left_in_peace(
        kind in pacing_server(),
        requests in 2..9_u32,
        headers in headers(),
        delays in vec((delay(), delay()), 1..20),
    ) {
        let limit = limit(requests, 60);
        let (outcome, _) = run(&limit, kind, headers, &backlog(400, &delays));
        // Two falls end it until thirty clean minutes have passed, each costs a
        // burst at most, and so does the first refusal, which is no evidence yet.
        let half_hours = 1 + outcome.ended / (1800 * SECOND);
        let bound = (1 + 2 * half_hours as usize) * requests as usize;
        prop_assert!(outcome.refused.len() <= bound, "{} of {}, bound {bound}", outcome.refused.len(), outcome.accepted);
    }

    #[test]
    fn after_a_stranger_has_gone_nothing_is_refused_any_more(
        kind in counting_server(),
        requests in 1..9_u32,
        strangers in 1..20_u32,
        headers in headers(),
        hints: bool,
        delays in vec((delay(), delay()), 1..20),
    ) {
        let limit = limit(requests, 60);
        let mut world = World::new(&[(limit.clone(), kind)]);
        world.headers = headers;
        world.hints = hints;
        world.stranger(0, strangers);
        let mut client = LedgerClient::new(std::slice::from_ref(&limit));
        let outcome = world.run(&mut client, SECOND, &backlog(60, &delays));
        let late = outcome.refused.iter().filter(|at| **at > 300 * SECOND).count();
        prop_assert_eq!(late, 0, "{:?}", outcome.refused);
    }
}

/// The control: a limit kept by the clock of the sender is overrun.
#[test]
fn a_log_of_send_times_is_refused_by_every_server() {
    let limit = limit(5, 60);
    // One burst is three seconds on its way, the next one hardly any time.
    let uneven =
        [3000, 3000, 3000, 3000, 3000, 50, 50, 50, 50, 50].map(|millis| (millis * 1000, SECOND));
    for kind in [
        Kind::FixedFromFirst,
        Kind::Aligned(59 * SECOND),
        Kind::SlidingLog,
        Kind::SlidingLogCountingRefusals,
        Kind::Bucket,
        Kind::SlidingCounter(0),
        Kind::EvenSpacing,
    ] {
        let mut world = World::new(&[(limit.clone(), kind)]);
        let trips = backlog(100, &uneven);
        let naive = world.run(&mut SendTimeLog::new(&limit), 0, &trips);
        assert!(!naive.refused.is_empty(), "{kind:?} accepted it all");
    }
}

fn share_of_quota(limit: &Limit, outcome: &Outcome) -> f64 {
    let windows = outcome.ended as f64 / micros(limit.window()) as f64;
    outcome.accepted as f64 / (windows * f64::from(limit.requests()))
}

/// Half of the calls are answered within 2 s and one in a hundred after 8 s; all
/// arrive within a tenth of a second.
fn latencies(calls: usize) -> Vec<Trip> {
    // The middles of 100 equal parts of that distribution, in an order that
    // looks like none: 37 and 100 have no divisor in common.
    let one = |call: usize| {
        let share = ((call * 37 % 100) as f64 + 0.5) / 100.0;
        let seconds = 2.0 * (0.596 * standard_normal(share)).exp();
        let to_server = SECOND / 50 + (call as u64 * 7919 % 80) * 1000;
        Trip {
            pause: 0,
            to_server,
            processing: (seconds * SECOND as f64) as u64 - to_server,
            back: SECOND / 50,
            fate: Fate::Answered,
            read: false,
        }
    };
    (0..calls).map(one).collect()
}

/// Below what so much of the normal distribution lies; to three digits, from
/// Tukey's lambda distribution.
fn standard_normal(share: f64) -> f64 {
    (share.powf(0.1349) - (1.0 - share).powf(0.1349)) / 0.1975
}

const COUNTING: [Kind; 4] = [
    Kind::FixedFromFirst,
    Kind::Aligned(17 * SECOND),
    Kind::SlidingLog,
    Kind::Bucket,
];

#[test]
fn a_backlog_uses_nearly_all_of_the_quota() {
    let limit = limit(5, 60);
    let trips = latencies(2000);
    for kind in COUNTING {
        for (headers, least) in [
            (Headers::Absent, 0.955),
            (Headers::OnArrival, 0.955),
            (Headers::WhenWritten, 0.98),
        ] {
            let (outcome, _) = run(&limit, kind, headers, &trips);
            assert_eq!(outcome.refused, [], "{kind:?}, {headers:?}");
            let used = share_of_quota(&limit, &outcome);
            println!("{kind:?}, {headers:?}: {used:.4}");
            assert!(used >= least, "{kind:?}, {headers:?}: {used}");
        }
    }
}

#[test]
fn a_server_that_wants_even_spacing_gets_one_call_at_a_time() {
    // Arrivals drift apart by up to three seconds, more than spaced sends allow for.
    let delays = [0, 3000, 10, 500].map(|millis| (millis * 1000, SECOND));
    let limit = limit(5, 60);
    // Half an hour: before the first step back up.
    let (outcome, client) = run(
        &limit,
        Kind::EvenSpacing,
        Headers::Absent,
        &backlog(110, &delays),
    );
    assert_eq!(client.rungs.last(), Some(&Rung::OneAtATime));
    let late = outcome.refused.iter().filter(|at| **at > 300 * SECOND);
    assert_eq!(late.count(), 0, "{:?}", outcome.refused);
}
