//! Client-side ledger for N-requests-per-window limits that are never overrun.

mod account;
pub mod ledger;
mod limit;
mod quota;
pub mod store;
mod usage;

pub use account::AccountKey;
pub use ledger::{Rung, StepDown};
pub use limit::{Limit, ParseLimitError};
pub use quota::{AcquireError, AcquireRequest, Lane, Permit, Quota, StalePermit, Waiting, Witness};
pub use store::{
    Answer, Ask, Completion, MemoryStore, QuotaStore, Seen, SlotId, StoreError, StoreFuture,
};
pub use usage::Usage;
