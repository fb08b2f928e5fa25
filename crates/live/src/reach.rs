//! Where a project is, as the environment of its clients tells it.

use std::{fs, path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// Variables that lead to other credentials than the metadata server's.
const CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// Where everything is.
#[derive(Debug, Clone)]
pub struct Reach {
    /// The project's id.
    pub(crate) project: String,
    /// Where resources are that do not say.
    pub(crate) location: String,
    /// `HOST:PORT` of the proxy, if there is one.
    pub(crate) proxy: Option<String>,
    /// `HOST:PORT` of the metadata server.
    pub(crate) metadata: String,
    pub(crate) tls: Arc<ClientConfig>,
    /// The variables as they were told: a command gets them.
    pub(crate) variables: Vec<(String, String)>,
}

/// Variables that lead nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ReachFault {
    /// One is missing.
    #[error("`{0}` is not set")]
    Missing(&'static str),
    /// Credentials of a kind that this world cannot use yet.
    #[error("`{CREDENTIALS}` is set: only credentials of a metadata server are built yet")]
    File,
    /// The trusted certificates cannot be used.
    #[error("the certificates of `{}`: {why}", file.display())]
    Certificates {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Reach {
    /// Reads the variables of a client.
    ///
    /// # Errors
    ///
    /// [`ReachFault`].
    pub fn of(variables: Vec<(String, String)>) -> Result<Self, ReachFault> {
        let find = |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let needed = |name: &'static str| find(name).ok_or(ReachFault::Missing(name));
        if find(CREDENTIALS).is_some() {
            return Err(ReachFault::File);
        }
        let file = PathBuf::from(needed("SSL_CERT_FILE")?);
        let tls = trusting(&file).map_err(|why| ReachFault::Certificates { file, why })?;
        Ok(Self {
            project: needed("GOOGLE_CLOUD_PROJECT")?,
            location: find("CLOUDSDK_RUN_REGION").unwrap_or_else(|| "us-central1".to_owned()),
            proxy: find("HTTPS_PROXY").map(|url| plain(&url).to_owned()),
            metadata: find("GCE_METADATA_HOST").unwrap_or_else(|| "metadata.google.internal:80".to_owned()),
            tls: Arc::new(tls),
            variables,
        })
    }
}

/// `HOST:PORT` of a proxy's URL.
fn plain(url: &str) -> &str {
    url.trim_start_matches("http://").trim_end_matches('/')
}

fn trusting(file: &PathBuf) -> Result<ClientConfig, String> {
    let pem = fs::read(file).map_err(|fault| fault.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|fault| fault.to_string())?;
        roots.add(certificate).map_err(|fault| fault.to_string())?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.map_err(|fault| fault.to_string())?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
