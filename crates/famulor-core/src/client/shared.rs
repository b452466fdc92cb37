//! What all clones of a client share.

use std::sync::Arc;

use famulor_gen::{Observer, Session};
use famulor_quota::{AccountKey, Limit, Quota};
use secrecy::{ExposeSecret, SecretString};

use super::wait_notice::WaitObserver;
use crate::call::Order;
use crate::delivery::Positions;
use crate::transport::{BaseUrl, read_certificates};
use crate::usage::{Counters, count};
use crate::{Error, ErrorKind, Result};

/// What all clones of a client share.
pub(crate) struct Shared {
    pub(crate) base_url: BaseUrl,
    pub(crate) http: reqwest::Client,
    /// Whether calls are vouched for by the system's certificates alone.
    pub(crate) needs_system_certificates: bool,
    pub(crate) session: Session,
    pub(crate) key: Option<SecretString>,
    pub(crate) account: AccountKey,
    pub(crate) quota: Quota,
    pub(crate) reply_limits: Arc<[Limit]>,
    pub(crate) general_limits: Arc<[Limit]>,
    pub(crate) order: Order,
    pub(crate) positions: Positions,
    pub(crate) counters: Counters,
    pub(crate) wait_observer: Option<WaitObserver>,
    pub(crate) reply_path: String,
}

impl Shared {
    pub(crate) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    pub(crate) fn limits(&self, is_reply: bool) -> &Arc<[Limit]> {
        if is_reply {
            &self.reply_limits
        } else {
            &self.general_limits
        }
    }

    /// Makes sure that a server's certificate can be checked: without the system's certificates every call would fail,
    /// after repetitions, in words about the server's.
    pub(crate) fn ready_to_connect(&self) -> Result<()> {
        if self.needs_system_certificates {
            read_certificates()?;
        }
        Ok(())
    }

    pub(crate) fn generated(&self) -> famulor_gen::Client {
        famulor_gen::Client::new_with_client(
            self.base_url.as_str(),
            self.http.clone(),
            self.session.clone(),
        )
    }

    pub(crate) fn generated_with(&self, observer: Observer) -> famulor_gen::Client {
        let session = self.session.clone().with_observer(observer);
        famulor_gen::Client::new_with_client(self.base_url.as_str(), self.http.clone(), session)
    }

    /// Blacks the key out of an error, should a server quote it.
    pub(crate) fn black_out_key(&self, error: &mut Error) {
        if let Some(key) = &self.key {
            error.black_out(&[key.expose_secret()]);
        }
    }

    /// Counts how a call ended.
    pub(crate) fn concluded<T>(&self, result: Result<T>) -> Result<T> {
        if result
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::UnknownOutcome)
        {
            count(&self.counters.unknown_outcomes);
        }
        result
    }
}
