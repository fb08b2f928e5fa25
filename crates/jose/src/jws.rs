//! Signed tokens from outside.

use serde_json::Value;

use crate::{Algorithm, JsonFault, JsonLimits, Map, PublicKey, base64url, parse_object, show::quoted};

/// The largest token that [`Jws::parse`] takes: 64 KiB.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// A signed token in compact form (RFC 7515, section 7.1), opened and not yet believed.
#[derive(Clone, PartialEq)]
pub struct Jws {
    signing_input: Vec<u8>,
    header: Map,
    payload: Vec<u8>,
    claims: Result<Map, JsonFault>,
    signature: Vec<u8>,
}

/// A part of a compact token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first.
    Header,
    /// The second.
    Payload,
    /// The third.
    Signature,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// Why a text is no signed token in compact form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More bytes than allowed.
    #[error("it has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A JSON object: the other serialisation of RFC 7515, which no token endpoint takes.
    #[error("it is JSON, not a compact token")]
    Json,
    /// Five parts: an encrypted token.
    #[error("it is an encrypted token (five parts)")]
    Encrypted,
    /// Another number of parts than three.
    #[error("it has {0} parts divided by dots, not three")]
    Parts(usize),
    /// A part is not base64url without padding, in its canonical form.
    #[error("its {0} is not canonical base64url without padding")]
    Base64(Part),
    /// The header is no JSON object that can be taken.
    #[error("its header cannot be read: {0}")]
    Header(JsonFault),
    /// `alg` or `kid` is there and no string.
    #[error("`{0}` of its header is not a string")]
    HeaderMember(&'static str),
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The header has `crit`: what it lists must be understood, and nothing of it is.
    #[error("its header asks for extensions (`crit`)")]
    Critical,
    /// The header has `b64` other than true: the payload is not encoded (RFC 7797).
    #[error("its header says that the payload is not encoded (`b64`)")]
    Unencoded,
    /// No `alg`.
    #[error("its header names no algorithm")]
    NoAlgorithm,
    /// `alg` is none of ours; `none` is one of these.
    #[error("its algorithm is {}, neither RS256 nor ES256", quoted(.0))]
    Algorithm(String),
    /// The key is for another algorithm than the token names.
    #[error("its algorithm is {token}, its key is for {key}")]
    KeyMismatch {
        /// What the token names.
        token: Algorithm,
        /// What the key is for.
        key: Algorithm,
    },
    /// No signature at all.
    #[error("it has no signature")]
    Unsigned,
    /// The signature has not the length that the key's signatures have.
    #[error("its signature has {found} bytes, not {expected}")]
    Length {
        /// The length of the key's signatures.
        expected: usize,
        /// The length found.
        found: usize,
    },
    /// The signature is not the key's over this header and payload.
    #[error("its signature does not match")]
    Mismatch,
}

impl Jws {
    /// Opens a token of at most [`MAX_TOKEN_BYTES`].
    ///
    /// # Errors
    ///
    /// [`Malformed`], with the first thing that is wrong. Claims that cannot be read are told by [`claims`](Self::claims).
    pub fn parse(token: &str) -> Result<Self, Malformed> {
        Self::parse_within(token, MAX_TOKEN_BYTES)
    }

