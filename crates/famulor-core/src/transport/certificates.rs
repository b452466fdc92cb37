//! The system's certificates, read when a server first shows one of its own, and once for all clients.
//!
//! To read them takes far longer than to build the rest of a client, and a client that never speaks TLS has no use for
//! them: one of an emulator, or one that only shows what it would send. A process reads them once; certificates that
//! the system gets later count from its next start.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::{Error, Result};

static SYSTEM: OnceLock<Verifier> = OnceLock::new();

/// TLS as the HTTP client sets it up by itself, but for the moment at which certificates are read. `None` if this
/// program's TLS library supports no version of TLS.
pub(super) fn tls() -> Option<ClientConfig> {
    let mut tls = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous() // rustls' word for every verifier that is not its own; this one is the platform's
        .with_custom_certificate_verifier(Arc::new(SystemCertificates))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Some(tls)
}

/// Reads the system's certificates, unless that was done before.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) if there are none, as in a container without any.
pub(crate) fn read() -> Result<()> {
    system().map(drop).map_err(|error| {
        Error::config(
            "the system's certificates cannot be read",
            "install them (on Linux the package ca-certificates), or give the client a CA certificate",
        )
        .with_source(error)
    })
}

fn system() -> std::result::Result<&'static Verifier, rustls::Error> {
    match SYSTEM.get() {
        Some(verifier) => Ok(verifier),
        // A failure is not kept: the next call may find what this one did not.
        None => Verifier::new(provider()).map(|read| SYSTEM.get_or_init(|| read)),
    }
}

fn provider() -> Arc<CryptoProvider> {
    match CryptoProvider::get_default() {
        Some(installed) => Arc::clone(installed),
        None => Arc::new(aws_lc_rs::default_provider()),
    }
}

/// Asks the platform's verifier about everything.
#[derive(Debug)]
struct SystemCertificates;

impl ServerCertVerifier for SystemCertificates {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        system()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        system()?.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        system()?.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = provider().signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::tls;

    /// Another version of rustls in the HTTP client would not take it, and read the certificates itself, every time.
    #[test]
    fn the_http_client_takes_this_tls() {
        let tls = tls().expect("a version of TLS");
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls);
        assert!(client.build().is_ok());
    }
}
