//! The local certificate authority: its certificate for the clients, a leaf for each host.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use aws_lc_rs::digest;
use p12_keystore::{Certificate as StoredCertificate, KeyStore, KeyStoreEntry};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use rustls::{
    crypto::aws_lc_rs::sign::any_ecdsa_type,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::{CertifiedKey, SigningKey},
};

use crate::names::{COMMON, LeafName};

/// The password of [`Authority::trust_store`]: Java's usual one. There is nothing secret in a trust store.
pub const TRUST_STORE_PASSWORD: &str = "changeit";

/// Leaves kept; the names come from outside. When so many are there all are forgotten.
const MOST_LEAVES: usize = 1024;

/// The certificate that a host shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shown {
    /// One that the authority has signed.
    Trusted,
    /// One that it has signed itself, which no client should take.
    SelfSigned,
}

/// Says which certificate a host (lower case, without port) shows. Asked at every handshake.
pub type ChooseLeaf = Arc<dyn Fn(&str) -> Shown + Send + Sync>;

/// Why a certificate could not be made.
#[derive(Debug, Clone, thiserror::Error)]
#[error("make {what}: {cause}")]
pub struct AuthorityError {
    what: &'static str,
    cause: String,
}

impl AuthorityError {
    fn of<E: fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |cause| Self { what, cause: cause.to_string() }
    }
}

/// A certificate authority whose key is made at start and never leaves the process.
///
/// All certificates are valid from 2020 to 2049, so that no clock matters to them. Keys are EC P-256. A clone is cheap
/// and shares key and leaves.
#[derive(Clone)]
pub struct Authority {
    ca: Arc<Ca>,
    choose: Option<ChooseLeaf>,
}

struct Ca {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
    key_hash: [u8; digest::SHA256_OUTPUT_LEN],
    /// One key for all trusted leaves: a new leaf then costs one signature.
    leaf: LeafKey,
    common: Arc<CertifiedKey>,
    impostor: OnceLock<Result<LeafKey, AuthorityError>>,
    leaves: RwLock<HashMap<(Shown, LeafName), Arc<CertifiedKey>>>,
}

struct LeafKey {
    pair: KeyPair,
    signer: Arc<dyn SigningKey>,
}

impl Authority {
    /// An authority with a fresh key.
    ///
    /// # Errors
    ///
    /// If the system gives no randomness.
    pub fn new() -> Result<Self, AuthorityError> {
        const WHAT: &str = "the CA certificate";
        let key = KeyPair::generate().map_err(AuthorityError::of(WHAT))?;
        let mut params = dated("tokenrig local CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key_hash = sha256(&[key.public_key_raw()]);
        params.serial_number = Some(serial(&key_hash, "CA"));
        let certificate = params.self_signed(&key).map_err(AuthorityError::of(WHAT))?;
        let issuer = Issuer::new(params, key);
        let leaf = LeafKey::generate()?;
        let common = sign_leaf(&issuer, &key_hash, &leaf, &LeafName::Common)?;
        let ca = Ca {
            issuer,
            der: certificate.der().clone(),
            pem: certificate.pem(),
            key_hash,
            leaf,
            common: Arc::new(common),
            impostor: OnceLock::new(),
            leaves: RwLock::default(),
        };
        Ok(Self { ca: Arc::new(ca), choose: None })
    }

    /// The authority that all rigs of this process may share; made at the first call.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); a failure is kept.
    pub fn shared() -> Result<Self, AuthorityError> {
        static SHARED: OnceLock<Result<Authority, AuthorityError>> = OnceLock::new();
        SHARED.get_or_init(Self::new).clone()
    }

    /// The same authority, but hosts show the certificate that `choose` says. A change of its mind takes effect at the
    /// next handshake; sessions are never resumed.
    #[must_use]
    pub fn choosing(self, choose: ChooseLeaf) -> Self {
        Self { choose: Some(choose), ..self }
    }

    /// The CA certificate in PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca.pem
    }

    /// The contents of the file that `REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE` and their like name: the CA certificate
    /// alone, since a client of the rig reaches nothing that another CA has signed.
    #[must_use]
    pub fn bundle(&self) -> &str {
        self.ca_pem()
    }

    /// The CA certificate in DER.
    #[must_use]
    pub fn ca_der(&self) -> &[u8] {
        &self.ca.der
    }

