//! A durable outbox for Famulor's AI-reply API: put a message in, get the reply out, whatever happens between.
//!
//! Replies are limited to 5 a minute, billed, and there is no idempotency key. So a thousand messages take hours, and a
//! queue that simply tries again sends twice what was answered just before it was killed. This one writes down that it is
//! about to send before it sends, and after a crash asks the conversation what became of it.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use famulor_core::{AssistantId, Client, CustomerId};
//! use famulor_outbox::{NewMessage, Outbox};
//! use tokio_util::sync::CancellationToken;
//!
//! let outbox = Outbox::open("outbox.sqlite").await?; // or postgres://…, shared by many machines
//! let message = NewMessage::new(AssistantId::new(123), CustomerId::phone("+49 155 551234")?, "Hello");
//! let row = outbox.enqueue(message.with_key("mail-17")).await?.row();
//!
//! let worker = outbox.worker().with_account("default", Client::from_env()?);
//! worker.drain(CancellationToken::new()).await?; // until all is settled; `run` goes on until it is stopped
//!
//! let row = outbox.row(row).await?.ok_or("pruned")?;
//! println!("{} {:?}", row.state, row.reply);
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//!
//! - What was enqueued is not lost, whenever and whatever is killed.
//! - What may have arrived is not sent again, except under [`OnUnknown::Resend`](famulor_core::OnUnknown::Resend). At most
//!   once, plus verification: never "exactly once".
//! - A customer's messages of a job go in their order, one at a time. Customers take turns.
//! - Every row ends as done, failed, cancelled, or [in review](State::NeedsReview) with a reason. See [`State`].
//!
//! # How
//!
//! A worker waits for a slot of the account's quota. Then, in one transaction, it takes the oldest message of the least
//! recently served customer who has nothing in flight, and writes down that it is about to send it; where the
//! customer's conversation stands is in the store already. Where the quota is kept in the same database, the slot is
//! taken in that transaction too, so that a crash leaves both or neither. When that is on the disk, and only then, it
//! sends. The outcome is another transaction. A row whose worker is gone, which shows by its lease and, for a file, at
//! once by a lock that ends with the process, comes into doubt, never back into the queue: a worker reads the
//! conversation back. If the message is there, its answer is taken. If it is proved not to be there, it is sent again.
//! Otherwise a person decides.
//!
//! # What a store holds
//!
//! Messages, customers and replies, so it is as private as they are; never a key: a row names an account, and the worker
//! that serves it brings the key. One account's name stands for one account of the API: between two names for the same
//! one, order is not kept.

mod error;
mod filter;
mod import;
mod message;
mod outbox;
mod outcomes;
mod row;
mod sql;
mod state;
mod store;
mod worker;

pub use error::{Error, ErrorKind, Result};
pub use filter::{Filter, Status};
pub use import::{Import, Imported};
pub use message::{Enqueued, NewMessage};
pub use outbox::Outbox;
pub use outcomes::Outcomes;
pub use row::{Resolution, Row, RowError, RowId};
pub use state::State;
pub use worker::{EndReason, WorkerBuilder, WorkerEnd};

/// The code in the guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/outbox.md")]
struct Guide;
