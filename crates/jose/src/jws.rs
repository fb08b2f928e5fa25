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
