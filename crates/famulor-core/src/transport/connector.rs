//! The HTTP client that billed calls can be trusted to.

use std::time::Duration;

use super::connect_timeout::ConnectTimeoutLayer;
use crate::{Error, Result};

/// Which proxy to go through.
#[derive(Clone, Debug, Default)]
pub(crate) enum Proxy {
    /// What `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// None, whatever the environment says.
    None,
    /// This one for every address.
    Url(String),
}

/// What can be set about connections.
#[derive(Clone, Default)]
pub(crate) struct TransportSettings {
    pub(crate) ca_certificates: Vec<Vec<u8>>,
    pub(crate) proxy: Proxy,
    pub(crate) user_agent: Option<String>,
    pub(crate) pool_max_idle: Option<usize>,
    pub(crate) pool_idle_timeout: Option<Duration>,
}

/// Builds the HTTP client: it follows no redirect, since a token must not travel, and repeats nothing by itself, since a
/// repetition is billed.
pub(crate) fn build(
    settings: &TransportSettings,
    connect_timeout: Duration,
) -> Result<reqwest::Client> {
    let user_agent = settings
        .user_agent
        .as_deref()
        .unwrap_or(concat!("famulor-rust/", env!("CARGO_PKG_VERSION")));
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .user_agent(user_agent)
        .connector_layer(ConnectTimeoutLayer {
            default: connect_timeout,
        });
    if let Some(most) = settings.pool_max_idle {
        builder = builder.pool_max_idle_per_host(most);
    }
    if let Some(timeout) = settings.pool_idle_timeout {
        builder = builder.pool_idle_timeout(timeout);
    }
    for pem in &settings.ca_certificates {
        let certificates = reqwest::Certificate::from_pem_bundle(pem)
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| {
                Error::config(
                    "the CA certificate cannot be read",
                    "give a file in PEM form",
                )
            })?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder = match &settings.proxy {
        Proxy::Environment => builder,
        Proxy::None => builder.no_proxy(),
        Proxy::Url(url) => builder.proxy(reqwest::Proxy::all(url).map_err(|_| {
            Error::config(
                "the proxy's address is not a URL",
                "write it as in http://proxy:3128",
            )
        })?),
    };
    builder.build().map_err(|error| {
        Error::config(
            "the HTTP client cannot be set up",
            "check the user agent, the CA certificates and the system's certificate store",
        )
        .with_source(error)
    })
}