    /// Opens a token of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_within(token: &str, limit: usize) -> Result<Self, Malformed> {
        if token.len() > limit {
            return Err(Malformed::TooLarge { bytes: token.len(), limit });
        }
        if token.trim_start().starts_with('{') {
            return Err(Malformed::Json);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(match token.split('.').count() {
                5 => Malformed::Encrypted,
                count => Malformed::Parts(count),
            });
        };
        let decode = |part, text: &str| base64url::decode(text).ok_or(Malformed::Base64(part));
        let signing_input = [header.as_bytes(), b".", payload.as_bytes()].concat();
        let header = decode(Part::Header, header)?;
        let payload = decode(Part::Payload, payload)?;
        let signature = decode(Part::Signature, signature)?;
        let json = JsonLimits { bytes: limit, ..JsonLimits::default() };
        let header = parse_object(&header, json).map_err(Malformed::Header)?;
        for name in ["alg", "kid"] {
            if header.get(name).is_some_and(|value| !value.is_string()) {
                return Err(Malformed::HeaderMember(name));
            }
        }
        let claims = parse_object(&payload, json);
        Ok(Self { signing_input, header, payload, claims, signature })
    }

    /// The header. `jwk`, `jku`, `x5c` and their like are the token's own word and name no key to believe.
    #[must_use]
    pub fn header(&self) -> &Map {
        &self.header
    }

    /// The claims.
    ///
    /// # Errors
    ///
    /// The payload is no JSON object that can be taken: it is empty (detached), another token, has a member twice, …
    pub fn claims(&self) -> Result<&Map, &JsonFault> {
        self.claims.as_ref()
    }

    /// `alg` as it is written.
    #[must_use]
    pub fn alg(&self) -> Option<&str> {
        self.header.get("alg").and_then(Value::as_str)
    }

    /// `kid`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// The payload's bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// What is signed: the first two parts with their dot.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        &self.signing_input
    }

    /// The algorithm that the token is to be verified with; its key is then asked for by [`kid`](Self::kid).
    ///
    /// # Errors
    ///
    /// `crit`, `b64`, no `alg`, or one that is not built.
    pub fn algorithm(&self) -> Result<Algorithm, SignatureFault> {
        if self.header.contains_key("crit") {
            return Err(SignatureFault::Critical);
        }
        if self.header.get("b64").is_some_and(|encoded| *encoded != Value::Bool(true)) {
            return Err(SignatureFault::Unencoded);
        }
        let name = self.alg().ok_or(SignatureFault::NoAlgorithm)?;
        name.parse().map_err(|_| SignatureFault::Algorithm(name.to_owned()))
    }

    /// Whether the signature is this key's.
    ///
    /// # Errors
    ///
    /// [`SignatureFault`], with the first reason why not.
    pub fn verify(&self, key: &PublicKey) -> Result<(), SignatureFault> {
        let algorithm = self.algorithm()?;
        if algorithm != key.algorithm() {
            return Err(SignatureFault::KeyMismatch { token: algorithm, key: key.algorithm() });
        }
        let (expected, found) = (key.signature_len(), self.signature.len());
        if found == 0 {
            return Err(SignatureFault::Unsigned);
        }
        if found != expected {
            return Err(SignatureFault::Length { expected, found });
        }
        if key.verify(algorithm, &self.signing_input, &self.signature) { Ok(()) } else { Err(SignatureFault::Mismatch) }
    }
}

