//! How the exporters reach the collector.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use reqwest::redirect::Policy;
use tokio::runtime::Handle;

/// An HTTP client for the exporters' own threads: it does its work on the command's runtime, which they have not.
#[derive(Clone, Debug)]
pub(super) struct Outlet {
    client: reqwest::Client,
    runtime: Handle,
}

impl Outlet {
    /// Takes the runtime that it is called on.
    pub(super) fn new() -> Result<Self, HttpError> {
        // The headers may hold the collector's key: they go where they were meant to, and no further.
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(super::FLUSH)
            .build()?;
        Ok(Self {
            client,
            runtime: Handle::try_current()?,
        })
    }
}

#[async_trait]
impl HttpClient for Outlet {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let status = answer.status();
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            Ok(response)
        });
        sending.await?
    }
}
