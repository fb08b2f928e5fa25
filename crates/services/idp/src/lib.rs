//! The fake OpenID provider: issuers whose tokens say whatever they are told to say.
//!
//! A rig has any number of issuers, each at an https host (and path) of its own, added and changed while it runs. An
//! issuer signs what is posted to it, publishes its keys, and misbehaves if it is told to.
//!
//! | path below the issuer | answer |
//! |---|---|
//! | `POST /token` | the JSON object that was posted, signed as it is: a bare compact JWT; `?alg=RS256` or `ES256` chooses the key |
//! | `GET /subject-token` | a token for who asks by GET: see below |
//! | `GET /.well-known/openid-configuration` | OpenID Connect Discovery 1.0 |
//! | `GET /certs`, `GET /.well-known/jwks.json` | the public keys, as a JWK set |
//! | `/authorize` | the code flow, with PKCE: whoever `login_hint` names (a name, or a JSON object of claims) is signed in; without it a page asks |
//! | `POST /token` with a form | the grants authorization_code and refresh_token, for any client |
//! | `/userinfo`, `/logout` | OpenID Connect Core 1.0, section 5.3; RP-Initiated Logout 1.0 |
//!
//! `GET /subject-token?sub=alice&aud=…` is what client libraries know as a `credential_source` with a `url`: each parameter
//! is a claim, `iss`, `iat` and `exp` are filled in. `format=json` puts the token into a member, `id_token` or that of
//! `field=NAME`; `header=Metadata: True` wants that header; `alg` chooses the key.
//!
//! An issuer may have an `upstream`: a real provider on this machine (Keycloak, Dex), which then answers at all of its
//! paths and signs its tokens. Requests are passed on with the host that the client called (`Host`, `X-Forwarded-*`,
//! `Forwarded`), answers come back as they are. So the provider must know the issuer's address as its own: Keycloak by
//! `--proxy-headers=xforwarded` or `--hostname`, Dex by `issuer:` of its configuration.
//!
//! `POST /token` has the form of the provider in Google's tutorial on federation to Cloud Run.
//! Documents: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7515, 7517, 7518, 7519, RFC 6749 (errors).
//!
//! ```
//! use std::sync::Arc;
//!
//! use serde_json::json;
//! use tokenrig_clock::ManualClock;
//! use tokenrig_idp::{IssuerSpec, Issuers, MintOrder};
//! use tokenrig_jose::peek;
//!
//! let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
//! let issuers = Issuers::new(clock, "7d3f");
//! let corp = issuers.add(IssuerSpec::new("corp")).unwrap();
//! assert_eq!(corp.issuer, "https://corp.idp.tokenrig.test");
//!
//! let claims = json!({ "sub": "alice", "aud": "https://app.example" });
//! let token = issuers.mint(MintOrder::new("corp", claims.as_object().unwrap().clone())).unwrap();
//! let opened = peek(&token).unwrap();
//! assert_eq!(opened.claims["iss"], "https://corp.idp.tokenrig.test");
//! assert_eq!(opened.claims["exp"], 1_768_471_200);
//! ```

mod assumptions;
mod model;
pub mod refusals;
mod routes;
mod service;
mod tls;
mod upstream;

use axum::Router;
use tokenrig_cloud::Cloud;
use tokenrig_wire::{Api, Front, Hosts, Service};

pub use crate::{
    assumptions::{ALL as ASSUMPTIONS, Settings},
    model::{DOMAIN, Issuer, IssuerFault, IssuerPatch, IssuerSpec, Misbehaviour},
    service::{Issuers, KeyChoice, MintFault, MintOrder},
};

/// The service of a rig's issuers: whatever host an issuer has at the moment.
#[must_use]
pub fn service(issuers: &Issuers, cloud: &Cloud) -> Service {
    let hosts = issuers.clone();
    Service {
        name: "idp",
        about: "OpenID providers of your own, each at an https host",
        api: Api::new(),
        fronts: vec![Front { hosts: Hosts::when(move |host| hosts.serves(host)), router: routes::all(issuers, cloud) }],
        refusals: refusals::ALL,
        assumptions: ASSUMPTIONS,
    }
}

/// One issuer's paths, for whoever serves its host ([`Issuers::serve_elsewhere`]).
pub fn router(issuers: &Issuers, cloud: &Cloud, id: &str) -> Router {
    routes::one(issuers, cloud, id)
}