/// Shows no signature.
impl std::fmt::Debug for Jws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jws").field("header", &self.header).field("claims", &self.claims).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{SigningKey, forge, pool, protected_header, sign, sign_raw};

    fn object(value: Value) -> Map {
        value.as_object().unwrap().clone()
    }

    fn with_header(header: Value, key: &SigningKey) -> Jws {
        Jws::parse(&sign(&object(header), &object(json!({ "sub": "alice" })), key)).unwrap()
    }

    #[rstest]
    #[case(pool::rsa(0))]
    #[case(pool::ec(0))]
    fn a_signed_token_opens_and_verifies(#[case] key: &SigningKey) {
        let claims = object(json!({ "sub": "alice", "n": 1, "aud": ["a"] }));
        let jws = Jws::parse(&sign(&protected_header(key.algorithm(), "k"), &claims, key)).unwrap();
        assert_eq!(jws.claims(), Ok(&claims));
        assert_eq!((jws.alg(), jws.kid()), (Some(key.algorithm().name()), Some("k")));
        assert_eq!(jws.verify(&key.public()), Ok(()));
    }

    #[rstest]
    #[case::nothing("", Malformed::Parts(1))]
    #[case::an_opaque_token("ya29.a0Ad52N3", Malformed::Parts(2))]
    #[case::a_detached_half("e30.", Malformed::Parts(2))]
    #[case::four_parts("e30.e30.e30.e30", Malformed::Parts(4))]
    #[case::an_encrypted_token("e30.e30.e30.e30.e30", Malformed::Encrypted)]
    #[case::many_dots("......", Malformed::Parts(7))]
    #[case::json(r#" {"payload":"e30","signatures":[]}"#, Malformed::Json)]
    #[case::a_padded_header("e30=.e30.", Malformed::Base64(Part::Header))]
    #[case::plain_base64_in_the_payload("e30.+/+/.", Malformed::Base64(Part::Payload))]
    #[case::a_line_end_at_the_end("e30.e30.AA\n", Malformed::Base64(Part::Signature))]
    #[case::a_space_at_the_start(" e30.e30.", Malformed::Base64(Part::Header))]
    #[case::loose_bits_in_the_signature("e30.e30.AB", Malformed::Base64(Part::Signature))]
    #[case::not_ascii("é.e30.", Malformed::Base64(Part::Header))]
    #[case::no_header(".e30.", Malformed::Header(JsonFault::Syntax("EOF while parsing a value at line 1 column 0".into())))]
    fn what_is_no_compact_token_is_refused(#[case] token: &str, #[case] fault: Malformed) {
        assert_eq!(Jws::parse(token), Err(fault));
    }

    #[rstest]
    #[case::a_list(b"[]", Malformed::Header(JsonFault::NotAnObject))]
    #[case::two_algorithms(br#"{"alg":"RS256","alg":"none"}"#, Malformed::Header(JsonFault::Duplicate("alg".into())))]
    #[case::two_key_ids(br#"{"alg":"RS256","kid":"a","kid":"b"}"#, Malformed::Header(JsonFault::Duplicate("kid".into())))]
    #[case::an_algorithm_that_is_no_text(br#"{"alg":["RS256"]}"#, Malformed::HeaderMember("alg"))]
    #[case::a_key_id_that_is_a_number(br#"{"alg":"RS256","kid":1}"#, Malformed::HeaderMember("kid"))]
    fn a_header_that_can_be_read_in_two_ways_is_refused(#[case] header: &[u8], #[case] fault: Malformed) {
        assert_eq!(Jws::parse(&sign_raw(header, b"{}", pool::ec(0))), Err(fault));
    }

    #[rstest]
    #[case::two_audiences(br#"{"aud":"a","aud":"b"}"#, JsonFault::Duplicate("aud".into()))]
    #[case::a_list(b"[]", JsonFault::NotAnObject)]
    #[case::null(b"null", JsonFault::NotAnObject)]
    fn claims_that_cannot_be_read_are_told_apart_from_the_token(#[case] payload: &[u8], #[case] fault: JsonFault) {
        let key = pool::ec(0);
        let jws = Jws::parse(&sign_raw(br#"{"alg":"ES256"}"#, payload, key)).unwrap();
        assert_eq!(jws.claims(), Err(&fault));
        assert_eq!(jws.verify(&key.public()), Ok(()));
    }

    #[test]
    fn a_token_inside_a_token_and_a_detached_payload_have_no_claims() {
        let key = pool::ec(0);
        let inner = sign_raw(br#"{"alg":"ES256"}"#, b"{}", key);
        for payload in [inner.as_bytes(), b""] {
            let jws = Jws::parse(&sign_raw(br#"{"alg":"ES256","cty":"JWT"}"#, payload, key)).unwrap();
            assert!(matches!(jws.claims(), Err(JsonFault::Syntax(_))));
        }
    }

    #[test]
    fn size_is_bounded_before_anything_is_read() {
        let token = "a".repeat(16 * 1024 * 1024);
        let too_large = Malformed::TooLarge { bytes: token.len(), limit: MAX_TOKEN_BYTES };
        assert_eq!(Jws::parse(&token), Err(too_large));
        assert_eq!(Jws::parse_within("e30.e30.", 7), Err(Malformed::TooLarge { bytes: 8, limit: 7 }));
        assert!(Jws::parse_within("e30.e30.", 8).is_ok());
    }

    #[rstest]
    #[case::none(json!({ "alg": "none" }), SignatureFault::Algorithm("none".into()))]
    #[case::none_in_other_letters(json!({ "alg": "NoNe" }), SignatureFault::Algorithm("NoNe".into()))]
    #[case::in_small_letters(json!({ "alg": "es256" }), SignatureFault::Algorithm("es256".into()))]
    #[case::hmac(json!({ "alg": "HS256" }), SignatureFault::Algorithm("HS256".into()))]
    #[case::pss(json!({ "alg": "PS256" }), SignatureFault::Algorithm("PS256".into()))]
    #[case::nothing(json!({}), SignatureFault::NoAlgorithm)]
    #[case::the_other_one(
        json!({ "alg": "RS256" }),
        SignatureFault::KeyMismatch { token: Algorithm::Rs256, key: Algorithm::Es256 }
    )]
    #[case::an_extension(json!({ "alg": "ES256", "crit": ["exp"], "exp": 1 }), SignatureFault::Critical)]
    #[case::an_empty_list_of_extensions(json!({ "alg": "ES256", "crit": [] }), SignatureFault::Critical)]
    #[case::a_payload_as_it_is(json!({ "alg": "ES256", "b64": false }), SignatureFault::Unencoded)]
    fn only_the_keys_own_algorithm_without_extensions_is_verified(
        #[case] header: Value,
        #[case] fault: SignatureFault,
    ) {
        let key = pool::ec(0);
        assert_eq!(with_header(header, key).verify(&key.public()), Err(fault));
    }

    #[test]
    fn a_key_that_a_token_brings_along_is_not_believed() {
        let (trusted, own) = (pool::ec(0), pool::ec(1));
        let header = json!({
            "alg": "ES256",
            "kid": "k",
            "jwk": own.public().to_jwk("k"),
            "jku": "https://attacker.example/keys",
            "x5c": ["AAAA"],
        });
        assert_eq!(with_header(header, own).verify(&trusted.public()), Err(SignatureFault::Mismatch));
    }

    #[test]
    fn a_token_without_signature_is_refused() {
        let key = pool::rsa(0);
        let token = forge::unsigned(&protected_header(Algorithm::Rs256, "k"), &Map::new());
        assert_eq!(Jws::parse(&token).unwrap().verify(&key.public()), Err(SignatureFault::Unsigned));
    }

    #[test]
    fn a_public_key_as_hmac_secret_is_refused_whatever_the_header_says() {
        let public = pool::rsa(0).public();
        for secret in [public.spki_der().to_vec(), crate::x509::public_pem(&public).into_bytes()] {
            let forged = |alg: &str| forge::hs256(&object(json!({ "alg": alg, "kid": "k" })), &Map::new(), &secret);
            let verdict = |alg| Jws::parse(&forged(alg)).unwrap().verify(&public);
            assert_eq!(verdict("HS256"), Err(SignatureFault::Algorithm("HS256".into())));
            assert_eq!(verdict("RS256"), Err(SignatureFault::Length { expected: 256, found: 32 }));
        }
    }

    #[test]
    fn an_ec_signature_in_der_is_refused() {
        let key = pool::ec(0);
        let mut token = crate::sign::signing_input(br#"{"alg":"ES256"}"#, b"{}");
        let signature = key.sign_for_x509(token.as_bytes());
        let found = signature.len();
        token.push('.');
        base64url::encode_onto(signature, &mut token);
        let verdict = Jws::parse(&token).unwrap().verify(&key.public());
        assert_eq!(verdict, Err(SignatureFault::Length { expected: 64, found }));
    }

    #[rstest]
    #[case(pool::rsa(0))]
    #[case(pool::ec(0))]
    fn a_token_whose_claims_were_changed_is_refused(#[case] key: &SigningKey) {
        let token = sign(&protected_header(key.algorithm(), "k"), &object(json!({ "sub": "alice" })), key);
        let parts: Vec<&str> = token.split('.').collect();
        let changed = format!("{}.{}.{}", parts[0], base64url::encode(r#"{"sub":"mallory"}"#), parts[2]);
        assert_eq!(Jws::parse(&changed).unwrap().verify(&key.public()), Err(SignatureFault::Mismatch));
    }

    #[test]
    fn printing_a_token_shows_no_signature() {
        let token = sign(&protected_header(Algorithm::Es256, "k"), &Map::new(), pool::ec(0));
        let printed = format!("{:?}", Jws::parse(&token).unwrap());
        assert!(!printed.contains("signature"), "{printed}");
    }
}
