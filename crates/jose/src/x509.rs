//! Public keys as certificates and PEM, as Google publishes and takes them.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rcgen::{CertificateParams, DistinguishedName, DnType, IsCa, KeyIdMethod, SerialNumber, SignatureAlgorithm};

use crate::{Algorithm, KeyFault, PublicKey, SigningKey, key_id};

/// The largest PEM text that [`public_key_from_pem`] takes: 64 KiB.
pub const MAX_PEM_BYTES: usize = 64 * 1024;

/// Why a PEM text gives no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemFault {
    /// More bytes than [`MAX_PEM_BYTES`].
    #[error("it is larger than {MAX_PEM_BYTES} bytes")]
    TooLarge,
    /// No PEM block.
    #[error("it is not PEM")]
    NotPem,
    /// A block of another kind than `CERTIFICATE` or `PUBLIC KEY`.
    #[error("it is neither a certificate nor a public key")]
    Label,
    /// The certificate cannot be read.
    #[error("its certificate cannot be read")]
    Certificate,
    /// The key in it cannot be used.
    #[error("its key cannot be used: {0}")]
    Key(#[from] KeyFault),
}

/// A self-signed certificate of a key, as PEM, with serial number and key identifier that follow from the key. Both ends
/// are taken to whole seconds; beyond the years 1970 to 9999 they are the nearest instant that a certificate can hold.
#[must_use]
pub fn self_signed_pem(key: &SigningKey, common_name: &str, not_before: Timestamp, not_after: Timestamp) -> String {
    let public = key.public();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    // Seconds since 1970 lead to the type that rcgen wants without naming the crate that it is from.
    let seconds = |instant: Timestamp| Duration::from_secs(u64::try_from(instant.as_second()).unwrap_or(0));
    params.not_before = rcgen::date_time_ymd(1970, 1, 1) + seconds(not_before);
    params.not_after = rcgen::date_time_ymd(1970, 1, 1) + seconds(not_after);
    params.is_ca = IsCa::ExplicitNoCa;
    let identifier = key_id("", &public, "serial");
    let digits: Vec<u8> = identifier.bytes().take(8).collect();
    params.serial_number = Some(SerialNumber::from_slice(&digits));
    params.key_identifier_method = KeyIdMethod::Sha256;
    let signer = Signer { key, public };
    params.self_signed(&signer).expect("a certificate of an accepted key and a name can be written").pem()
}

/// The public key, as `PUBLIC KEY` PEM.
#[must_use]
pub fn public_pem(key: &PublicKey) -> String {
    pem("PUBLIC KEY", key.spki_der())
}

/// Reads the key of the first `CERTIFICATE` or `PUBLIC KEY` block. Who signed the certificate and how long it is valid
/// is not looked at: it is but a wrapping of the key.
///
/// # Errors
///
/// [`PemFault`].
pub fn public_key_from_pem(text: &str) -> Result<PublicKey, PemFault> {
    if text.len() > MAX_PEM_BYTES {
        return Err(PemFault::TooLarge);
    }
    let (_, block) = x509_parser::pem::parse_x509_pem(text.as_bytes()).map_err(|_| PemFault::NotPem)?;
    match block.label.as_str() {
        "PUBLIC KEY" => Ok(PublicKey::from_spki_der(&block.contents)?),
        "CERTIFICATE" => {
            let (_, certificate) =
                x509_parser::parse_x509_certificate(&block.contents).map_err(|_| PemFault::Certificate)?;
            Ok(PublicKey::from_spki_der(certificate.public_key().raw)?)
        }
        _ => Err(PemFault::Label),
    }
}

/// A PEM block with lines of 64 characters.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let encoded = STANDARD.encode(der);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

struct Signer<'a> {
    key: &'a SigningKey,
    public: PublicKey,
}

impl rcgen::PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.public.subject_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self.key.algorithm() {
            Algorithm::Rs256 => &rcgen::PKCS_RSA_SHA256,
            Algorithm::Es256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        }
    }
}

impl rcgen::SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.key.sign_for_x509(message))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::pool;

    fn certificate(key: &SigningKey) -> String {
        let [from, to] = ["2020-01-01T00:00:00Z", "2049-12-31T23:59:59Z"].map(|time| time.parse().unwrap());
        self_signed_pem(key, "signer.tokenrig.test", from, to)
    }

    #[rstest]
    #[case(pool::rsa(0))]
    #[case(pool::ec(0))]
    fn a_certificate_holds_the_key_the_name_and_the_times_and_is_signed_by_itself(#[case] key: &SigningKey) {
        let pem = certificate(key);
        let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
        let certificate = block.parse_x509().unwrap();
        assert_eq!(certificate.subject().to_string(), "CN=signer.tokenrig.test");
        assert_eq!(certificate.validity().not_before.timestamp(), 1_577_836_800);
        assert_eq!(certificate.validity().not_after.timestamp(), 2_524_607_999);
        let signature = &certificate.signature_value.data;
        let signed = certificate.tbs_certificate.as_ref();
        if key.algorithm() == Algorithm::Rs256 {
            assert!(key.public().verify(Algorithm::Rs256, signed, signature));
        } else {
            let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1;
            let public = aws_lc_rs::signature::UnparsedPublicKey::new(algorithm, key.public().spki_der().to_vec());
            public.verify(signed, signature).unwrap();
        }
    }

    #[test]
    fn an_rsa_certificate_is_the_same_each_time() {
        assert_eq!(certificate(pool::rsa(2)), certificate(pool::rsa(2)));
    }

    #[rstest]
    #[case::a_certificate(certificate(pool::rsa(0)))]
    #[case::a_public_key(public_pem(&pool::rsa(0).public()))]
    #[case::with_text_before(format!("uploaded on Monday\n{}", public_pem(&pool::rsa(0).public())))]
    #[case::with_the_line_ends_of_windows(public_pem(&pool::rsa(0).public()).replace('\n', "\r\n"))]
    fn the_key_is_read_from_pem(#[case] pem: String) {
        assert_eq!(public_key_from_pem(&pem), Ok(pool::rsa(0).public()));
    }

    #[rstest]
    #[case::nothing(String::new(), PemFault::NotPem)]
    #[case::text("hello".to_owned(), PemFault::NotPem)]
    #[case::a_private_key(pool::ec(0).pkcs8_pem(), PemFault::Label)]
    #[case::an_empty_certificate(pem("CERTIFICATE", b""), PemFault::Certificate)]
    #[case::an_empty_key(pem("PUBLIC KEY", b""), PemFault::Key(KeyFault::Malformed("SubjectPublicKeyInfo")))]
    #[case::too_much("-".repeat(MAX_PEM_BYTES + 1), PemFault::TooLarge)]
    fn what_holds_no_key_is_refused(#[case] text: String, #[case] fault: PemFault) {
        assert_eq!(public_key_from_pem(&text), Err(fault));
    }
}
