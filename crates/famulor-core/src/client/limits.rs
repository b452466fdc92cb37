//! Which limits a client keeps.

use std::sync::Arc;
use std::time::Duration;

use famulor_quota::Limit;

pub(super) const REPLY_SCOPE: &str = "generate-reply";
pub(super) const GENERAL_SCOPE: &str = "all";

/// The documented limits, each per token. Source: seed 002 (5 in 60 s for generate-reply); the vendor's authentication
/// guide (100 in 60 s and 20 in 10 s for all endpoints).
pub(super) fn limits(
    limited: bool,
    reply: Option<Limit>,
    general: Option<Vec<Limit>>,
) -> (Arc<[Limit]>, Arc<[Limit]>) {
    if !limited {
        return (Arc::new([]), Arc::new([]));
    }
    let reply = reply.unwrap_or_else(|| Limit::new(5, Duration::from_secs(60), REPLY_SCOPE));
    let general = general.unwrap_or_else(|| {
        vec![
            Limit::new(100, Duration::from_secs(60), GENERAL_SCOPE),
            Limit::new(20, Duration::from_secs(10), GENERAL_SCOPE),
        ]
    });
    let both = std::iter::once(reply).chain(general.iter().cloned());
    (both.collect(), general.into())
}
