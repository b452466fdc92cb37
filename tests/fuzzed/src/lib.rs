//! What must hold whatever a server, a file or a stranger sends: a function each, which panics if it does not.
//!
//! `cargo xtask fuzz` has a fuzzer look for inputs that break one (the programs in `fuzz/` do nothing but call them). The
//! tests of this package run them over the seeds, over what was found before, and over a few thousand broken seeds, so that
//! `cargo xtask test` notices what a fuzzer would notice at once.

mod answers;
mod commands;
pub mod corpus;
#[path = "../../../crates/famulor-cli/src/error_object.rs"]
#[allow(
    dead_code,
    reason = "the command line's; batch files need a part of it"
)]
mod error_object;
mod errors;
#[path = "../../../crates/famulor-cli/src/exit.rs"]
#[allow(
    dead_code,
    reason = "the command line's; batch files need a part of it"
)]
mod exit;
#[path = "../../../crates/famulor-cli/src/failure.rs"]
#[allow(
    dead_code,
    reason = "the command line's; batch files need a part of it"
)]
mod failure;
mod scripts;
mod settings;

use serde_json::Value;

pub use answers::{answers, webhooks};
pub use commands::batch::batch_lines;
pub use errors::{errors, retry_after};
pub use scripts::scripts;
pub use settings::settings;

/// Stands for what a person has written: no error may show it.
pub const SECRET: &str = "§unspeakable§";

/// A target, by its name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them, as `cargo xtask fuzz` runs them.
pub const TARGETS: [Target; 7] = [
    ("answers", answers),
    ("errors", errors),
    ("retry_after", retry_after),
    ("scripts", scripts),
    ("webhooks", webhooks),
    ("settings", settings),
    ("batch_lines", batch_lines),
];

/// Equal, apart from the last digit of a fraction: `serde_json` reads those fast rather than exactly.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => match (x.as_f64(), y.as_f64()) {
            (Some(x), Some(y)) => x == y || (x - y).abs() <= x.abs() * 1e-14,
            _ => x == y,
        },
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len()
                && x.iter()
                    .all(|(key, x)| y.get(key).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}
