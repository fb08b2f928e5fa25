//! From host names to what answers there.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::{self, Debug},
    sync::Arc,
};

use axum::Router;
use tokenrig_cloud::Cloud;
use tokenrig_protos::table;

use crate::{
    api::Handler,
    edge::Edge,
    service::{Hosts, Service},
};

type When = (Arc<dyn Fn(&str) -> bool + Send + Sync>, Router);

/// Everything that a rig answers, by host name.
#[derive(Clone)]
pub struct HostTable {
    exact: Arc<HashMap<String, Router>>,
    when: Arc<[When]>,
}

impl Debug for HostTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.exact.keys().collect();
        names.sort();
        f.debug_struct("HostTable").field("exact", &names).field("when", &self.when.len()).finish()
    }
}

/// Puts services together into one cloud's hosts.
///
/// # Panics
///
/// Two services play the same method, or have the same path at the same host: defects of the services.
#[must_use]
pub fn assemble(cloud: &Cloud, services: Vec<Service>) -> HostTable {
    let mut exact: BTreeMap<String, Router> = BTreeMap::new();
    let mut when: Vec<When> = Vec::new();
    let mut handlers: BTreeMap<&'static str, HashMap<&'static str, Handler>> = BTreeMap::new();
    for service in services {
        for (method, handler) in service.api.handlers.into_values() {
            let before = handlers.entry(method.host).or_default().insert(method.id, handler);
            assert!(before.is_none(), "`{}` is played by two services", method.id);
        }
        for front in service.fronts {
            match front.hosts {
                Hosts::Exact(names) => {
                    for name in names {
                        let merged = exact.remove(&name).unwrap_or_default().merge(front.router.clone());
                        exact.insert(name, merged);
                    }
                }
                Hosts::When(is) => when.push((is, front.router)),
            }
        }
    }
    for (name, handlers) in handlers {
        let host = table().of_host(name).expect("methods of the table stand at hosts of the table");
        let edge = Edge::new(cloud.clone(), host, handlers);
        let router = exact.remove(name).unwrap_or_default();
        let router = router.fallback(move |request: axum::extract::Request| {
            let edge = edge.clone();
            async move { edge.answer(request).await }
        });
        exact.insert(name.to_owned(), router);
    }
    HostTable { exact: Arc::new(exact.into_iter().collect()), when: when.into() }
}

impl HostTable {
    /// What answers at this host: `Host` header or `:authority`, in any case, with or without a port. `None`: nobody plays it.
    ///
    /// The mTLS twin of a played host (`NAME.mtls.googleapis.com`) answers as the host, and so do the locations of one that
    /// Google serves regionally (`us-central1-run.googleapis.com`).
    #[must_use]
    pub fn find(&self, host: &str) -> Option<Router> {
        if let Some(router) = self.exact.get(host) {
            return Some(router.clone());
        }
        let name = plain(host)?;
        let exact = |name: &str| self.exact.get(name).cloned();
        exact(&name)
            .or_else(|| exact(table().of_host(&name)?.name))
            .or_else(|| exact(&format!("{}.googleapis.com", name.strip_suffix(".mtls.googleapis.com")?)))
            .or_else(|| self.when.iter().find(|(is, _)| is(&name)).map(|(_, router)| router.clone()))
    }

    /// The host names that are played exactly, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.exact.keys().cloned().collect();
        names.sort();
        names
    }
}

/// Lower case, without a port and a closing dot. `None` if no host name can look like this.
fn plain(host: &str) -> Option<String> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    (!name.is_empty() && name.len() <= 255).then(|| name.to_ascii_lowercase())
}
