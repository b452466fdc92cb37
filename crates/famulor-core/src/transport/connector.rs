//! The HTTP client that billed calls can be trusted to.

use std::time::Duration;

use super::certificates;
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

/// The connection pool adds the time to the clock's, and panics beyond what that can hold. A year is as good as for ever.
const LONGEST_IDLE: Duration = Duration::from_secs(365 * 86_400);

/// What can be set about connections.
#[derive(Clone, Default)]
pub(crate) struct TransportSettings {
    pub(crate) ca_certificates: Vec<Vec<u8>>,
    pub(crate) proxy: Proxy,
    pub(crate) user_agent: Option<String>,
    pub(crate) pool_max_idle: Option<usize>,
    pub(crate) pool_idle_timeout: Option<Duration>,
}

impl TransportSettings {
    /// Whether there is no certificate of the user's own to trust.
    pub(crate) fn trusts_only_the_system(&self) -> bool {
        self.ca_certificates.is_empty()
    }
}

/// Builds the HTTP client: it follows no redirect, since a token must not travel, and repeats nothing by itself, since a
/// repetition is billed.
pub(crate) fn build(
    settings: &TransportSettings,
    connect_timeout: Duration,
) -> Result<reqwest::Client> {
    let tls = match settings.trusts_only_the_system() {
        true => certificates::tls(),
        false => None,
    };
    match tls {
        Some(tls) => builder(settings, connect_timeout)?
            .tls_backend_preconfigured(tls)
            .build()
            // Should the HTTP client come with another version of rustls than ours, it sets up its own.
            .or_else(|_| builder(settings, connect_timeout)?.build().map_err(refused)),
        None => builder(settings, connect_timeout)?.build().map_err(refused),
    }
}

fn refused(error: reqwest::Error) -> Error {
    Error::config(
        "the HTTP client cannot be set up",
        "check the user agent, the CA certificates and the system's certificate store",
    )
    .with_source(error)
}

fn builder(
    settings: &TransportSettings,
    connect_timeout: Duration,
) -> Result<reqwest::ClientBuilder> {
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
        builder = builder.pool_idle_timeout(timeout.min(LONGEST_IDLE));
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
    Ok(match &settings.proxy {
        Proxy::Environment => builder,
        Proxy::None => builder.no_proxy(),
        Proxy::Url(url) => builder.proxy(reqwest::Proxy::all(url).map_err(|_| {
            Error::config(
                "the proxy's address is not a URL",
                "write it as in http://proxy:3128",
            )
        })?),
    })
}
