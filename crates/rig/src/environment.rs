//! The environment in which an unmodified client reaches the rig.
//!
//! No two clients read the same variables, so every form that one of them reads is set, and variables that would lead
//! past the rig are taken away. Which client reads which was tried with the published packages.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tempfile::TempDir;
use tokenrig_gateway::{Authority, AuthorityError, TRUST_STORE_PASSWORD};

/// Hosts that are never asked through the proxy.
const DIRECT: &str = "127.0.0.1,localhost,::1";

/// Variables that name a file of trusted certificates, one per client family.
const TRUST: &[&str] = &[
    "AWS_CA_BUNDLE",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "CURL_CA_BUNDLE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "HTTPLIB2_CA_CERTS",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "TOKENRIG_CA",
];

/// Variables that name a proxy. gRPC reads lower case only.
const PROXY: &[&str] = &["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "grpc_proxy"];

/// Variables that name hosts that are asked without the proxy.
const DIRECT_BY: &[&str] = &["NO_PROXY", "no_proxy"];

/// Variables that name the metadata server. gcloud reads the oldest name only; Python asks the second before it believes
/// the first.
const METADATA: &[&str] = &["GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT"];

/// What every Java program takes as options.
const JAVA: &str = "JAVA_TOOL_OPTIONS";

/// Variables that would lead a client past the rig, or to credentials or a project that are not the rig's. `*` ends a
/// prefix; names that are known stand beside it, for those who cannot remove by prefix.
const REMOVED: &[&str] = &[
    "ALL_PROXY",
    "all_proxy",
    "CLOUDSDK_ACTIVE_CONFIG_NAME",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_*",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN",
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE",
    "CLOUDSDK_AUTH_*",
    "CLOUDSDK_AUTH_ACCESS_TOKEN",
    "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
    "CLOUDSDK_AUTH_AUTH_HOST",
    "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
    "CLOUDSDK_AUTH_DISABLE_CREDENTIALS",
    "CLOUDSDK_AUTH_DISABLE_SSL_VALIDATION",
    "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT",
    "CLOUDSDK_AUTH_TOKEN_HOST",
    "CLOUDSDK_AUTH_TOKEN_INTROSPECTION_ENDPOINT",
    "CLOUDSDK_BILLING_QUOTA_PROJECT",
    "CLOUDSDK_CORE_ACCOUNT",
    "CLOUDSDK_CORE_PROJECT",
    "CLOUDSDK_CORE_UNIVERSE_DOMAIN",
    "CLOUDSDK_PROXY_*",
    "CLOUDSDK_PROXY_ADDRESS",
    "CLOUDSDK_PROXY_PASSWORD",
    "CLOUDSDK_PROXY_PORT",
    "CLOUDSDK_PROXY_TYPE",
    "CLOUDSDK_PROXY_USERNAME",
    "GCE_METADATA_MTLS_MODE",
    "GCLOUD_PROJECT",
    "GOOGLE_CLOUD_QUOTA_PROJECT",
    "GOOGLE_CLOUD_UNIVERSE_DOMAIN",
    "METADATA_SERVER_DETECTION",
    "NO_GCE_CHECK",
    "PUBSUB_EMULATOR_HOST",
    "SSL_CERT_DIR",
    "STORAGE_EMULATOR_HOST",
    "no_grpc_proxy",
];

/// Variables to set and to remove so that a client's real host names reach a rig.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Names and values, sorted by name.
    pub set: Vec<(String, String)>,
    /// Names to remove; one that ends in `*` stands for all that begin so. Removing comes before setting.
    pub remove: Vec<String>,
}

impl Environment {
    /// The value of a variable that is set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.set.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Sets one more variable, or another value.
    pub fn put(&mut self, name: &str, value: impl Into<String>) {
        self.set.retain(|(known, _)| known != name);
        self.set.push((name.to_owned(), value.into()));
        self.set.sort();
    }

    /// The same for a client whose host names lead to the rig by themselves, as on Google's machines: without a proxy, and
    /// with the metadata server where it always is.
    #[must_use]
    pub fn by_name(mut self) -> Self {
        let led: Vec<&str> = [PROXY, DIRECT_BY, METADATA].concat();
        self.set.retain(|(name, _)| !led.contains(&name.as_str()));
        for (name, value) in &mut self.set {
            if name == JAVA {
                let kept = value.split(' ').filter(|word| !word.starts_with("-Dhttp"));
                *value = kept.collect::<Vec<_>>().join(" ");
            }
        }
        self.remove.extend(led.into_iter().map(str::to_owned));
        self
    }

