//! Generated types and thin HTTP client for Famulor's conversation and AI-reply API.
//!
//! One method per operation of `openapi.yaml`, with builders for what they send and types for what they answer. This
//! crate sends what it is told, once: no retries, no quota, no waiting. Replies and widget messages are billed and
//! there is no idempotency key, so most people want `famulor-core`, which decides what may be sent again.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use famulor_gen::{Client, Failure, Session, http_client};
//!
//! let session = Session::new().with_token("1|abc")?;
//! let client = Client::new_with_client("https://app.famulor.de/api", http_client()?, session);
//! match client.get_me().send().await {
//!     Ok(account) => println!("{:?}", account.total_balance),
//!     // The generated error prints whole bodies; this view of it does not.
//!     Err(error) => eprintln!("{}", Failure::from(error)),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is by hand, and why
//!
//! - [`ConversationKind`] and [`Role`] are open: a value that the documentation does not have is kept as it came.
//! - [`LooseObject`] reads an object, the `[]` that PHP writes for an empty one, and `null`.
//! - The hooks set the bearer header and read every body once, up to a ceiling, so that status, headers and body
//!   survive HTML under a JSON status, a body that is cut off, and a refusal inside a 200. All of these come back as
//!   [`Error::UnexpectedResponse`]; [`Failure`] reads them.
//! - `Debug` of a type shows its name, never its content: bodies carry customers and their words.

mod answer;
mod any;
mod failure;
#[rustfmt::skip]
#[allow(missing_docs, unused, clippy::all, rust_2018_idioms, unreachable_pub, elided_lifetimes_in_paths, rustdoc::all)]
mod generated;
mod hooks;
mod loose;
mod open;
mod route;
mod segment;
mod session;

pub use answer::{Answer, BodyEnd, ERROR_BODY_CEILING, SUCCESS_BODY_CEILING};
pub use failure::{Failure, FailureKind};
pub use generated::*;
pub use hooks::http_client;
pub use loose::LooseObject;
pub use open::{ConversationKind, Role};
#[doc(hidden)]
pub use segment::path_segment;
pub use session::{InvalidToken, Observer, Session};
