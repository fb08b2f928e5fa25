//! Long-running operations, done when they are answered and kept to be asked for.

use std::collections::{BTreeMap, VecDeque};

use tokenrig_decision::{Check, Refused};
use tokenrig_protos::{
    google::longrunning::{GetOperationRequest, Operation},
    prost::Name,
};
use tokenrig_wire::{Call, operation};

use super::{Admin, need};
use crate::refusals;

/// The newest operations, by name.
pub(super) struct Ring {
    most: usize,
    count: u64,
    by_name: BTreeMap<String, Operation>,
    order: VecDeque<String>,
}

impl Ring {
    pub(super) fn of(most: usize) -> Self {
        Self { most: most.max(1), count: 0, by_name: BTreeMap::new(), order: VecDeque::new() }
    }

    fn put(&mut self, operation: Operation) {
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_name.remove(&oldest);
        }
        self.order.push_back(operation.name.clone());
        self.by_name.insert(operation.name.clone(), operation);
    }
}

impl Admin {
    /// The finished operation of a change to `resource` (its name), with what it is now.
    pub(super) fn done<Metadata, Resource>(&self, resource: &str, metadata: &Metadata, now: &Resource) -> Operation
    where
        Metadata: tokenrig_protos::prost::Message + Name,
        Resource: tokenrig_protos::prost::Message + Name,
    {
        let mut operations = self.operations();
        operations.count += 1;
        let hex = self.cloud().derived_hex("iam operation", &format!("{resource} {}", operations.count));
        let id = hex.get(..26).unwrap_or_default();
        let done = operation::done(format!("{resource}/operations/{id}"), Some(operation::pack(metadata)), now);
        operations.put(done.clone());
        done
    }

    pub(super) fn get_operation(&self, call: &Call, request: GetOperationRequest) -> Result<Operation, Refused> {
        let (resource, id) = request.name.rsplit_once("/operations/").unwrap_or((&request.name, ""));
        let name = if resource.starts_with("locations/") {
            self.workforce_operation(call, resource, id)?
        } else {
            self.existing_name(call, resource, id)?
        };
        let found = self.operations().by_name.get(&name).cloned();
        let check = |check: Check| {
            check
                .expected("an operation of this rig")
                .found(request.name.as_str())
                .or_refuse(&refusals::ENTITY_UNKNOWN, "wif-operation-unknown")
                .mend(|| "send the `name` of the operation as it was answered".to_owned())
        };
        need(call, found, check, "resource")
    }
}
