//! Revisions and operations.

use std::sync::Arc;

use tokenrig_decision::{Check, Refused};
use tokenrig_protos::google::{
    cloud::run::v2::{GetRevisionRequest, ListRevisionsRequest, ListRevisionsResponse, Revision},
    longrunning::{GetOperationRequest, Operation},
};
use tokenrig_wire::{Call, page};

use super::{CloudRun, invalid};
use crate::refusals;

impl CloudRun {
    pub(super) fn get_revision(&self, call: &Call, request: GetRevisionRequest) -> Result<Revision, Refused> {
        let (service, id) = request.name.rsplit_once("/revisions/").unwrap_or((&request.name, ""));
        let parsed = self.named(call, "name", service)?;
        let canonical = parsed.canonical(&self.cloud().project().id);
        let name = format!("{canonical}/revisions/{id}");
        self.permit(call, "run.revisions.get", &format!("//run.googleapis.com/{name}"))?;
        let found =
            self.read().revisions.get(&canonical).and_then(|all| all.iter().find(|one| one.name == name).cloned());
        let missing = || {
            refusals::REVISION_NOT_FOUND
                .refuse("run-admin-revision-not-found")
                .with("revision", id)
                .with("location", &parsed.location)
                .with("project", &parsed.project)
        };
        let check = Check::named("resource").expected("a revision of the service").found(name.as_str());
        call.check(check.holds(found.is_some()).or_answer(missing))?;
        found.map(Arc::unwrap_or_clone).ok_or_else(missing)
    }

    pub(super) fn list_revisions(
        &self,
        call: &Call,
        request: ListRevisionsRequest,
    ) -> Result<ListRevisionsResponse, Refused> {
        let parent = self.named(call, "parent", &request.parent)?;
        self.permit(call, "run.revisions.list", &format!("//run.googleapis.com/{}", request.parent))?;
        let of = parent.canonical(&self.cloud().project().id);
        let all: Vec<Arc<Revision>> = {
            let state = self.read();
            let services = state.revisions.iter().filter(|(name, _)| **name == of || parent.service == "-");
            let here = services.filter(|(name, _)| {
                let location = state.services.get(*name).map(|one| one.name.location.as_str());
                parent.location == "-" || location == Some(&parent.location)
            });
            here.flat_map(|(_, revisions)| revisions.iter().cloned()).collect()
        };
        let page = page(all, |one| &one.name, request.page_size, &request.page_token, 100, 1000);
        let check =
            Check::named("request").expected("a page token of this list").found(request.page_token).holds(page.is_ok());
        call.check(invalid(check, "page_token", "it is no token of this list"))?;
        let (revisions, next_page_token) = page.map_or_else(
            |_| (Vec::new(), String::new()),
            |page| (page.items.into_iter().map(Arc::unwrap_or_clone).collect(), page.next),
        );
        Ok(ListRevisionsResponse { revisions, next_page_token })
    }

    pub(super) fn get_operation(&self, call: &Call, request: GetOperationRequest) -> Result<Operation, Refused> {
        let (parent, id) = request.name.rsplit_once("/operations/").unwrap_or((&request.name, ""));
        let parsed = self.named(call, "name", &format!("{parent}/services/-"))?;
        self.permit(call, "run.operations.get", &format!("//run.googleapis.com/{parent}"))?;
        let name = format!("projects/{}/locations/{}/operations/{id}", self.cloud().project().id, parsed.location);
        let found = self.read().operations.iter().rev().find(|(known, _)| *known == name).map(|(_, one)| one.clone());
        let missing = || refusals::OPERATION_NOT_FOUND.refuse("run-admin-operation-not-found");
        let check = Check::named("resource").expected("an operation of this project").found(name);
        call.check(check.holds(found.is_some()).or_answer(missing))?;
        found.ok_or_else(missing)
    }
}
