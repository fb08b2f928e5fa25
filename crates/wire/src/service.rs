//! What a service crate offers to the rig.

use std::{
    fmt::{self, Debug},
    sync::Arc,
};

use tokenrig_decision::{Assumption, Refusal};

use crate::api::Api;

/// One service: its Google methods, what else it answers, what it refuses and assumes.
#[derive(Debug)]
pub struct Service {
    /// The crate's name without prefix, `iamcredentials`.
    pub name: &'static str,
    /// What it plays, in a line of the README.
    pub about: &'static str,
    /// Methods of the table.
    pub api: Api,
    /// Hosts that speak something else than the table: forms, pages, metadata.
    pub fronts: Vec<Front>,
    /// Every refusal that it can give.
    pub refusals: &'static [&'static Refusal],
    /// What Google has not told.
    pub assumptions: &'static [Assumption],
}

/// A router and the hosts that it answers.
#[derive(Debug)]
pub struct Front {
    /// The hosts.
    pub hosts: Hosts,
    /// What answers there. Paths that it does not have fall to the table's methods, if the host has any.
    pub router: axum::Router,
}

/// Host names, lower case and without a port.
#[derive(Clone)]
pub enum Hosts {
    /// These.
    Exact(Vec<String>),
    /// All for which this is true; asked after all exact ones, in the order of the services.
    When(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl Hosts {
    /// These hosts.
    pub fn exact(hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Exact(hosts.into_iter().map(Into::into).collect())
    }

    /// All hosts for which `is` is true.
    pub fn when(is: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self::When(Arc::new(is))
    }
}

impl Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(hosts) => f.debug_tuple("Exact").field(hosts).finish(),
            Self::When(_) => f.write_str("When(…)"),
        }
    }
}
