//! Public keys.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::AsDer,
    signature::{
        ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
        RsaSubjectPublicKey,
    },
};

use crate::{Algorithm, Jwk, KeyFault, Map, base64url, verified::Verified};

/// The bits that the modulus of an RSA key may have.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The DER of a SubjectPublicKeyInfo of an uncompressed point on P-256, up to the point (RFC 5480).
const P256_SPKI_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A public key that can verify RS256 or ES256, parsed. Copies share it.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    material: Material,
    parsed: ParsedPublicKey,
    spki: Vec<u8>,
    verified: Verified,
}

enum Material {
    /// Big-endian, without leading zeros; and the PKCS#1 form.
    Rsa { n: Vec<u8>, e: Vec<u8>, pkcs1: Vec<u8> },
    /// `04`, x, y.
    P256 { point: Vec<u8> },
}

impl PublicKey {
    /// From modulus and exponent, big-endian; leading zeros are forgiven, as some writers of JWKs add one.
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyFault> {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
        if bits < *RSA_BITS.start() {
            return Err(KeyFault::TooSmall { bits });
        }
        if bits > *RSA_BITS.end() {
            return Err(KeyFault::TooLarge { bits });
        }
        // Verifying costs one multiplication per bit of the exponent: a huge one is an attack, even one an error.
        let odd = e.last().is_some_and(|last| last % 2 == 1);
        if !odd || e.len() > 4 || e == [1] {
            return Err(KeyFault::Exponent);
        }
        let rejected = KeyFault::Malformed("n");
        let spki = RsaPublicKeyComponents { n, e }.as_der().map_err(|_| rejected.clone())?.as_ref().to_vec();
        let subject = RsaSubjectPublicKey::from_der(&spki).map_err(|_| rejected.clone())?;
        let pkcs1 = subject.as_ref().to_vec();
        let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &pkcs1).map_err(|_| rejected)?;
        Ok(Self(Arc::new(Inner {
            material: Material::Rsa { n: n.to_vec(), e: e.to_vec(), pkcs1 },
            parsed,
            spki,
            verified: Verified::default(),
        })))
    }

    /// From an uncompressed point, `04 x y`.
    pub(crate) fn p256(point: &[u8]) -> Result<Self, KeyFault> {
        if point.len() != 65 || point.first() != Some(&4) {
            return Err(KeyFault::NotOnCurve);
        }
        let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| KeyFault::NotOnCurve)?;
        let spki = [&P256_SPKI_PREFIX, point].concat();
        Ok(Self(Arc::new(Inner {
            material: Material::P256 { point: point.to_vec() },
            parsed,
            spki,
            verified: Verified::default(),
        })))
    }

    /// Reads the members of a JWK (RFC 7517) of type `RSA` (2048 to 8192 bits) or `EC` on `P-256` that is meant for
    /// verifying. Members that a verifier does not need, `x5c` and `x5u` among them, are ignored.
    ///
    /// # Errors
    ///
    /// [`KeyFault`], with the first reason why the key cannot be used.
    pub fn from_jwk(members: &Map) -> Result<Self, KeyFault> {
        crate::jwk::read(members)
    }

    /// Reads a SubjectPublicKeyInfo (DER), as in `PUBLIC KEY` PEM.
    ///
    /// # Errors
    ///
    /// [`KeyFault`] if it is none, or of another kind of key than [`from_jwk`](Self::from_jwk) takes.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyFault> {
        if let Some(point) = der.strip_prefix(&P256_SPKI_PREFIX) {
            return Self::p256(point);
        }
        let subject = RsaSubjectPublicKey::from_der(der).map_err(|_| KeyFault::Malformed("SubjectPublicKeyInfo"))?;
        Self::rsa(
            subject.modulus().big_endian_without_leading_zero(),
            subject.exponent().big_endian_without_leading_zero(),
        )
    }

    /// Its JWK: `kty alg use kid n e`, or `kty crv alg use kid x y`.
    #[must_use]
    pub fn to_jwk(&self, kid: &str) -> Jwk {
        let mut members = Map::new();
        let mut put = |name: &str, value: String| members.insert(name.to_owned(), value.into());
        put("kty", self.algorithm().key_type().to_owned());
        if let Material::P256 { .. } = self.0.material {
            put("crv", "P-256".to_owned());
        }
        put("alg", self.algorithm().name().to_owned());
        put("use", "sig".to_owned());
        put("kid", kid.to_owned());
        match &self.0.material {
            Material::Rsa { n, e, .. } => {
                put("n", base64url::encode(n));
                put("e", base64url::encode(e));
            }
            Material::P256 { point } => {
                let (x, y) = point[1..].split_at(32);
                put("x", base64url::encode(x));
                put("y", base64url::encode(y));
            }
        }
        Jwk::with_key(members, kid, self.clone())
    }

    /// The algorithm that it verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self.0.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256 { .. } => Algorithm::Es256,
        }
    }

    /// Its SubjectPublicKeyInfo (DER).
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// The bits of `subjectPublicKey`: PKCS#1 or the point.
    pub(crate) fn subject_bytes(&self) -> &[u8] {
        match &self.0.material {
            Material::Rsa { pkcs1, .. } => pkcs1,
            Material::P256 { point } => point,
        }
    }

    /// The length of a signature, in bytes: that of the modulus, or 64.
    #[must_use]
    pub fn signature_len(&self) -> usize {
        match &self.0.material {
            Material::Rsa { n, .. } => n.len(),
            Material::P256 { .. } => 64,
        }
    }

    /// Whether `signature` is this key's over `message`. False for another algorithm than the key's own, and for an
    /// ES256 signature in another form than the 64 bytes of r and s.
    #[must_use]
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        algorithm == self.algorithm()
            && signature.len() == self.signature_len()
            && self.0.verified.or(message, signature, || self.0.parsed.verify_sig(message, signature).is_ok())
    }
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki_der() == other.spki_der()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{SigningKey, pool};

    #[rstest]
    #[case(pool::rsa(1))]
    #[case(pool::ec(1))]
    fn a_public_key_is_the_same_after_writing_and_reading(#[case] key: &SigningKey) {
        let public = key.public();
        assert_eq!(PublicKey::from_spki_der(public.spki_der()).unwrap(), public);
        assert_eq!(PublicKey::from_jwk(public.to_jwk("k").members()).unwrap(), public);
    }

    #[test]
    fn a_signature_is_the_keys_only_in_the_keys_own_algorithm() {
        let (rsa, ec) = (pool::rsa(0), pool::ec(0));
        assert!(!rsa.public().verify(Algorithm::Es256, b"m", &rsa.sign(b"m")));
        assert!(!ec.public().verify(Algorithm::Rs256, b"m", &ec.sign(b"m")));
    }

    #[rstest]
    #[case::nothing(vec![])]
    #[case::zeros(vec![0; 64])]
    #[case::ones(vec![0xff; 64])]
    #[case::in_der(pool::ec(0).sign_for_x509(b"m"))]
    #[case::cut_short(pool::ec(0).sign(b"m")[..63].to_vec())]
    #[case::with_a_byte_more([pool::ec(0).sign(b"m"), vec![0]].concat())]
    fn a_malformed_ec_signature_is_refused(#[case] signature: Vec<u8>) {
        assert!(!pool::ec(0).public().verify(Algorithm::Es256, b"m", &signature));
    }

    #[rstest]
    #[case::nothing(vec![])]
    #[case::zeros(vec![0; 256])]
    #[case::cut_short(pool::rsa(0).sign(b"m")[..255].to_vec())]
    #[case::with_a_zero_before([vec![0], pool::rsa(0).sign(b"m")].concat())]
    fn a_malformed_rsa_signature_is_refused(#[case] signature: Vec<u8>) {
        assert!(!pool::rsa(0).public().verify(Algorithm::Rs256, b"m", &signature));
    }

    fn modulus(bytes: usize) -> Vec<u8> {
        let mut n = vec![0xa5; bytes];
        n[bytes - 1] = 1;
        n
    }

    #[rstest]
    #[case::small(modulus(128), vec![1, 0, 1], KeyFault::TooSmall { bits: 1024 })]
    #[case::a_bit_too_small({ let mut n = modulus(256); n[0] = 0x7f; n }, vec![1, 0, 1], KeyFault::TooSmall { bits: 2047 })]
    #[case::large(modulus(1025), vec![1, 0, 1], KeyFault::TooLarge { bits: 8200 })]
    #[case::empty(vec![], vec![1, 0, 1], KeyFault::TooSmall { bits: 0 })]
    #[case::no_exponent(modulus(256), vec![], KeyFault::Exponent)]
    #[case::exponent_one(modulus(256), vec![1], KeyFault::Exponent)]
    #[case::even_exponent(modulus(256), vec![1, 0, 0], KeyFault::Exponent)]
    #[case::huge_exponent(modulus(256), vec![0xff; 256], KeyFault::Exponent)]
    #[case::even_modulus(vec![0xa4; 256], vec![1, 0, 1], KeyFault::Malformed("n"))]
    fn an_rsa_key_that_is_weak_or_an_attack_is_refused(
        #[case] n: Vec<u8>,
        #[case] e: Vec<u8>,
        #[case] fault: KeyFault,
    ) {
        assert_eq!(PublicKey::rsa(&n, &e).unwrap_err(), fault);
    }

    #[rstest]
    #[case::nowhere_near([&[4][..], &[7; 64]].concat())]
    #[case::the_origin([&[4][..], &[0; 64]].concat())]
    #[case::infinity(vec![0])]
    #[case::compressed([&[2][..], &pool::ec(0).public().subject_bytes()[1..33]].concat())]
    fn a_point_that_is_not_on_the_curve_is_refused(#[case] point: Vec<u8>) {
        assert_eq!(PublicKey::p256(&point).unwrap_err(), KeyFault::NotOnCurve);
    }

    #[rstest]
    #[case::nothing(b"")]
    #[case::text(b"-----BEGIN PUBLIC KEY-----")]
    #[case::only_the_start(&P256_SPKI_PREFIX)]
    fn what_is_no_public_key_is_refused(#[case] der: &[u8]) {
        assert!(PublicKey::from_spki_der(der).is_err());
    }
}
