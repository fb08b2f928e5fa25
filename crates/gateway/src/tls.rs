//! The two sides of TLS: what the gateway shows, what its client trusts.

use std::{fmt, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::Resumption,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::CertificateDer,
    server::{ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::Authority;

const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// TLS 1.2 and 1.3, with the leaf of the name that the client asks for.
pub(crate) fn server(authority: Authority) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        // Federation by X.509 will request a client certificate here, without requiring one.
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Leaves(authority)));
    // gRPC clients refuse a connection for which no protocol was selected.
    config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    // A resumed session shows no certificate, so that a switch to a wrong one would go unseen.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Trusts the authority alone.
pub(crate) fn client(authority: &Authority) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.ca_der().to_vec()))?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// The same, but it offers HTTP/1.1 alone.
pub(crate) fn without_http2(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.alpn_protocols = vec![HTTP1.to_vec()];
    config
}

/// Named in each configuration, so that no process-wide default is needed.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

struct Leaves(Authority);

impl ResolvesServerCert for Leaves {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.leaf_for(hello.server_name()))
    }
}

impl fmt::Debug for Leaves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leaves")
    }
}
