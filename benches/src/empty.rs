//! The baseline of a server: an axum handler that does nothing, behind TLS.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{Router, http::header::CONTENT_TYPE};
use bytes::Bytes;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A server that answers 200 to everything, with a body that it was given. Its certificate is made at start, as a rig's
/// is, for any name that it is called by.
#[derive(Debug)]
pub struct Empty {
    listener: TcpListener,
    shown: Shown,
}

/// What a server shows in a handshake: a certificate that it has signed itself.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) certificate: CertificateDer<'static>,
}

impl Shown {
    pub(crate) fn make(names: Vec<String>) -> Result<Self, String> {
        let told = |what: &'static str| move |fault: &dyn std::fmt::Display| format!("{what}: {fault}");
        let made = rcgen::generate_simple_self_signed(names).map_err(|fault| told("make a certificate")(&fault))?;
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate.clone()], key))
            .map_err(|fault| told("configure TLS")(&fault))?;
        Ok(Self { config: Arc::new(config), certificate })
    }
}

/// Listens at a free port of 127.0.0.1.
pub(crate) async fn free_port() -> Result<TcpListener, String> {
    TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.map_err(|fault| format!("listen: {fault}"))
}

impl Empty {
    /// Listens at a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// What went wrong.
    pub async fn listen(names: Vec<String>) -> Result<Self, String> {
        let (shown, listener) = (Shown::make(names)?, free_port().await?);
        Ok(Self { listener, shown })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn addr(&self) -> Result<SocketAddr, String> {
        self.listener.local_addr().map_err(|fault| format!("an address is missing: {fault}"))
    }

    /// The certificate that it shows.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.shown.certificate
    }

    /// Answers, for as long as it is polled.
    pub async fn serve(self, body: Bytes) -> Infallible {
        let answer = move || {
            let body = body.clone();
            async move { ([(CONTENT_TYPE, "application/json")], body) }
        };
        let router = Router::new().fallback(answer);
        let acceptor = TlsAcceptor::from(self.shown.config);
        loop {
            let Ok((stream, _)) = self.listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let (acceptor, router) = (acceptor.clone(), router.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = TowerToHyperService::new(router);
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}
