//! The organization, as Resource Manager v1 knows it.

use tokenrig_decision::Refused;
use tokenrig_protos::{
    google::iam::v1::{
        GetIamPolicyRequest, Policy, SetIamPolicyRequest, TestIamPermissionsRequest, TestIamPermissionsResponse,
    },
    tokenrig::cloudresourcemanager::v1::{GetOrganizationRequest, Organization},
};
use tokenrig_wire::{Api, Call, iam, with};

use super::Admin;
use crate::{model::organization_resource, refusals};

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("cloudresourcemanager.organizations.get", with(admin, Admin::get_organization))
        .on("cloudresourcemanager.organizations.getIamPolicy", with(admin, Admin::get_organization_policy))
        .on("cloudresourcemanager.organizations.setIamPolicy", with(admin, Admin::set_organization_policy))
        .on("cloudresourcemanager.organizations.testIamPermissions", with(admin, Admin::test_organization_permissions))
}

impl Admin {
    fn get_organization(&self, call: &Call, request: GetOrganizationRequest) -> Result<Organization, Refused> {
        self.visible_organization(call, "resourcemanager.organizations.get", &request.name)?;
        Ok(Organization { name: request.name, display_name: String::new(), lifecycle_state: "ACTIVE".to_owned() })
    }

    fn get_organization_policy(&self, call: &Call, request: GetIamPolicyRequest) -> Result<Policy, Refused> {
        let resource =
            self.visible_organization(call, "resourcemanager.organizations.getIamPolicy", &request.resource)?;
        Ok(iam::get(call, &resource, &request))
    }

    fn set_organization_policy(&self, call: &Call, request: SetIamPolicyRequest) -> Result<Policy, Refused> {
        let resource =
            self.visible_organization(call, "resourcemanager.organizations.setIamPolicy", &request.resource)?;
        iam::set(call, &resource, request)
    }

    fn test_organization_permissions(
        &self,
        call: &Call,
        request: TestIamPermissionsRequest,
    ) -> Result<TestIamPermissionsResponse, Refused> {
        if self.is_organization(&request.resource) {
            iam::test(call, &organization_resource(&request.resource), &request)
        } else {
            Ok(Default::default())
        }
    }

    /// Whether `organizations/NUMBER` is the rig's organization.
    pub(super) fn is_organization(&self, name: &str) -> bool {
        name.strip_prefix("organizations/").is_some_and(|number| self.cloud().organization() == Some(number))
    }

    /// The full resource name of the organization, after the caller's permission on it was asked. One that does not exist
    /// is nobody's.
    fn visible_organization(&self, call: &Call, permission: &str, name: &str) -> Result<String, Refused> {
        let deny = || refusals::PROJECT_NOT_VISIBLE.refuse("crm-organization-not-visible");
        let resource = organization_resource(name);
        call.permit(permission, &resource, deny)?;
        if self.is_organization(name) { Ok(resource) } else { Err(deny()) }
    }
}
