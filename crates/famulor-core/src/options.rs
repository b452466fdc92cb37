//! What can be set for the client and for each call.

use std::time::Duration;

use famulor_quota::Lane;

use crate::OnUnknown;

/// How one call behaves. Starts as the client's settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallOptions {
    pub(crate) deadline: Duration,
    pub(crate) attempt_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) doubt_wait: Duration,
    pub(crate) max_retries: u32,
    pub(crate) on_unknown: OnUnknown,
    pub(crate) lane: Lane,
    /// Wait for nothing: no slot, no turn, no repetition.
    pub(crate) only_now: bool,
}

impl Default for CallOptions {
    /// A reply with tool calls can take half a minute and longer (a mid-call tool alone may run 30 s: facts page,
    /// "Latency"), so one attempt has 60 s, and all of it together 120 s.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(120),
            attempt_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(10),
            max_wait: None,
            doubt_wait: Duration::from_secs(120),
            max_retries: 3,
            on_unknown: OnUnknown::Verify,
            lane: Lane::Interactive,
            only_now: false,
        }
    }
}

/// The SDK options that every call has, as methods of its builder.
macro_rules! call_options {
    ($builder:ident) => {
        impl $builder {
            /// The time for all of it: queueing, attempts, waits and reading back. Default: the client's, 120 s.
            pub fn with_deadline(mut self, deadline: std::time::Duration) -> Self {
                self.options.deadline = deadline;
                self
            }

            /// The time for one attempt, from sending to the last byte of the answer. Default: the client's, 60 s.
            pub fn with_attempt_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.options.attempt_timeout = timeout;
                self
            }

            /// The time for making a connection. Default: the client's, 10 s.
            pub fn with_connect_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.options.connect_timeout = timeout;
                self
            }

            /// The longest wait for the quota. A call that would wait longer fails at once with
            /// [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited) and the time at which it could go. Default:
            /// the client's, up to the deadline.
            pub fn with_max_wait(mut self, wait: std::time::Duration) -> Self {
                self.options.max_wait = Some(wait);
                self
            }

            /// Which lane it waits in for the quota: a backlog in [`Lane::Bulk`](crate::Lane::Bulk) lets
            /// interactive calls go first. Default: the client's.
            pub fn with_lane(mut self, lane: crate::Lane) -> Self {
                self.options.lane = lane;
                self
            }

            /// How often it may be sent again after a failure that is known not to have been processed. Default: the
            /// client's, 3.
            pub fn with_max_retries(mut self, retries: u32) -> Self {
                self.options.max_retries = retries;
                self
            }
        }
    };
}

/// A call's form that waits for nothing but the server, and `.await` on its builder, which does
/// what `.send().await` does.
macro_rules! awaitable {
    ($builder:ident, $output:ty) => {
        impl $builder {
            /// Sends it if it can go now, and never waits: not for a slot of the quota, not for an
            /// earlier message of the same customer, not to send it again.
            ///
            /// # Errors
            /// [`ErrorKind::RateLimited`](crate::ErrorKind::RateLimited) with
            /// [`retry_after`](crate::Error::retry_after) if it cannot go now; nothing was sent then.
            pub async fn try_send(mut self) -> crate::Result<$output> {
                self.options.only_now = true;
                self.options.max_retries = 0;
                self.send().await
            }
        }

        impl std::future::IntoFuture for $builder {
            type Output = crate::Result<$output>;
            type IntoFuture =
                std::pin::Pin<Box<dyn std::future::Future<Output = Self::Output> + Send>>;

            /// The same as `send`.
            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.send())
            }
        }
    };
}

pub(crate) use {awaitable, call_options};
