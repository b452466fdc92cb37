//! The Rust SDK for Famulor's conversation and AI-reply API.
//!
//! Replies are limited to 5 a minute per token, they are billed, and there is no idempotency key. So this client uses
//! all of the quota without being refused, sends nothing twice that may have arrived, and says so when an outcome is
//! not known.
//!
//! ```no_run
//! # async fn example() -> famulor_core::Result<()> {
//! use std::time::Duration;
//! use famulor_core::{AssistantId, AssistantUuid, Client, ConversationKind, CustomerId};
//!
//! let client = Client::from_env()?; // FAMULOR_API_KEY
//!
//! let reply = client
//!     .reply(AssistantId::new(123), CustomerId::phone("+49 155 551234")?, "I'd like an appointment")
//!     .set_variable("customer_name", "John")
//!     .with_deadline(Duration::from_secs(90))
//!     .send()
//!     .await?;
//! println!("{}", reply.text().unwrap_or("a person has taken the conversation over"));
//!
//! let chat = client
//!     .create_conversation(AssistantUuid::parse("550e8400-e29b-41d4-a716-446655440000")?)
//!     .set_kind(ConversationKind::Test)
//!     .send()
//!     .await?;
//! let turn = chat.send("I would like to schedule a demo").await?;
//! println!("{}", turn.text().unwrap_or_default());
//! # Ok(())
//! # }
//! ```
//!
//! # Names
//!
//! `set_*` fills a field of the API's request, `with_*` sets an option of this SDK. A call's builder is sent with
//! `.send().await` or just `.await`.
//!
//! # Errors
//!
//! There is one [`Error`]. [`Error::kind`] says what to do, [`Error::delivery`] whether the message was sent.
//!
//! # What may be sent again
//!
//! | what happened | reply, message, new conversation | a call that only reads | [`Error::delivery`] |
//! |---|---|---|---|
//! | name, connect or TLS failure | again | again | `NotSent` |
//! | 429 | again, after the wait that the server asks for | again | `Refused` |
//! | other 4xx, a refusal inside a 2xx, 3xx | no | no | `Refused` |
//! | timeout or reset after sending, 5xx | no: the conversation is read back | again | `Unknown` |
//! | a 2xx cut off or not as documented | no: the conversation is read back | again | `Processed` |
//!
//! "Again" means: while [`with_max_retries`](ClientBuilder::with_max_retries) and the deadline allow it.
//!
//! # Senders that survive a crash
//!
//! Everything above ends with the process. A program that must settle what was under way when it was killed writes down
//! what it is about to send, and needs the steps one by one: [`Client::position`] before, [`Client::reply_slot`] and
//! [`ReplyRequest::send_in`] to send, [`Client::look_for`] after an unknown outcome. The crate `famulor-outbox` is one.
//!
//! # Dropping a call
//!
//! A future that is dropped while it waits for the quota or its turn leaves nothing behind. Dropped later, the request
//! may have been processed and billed: prefer a deadline, whose error says which.

mod answers;
mod call;
mod client;
mod delivery;
mod error;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod input;
mod operations;
mod options;
mod transport;
mod usage;

pub use answers::{Account, ApiAnswer, History, Page, Reply, Turn};
pub use call::ReplySlot;
#[doc(hidden)]
pub use call::ReplyTurn;
pub use client::{Client, ClientBuilder, QuotaStatus, WaitNotice};
pub use delivery::{Position, Sighting, Verification};
pub use error::{Delivery, Error, ErrorCode, ErrorKind, Result};
pub use famulor_gen::types::{Assistant, Contact, ConversationSummary, FunctionCall, Message};
pub use famulor_gen::{ConversationKind, LooseObject, Role};
pub use famulor_quota::{Lane, Limit, Quota, QuotaStore};
pub use input::{AssistantId, AssistantUuid, ConversationId, CustomerId, OnUnknown};
pub use operations::{
    ApiRequest, Conversation, CreateConversation, GetAccount, GetHistory, ListAssistants,
    ListConversations, ReplyRequest, RequestPreview, SendMessage, SetAi, WebhookChange,
};
pub use usage::Usage;
