//! What can be set for the client and for each call.

use std::time::Duration;

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

            /// How often it may be sent again after a failure that is known not to have been processed. Default: the
            /// client's, 3.
            pub fn with_max_retries(mut self, retries: u32) -> Self {
                self.options.max_retries = retries;
                self
            }
        }
    };
}

/// Lets `.await` on a call's builder do what `.send().await` does.
macro_rules! awaitable {
    ($builder:ident, $output:ty) => {
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
