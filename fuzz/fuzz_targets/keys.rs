//! Key sets, PEM and DER of keys and certificates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tokenrig_jose::{JwkSet, PublicKey, SigningKey, x509::public_key_from_pem};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(set) = JwkSet::parse(bytes) {
        for jwk in set.keys() {
            let Ok(key) = jwk.key() else { continue };
            let again = PublicKey::from_jwk(key.to_jwk("k").members()).expect("a key that was told is a key");
            assert_eq!(again.spki_der(), key.spki_der());
            let _ = key.verify(key.algorithm(), b"message", &vec![0; key.signature_len()]);
        }
    }
    if let Ok(key) = PublicKey::from_spki_der(bytes) {
        let _ = key.to_jwk("k");
    }
    let _ = SigningKey::from_pkcs8(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = public_key_from_pem(text);
    }
});
