//! How the limits of a token stand.

use std::time::Duration;

use super::Shared;
use crate::{Delivery, Error, ErrorKind, Result};

/// How the limits of a client's token stand, for everyone who shares its quota.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let emulator = famulor_emulator::Emulator::builder().start().await?;
/// # let client = famulor_core::Client::builder().with_api_key("any").with_base_url(&emulator.base_url()).build()?;
/// let quota = client.quota().await?;
/// if quota.next_reply_in().as_secs() > 30 {
///     println!("tell them that it takes a while");
/// }
/// for limit in quota.limits() {
///     println!("{limit}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct QuotaStatus {
    next_reply_in: Duration,
    limits: Vec<famulor_quota::Usage>,
}

impl QuotaStatus {
    pub(super) async fn ask(shared: &Shared) -> Result<Self> {
        let limits = &shared.reply_limits;
        let unreachable = |source| {
            Error::new(
                ErrorKind::Network,
                Delivery::NotSent,
                "the quota's store cannot be asked",
            )
            .with_hint("check that the store can be reached")
            .with_source(source)
        };
        let next_reply_in = match limits.is_empty() {
            true => Duration::ZERO,
            false => shared
                .quota
                .next_free(&shared.account, limits)
                .await
                .map_err(unreachable)?,
        };
        let limits = shared
            .quota
            .usage(&shared.account, limits)
            .await
            .map_err(unreachable)?;
        Ok(Self {
            next_reply_in,
            limits,
        })
    }

    /// The earliest a reply could go if nobody waited; zero is now.
    #[must_use]
    pub fn next_reply_in(&self) -> Duration {
        self.next_reply_in
    }

    /// Each limit that counts replies: slots busy, callers waiting, rung of the ladder and its reason, foreign use.
    /// Empty for a client without limits.
    #[must_use]
    pub fn limits(&self) -> &[famulor_quota::Usage] {
        &self.limits
    }
}
