//! Keys, key sets and signed tokens: JWK (RFC 7517), JWS in compact form (RFC 7515) and JWT (RFC 7519).
//!
//! The two algorithms that Google takes and gives are built: RS256 and ES256. A token from outside is opened by
//! [`Jws::parse`], which is strict: exact base64url, three parts, no member twice, everything bounded. Whether its
//! signature holds says [`Jws::verify`]; which key to ask says [`JwkSet::resolve`]. Opening is not believing:
//! [`peek`] is for showing only.
//!
//! Tokens that are wrong on purpose come from [`sign_raw`] and [`forge`].
//!
//! ```
//! use serde_json::json;
//! use tokenrig_jose::{Algorithm, JwkSet, Jws, key_id, pool, protected_header, sign};
//!
//! let key = pool::rsa(0);
//! let kid = key_id("7d3f", &key.public(), "corp");
//! let claims = json!({ "iss": "https://corp.example", "sub": "alice" });
//! let token = sign(&protected_header(key.algorithm(), &kid), claims.as_object().unwrap(), key);
//!
//! let published: JwkSet = [key.public().to_jwk(&kid)].into_iter().collect();
//! let jws = Jws::parse(&token).unwrap();
//! let public = published.resolve(jws.kid().unwrap(), Algorithm::Rs256).unwrap();
//! assert_eq!(jws.verify(public), Ok(()));
//! assert_eq!(jws.claims().unwrap()["sub"], "alice");
//! ```

mod algorithm;
mod base64url;
mod claims;
pub mod forge;
mod json;
mod jwk;
mod jwk_set;
mod jws;
mod key_id;
pub mod pool;
mod public_key;
mod show;
mod sign;
mod signing_key;
pub mod x509;

/// A JSON object, in the order in which it was written.
pub type Map = serde_json::Map<String, serde_json::Value>;
mod verified;

pub use crate::{
    algorithm::{Algorithm, UnknownAlgorithm},
    claims::{DateFault, numeric_date},
    json::{JsonFault, JsonLimits, parse_object},
    jwk::{Jwk, KeyFault},
    jwk_set::{JwkFault, JwkLimits, JwkSet, Unresolved},
    jws::{Jws, MAX_TOKEN_BYTES, Malformed, Part, SignatureFault},
    key_id::key_id,
    public_key::PublicKey,
    show::{Opened, peek, shorten},
    sign::{protected_header, sign, sign_raw},
    signing_key::{KeyRejected, SigningKey},
};
