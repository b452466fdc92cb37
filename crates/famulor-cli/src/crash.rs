//! Where the crash test ends this process. Builds without debug assertions, which all releases are, have none of it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// `FAMULOR_CRASH_AT=claimed:3`: at the third time that this point is reached.
struct Order {
    point: String,
    left: AtomicU32,
}

/// Whether this process is to end somewhere.
pub(crate) fn is_ordered() -> bool {
    order().is_some()
}

/// Ends this process as a crash would, if this is where it is to end.
pub(crate) fn reached(point: &str) {
    if let Some(order) = order()
        && order.point == point
        && order.left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        die();
    }
}

fn order() -> Option<&'static Order> {
    static ORDER: OnceLock<Option<Order>> = OnceLock::new();
    let read = || {
        if !cfg!(debug_assertions) {
            return None;
        }
        let order = std::env::var("FAMULOR_CRASH_AT").ok()?;
        let (point, times) = order.split_once(':').unwrap_or((&order, "1"));
        Some(Order {
            point: point.to_owned(),
            left: AtomicU32::new(times.parse().ok()?),
        })
    };
    ORDER.get_or_init(read).as_ref()
}

/// Whether messages are to be sent without a word of it in the store beforehand: the control that has to bill twice.
pub(crate) fn without_intents() -> bool {
    cfg!(debug_assertions) && std::env::var_os("FAMULOR_NO_INTENTS").is_some()
}

#[cfg(unix)]
fn die() {
    use rustix::process::{Signal, getpid, kill_process};
    let _ = kill_process(getpid(), Signal::KILL);
}

#[cfg(not(unix))]
fn die() {
    std::process::abort();
}
