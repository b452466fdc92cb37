//! TLS in front of a [`Wire`], with a certificate made for the occasion.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;

use crate::wire::{Script, Stream, Wire};

impl Stream for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A server for `https://localhost:PORT/api`.
#[derive(Debug)]
pub struct Secure {
    /// What it does and saw. Its own base URL is one of plain http.
    pub wire: Wire,
    /// Its certificate, in PEM form: who trusts it can connect.
    pub certificate: String,
}

impl Secure {
    /// Starts on a free port.
    ///
    /// # Panics
    /// If there is no free port or no certificate can be made.
    pub async fn start(script: Script) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
                .expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("a certificate that fits its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let wire = Wire::on(listener, script, move |stream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await.ok() }
        });
        Self {
            wire,
            certificate: cert.pem(),
        }
    }

    /// The base URL for clients.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("https://127.0.0.1:{}/api", self.wire.address().port())
    }
}
