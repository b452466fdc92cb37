//! Typed mocks of every operation of Famulor's API, for tests.
//!
//! ```
//! use famulor_httpmock::MockServerExt;
//! use famulor_httpmock::types::{ApiError, GenerateReplyResponse};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = httpmock::MockServer::start();
//! let reply: GenerateReplyResponse =
//!     serde_json::from_value(serde_json::json!({ "success": true, "conversation_id": "c1", "reply": "Hello!" }))?;
//! let mock = server.generate_reply(|when, then| {
//!     when.into_inner().header_exists("authorization");
//!     then.ok(&reply);
//! });
//!
//! // Give `famulor_httpmock::base_url(&server)` to the client under test, then:
//! assert_eq!(mock.calls(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! - Paths match with and without `/api` before them, and generate-reply at both of its documented places.
//! - A request that no mock matches gets httpmock's own 404, which reads like an error of the API: assert that the mock
//!   was called.
//! - A mock writes this project's types, so it cannot show that a type is wrong. For bodies as the server writes them
//!   use `then.into_inner().body(…)`, or the emulator.

#[rustfmt::skip]
#[allow(missing_docs, unused, clippy::all, rust_2018_idioms, unreachable_pub, elided_lifetimes_in_paths, rustdoc::all)]
mod generated;

pub use famulor_gen::types;
pub use generated::MockServerExt;
pub use generated::operations;

/// The base URL of a mock server, as a client wants it.
///
/// ```
/// let server = httpmock::MockServer::start();
/// assert!(famulor_httpmock::base_url(&server).ends_with("/api"));
/// ```
#[must_use]
pub fn base_url(server: &httpmock::MockServer) -> String {
    server.url("/api")
}
