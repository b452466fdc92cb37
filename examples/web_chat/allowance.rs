//! What one visitor may use of the quota that all of them share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use famulor_core::{Limit, Quota};
use famulor_examples::Failure;
use famulor_quota::{AccountKey, AcquireError, AcquireRequest, Permit};

use crate::session::Session;

/// The crate that keeps us within Famulor's limit keeps visitors within ours.
pub(crate) struct Allowance {
    quota: Quota,
    visitor: Arc<[Limit]>,
    address: Arc<[Limit]>,
}

impl Allowance {
    pub(crate) fn new(visitor: Limit, address: Limit) -> Self {
        Self {
            quota: Quota::in_memory(),
            visitor: Arc::new([visitor]),
            address: Arc::new([address]),
        }
    }

    /// Takes one message's part of both allowances; `Some`: nothing was taken, and when to come again.
    pub(crate) async fn take(
        &self,
        session: &Session,
        address: IpAddr,
    ) -> Result<Option<Duration>, Failure> {
        let of_visitor = match self.try_acquire(session.as_str(), &self.visitor).await? {
            Ok(permit) => permit,
            Err(wait) => return Ok(Some(wait)),
        };
        match self.try_acquire(&network(address), &self.address).await? {
            Ok(permit) => permit.complete(None).await,
            Err(wait) => {
                of_visitor.give_back().await;
                return Ok(Some(wait));
            }
        }
        of_visitor.complete(None).await;
        Ok(None)
    }

    async fn try_acquire(
        &self,
        who: &str,
        limits: &Arc<[Limit]>,
    ) -> Result<Result<Permit, Duration>, Failure> {
        let request = AcquireRequest::new(AccountKey::new(who), Arc::clone(limits));
        match self.quota.try_acquire(request).await {
            Ok(permit) => Ok(Ok(permit)),
            Err(AcquireError::WouldWait { ready_in, .. }) => Ok(Err(ready_in)),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whom an address belongs to. Of IPv6 everyone has 2^64 addresses at least.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