    /// A PKCS#12 trust store for Java, with the password [`TRUST_STORE_PASSWORD`].
    ///
    /// # Errors
    ///
    /// If the archive could not be written.
    pub fn trust_store(&self) -> Result<Vec<u8>, AuthorityError> {
        const WHAT: &str = "the trust store";
        let certificate = StoredCertificate::from_der(self.ca_der()).map_err(AuthorityError::of(WHAT))?;
        let mut store = KeyStore::new();
        store.add_entry("tokenrig", KeyStoreEntry::Certificate(certificate));
        // Stretching a password that everybody knows protects nothing and costs time.
        let writer = store.writer(TRUST_STORE_PASSWORD).encryption_iterations(1).mac_iterations(1);
        writer.write().map_err(AuthorityError::of(WHAT))
    }

    /// The certificate that `host` (a server name) shows; without a server name the one with all common names.
    pub(crate) fn leaf_for(&self, host: Option<&str>) -> Arc<CertifiedKey> {
        let Some(host) = host.map(str::to_ascii_lowercase) else { return Arc::clone(&self.ca.common) };
        let shown = self.choose.as_ref().map_or(Shown::Trusted, |choose| choose(&host));
        let name = match shown {
            Shown::Trusted => LeafName::serving(&host),
            Shown::SelfSigned => LeafName::One(host),
        };
        self.ca.leaf(shown, name).unwrap_or_else(|error| {
            tracing::error!(%error, "the common certificate is shown instead");
            Arc::clone(&self.ca.common)
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Ca {
    fn leaf(&self, shown: Shown, name: LeafName) -> Result<Arc<CertifiedKey>, AuthorityError> {
        if name == LeafName::Common {
            return Ok(Arc::clone(&self.common));
        }
        let wanted = (shown, name);
        if let Some(leaf) = self.leaves.read().unwrap_or_else(PoisonError::into_inner).get(&wanted) {
            return Ok(Arc::clone(leaf));
        }
        let made = Arc::new(match shown {
            Shown::Trusted => sign_leaf(&self.issuer, &self.key_hash, &self.leaf, &wanted.1)?,
            Shown::SelfSigned => {
                let key = self.impostor.get_or_init(LeafKey::generate).as_ref().map_err(Clone::clone)?;
                self_sign_leaf(key, &wanted.1)?
            }
        });
        let mut leaves = self.leaves.write().unwrap_or_else(PoisonError::into_inner);
        if leaves.len() >= MOST_LEAVES {
            leaves.clear();
        }
        leaves.insert(wanted, Arc::clone(&made));
        Ok(made)
    }
}

impl LeafKey {
    fn generate() -> Result<Self, AuthorityError> {
        const WHAT: &str = "a leaf's key";
        let pair = KeyPair::generate().map_err(AuthorityError::of(WHAT))?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialized_der()));
        let signer = any_ecdsa_type(&der).map_err(AuthorityError::of(WHAT))?;
        Ok(Self { pair, signer })
    }
}

fn sign_leaf(
    issuer: &Issuer<'static, KeyPair>,
    ca_key_hash: &[u8],
    key: &LeafKey,
    name: &LeafName,
) -> Result<CertifiedKey, AuthorityError> {
    let params = leaf_params(ca_key_hash, name)?;
    let certificate = params.signed_by(&key.pair, issuer).map_err(AuthorityError::of("a leaf certificate"))?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], Arc::clone(&key.signer)))
}

fn self_sign_leaf(key: &LeafKey, name: &LeafName) -> Result<CertifiedKey, AuthorityError> {
    let params = leaf_params(key.pair.public_key_raw(), name)?;
    let certificate = params.self_signed(&key.pair).map_err(AuthorityError::of("a self-signed certificate"))?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], Arc::clone(&key.signer)))
}

fn leaf_params(issuer_id: &[u8], name: &LeafName) -> Result<CertificateParams, AuthorityError> {
    let names: Vec<String> = match name {
        LeafName::Common => COMMON.iter().map(|&name| name.to_owned()).collect(),
        LeafName::One(name) => vec![name.clone()],
    };
    // A common name holds 64 characters at most (RFC 5280 appendix A.1); clients read the alternative names alone.
    let title = names.first().filter(|name| name.len() <= 64).map_or("tokenrig leaf", String::as_str);
    let mut params = dated(title);
    params.serial_number = Some(serial(issuer_id, &names.join(",")));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.subject_alt_names =
        CertificateParams::new(names).map_err(AuthorityError::of("a leaf's names"))?.subject_alt_names;
    Ok(params)
}

fn dated(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}

/// All leaves have one key, so a serial number made from the key (rcgen's default) would be the same for all.
fn serial(issuer_id: &[u8], names: &str) -> SerialNumber {
    let mut bytes: Vec<u8> = sha256(&[issuer_id, names.as_bytes()]).into_iter().take(16).collect();
    if let Some(first) = bytes.first_mut() {
        // Positive, and without a leading zero byte (RFC 5280 section 4.1.2.2).
        *first = *first & 0x3f | 0x40;
    }
    SerialNumber::from(bytes)
}