    /// Whether a variable is to be removed.
    #[must_use]
    pub fn removes(&self, name: &str) -> bool {
        self.remove.iter().any(|known| match known.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => known == name,
        })
    }
}

/// The files that the environment points at. They go away with it.
#[derive(Debug)]
pub(crate) struct Files {
    folder: TempDir,
}

/// Why the files could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FilesFault {
    #[error("write the rig's temporary files: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl Files {
    /// Writes the certificates; nothing in them is secret.
    pub(crate) fn write(authority: &Authority) -> Result<Self, FilesFault> {
        let folder = tempfile::Builder::new().prefix("tokenrig-").tempdir()?;
        std::fs::write(folder.path().join("ca.pem"), authority.ca_pem())?;
        std::fs::write(folder.path().join("trust.p12"), authority.trust_store()?)?;
        std::fs::create_dir(folder.path().join("gcloud"))?;
        Ok(Self { folder })
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The folder itself, for further files that end with the rig.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The owner's key file; `make` makes the key when the file is first asked for.
    pub(crate) fn owner_key<E: std::fmt::Display>(
        &self,
        make: impl FnOnce() -> Result<String, E>,
    ) -> Result<PathBuf, crate::StartFault> {
        let fault =
            |what: &dyn std::fmt::Display| crate::StartFault::Files(format!("make the owner's key file: {what}"));
        let path = self.folder.path().join("owner-key.json");
        if !path.exists() {
            let key = make().map_err(|why| fault(&why))?;
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(|why| fault(&why))?;
            file.write_all(key.as_bytes()).map_err(|why| fault(&why))?;
        }
        Ok(path)
    }

    fn text(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

/// The files of one rig, written when somebody first asks for them.
#[derive(Debug)]
pub(crate) struct LazyFiles {
    authority: Authority,
    written: Mutex<Option<Arc<Files>>>,
}

impl LazyFiles {
    pub(crate) fn of(authority: Authority) -> Self {
        Self { authority, written: Mutex::default() }
    }

    /// The authority's certificate (PEM), which needs no file.
    pub(crate) fn ca_pem(&self) -> &str {
        self.authority.ca_pem()
    }

    pub(crate) fn get(&self) -> Result<Arc<Files>, FilesFault> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = &*written {
            return Ok(Arc::clone(files));
        }
        let files = Arc::new(Files::write(&self.authority)?);
        *written = Some(Arc::clone(&files));
        Ok(files)
    }
}

/// Where the parts of a rig listen.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// All of Google's hosts, directly and as a proxy.
    pub gateway: SocketAddr,
    /// The control address.
    pub control: SocketAddr,
    /// The metadata server.
    pub metadata: SocketAddr,
}

/// The whole environment.
pub(crate) fn environment(addresses: Addresses, files: &Files, project_id: &str, location: &str) -> Environment {
    let mut environment =
        Environment { set: Vec::new(), remove: REMOVED.iter().map(|name| (*name).to_owned()).collect() };
    let mut put = |name: &str, value: String| environment.set.push((name.to_owned(), value));
    let proxy = format!("http://{}", addresses.gateway);
    for name in PROXY {
        put(name, proxy.clone());
    }
    for name in DIRECT_BY {
        put(name, DIRECT.to_owned());
    }
    let ca = files.text("ca.pem");
    for name in TRUST {
        put(name, ca.clone());
    }
    let metadata = addresses.metadata.to_string();
    for name in METADATA {
        put(name, metadata.clone());
    }
    put("TOKENRIG_URL", format!("http://{}", addresses.control));
    put("GOOGLE_CLOUD_PROJECT", project_id.to_owned());
    put("CLOUDSDK_CONFIG", files.text("gcloud"));
    put("CLOUDSDK_RUN_REGION", location.to_owned());
    put("CLOUDSDK_FUNCTIONS_GEN2", "off".to_owned());
    put("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "1".to_owned());
    put("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "1".to_owned());
    put(JAVA, java(addresses.gateway, &files.text("trust.p12")));
    environment.set.sort();
    environment
}

/// Java reads neither proxy nor certificate variables, only system properties.
fn java(gateway: SocketAddr, trust_store: &str) -> String {
    let (host, port) = (gateway.ip(), gateway.port());
    format!(
        "-Dhttps.proxyHost={host} -Dhttps.proxyPort={port} -Dhttp.proxyHost={host} -Dhttp.proxyPort={port} \
         -Dhttp.nonProxyHosts=localhost|127.0.0.1 -Djavax.net.ssl.trustStore={trust_store} \
         -Djavax.net.ssl.trustStoreType=PKCS12 -Djavax.net.ssl.trustStorePassword={TRUST_STORE_PASSWORD}"
    )
}
