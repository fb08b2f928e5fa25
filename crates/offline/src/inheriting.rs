//! One case's rig, whose commands also get what their caller has.

use std::{collections::BTreeMap, fmt::Display, io, path::Path};

use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::{Map, Value};
use tokenrig::Rig;
use tokenrig_clock::Timestamp;
use tokenrig_decision::Record;
use tokenrig_runner::{Advanced, Answer, Facts, MintOrder, Received, Request, Site, SiteFault, Who};

use crate::Inherited;

/// Options of every Java program: more than those that lead to a rig may stand in it.
const JAVA: &str = "JAVA_TOOL_OPTIONS";

/// The site of one rig, with what its commands inherit. All but the environment is the rig's own.
#[derive(Debug)]
pub struct RigSite {
    rig: Rig,
    inherited: Inherited,
}

impl RigSite {
    /// Ends it. The deliveries that were still in flight, in words.
    pub async fn stop(self) -> Vec<String> {
        self.rig.stop().await
    }

    /// A site on a running rig, which plays images from now on as `inherited` says.
    #[must_use]
    pub fn new(rig: Rig, inherited: Inherited) -> Self {
        rig.core().cloud_run().add_workload_kind("image", inherited.images.maker());
        Self { rig, inherited }
    }

    /// The rig.
    #[must_use]
    pub fn rig(&self) -> &Rig {
        &self.rig
    }

    fn site(&self) -> &dyn Site {
        &self.rig
    }

    fn variables(&self, needs: &[String]) -> Result<Vec<(String, String)>, SiteFault> {
        let other = |fault: &dyn Display| SiteFault::Other(fault.to_string());
        let environment = self.rig.environment().map_err(|fault| other(&fault))?;
        let mut all: BTreeMap<String, String> =
            self.inherited.variables.iter().filter(|(name, _)| !environment.removes(name)).cloned().collect();
        let of_java = all.remove(JAVA);
        all.extend(environment.set);
        if let (Some(own), Some(ours)) = (of_java, all.get_mut(JAVA)) {
            // Options of a user's own stay; of two that say the same, Java takes the later one.
            *ours = format!("{own} {ours}");
        }
        if self.inherited.well_known_credentials && !all.contains_key("GOOGLE_APPLICATION_CREDENTIALS") {
            let file = self.rig.owner_key_file().map_err(|fault| other(&fault))?;
            all.insert("GOOGLE_APPLICATION_CREDENTIALS".to_owned(), file.display().to_string());
        }
        let first = needs.iter().filter_map(|need| self.inherited.programs.get(need)).flatten();
        let mut path: Vec<String> = first.map(|folder| folder.display().to_string()).collect();
        path.extend(all.get("PATH").cloned());
        if !path.is_empty() {
            all.insert("PATH".to_owned(), path.join(":"));
        }
        Ok(all.into_iter().collect())
    }
}

impl Site for RigSite {
    fn environment(&self, needs: &[String]) -> BoxFuture<'_, Result<Vec<(String, String)>, SiteFault>> {
        let variables = self.variables(needs);
        async move { variables }.boxed()
    }

    fn facts(&self) -> Facts {
        self.site().facts()
    }

    fn now(&self) -> Timestamp {
        self.site().now()
    }

    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, SiteFault>> {
        self.site().send(request)
    }

    fn place(&self, request: Request) -> BoxFuture<'_, Result<Answer, SiteFault>> {
        self.site().place(request)
    }

    fn mint(&self, order: MintOrder) -> BoxFuture<'_, Result<String, SiteFault>> {
        self.site().mint(order)
    }

    fn credentials(&self, who: Who) -> BoxFuture<'_, Result<String, SiteFault>> {
        self.site().credentials(who)
    }

    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<Advanced, SiteFault>> {
        self.site().advance(to)
    }

    fn decisions(&self, since: u64) -> BoxFuture<'_, Option<Vec<Record>>> {
        self.site().decisions(since)
    }

    fn received(&self, service: &str, since: u64) -> BoxFuture<'_, Result<Vec<Received>, SiteFault>> {
        self.site().received(service, since)
    }

    fn set_workload(&self, service: &str, workload: &Value) -> BoxFuture<'_, Result<(), SiteFault>> {
        self.site().set_workload(service, workload)
    }

    fn patch_issuer(&self, issuer: &str, fields: &Map<String, Value>) -> BoxFuture<'_, Result<(), SiteFault>> {
        self.site().patch_issuer(issuer, fields)
    }

    fn rotate_keys(&self, of: &str) -> BoxFuture<'_, Result<(), SiteFault>> {
        self.site().rotate_keys(of)
    }

    fn leave<'a>(&'a self, folder: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.site().leave(folder)
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, Result<(), SiteFault>> {
        Box::new(self.rig).close()
    }
}
