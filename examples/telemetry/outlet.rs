//! How the exporters reach the collector.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use famulor_examples::Failure;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;

/// An HTTP client for the exporters' own threads: it does its work on our runtime, which they have not.
#[derive(Clone, Debug)]
pub(crate) struct Outlet {
    client: reqwest::Client,
    runtime: Handle,
}

impl Outlet {
    /// Takes the runtime that it is called on.
    pub(crate) fn new() -> Result<Self, Failure> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
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
