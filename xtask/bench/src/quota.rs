//! `cargo xtask bench quota`: how much of a limit each way of pacing uses, and how often it is refused.

mod clients;
pub(crate) mod cost;
mod figures;
mod report;
mod stores;

// The models that the ledger's own tests hold it against: one set, so that the figures are about what is tested.
#[path = "../../../crates/famulor-quota/tests/servers/limiters.rs"]
mod limiters;
#[allow(
    dead_code,
    reason = "the tests also let calls time out and strangers in"
)]
#[path = "../../../crates/famulor-quota/tests/servers/world.rs"]
mod world;

use std::time::Duration;

use famulor_quota::Limit;

use crate::section::Section;
use crate::size::Size;
use clients::{Client, GovernorClient, LedgerPacer, RetryOnly, SendTimes};
use limiters::Kind;
use world::{Fate, Headers, Trip, World};

/// Calls of one run: about seven hours of a saturated backlog.
const CALLS: usize = 2_000;

/// The same calls for every client and server.
const SEED: u64 = 20_261_122;

const SERVERS: [(&str, Kind); 7] = [
    ("fixed window, from the first request", Kind::FixedFromFirst),
    ("fixed window, by the clock", Kind::Aligned(17_000_000)),
    ("sliding log", Kind::SlidingLog),
    (
        "sliding log that counts refusals",
        Kind::SlidingLogCountingRefusals,
    ),
    ("token bucket", Kind::Bucket),
    ("window counter", Kind::SlidingCounter(0)),
    ("even spacing", Kind::EvenSpacing),
];

/// What one client got out of one server.
pub(crate) struct Cell {
    /// Accepted calls, of those the server would have accepted at most.
    pub(crate) used: f64,
    /// Refusals for each hundred accepted.
    pub(crate) refused: f64,
    /// Refusals in the first and in the second half of the run.
    pub(crate) halves: (usize, usize),
    /// The rung of the ladder at the end, for the ledger.
    pub(crate) rung: Option<String>,
}

pub(crate) struct Row {
    pub(crate) client: &'static str,
    pub(crate) cells: Vec<Cell>,
}

pub(crate) fn run(size: Size) -> Result<Section, String> {
    let limit = Limit::new(5, Duration::from_secs(60), "generate-reply");
    let trips = trips(size.pick(CALLS, CALLS, 200));
    let rows: Vec<Row> = CLIENTS
        .iter()
        .map(|(client, headers, make)| Row {
            client,
            cells: SERVERS
                .iter()
                .map(|(_, kind)| measure(&limit, *kind, *headers, make(&limit), &trips))
                .collect(),
        })
        .collect();
    let measured = Measured {
        servers: SERVERS.map(|(name, _)| name),
        rows,
        memory: cost::measure(size),
        stores: stores::measure(size)?,
    };
    if size == Size::Alone {
        println!("{}", report::text(&measured));
        report::write(&measured)?;
    }
    Ok(figures::section(&measured))
}

/// Everything that is measured.
pub(crate) struct Measured {
    pub(crate) servers: [&'static str; 7],
    pub(crate) rows: Vec<Row>,
    pub(crate) memory: Vec<cost::Cost>,
    pub(crate) stores: Vec<stores::StoreCost>,
}

type Make = fn(&Limit) -> Box<dyn Client>;

/// The first is promised 98 %, the next two 95 %.
const CLIENTS: [(&str, Headers, Make); 7] = [
    (
        "ledger, headers as of the answer",
        Headers::WhenWritten,
        ledger,
    ),
    (
        "ledger, headers as of the arrival",
        Headers::OnArrival,
        ledger,
    ),
    ("ledger, without headers", Headers::Absent, ledger),
    ("governor, burst 5", Headers::Absent, |limit| {
        Box::new(GovernorClient::new(limit, 5))
    }),
    ("governor, burst 1", Headers::Absent, |limit| {
        Box::new(GovernorClient::new(limit, 1))
    }),
    ("log of send times", Headers::Absent, |limit| {
        Box::new(SendTimes::new(limit))
    }),
    ("retry after a 429 only", Headers::Absent, |_| {
        Box::new(RetryOnly::new())
    }),
];

fn ledger(limit: &Limit) -> Box<dyn Client> {
    Box::new(LedgerPacer::new(limit))
}

/// Latencies as the documentation lets one expect them: half of the replies within 2 s, one in a hundred over 8 s.
/// A request arrives at the limiter within a tenth of a second, and its answer is back as soon; the rest is the
/// assistant at work.
fn trips(calls: usize) -> Vec<Trip> {
    let mut random = fastrand::Rng::with_seed(SEED);
    (0..calls)
        .map(|_| {
            let seconds = 2.0 * (0.596 * normal(&mut random)).exp();
            let to_server = 20_000 + random.u64(0..80_000);
            let back = 20_000 + random.u64(0..80_000);
            let whole = (seconds * 1_000_000.0) as u64;
            Trip {
                pause: 0,
                to_server,
                processing: whole.saturating_sub(to_server + back).max(1_000),
                back,
                fate: Fate::Answered,
                read: false,
            }
        })
        .collect()
}

/// A standard normal, by Box and Muller.
fn normal(random: &mut fastrand::Rng) -> f64 {
    let (one, other) = (1.0 - random.f64(), random.f64());
    (-2.0 * one.ln()).sqrt() * (std::f64::consts::TAU * other).cos()
}

fn measure(
    limit: &Limit,
    kind: Kind,
    headers: Headers,
    mut client: Box<dyn Client>,
    trips: &[Trip],
) -> Cell {
    let mut world = World::new(&[(limit.clone(), kind)]);
    world.headers = headers;
    let outcome = world.run(client.as_mut(), 0, trips);
    let windows = outcome.ended as f64 / limit.window().as_micros() as f64;
    let most = f64::from(limit.requests()) * windows.max(1.0);
    let middle = outcome.ended / 2;
    let early = outcome.refused.iter().filter(|at| **at < middle).count();
    Cell {
        used: outcome.accepted as f64 / most,
        refused: 100.0 * outcome.refused.len() as f64 / outcome.accepted as f64,
        halves: (early, outcome.refused.len() - early),
        rung: client.rung(),
    }
}
