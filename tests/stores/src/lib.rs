//! Private PostgreSQL and Redis servers for tests.
//!
//! A server listens on a socket in a folder of its own, so that tests run in
//! parallel and touch nothing else on the machine. It ends with the process
//! that started it, also when that is killed, and its folder with it.
//!
//! ```no_run
//! use famulor_test_stores::{Durability, PostgresServer};
//!
//! let Some(server) = PostgresServer::shared() else {
//!     return; // has said that PostgreSQL is missing, and how to get it
//! };
//! let url = server.place();
//!
//! let Some(own) = PostgresServer::start(Durability::Disk) else { return };
//! own.kill();
//! own.restart();
//! ```
//!
//! Without the programs a test is skipped, and one line says so; with
//! `FAMULOR_REQUIRE_STORES=1`, as in CI, it fails instead.
#![cfg(unix)]

mod postgres;
mod programs;
mod redis;
mod watched;

pub use postgres::PostgresServer;
pub use redis::RedisServer;

/// What of a server's data outlives the machine's loss of power.
///
/// Either way all of it outlives the server's own death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// As the programs' defaults have it, or stricter: for measuring.
    Disk,
    /// Nothing is waited for: for all other tests.
    Fast,
}
