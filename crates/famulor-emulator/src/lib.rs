//! A local Famulor: its documented behaviour, limits and errors, without a key and without cost.
//!
//! ```
//! use famulor_emulator::Emulator;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), famulor_emulator::StartError> {
//! let emulator = Emulator::builder().token("secret").seed(42).start().await?;
//! let base_url = emulator.base_url(); // http://127.0.0.1:PORT/api
//! # assert!(base_url.ends_with("/api"));
//! // Point a client at it, then look at what arrived:
//! assert!(emulator.journal().is_empty());
//! emulator.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! It knows from the start what the documentation's examples take for granted:
//! the assistant 123 (`550e8400-e29b-41d4-a716-446655440000`) and the
//! conversation `7c9e6679-7425-40de-944b-e07fc1f90ae7`. A second assistant, 124
//! (`3f2b8c1e-5d47-4a90-9c6e-2b7f1d0a8e64`), has no opening message.
//!
//! # What is documented, and what is not
//!
//! Paths, fields, statuses, error bodies, limits, the price of a widget message
//! and the headers of a 429 are the documentation's. These are inferred, from
//! the backend being Laravel or from what is said nearby:
//!
//! - how the limits count ([`LimitAlgorithm`]), that a key is checked before
//!   they do, and which of two limits an answer shows;
//! - that strings are trimmed, and empty ones taken for missing;
//! - 422 for a `/conversations` field of a wrong type, and the words for a
//!   message that is too long;
//! - the price of a reply, and that a message to a conversation with AI switched
//!   off is free and answered with `null`;
//! - that a conversation made by generate-reply has type `api`, shows the
//!   customer identifier as `external_identifier`, and has no opening message;
//! - that all tokens are keys of one account, each with a quota and, for the
//!   sake of tests, a balance of its own;
//! - what stands in place of a variable that nobody set: the placeholder.
//!
//! In the source, *seed 0* to *seed 2* are the three documentation pages that
//! the project began with (create a conversation, get a conversation, generate a
//! reply), and *facts* are what the vendor's documentation and public clients
//! say of the rest.
//!
//! There is no language model in it: see the replies as placeholders that
//! remember.

mod agenda;
mod answer;
mod api;
mod builder;
mod caller;
mod clock;
mod control;
mod doors;
mod duration_text;
mod emulator;
mod faults;
mod journal;
mod latency;
mod limits;
mod money;
mod operation;
mod replies;
mod script;
mod seeded;
mod server;
mod state;
mod stats;
mod webhooks;
#[cfg(debug_assertions)]
mod witness;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use crate::builder::{EmulatorBuilder, StartError};
pub use crate::emulator::Emulator;
pub use crate::faults::{
    After, AsAnswer, AssistantRef, Before, CannedAnswer, Effect, Fault, PendingFault, TokenMark,
    Wire,
};
pub use crate::journal::{JournalEntry, Recorded};
pub use crate::latency::Latency;
pub use crate::limits::{LimitAlgorithm, LimitUse, ParseRateLimitError, RateLimit};
pub use crate::operation::Operation;
pub use crate::script::{Script, ScriptError, ScriptProblem};
pub use crate::state::{Assistant, Contact, Conversation, ConversationKind, FunctionCall, Message};
pub use crate::stats::{CustomerStats, Stats, TokenStats};
pub use crate::webhooks::{Delivery, DeliveryOutcome, MessageStatus, ReadReceipts};

/// A lock that outlives a panic: whatever a test broke, the next one may look at.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
