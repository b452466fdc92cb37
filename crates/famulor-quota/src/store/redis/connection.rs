//! The connection, and what a person can do when it fails.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, RedisError, ScriptInvocation};
use tokio::sync::Mutex;

use crate::StoreError;
use crate::ledger::DecodeError;

/// A server that takes longer is as good as one that is not there.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// One connection for all operations: they do not wait for one another on it.
pub(super) struct Connection {
    pub(super) client: Client,
    /// Where the server is, for errors. No user, no password.
    pub(super) place: String,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    connection: Option<MultiplexedConnection>,
    /// Which one it is, so that the failure of an old one does not close a new one.
    number: u64,
}

impl Connection {
    pub(super) fn new(url: &str) -> Result<Self, StoreError> {
        // The error is not passed on: it may quote the URL, password and all.
        let client = Client::open(url).map_err(|_| {
            StoreError::new(
                "that is no URL of a Redis: write redis://host:port/database, or \
                 redis+unix:///path/to/socket?db=0; there is no TLS",
            )
        })?;
        let at = client.get_connection_info();
        let place = format!(
            "the Redis at {}, database {}",
            at.addr(),
            at.redis_settings().db()
        );
        Ok(Self {
            client,
            place,
            open: Mutex::default(),
        })
    }

    /// Runs a script. A connection that turns out to be dead, because the server
    /// was restarted or tired of it, is replaced, and the script run once more:
    /// if it had run already, a slot may then be busy that nobody uses, until it
    /// runs out.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        let mut tries = 0;
        loop {
            let failed = match self.connection().await {
                Ok((mut connection, number)) => match script.invoke_async(&mut connection).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) if is_dead(&error) => {
                        self.close(number).await;
                        error
                    }
                    Err(error) => return Err(self.failure(&error)),
                },
                Err(error) => return Err(self.failure(&error)),
            };
            if tries > 0 || failed.is_timeout() {
                return Err(self.failure(&failed));
            }
            tries += 1;
        }
    }

    async fn connection(&self) -> Result<(MultiplexedConnection, u64), RedisError> {
        let mut open = self.open.lock().await;
        if let Some(connection) = &open.connection {
            return Ok((connection.clone(), open.number));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let new = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        open.connection = Some(new.clone());
        open.number += 1;
        Ok((new, open.number))
    }

    async fn close(&self, number: u64) {
        let mut open = self.open.lock().await;
        if open.number == number {
            open.connection = None;
        }
    }

    fn failure(&self, error: &RedisError) -> StoreError {
        let place = &self.place;
        StoreError::new(if error.is_timeout() {
            format!("{place} has not answered for {} s", ANSWER_WITHIN.as_secs())
        } else if is_dead(error) || error.is_connection_refusal() {
            format!("{place} cannot be reached: {error}")
        } else if error.code() == Some("LAYOUT") {
            let layout = error.detail().unwrap_or("?");
            format!("in {place}, the ledger was written by a newer version: its layout is {layout}")
        } else {
            format!("{place} says: {error}")
        })
    }

    pub(super) fn damaged(&self, error: &DecodeError) -> StoreError {
        StoreError::new(format!("in {}, {error}", self.place))
    }
}

fn is_dead(error: &RedisError) -> bool {
    error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error()
}
