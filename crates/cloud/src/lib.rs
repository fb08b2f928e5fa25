//! The shared state of one fake Google Cloud.
//!
//! Services never depend on each other; they meet here. A [`Cloud`] holds the project, service accounts and their keys,
//! identity pools, policies, and [the mint](Mint): the one place that signs Google's ID tokens and issues access tokens.
//! It resolves a bearer token to its [`Caller`], judges permissions, and keeps what was [decided](Decisions).
//!
//! Everything that a rig makes up (unique ids, key ids, tokens, etags) comes from its seed and from counters: the same
//! scenario gives the same tokens. Maps are ordered, time is the rig's clock, nothing here waits or does I/O.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tokenrig_clock::{ManualClock, seconds};
//! use tokenrig_cloud::{AccessTokenOrder, Cloud, Foundation};
//! use tokenrig_policy::Attributes;
//!
//! let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
//! let cloud = Cloud::new(Foundation::on(clock));
//! let owner = cloud.owner();
//! assert_eq!(owner.email, "tokenrig-owner@shop-test.iam.gserviceaccount.com");
//!
//! let token = cloud.mint().access_token(AccessTokenOrder {
//!     identity: owner.identity(),
//!     scopes: vec!["https://www.googleapis.com/auth/cloud-platform".into()],
//!     lifetime: seconds(3600),
//! });
//! let caller = cloud.caller(token.reveal()).unwrap();
//! let verdict = cloud.permit(
//!     &caller,
//!     "run.services.create",
//!     "//run.googleapis.com/projects/shop-test/locations/us-central1",
//!     &Attributes::at(cloud.now()),
//! );
//! assert!(verdict.granted());
//! ```

mod accounts;
mod audit;
mod aws;
mod caller;
mod cloud;
mod decisions;
mod derive;
mod fetch;
mod google_keys;
mod ledger;
mod mint;
mod names;
mod org_policies;
mod permit;
mod policies;
mod pools;
mod project;
mod quotas;
mod scopes;
mod settings;
mod sync;
mod unplayed;
mod users;

pub use crate::{
    accounts::{
        AccountFault, AccountKey, Accounts, CreatedKey, KeyOrigin, NewAccount, ServiceAccount, SystemKey, UploadedKey,
    },
    audit::{Audit, LogEntry, RequestEntry, Severity, TaskEntry},
    aws::{
        AwsAccounts, AwsFault, AwsIdentity, AwsKind, AwsPrincipal, AwsRefused, AwsRequest, NewAwsPrincipal,
        Scope as AwsScope, UrlFault, amz_date, authorization as aws_authorization,
    },
    caller::{Caller, CallerFault, SelfSignedFault, TokenKind},
    cloud::{Cloud, Foundation},
    decisions::Decisions,
    fetch::{Fetch, FetchFault, FetchLimits, Fetched},
    google_keys::{GoogleKey, GoogleKeys},
    ledger::Issued,
    mint::{AccessToken, AccessTokenOrder, Azp, IdTokenOrder, Mint, Signed, UserTokenOrder, UserTokens},
    org_policies::{OrgPolicies, OrgPolicy, OrgRule},
    policies::{EtagStale, Policies, Reached},
    pools::{IdentityPool, Oidc, PoolFault, PoolState, Pools, Provider, ProviderConfig, WebSignIn, Workforce},
    project::{Agent, Project},
    quotas::{QuotaExceeded, Quotas},
    scopes::is_oauth_scope,
    settings::Settings,
    unplayed::Unplayed,
    users::{GCLOUD_CLIENT_ID, OAuthClient, RefreshState, RefreshToken, Secret, User, UserFault, Users},
};
