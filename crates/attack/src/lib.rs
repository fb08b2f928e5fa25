//! Wrong and hostile ID tokens, fired at an endpoint that is to verify them: whom does it let in that it should not?
//!
//! The tokens are signed by a rig as the issuer that the endpoint has been told to trust: Google, as the rig plays it, or
//! one of the rig's OpenID providers. So the endpoint must run where the rig's hosts are reached (the environment of
//! `exec` or `serve`), on the same given document. What each token is and what a verifier owes to it comes from
//! [`Flaw`](tokenrig::Flaw) and a few shots of this crate; sources are RFC 8725 (best practices for JWTs), RFC 7515 and
//! 7519, OpenID Connect Core 1.0 and Google's guide to service-to-service authentication.
//!
//! ```
//! use tokenrig::Rig;
//! use tokenrig_attack::{Aim, Strangers, aimed};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let rig = Rig::builder().start().await;
//! let strangers = Strangers::listen().await.unwrap();
//! let shots = aimed(rig.core(), &Aim::google("https://app.example"), &strangers).unwrap();
//! assert!(shots.hostile.iter().any(|shot| shot.name == "alg-none"));
//! # });
//! ```

mod report;
mod shots;
mod standing;
mod strangers;
mod target;

pub use crate::{
    report::{Attacked, Fault, Hit, Verdict, attack},
    shots::{Aim, AimFault, Shot, Shots, Signer, aimed},
    standing::state_of,
    strangers::Strangers,
    target::{Answer, Target, TargetFault},
};
