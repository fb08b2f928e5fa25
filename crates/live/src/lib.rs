//! A world of public addresses: cases run in a project that stands already, reached as every client reaches it.
//!
//! Requests go to Google's host names (through the proxy that the environment names), the run's credentials are
//! Application Default Credentials, the clock is the real one. Nothing here knows a rig. So what a scenario proves in
//! this world does not lean on anything that only a rig can do; a test runs all scenarios against a `serve` process.
//!
//! Built so far is what that test needs. Against Google it lacks: what was created is not removed again, roots of trust
//! come from a file alone, and changes are not waited for until they hold. So no command offers this world yet.
//!
//! - [`Reach`]: where everything is, read from the variables that a client of the project has.
//! - [`Live`]: the world. Given resources get a prefix of their own per case; issuers only sign, and a provider learns
//!   their keys by upload (`jwksJson`), so that nobody needs to reach them.

mod client;
mod credentials;
mod issuers;
mod reach;
mod site;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::Value;
use tokenrig_jose::SigningKey;
use tokenrig_runner::{Foundation, Site, World, WorldFault, WorldName};

pub use crate::reach::{Reach, ReachFault};
use crate::{client::Client, credentials::Credentials, issuers::Issuers, site::LiveSite};

/// The world of a project that stands already.
#[derive(Debug)]
pub struct Live {
    reach: Arc<Reach>,
    credentials: Arc<Credentials>,
    keys: Arc<[SigningKey]>,
    /// What every given id of this run starts with, before the number of its case.
    run: String,
    cases: AtomicUsize,
}

impl Live {
    /// Why `receive` is skipped: what reached a service would have to be read from its log.
    pub const NOTHING_RECEIVED: &str = "what reached a service is not told here yet";
    /// Why a scenario that is given an organization is skipped: the project's own is outside of what a run may change.
    pub const OWN_ORGANIZATION: &str = "an organization of its own is not made";

    /// A world within `reach`. `run` starts the id of everything that it creates: two to four letters or digits, a letter
    /// first. `keys` are those of its issuers, RS256 and ES256, shared out among them: whoever has them can make tokens that
    /// the project takes, so that against Google they must be made for this run alone.
    #[must_use]
    pub fn new(reach: Reach, run: impl Into<String>, keys: Vec<SigningKey>) -> Self {
        let reach = Arc::new(reach);
        let client = Arc::new(Client::new(Arc::clone(&reach)));
        Self {
            credentials: Arc::new(Credentials::new(Arc::clone(&reach), client)),
            reach,
            keys: keys.into(),
            run: run.into(),
            cases: AtomicUsize::new(0),
        }
    }

    async fn site(&self, foundation: Foundation) -> Result<LiveSite, WorldFault> {
        possible(&foundation).map_err(WorldFault::Unsupported)?;
        let unavailable = |why: String| WorldFault::Unavailable(why);
        let facts = self.credentials.facts().await.map_err(unavailable)?;
        let number = self.cases.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("{}{number}x", self.run);
        let issuers = Issuers::new(&prefix, &foundation.issuers, &self.keys);
        Ok(LiveSite::new(prefix, facts, issuers, Arc::clone(&self.credentials), Arc::clone(&self.reach)))
    }
}

/// Whether a project that stands already can be what a foundation says; else why not.
fn possible(foundation: &Foundation) -> Result<(), String> {
    if let Some(setting) = foundation.settings.keys().next() {
        return Err(format!("`settings.{setting}` is a rig's alone"));
    }
    if let Some(field) = foundation.project.keys().next() {
        return Err(format!("`project.{field}` cannot be chosen: the project stands already"));
    }
    if !foundation.users.is_empty() || !foundation.clients.is_empty() {
        return Err("nobody signs in by a file".to_owned());
    }
    if !foundation.organization.is_empty() {
        return Err(Live::OWN_ORGANIZATION.to_owned());
    }
    if !foundation.aws.is_empty() {
        return Err("accounts of AWS are played by a rig alone".to_owned());
    }
    for (id, issuer) in &foundation.issuers {
        // Of an issuer that only signs the URL and the algorithm are all there is.
        let told = issuer.as_object().into_iter().flatten();
        let plain = |value: &Value| value.as_str() == Some("none");
        if let Some((field, _)) =
            told.into_iter().find(|(field, value)| !matches!(field.as_str(), "issuer" | "alg") && !plain(value))
        {
            return Err(format!("`issuers.{id}.{field}`: an issuer only signs here, nobody can reach it"));
        }
    }
    Ok(())
}

impl World for Live {
    fn kind(&self) -> WorldName {
        WorldName::Live
    }

    fn offers(&self, need: &str) -> Result<(), String> {
        match need {
            "echo" => Ok(()),
            _ => Err("this world does not have it yet".to_owned()),
        }
    }

    fn open(&self, foundation: Foundation) -> BoxFuture<'_, Result<Box<dyn Site>, WorldFault>> {
        async move { Ok(Box::new(self.site(foundation).await?) as Box<dyn Site>) }.boxed()
    }
}
