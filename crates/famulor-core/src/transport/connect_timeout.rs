//! A time limit for connecting that can differ from call to call.
//!
//! The HTTP client knows one for all calls. So each call puts its own where the connector finds it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tower_layer::Layer;
use tower_service::Service;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

tokio::task_local! {
    static LIMIT: Duration;
}

/// Runs a call whose connections must be made within `limit`.
pub(crate) async fn within_connect_timeout<F: Future>(limit: Duration, call: F) -> F::Output {
    LIMIT.scope(limit, call).await
}

/// Puts the limit of the call that asks for a connection, or `default`, around the connector.
#[derive(Clone, Copy)]
pub(super) struct ConnectTimeoutLayer {
    pub(super) default: Duration,
}

impl<S> Layer<S> for ConnectTimeoutLayer {
    type Service = ConnectTimeout<S>;

    fn layer(&self, connector: S) -> ConnectTimeout<S> {
        ConnectTimeout {
            connector: Arc::new(connector),
            default: self.default,
        }
    }
}

#[derive(Clone)]
pub(super) struct ConnectTimeout<S> {
    /// Shared: the HTTP client clones its connector several times a call, and needs one only to connect.
    connector: Arc<S>,
    default: Duration,
}

impl<S, Target> Service<Target> for ConnectTimeout<S>
where
    S: Service<Target, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Response: 'static,
    Target: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // The connector of a call is asked in that call.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let limit = LIMIT.try_with(|limit| *limit).unwrap_or(self.default);
        let mut connector = S::clone(&self.connector);
        let connecting = async move {
            poll_fn(|context| connector.poll_ready(context)).await?;
            connector.call(target).await
        };
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(outcome) => outcome,
                Err(elapsed) => Err(elapsed.into()),
            }
        })
    }
}
