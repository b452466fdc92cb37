//! A client's own ledger of *N requests per window*, so that a server that limits
//! requests never has to refuse one.
//!
//! Rate limiters for servers decide whom to refuse. This one is for the other
//! side: a client that has been told "5 requests in 60 seconds", wants to use all
//! five, and gets a 429, or pays twice, when it is wrong. It knows no particular
//! API and does no HTTP.
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! # use famulor_quota::{AccountKey, AcquireRequest, Limit, Permit, Quota, Witness};
//! # struct Answer { status: u16, limit: u32, remaining: u32, retry_after: Option<Duration> }
//! # async fn send() -> Answer { Answer { status: 200, limit: 5, remaining: 4, retry_after: None } }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let quota = Quota::in_memory();
//! let account = AccountKey::new("the API token");
//! let limits: Arc<[Limit]> = Arc::new([
//!     Limit::new(5, Duration::from_secs(60), "replies"),
//!     Limit::new(100, Duration::from_secs(60), "all"),
//! ]);
//!
//! // Waits its turn; fails at once if its turn cannot come within 90 s.
//! let request = AcquireRequest::new(account, limits).with_max_wait(Duration::from_secs(90));
//! let mut permit = quota.acquire(request).await?;
//!
//! permit.mark_sent()?;
//! let answer = send().await;
//! if answer.status == 429 {
//!     permit.reject(answer.retry_after).await;
//! } else {
//!     permit.complete(Some(Witness::new(answer.limit, answer.remaining))).await;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it guarantees
//!
//! If all who use an account share one store, then no window of a limit's length,
//! wherever it begins, sees more than *N* requests arrive at the server: whatever
//! each request's delay, and in whatever order they arrive. So there is no 429
//! from a server that keeps
//!
//! - a fixed window, from its first request (Laravel) or aligned to a clock
//! - a sliding log
//! - a token bucket of capacity *N* and refill *N* a window
//!
//! # How
//!
//! Clients that count what they *sent* are wrong as soon as two requests take
//! different times to arrive: five sent at 0 s that arrive at 3 s, and five sent
//! at 60 s that arrive at once, are ten within 57 seconds. This ledger holds a
//! slot, of which a limit has *N*, from before a request is sent until a window
//! after it was *answered*.
//!
//! *Proof.* A request is sent at *s*, arrives at *a*, its answer is here at *c*,
//! and *s* ≤ *a* ≤ *c*. Take the requests that arrive within some window of length
//! *W*, and of those let *m* be the one sent last. Each other one, *j*, was sent
//! before *m*, and arrived less than *W* before *m* did or later:
//! *c*ⱼ ≥ *a*ⱼ > *a*ₘ − *W* ≥ *s*ₘ − *W*. So when *m* was sent, less than *W* had
//! passed since *c*ⱼ, and the slot of *j* was still busy. *m* was given a free
//! slot, so there are at most *N* of them, *m* included. ∎
//!
//! A call that never ends holds its slot until it can no longer arrive: its
//! timeout and [30 seconds](ledger::LATE_ARRIVAL). A *guard* of 0.2 % of the
//! window, 20 ms at least, allows for clocks that do not run at the same speed.
//!
//! That costs a share of the quota: a slot does a call every *W* + latency, so
//! 96 % of it is used at a latency of 2.4 s. Servers that send
//! `X-RateLimit-Limit` and `-Remaining` let the ledger do better: an answer that
//! has counted every call of ours [proves that all of them have
//! arrived](Witness), long before the slowest of them is answered.
//!
//! How much better depends on when the server reads its counter. Laravel's
//! throttle, like most middleware, does it when the answer is written: the first
//! answer of a burst has then counted all of it, the burst's slots come free
//! together, and the next burst leaves together: 98 % at the same latency. A
//! server that reads it on arrival says so much only in the answer to the call
//! that arrived last, and little is gained. The proof holds for both, so the
//! ledger need not know which it is.
//!
//! # What it does not
//!
//! - **Others who use the same token** without sharing the store are not foreseen.
//!   They are noticed by the headers; then they have their slots for a window, and
//!   the headers free none of ours for [half an hour](ledger::CLEAN_TIME).
//! - **The past of a new store** is unknown to it: an earlier run's requests may
//!   still count. For a window it draws no conclusions from headers, nor from the
//!   first refusal. A memory store forgets with its process.
//! - **Servers that refuse bursts** within the limit (two weighted counters, strict
//!   spacing) will refuse some. After a 429 that it cannot explain, the ledger
//!   paces an account more carefully, [one rung](Rung) at a time.
//! - A request that **arrives more than 30 seconds after it was given up** is not
//!   covered, nor is a server whose window is longer than its documentation says.
//!
//! # Whose turn
//!
//! Calls under the same limits are served first come, first served, in two
//! [lanes](Lane): interactive before bulk, one turn in eight for bulk so that a
//! backlog moves. Waiting calls sleep; the one that is first wakes when there is
//! reason to, the others only when it is their turn. Dropping a waiting call
//! leaves nothing behind.
//!
//! # Who shares it
//!
//! | processes | store | feature |
//! |---|---|---|
//! | one | [`MemoryStore`] | |
//! | those of one machine | `SqliteStore`: a file | `sqlite` |
//! | those of many machines | `PostgresStore`: two tables | `postgres` |
//! | | `RedisStore`: a key an account, on Redis or Valkey | `redis` |
//!
//! [`open_store`] opens any of them by its name, a path or a URL. Times come from
//! the store's clock alone, so machines need not agree on what time it is. A
//! process that dies with permits costs idle slots until they run out, never an
//! overrun; one that was suspended cannot send on an [old permit](StalePermit).
//! If the store cannot be reached, calls fail with that reason, unless one has
//! chosen to go on with [a share of each limit](QuotaStore::degrade_to_local).
//! First come, first served holds inside a process; between processes, whoever
//! asks first when a slot comes free.
//!
//! # In one transaction with other things
//!
//! A queue that keeps its messages in the database of the quota can take a
//! message and the slot that it is sent in in one transaction, so that a crash
//! leaves both or neither: [`Quota::turn`] waits in line without asking, and
//! [`SharedDatabase`] takes slots in a transaction of the caller's.
//! `famulor-outbox` does.
//!
//! # Where the parts are
//!
//! | | |
//! |---|---|
//! | [`ledger`] | the rules, for one account, with the time as an argument: no clock, no waiting |
//! | [`store`] | where ledgers are kept, and the [`QuotaStore`] to write other stores |
//! | [`Quota`] | lanes, deadlines and permits, in front of any store |
//!
//! An account is under 512 bytes in memory while its limit allows a handful of
//! calls, and nothing once it is idle. A call costs time in proportion to *N*,
//! well under a microsecond for limits of up to a hundred.

mod account;
pub mod ledger;
mod limit;
mod quota;
pub mod store;
mod usage;

pub use account::AccountKey;
pub use ledger::{Rung, StepDown};
pub use limit::{Limit, ParseLimitError};
pub use quota::{
    AcquireError, AcquireRequest, Lane, Permit, Quota, StalePermit, Turn, Waiting, Witness,
};
#[cfg(feature = "postgres")]
pub use store::PostgresStore;
#[cfg(feature = "redis")]
pub use store::RedisStore;
#[cfg(feature = "sqlite")]
pub use store::SqliteStore;
pub use store::{
    Answer, Ask, Completion, DegradeToLocal, MemoryStore, QuotaStore, Seen, SharedDatabase, SlotId,
    StoreError, StoreFuture, Taken, open_store,
};
pub use usage::Usage;
