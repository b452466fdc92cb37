//! What a slot costs in a store that processes share, beside what no store can do without.

mod postgres;
mod redis;
mod sqlite;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use famulor_quota::{AccountKey, Answer, Ask, Completion, Lane, Limit, QuotaStore, Seen};
use tokio::task::JoinSet;

use crate::size::Size;
use crate::turns::{Compared, Turn, ours_first};

const CONNECTIONS: [usize; 3] = [1, 4, 16];

/// Long enough for a few hundred pairs, short enough that the machine's mood does not change meanwhile.
const TURN: Duration = Duration::from_millis(120);
const TURNS: usize = 21;
const TURNS_IN_THE_REPORT: usize = 5;

/// What a ledger of one limit takes in a row, about: what the bare statements write.
const ROW: usize = 120;

/// Tokens of one connection: so many that there is always a free slot.
const ACCOUNTS: usize = 64;

/// One store, on so many connections.
pub(crate) struct StoreCost {
    pub(crate) store: &'static str,
    pub(crate) connections: usize,
    /// All connections use the slots of one token.
    pub(crate) shared: bool,
    /// Whether this is what the project makes a promise about.
    pub(crate) judged: bool,
    /// Microseconds of an acquire and its complete, and of two bare statements, as each connection saw them.
    pub(crate) time: Compared,
}

impl StoreCost {
    /// Pairs a second of all connections together.
    pub(crate) fn pairs(&self) -> f64 {
        self.connections as f64 * 1e6 / self.time.ours
    }

    /// Twice a bare statement, a second, of all connections together.
    pub(crate) fn bare(&self) -> f64 {
        self.connections as f64 * 1e6 / self.time.yardstick
    }
}

/// # Errors
///
/// When a server that is there does not do what it should. One that is not there is left out, and a line says so.
pub(super) fn measure(size: Size) -> Result<Vec<StoreCost>, String> {
    let turns = size.pick(TURNS, TURNS_IN_THE_REPORT, 1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut costs = sqlite::measure(turns).await?;
        costs.extend(postgres::measure(turns).await?);
        costs.extend(redis::measure(turns).await?);
        Ok(costs)
    })
}

/// Something that is done again and again on a connection of its own.
trait Worker: Send + Sized + 'static {
    fn once(&mut self) -> impl Future<Output = Result<(), String>> + Send;

    /// Until rows are there, statements prepared and caches warm.
    fn warm_up(&mut self) -> impl Future<Output = Result<(), String>> + Send {
        self.once()
    }
}

/// Takes and gives back slots of a store.
struct Pairs<S> {
    store: S,
    accounts: Vec<AccountKey>,
    limits: Arc<[Limit]>,
    next: usize,
}

impl<S: QuotaStore> Pairs<S> {
    /// Five slots an account, as many have, and so many accounts that there is always a free one: of its own, or one
    /// that all have, with as many slots as that takes.
    fn new(store: S, task: usize, shared: bool) -> Self {
        let (accounts, slots) = if shared { (1, 100) } else { (ACCOUNTS, 5) };
        let account = |number| {
            let task = if shared { 0 } else { task };
            AccountKey::new(format!("{number} of {task}"))
        };
        Self {
            store,
            accounts: (0..accounts).map(account).collect(),
            limits: Arc::new([Limit::new(slots, Duration::from_millis(1), "replies")]),
            next: 0,
        }
    }
}

impl<S: QuotaStore> Pairs<S> {
    async fn acquire(&self, account: AccountKey) -> Result<Answer, String> {
        let limits = Arc::clone(&self.limits);
        let ask = Ask::new(account, limits, Lane::Interactive, Duration::from_secs(92));
        let answer = self.store.acquire(ask).await;
        answer.map_err(|error| error.to_string())
    }
}

impl<S: QuotaStore> Worker for Pairs<S> {
    /// Each account learns of a stranger, which it remembers for half an hour.
    /// Otherwise stores would take accounts of such short windows for idle and
    /// forget them between two calls, which they do not with a minute's window.
    async fn warm_up(&mut self) -> Result<(), String> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        for account in self.accounts.clone() {
            if let Answer::Granted(slot) = self.acquire(account).await? {
                let limit = self.limits[0].clone();
                let counted = limit.requests();
                let seen = Completion::Answered(Some(Seen { limit, counted }));
                let completed = self.store.complete(account, slot, seen).await;
                completed.map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    async fn once(&mut self) -> Result<(), String> {
        loop {
            let account = self.accounts[self.next % self.accounts.len()];
            self.next += 1;
            if let Answer::Granted(slot) = self.acquire(account).await? {
                let how = Completion::Answered(None);
                let completed = self.store.complete(account, slot, how).await;
                return completed.map_err(|error| error.to_string());
            }
        }
    }
}

/// Lets both have their turns, and compares them.
async fn compare<A: Worker, B: Worker>(
    mut ours: Vec<A>,
    mut bare: Vec<B>,
    length: Duration,
    turns: usize,
) -> Result<Compared, String> {
    ours = warm_up(ours).await?;
    bare = warm_up(bare).await?;
    let mut measured = Vec::new();
    for turn in 0..turns {
        let (one, other);
        if ours_first(turn) {
            (ours, one) = one_turn(ours, length).await?;
            (bare, other) = one_turn(bare, length).await?;
        } else {
            (bare, other) = one_turn(bare, length).await?;
            (ours, one) = one_turn(ours, length).await?;
        }
        measured.push(Turn {
            ours: one,
            yardstick: other,
        });
    }
    Ok(Compared::of(&measured))
}

async fn warm_up<W: Worker>(workers: Vec<W>) -> Result<Vec<W>, String> {
    let mut running = JoinSet::new();
    for mut worker in workers {
        running.spawn(async move {
            worker.warm_up().await?;
            Ok::<_, String>(worker)
        });
    }
    let mut workers = Vec::new();
    while let Some(ended) = running.join_next().await {
        workers.push(ended.map_err(|error| error.to_string())??);
    }
    Ok(workers)
}

/// All workers at once for one turn; microseconds that each took for one thing.
async fn one_turn<W: Worker>(workers: Vec<W>, length: Duration) -> Result<(Vec<W>, f64), String> {
    let count = workers.len();
    let mut running = JoinSet::new();
    let began = Instant::now();
    for mut worker in workers {
        running.spawn(async move {
            let mut done = 0_u32;
            while began.elapsed() < length {
                worker.once().await?;
                done += 1;
            }
            Ok::<_, String>((worker, done))
        });
    }
    let mut workers = Vec::new();
    let mut done = 0;
    while let Some(ended) = running.join_next().await {
        let (worker, times) = ended.map_err(|error| error.to_string())??;
        workers.push(worker);
        done += times;
    }
    let time = began.elapsed().as_secs_f64() * 1e6;
    Ok((workers, time * count as f64 / f64::from(done)))
}

/// Each number of connections with accounts of their own, and the most of them with one.
fn cases() -> impl Iterator<Item = (usize, bool)> {
    CONNECTIONS
        .into_iter()
        .map(|connections| (connections, false))
        .chain([(16, true)])
}
