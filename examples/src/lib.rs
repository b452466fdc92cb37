//! The documented uses of Famulor's reply API, each with one command.
//!
//! | example | shows |
//! |---|---|
//! | `minimal` | one reply to one message |
//! | `retry_and_quota` | more messages than a minute has slots, a server out of reach, a refusal |
//! | `read_back` | an answer that never arrived, and the message that is not sent twice |
//! | `mocking` | testing your own code, with typed mocks and with the emulator |
//! | `shared_quota` | several processes on one token, through Redis |
//! | `crm_sync` | contacts of a CSV file or a SQLite table, answered, with the conversations' ids written back |
//! | `channel_bridge` | Telegram and Twilio, through an outbox that survives being killed |
//! | `web_chat` | a chat page and the server that keeps the key: waiting, take-over, limits for each visitor |
//! | `telemetry` | spans and figures in an OpenTelemetry collector |
//!
//! ```sh
//! cargo run -p famulor-examples --example minimal -- --emulator
//! ```
//!
//! Without `--emulator` an example goes to your account (`FAMULOR_API_KEY`, `FAMULOR_ASSISTANT_ID`), and every message
//! that it sends is billed. This library has only what they share: where their calls go, and how they end.

mod outcome;
mod stage;

pub use outcome::{Failure, report};
pub use stage::{Stage, Whereto};
