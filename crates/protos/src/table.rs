//! The one table of Google methods.

use std::{collections::HashMap, sync::LazyLock};

use prost_reflect::DescriptorPool;

use crate::{
    collection::{self, Collection},
    method::{Method, Verb},
    route::{Host, RestMatch},
};

/// What the protos say of methods. Read from their options it would cost each start as much as all messages together.
mod rows {
    use crate::method::{
        Row,
        Verb::{Delete, Get, Patch, Post, Put},
    };

    include!("generated/table.rs");
}

/// Messages and enumerations, without services and options.
static DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.binpb");

static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).expect("the embedded descriptors are those of our protos"));

static TABLE: LazyLock<Table> = LazyLock::new(Table::read);

/// The descriptors of all messages.
#[must_use]
pub fn pool() -> &'static DescriptorPool {
    &POOL
}

/// The table, made on first use and shared by all of a process.
#[must_use]
pub fn table() -> &'static Table {
    &TABLE
}

/// Every method that the rig knows, whether or not a service plays it.
#[derive(Debug)]
pub struct Table {
    methods: Vec<&'static Method>,
    by_id: HashMap<&'static str, &'static Method>,
    by_short: HashMap<&'static str, &'static Method>,
    hosts: Vec<Host>,
    collections: Vec<Collection>,
}

impl Table {
    fn read() -> Self {
        let methods: Vec<&'static Method> =
            rows::METHODS.iter().map(|row| &*Box::leak(Box::new(Method::of(row, &POOL)))).collect();
        let mut hosts: Vec<Host> = Vec::new();
        for method in &methods {
            let at = hosts.iter().position(|host| host.name == method.host).unwrap_or_else(|| {
                hosts.push(Host::new(method.host));
                hosts.len() - 1
            });
            if let Some(host) = hosts.get_mut(at) {
                host.add(method);
            }
        }
        let by_short = methods.iter().map(|method| (method.short, *method)).collect();
        Self {
            by_id: methods.iter().map(|method| (method.id, *method)).collect(),
            collections: collection::collections(&methods, &by_short),
            by_short,
            hosts,
            methods,
        }
    }

    /// All methods, in the order of the protos.
    #[must_use]
    pub fn methods(&self) -> &[&'static Method] {
        &self.methods
    }

    /// The method of a discovery id, `iam.projects.serviceAccounts.create`.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&'static Method> {
        self.by_id.get(id).copied()
    }

    /// The method that a scenario calls `iam.serviceAccounts.create`.
    #[must_use]
    pub fn by_short(&self, short: &str) -> Option<&'static Method> {
        self.by_short.get(short).copied()
    }

    /// All hosts, in the order of the protos.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The host of this name, of its mTLS twin (`NAME.mtls.googleapis.com`) or of one of its locations
    /// (`us-central1-run.googleapis.com`). Lower case, without a port.
    #[must_use]
    pub fn of_host(&self, name: &str) -> Option<&Host> {
        if let Some(host) = self.hosts.iter().find(|host| host.name == name) {
            return Some(host);
        }
        let twin = name.strip_suffix(".mtls.googleapis.com");
        let plain =
            twin.and_then(|api| self.hosts.iter().find(|host| host.name.strip_suffix(".googleapis.com") == Some(api)));
        plain.or_else(|| {
            self.hosts.iter().filter(|host| host.regional).find(|host| {
                name.strip_suffix(host.name).and_then(|before| before.strip_suffix('-')).is_some_and(is_location)
            })
        })
    }

    /// The method of a gRPC request; a mix-in service (operations, policies) stands at several hosts.
    #[must_use]
    pub fn by_grpc_path(&self, host: &str, path: &str) -> Option<&'static Method> {
        self.of_host(host)?.by_grpc_path(path)
    }

    /// The method that an HTTP request names by host, verb and path (percent-encoded, without its query).
    #[must_use]
    pub fn match_rest(&self, host: &str, verb: Verb, path: &str) -> Option<RestMatch> {
        self.of_host(host)?.match_rest(verb, path)
    }

    /// All collections in which something can be created.
    #[must_use]
    pub fn collections(&self) -> &[Collection] {
        &self.collections
    }

    /// The collection that a given file calls `run.services`.
    #[must_use]
    pub fn collection(&self, name: &str) -> Option<&Collection> {
        self.collections.iter().find(|collection| collection.name == name)
    }
}

/// Whether a text looks like a location: `us-central1`, `europe-west4`, `me-central2`.
fn is_location(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 32
        && text.contains('-')
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
