//! What a token, a credential file or a signed URL is, who would take it, and what is wrong with it; and whom a token names
//! at a provider.
//!
//! Nothing here reaches the network, and no signature is verified: a thing is told by what it says of itself. Secrets are
//! never told whole.
//!
//! ```
//! let told = tokenrig_explain::token(b"Bearer AIzaSyA-0000000000000000000000000000000", "2026-01-15T09:00:00Z".parse().unwrap());
//! assert!(told.title.contains("API key"));
//! assert!(!told.to_string().contains("0000000000000000000000000000000"));
//! ```

mod claims;
mod credentials;
mod explanation;
mod input;
mod principal;
mod shapes;
mod token;
mod url;

pub use crate::{
    credentials::credentials,
    explanation::{Explanation, Fault, Section},
    input::bare,
    principal::{Exchanged, Judged, OfProject, Principal, Verdict, Written},
    token::token,
    url::url,
};
