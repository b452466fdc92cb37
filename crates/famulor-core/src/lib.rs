//! The Rust SDK for Famulor's conversation and AI-reply API.
//!
//! Replies are limited to 5 a minute per token, they are billed, and there is no idempotency key. So this client uses
//! all of the quota without being refused, sends nothing twice that may have arrived, and says so when an outcome is
//! not known.
//!
//! ```
//! use famulor_core::{AssistantId, Client, CustomerId, Delivery};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> famulor_core::Result<()> {
//! let client = Client::from_env()?; // FAMULOR_API_KEY
//! # let emulator = famulor_emulator::Emulator::builder().start().await.expect("an emulator");
//! # let client = Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
//!
//! let customer = CustomerId::phone("+49 155 551234")?;
//! let call = client
//!     .reply(AssistantId::new(123), customer, "I'd like an appointment")
//!     .set_variable("customer_name", "John");
//! match call.send().await {
//!     Ok(reply) => println!("{}", reply.text().unwrap_or("a person has taken over")),
//!     Err(error) if error.delivery() == Delivery::Unknown => {
//!         eprintln!("do not send it again: {error}");
//!     }
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! There is no queue, no rate limiter and no retry loop to write around this: the call waits for its slot, goes again
//! where that is safe, and settles a lost answer by reading the conversation.
//!
//! # The guide
//!
//! | chapter | for when you ask |
//! |---|---|
//! | [Quick start](guide::quick_start) | how do I get a reply? |
//! | [Errors](guide::errors) | it failed: was it sent, was it billed, what next? |
//! | [Quota](guide::quota) | what happens when I send more than five a minute? |
//! | [Unknown outcomes](guide::unknown_outcomes) | the answer never came: did the customer get one, and am I charged? |
//! | [Testing](guide::testing) | how do I test my code without a key and without cost? |
//! | [Observability](guide::observability) | how do I see what it does? |
//! | [Cost](guide::cost) | what is billed, and how do I keep it bounded? |
//!
//! # What is where
//!
//! | you want | begin at |
//! |---|---|
//! | an answer to a message of your own channel | [`Client::reply`] |
//! | a chat that you open and hold | [`Client::create_conversation`], [`Client::conversation`] |
//! | ids of assistants; conversations of the account | [`Client::list_assistants`], [`Client::list_conversations`] |
//! | to have a person take over, and give back | [`Conversation::ai_off`], [`Conversation::ai_on`] |
//! | another endpoint, with the same key, limits and errors | [`Client::request`] |
//! | settings | [`ClientBuilder`], or [`Client::from_env`] |
//! | messages that survive a crash | the crate `famulor-outbox`, which is built on [`Client::reply_slot`] |
//!
//! `set_*` fills a field of the API's request, `with_*` sets an option of this SDK. A call is sent with `.send().await` or
//! just `.await`.

mod answers;
mod call;
mod client;
mod delivery;
mod error;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(doc)]
pub mod guide;
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
