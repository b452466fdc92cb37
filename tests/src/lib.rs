//! What the tests that span crates share.

pub mod recorded;
pub mod sdk;
pub mod tls;
pub mod wire;
