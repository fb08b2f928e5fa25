//! Other forms of a signature, made without the key.

use crate::{Algorithm, PublicKey, base64url};

/// The order of P-256's base point (SP 800-186, 3.2.1.3).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// A signature that means the same: (r, n - s) for (r, s); s + n for RSA.
pub(super) fn other(signature: &[u8], key: &PublicKey) -> Vec<u8> {
    match (key.algorithm(), signature.split_at_checked(32)) {
        (Algorithm::Es256, Some((r, s))) => [r, &minus(&ORDER, s)].concat(),
        (Algorithm::Es256, None) => signature.to_vec(),
        (Algorithm::Rs256, _) => {
            let jwk = key.to_jwk("");
            let modulus = jwk.members().get("n").and_then(|n| n.as_str()).and_then(base64url::decode);
            plus(signature, &modulus.unwrap_or_default())
        }
    }
}

/// An ECDSA signature as `SEQUENCE { INTEGER r, INTEGER s }`.
pub(super) fn der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let body = [integer(r), integer(s)].concat();
    // Both are of 32 bytes at most, so every length fits into one byte.
    [&[0x30, u8::try_from(body.len()).unwrap_or(0)], body.as_slice()].concat()
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(bytes.len().saturating_sub(1));
    let mut value = bytes.get(zeros..).unwrap_or_default().to_vec();
    if value.first().is_some_and(|first| *first >= 0x80) {
        value.insert(0, 0);
    }
    [&[0x02, u8::try_from(value.len()).unwrap_or(0)], value.as_slice()].concat()
}

/// `a - b`, both of the same length, big-endian.
fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut difference: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let value = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(value < 0);
            value.rem_euclid(256) as u8
        })
        .collect();
    difference.reverse();
    difference
}

/// `a + b`, both of the same length, big-endian; a byte longer if it must be.
fn plus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let value = u16::from(*a) + u16::from(*b) + carry;
            carry = value >> 8;
            (value & 0xff) as u8
        })
        .collect();
    if carry > 0 {
        sum.push(1);
    }
    sum.reverse();
    sum
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::pool;

    #[test]
    fn the_other_ecdsa_signature_holds_too_and_is_another_one() {
        let key = pool::ec(0);
        let good = key.sign(b"m");
        let other = other(&good, &key.public());
        assert_ne!(other, good);
        assert!(key.public().verify(Algorithm::Es256, b"m", &other));
    }

    #[test]
    fn the_other_rsa_signature_is_out_of_range() {
        let key = pool::rsa(0);
        let other = other(&key.sign(b"m"), &key.public());
        assert!(!key.public().verify(Algorithm::Rs256, b"m", &other));
    }

    #[test]
    fn a_signature_in_der_is_what_x509_has() {
        let key = pool::ec(0);
        let algorithm = &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1;
        let public = aws_lc_rs::signature::UnparsedPublicKey::new(algorithm, key.public().spki_der().to_vec());
        assert_eq!(public.verify(b"m", &der(&key.sign(b"m"))), Ok(()));
    }

    #[rstest]
    #[case::with_carries(&[0x01, 0xff], &[0x00, 0x01], &[0x02, 0x00])]
    #[case::a_byte_longer(&[0xff, 0xff], &[0x00, 0x01], &[0x01, 0x00, 0x00])]
    fn long_numbers_add(#[case] a: &[u8], #[case] b: &[u8], #[case] sum: &[u8]) {
        assert_eq!(plus(a, b), sum);
    }

    #[test]
    fn long_numbers_subtract() {
        assert_eq!(minus(&[0x02, 0x00], &[0x00, 0x01]), [0x01, 0xff]);
    }
}
