//! Projects, as Resource Manager v1 knows them.

use tokenrig_cloud::Project as Known;
use tokenrig_decision::Refused;
use tokenrig_protos::{
    google::iam::v1::{
        GetIamPolicyRequest, Policy, SetIamPolicyRequest, TestIamPermissionsRequest, TestIamPermissionsResponse,
    },
    tokenrig::cloudresourcemanager::v1::{
        GetProjectRequest, LifecycleState, ListProjectsRequest, ListProjectsResponse, Project, ResourceId,
    },
};
use tokenrig_wire::{Api, Call, iam, with};

use super::{Admin, paged, unplayed};
use crate::{model::project_resource, refusals};

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("cloudresourcemanager.projects.get", with(admin, Admin::get_project))
        .on("cloudresourcemanager.projects.list", with(admin, Admin::list_projects))
        .on("cloudresourcemanager.projects.getIamPolicy", with(admin, Admin::get_project_policy))
        .on("cloudresourcemanager.projects.setIamPolicy", with(admin, Admin::set_project_policy))
        .on("cloudresourcemanager.projects.testIamPermissions", with(admin, Admin::test_project_permissions))
}

impl Admin {
    fn get_project(&self, call: &Call, request: GetProjectRequest) -> Result<Project, Refused> {
        let project = self.visible(call, "resourcemanager.projects.get", &request.project_id)?;
        Ok(self.told_project(&project))
    }

    fn list_projects(&self, call: &Call, request: ListProjectsRequest) -> Result<ListProjectsResponse, Refused> {
        let visible = |project: &Known| call.verdict("resourcemanager.projects.get", &project.resource()).granted();
        let mut projects: Vec<Project> = Vec::new();
        for project in self.cloud().projects().into_iter().filter(visible) {
            let told = self.told_project(&project);
            let mut wanted = true;
            for term in request.filter.split_whitespace() {
                match holds(term, &told) {
                    Some(holds) => wanted &= holds,
                    None => return Err(unplayed(call, &format!("the filter `{term}` of projects"))),
                }
            }
            if wanted {
                projects.push(told);
            }
        }
        let asked = (request.page_size, request.page_token.as_str());
        let page = paged(call, projects, |project| project.project_id.as_str(), asked, (500, 500))?;
        Ok(ListProjectsResponse { projects: page.items, next_page_token: page.next })
    }

    fn get_project_policy(&self, call: &Call, request: GetIamPolicyRequest) -> Result<Policy, Refused> {
        let project = self.visible(call, "resourcemanager.projects.getIamPolicy", &request.resource)?;
        Ok(iam::get(call, &project.resource(), &request))
    }

    fn set_project_policy(&self, call: &Call, request: SetIamPolicyRequest) -> Result<Policy, Refused> {
        let project = self.visible(call, "resourcemanager.projects.setIamPolicy", &request.resource)?;
        iam::set(call, &project.resource(), request)
    }

    fn test_project_permissions(
        &self,
        call: &Call,
        request: TestIamPermissionsRequest,
    ) -> Result<TestIamPermissionsResponse, Refused> {
        let project = self.cloud().find_project(&request.resource);
        project.map_or_else(|| Ok(Default::default()), |project| iam::test(call, &project.resource(), &request))
    }

    /// A project by id or number, after the caller's permission on it was asked. One that does not exist is nobody's.
    fn visible(&self, call: &Call, permission: &str, project: &str) -> Result<Known, Refused> {
        let deny = || refusals::PROJECT_NOT_VISIBLE.refuse("crm-project-not-visible");
        call.permit(permission, &project_resource(project), deny)?;
        self.cloud().find_project(project).ok_or_else(deny)
    }

    fn told_project(&self, project: &Known) -> Project {
        let parent = self.cloud().organization();
        Project {
            project_number: project.number.parse().unwrap_or_default(),
            project_id: project.id.clone(),
            lifecycle_state: LifecycleState::Active.into(),
            name: project.id.clone(),
            parent: parent.map(|id| ResourceId { r#type: "organization".to_owned(), id: id.to_owned() }),
            ..Project::default()
        }
    }
}

/// Whether a project meets one `FIELD:VALUE` of a filter; `None` for a field that the rig does not filter by.
fn holds(term: &str, project: &Project) -> Option<bool> {
    let (field, value) = term.split_once([':', '='])?;
    let value = value.trim_matches('"');
    let parent = project.parent.as_ref();
    let text = match field {
        "lifecycleState" => project.lifecycle_state().as_str_name(),
        "id" | "projectId" => &project.project_id,
        "name" => &project.name,
        "parent.type" => parent.map_or("", |parent| &parent.r#type),
        "parent.id" => parent.map_or("", |parent| &parent.id),
        _ => return None,
    };
    let (text, value) = (text.to_ascii_lowercase(), value.to_ascii_lowercase());
    Some(value.strip_suffix('*').map_or(text == value, |start| text.starts_with(start)))
}
