//! Private keys.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256,
        RsaKeyPair,
    },
};

use crate::{Algorithm, PublicKey};

/// A private key with which tokens are signed. Copies share it; printing shows no more than its algorithm.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

/// The bytes are no unencrypted PKCS#8 document of an RSA key of 2048 to 8192 bits or an EC key on P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an unencrypted PKCS#8 document of an RSA key (2048 to 8192 bits) or an EC key on P-256")]
pub struct KeyRejected;

/// What may be said of an operation that only fails when memory or the random source does.
const CANNOT_FAIL: &str = "the cryptographic library can make keys and sign with accepted ones";

impl SigningKey {
    /// Reads an unencrypted PKCS#8 document (DER).
    ///
    /// # Errors
    ///
    /// [`KeyRejected`] if it is none, or of a key that neither RS256 nor ES256 can use.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyRejected> {
        match RsaKeyPair::from_pkcs8(der) {
            Ok(pair) => Self::of_rsa(pair),
            Err(_) => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                .map_err(|_| KeyRejected)
                .and_then(Self::of_ec),
        }
    }

    /// Makes a new key: RSA of 2048 bits (a tenth of a second), or EC on P-256.
    #[must_use]
    pub fn generate(algorithm: Algorithm) -> Self {
        let made = match algorithm {
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyRejected).and_then(Self::of_rsa),
            Algorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| KeyRejected).and_then(Self::of_ec)
            }
        };
        made.expect(CANNOT_FAIL)
    }

    fn of_rsa(pair: RsaKeyPair) -> Result<Self, KeyRejected> {
        let public = pair.public_key();
        let public = PublicKey::rsa(
            public.modulus().big_endian_without_leading_zero(),
            public.exponent().big_endian_without_leading_zero(),
        )
        .map_err(|_| KeyRejected)?;
        Ok(Self(Arc::new(Inner { pair: Pair::Rsa(pair), public })))
    }

    fn of_ec(pair: EcdsaKeyPair) -> Result<Self, KeyRejected> {
        let public = PublicKey::p256(pair.public_key().as_ref()).map_err(|_| KeyRejected)?;
        Ok(Self(Arc::new(Inner { pair: Pair::Ec(pair), public })))
    }

    /// The algorithm that it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.public.algorithm()
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.0.public.clone()
    }

    /// Signs a message as JWS does: RSASSA-PKCS1-v1_5, or the 64 bytes of r and s.
    ///
    /// RS256 gives the same signature each time; ES256 another one each time.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect(CANNOT_FAIL);
                signature
            }
            Pair::Ec(pair) => pair.sign(&SystemRandom::new(), message).expect(CANNOT_FAIL).as_ref().to_vec(),
        }
    }

    /// Signs a message as X.509 does: the same for RSA, a DER sequence of r and s for EC.
    pub(crate) fn sign_for_x509(&self, message: &[u8]) -> Vec<u8> {
        match &self.0.pair {
            Pair::Rsa(_) => self.sign(message),
            Pair::Ec(_) => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.pkcs8_der())
                .expect(CANNOT_FAIL)
                .sign(&SystemRandom::new(), message)
                .expect(CANNOT_FAIL)
                .as_ref()
                .to_vec(),
        }
    }

    /// The private key itself, as an unencrypted PKCS#8 document (DER): for key files that a client is given.
    #[must_use]
    pub fn pkcs8_der(&self) -> Vec<u8> {
        match &self.0.pair {
            Pair::Rsa(pair) => pair.as_der().expect(CANNOT_FAIL).as_ref().to_vec(),
            Pair::Ec(pair) => pair.to_pkcs8v1().expect(CANNOT_FAIL).as_ref().to_vec(),
        }
    }

    /// The private key itself, as `PRIVATE KEY` PEM.
    #[must_use]
    pub fn pkcs8_pem(&self) -> String {
        crate::x509::pem("PRIVATE KEY", &self.pkcs8_der())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, [redacted])", self.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::pool;

    #[rstest]
    #[case(Algorithm::Rs256)]
    #[case(Algorithm::Es256)]
    fn a_new_key_signs_what_its_public_half_verifies(#[case] algorithm: Algorithm) {
        let key = SigningKey::generate(algorithm);
        assert_eq!(key.algorithm(), algorithm);
        assert!(key.public().verify(algorithm, b"message", &key.sign(b"message")));
        assert!(!key.public().verify(algorithm, b"massage", &key.sign(b"message")));
    }

    #[rstest]
    #[case(pool::rsa(0))]
    #[case(pool::ec(0))]
    fn a_key_is_the_same_after_writing_and_reading(#[case] key: &SigningKey) {
        let again = SigningKey::from_pkcs8(&key.pkcs8_der()).unwrap();
        assert_eq!(again.public(), key.public());
        assert!(key.pkcs8_pem().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    }

    #[rstest]
    #[case::nothing(Vec::new())]
    #[case::text(b"-----BEGIN PRIVATE KEY-----".to_vec())]
    #[case::a_public_key(pool::rsa(0).public().spki_der().to_vec())]
    #[case::cut_short(pool::rsa(0).pkcs8_der()[..500].to_vec())]
    fn what_is_no_private_key_is_rejected(#[case] der: Vec<u8>) {
        assert_eq!(SigningKey::from_pkcs8(&der).unwrap_err(), KeyRejected);
    }

    #[test]
    fn printing_a_private_key_shows_no_byte_of_it() {
        assert_eq!(format!("{:?}", pool::rsa(0)), "SigningKey(RS256, [redacted])");
    }
}