fn sha256(parts: &[&[u8]]) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; digest::SHA256_OUTPUT_LEN];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

    use super::*;

    fn names(leaf: &CertifiedKey) -> Vec<String> {
        let (_, certificate) = X509Certificate::from_der(&leaf.cert[0]).unwrap();
        let names = certificate.subject_alternative_name().unwrap().unwrap();
        let text = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            other => other.to_string(),
        };
        names.value.general_names.iter().map(text).collect()
    }

    #[test]
    fn a_leaf_is_signed_by_the_authority_for_its_host_from_2020_to_2049() {
        let authority = Authority::new().unwrap();
        let leaf = authority.leaf_for(Some("Login.Corp.Example"));
        assert_eq!(names(&leaf), ["login.corp.example"]);
        let (_, ca) = X509Certificate::from_der(authority.ca_der()).unwrap();
        let (_, certificate) = X509Certificate::from_der(&leaf.cert[0]).unwrap();
        certificate.verify_signature(Some(ca.public_key())).unwrap();
        assert_eq!(certificate.issuer(), ca.subject());
        for certificate in [&ca, &certificate] {
            assert_eq!(certificate.validity().not_before.timestamp(), 1_577_836_800);
            assert_eq!(certificate.validity().not_after.timestamp(), 2_524_521_600);
        }
        assert!(ca.is_ca() && !certificate.is_ca());
    }

    #[test]
    fn a_leaf_is_made_once_and_shared_by_all_it_covers() {
        let authority = Authority::new().unwrap();
        let one = authority.leaf_for(Some("a-1.europe-west4.run.app"));
        let other = authority.clone().leaf_for(Some("b-1.europe-west4.run.app"));
        assert!(Arc::ptr_eq(&one, &other));
        let google = authority.leaf_for(Some("sts.googleapis.com"));
        assert!(Arc::ptr_eq(&google, &authority.leaf_for(None)));
    }

    #[test]
    fn leaves_of_one_authority_have_different_serial_numbers() {
        let authority = Authority::new().unwrap();
        let number = |host| {
            let leaf = authority.leaf_for(Some(host));
            X509Certificate::from_der(&leaf.cert[0]).unwrap().1.raw_serial().to_vec()
        };
        assert_ne!(number("a.example"), number("b.example"));
        assert_ne!(number("a.example"), number("sts.googleapis.com"));
    }

    #[test]
    fn leaves_for_names_from_outside_are_bounded() {
        let authority = Authority::new().unwrap();
        for n in 0..MOST_LEAVES + 10 {
            authority.leaf_for(Some(&format!("h{n}.example")));
        }
        assert!(authority.ca.leaves.read().unwrap().len() <= MOST_LEAVES);
    }

    #[test]
    fn a_host_told_to_shows_a_certificate_that_it_signed_itself() {
        let choose: ChooseLeaf =
            Arc::new(|host| if host == "bad.example" { Shown::SelfSigned } else { Shown::Trusted });
        let authority = Authority::new().unwrap().choosing(choose);
        let bad = authority.leaf_for(Some("bad.example"));
        let (_, certificate) = X509Certificate::from_der(&bad.cert[0]).unwrap();
        let (_, ca) = X509Certificate::from_der(authority.ca_der()).unwrap();
        certificate.verify_signature(None).unwrap();
        assert!(certificate.verify_signature(Some(ca.public_key())).is_err());
        let leaf = authority.leaf_for(Some("good.example"));
        let (_, good) = X509Certificate::from_der(&leaf.cert[0]).unwrap();
        good.verify_signature(Some(ca.public_key())).unwrap();
    }

    #[test]
    fn a_name_that_no_certificate_can_carry_does_not_stop_a_handshake() {
        let authority = Authority::new().unwrap();
        let leaf = authority.leaf_for(Some("ümlaut.example"));
        assert!(Arc::ptr_eq(&leaf, &authority.leaf_for(None)));
    }

    #[test]
    fn the_trust_store_holds_the_ca_as_trusted() {
        let authority = Authority::new().unwrap();
        let bytes = authority.trust_store().unwrap();
        let store =
            KeyStore::from_pkcs12(&bytes, TRUST_STORE_PASSWORD, p12_keystore::Pkcs12ImportPolicy::Strict).unwrap();
        let certificates: Vec<_> = store.entries().collect();
        let [(alias, KeyStoreEntry::Certificate(certificate))] = certificates[..] else { panic!("{certificates:?}") };
        assert_eq!((alias.as_str(), certificate.as_der()), ("tokenrig", authority.ca_der()));
    }
}
