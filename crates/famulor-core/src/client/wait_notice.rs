//! Telling that a call waits.

use std::sync::Arc;
use std::time::Duration;

use famulor_quota::Waiting;

pub(crate) type WaitObserver = Arc<dyn Fn(&WaitNotice) + Send + Sync>;

/// Says that a call waits for a free slot of the quota.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use famulor_core::{Client, WaitNotice};
///
/// let tell = |notice: &WaitNotice| {
///     eprintln!("about {:.0} s, {} before you", notice.wait.as_secs_f64().ceil(), notice.ahead);
/// };
/// let client = Client::builder().with_wait_observer(tell).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitNotice {
    /// The earliest it can go.
    pub wait: Duration,
    /// Calls of this process that go before it.
    pub ahead: usize,
}

impl From<Waiting> for WaitNotice {
    fn from(waiting: Waiting) -> Self {
        Self {
            wait: waiting.ready_in,
            ahead: waiting.ahead,
        }
    }
}
