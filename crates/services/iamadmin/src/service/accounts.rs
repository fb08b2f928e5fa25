//! Service accounts.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use tokenrig_cloud::{AccountFault, NewAccount, ServiceAccount as Account};
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::google::iam::{
    admin::v1::{
        CreateServiceAccountRequest, DeleteServiceAccountRequest, DisableServiceAccountRequest,
        EnableServiceAccountRequest, GetServiceAccountRequest, ListServiceAccountsRequest, ListServiceAccountsResponse,
        PatchServiceAccountRequest, ServiceAccount, UndeleteServiceAccountRequest, UndeleteServiceAccountResponse,
    },
    v1::{GetIamPolicyRequest, Policy, SetIamPolicyRequest, TestIamPermissionsRequest, TestIamPermissionsResponse},
};
use tokenrig_wire::{Api, Call, iam, with};

use super::{Admin, field, mask_paths, need, paged, refuse};
use crate::{
    model::{AccountName, is_account_id, is_project_id, project_of, project_resource},
    refusals,
};

const ID: &str = "iam-sa-field-invalid";

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("iam.projects.serviceAccounts.create", with(admin, Admin::create_service_account))
        .on("iam.projects.serviceAccounts.get", with(admin, Admin::get_service_account))
        .on("iam.projects.serviceAccounts.list", with(admin, Admin::list_service_accounts))
        .on("iam.projects.serviceAccounts.patch", with(admin, Admin::patch_service_account))
        .on("iam.projects.serviceAccounts.update", with(admin, Admin::update_service_account))
        .on("iam.projects.serviceAccounts.delete", with(admin, Admin::delete_service_account))
        .on("iam.projects.serviceAccounts.undelete", with(admin, Admin::undelete_service_account))
        .on("iam.projects.serviceAccounts.enable", with(admin, Admin::enable_service_account))
        .on("iam.projects.serviceAccounts.disable", with(admin, Admin::disable_service_account))
        .on("iam.projects.serviceAccounts.getIamPolicy", with(admin, Admin::get_account_policy))
        .on("iam.projects.serviceAccounts.setIamPolicy", with(admin, Admin::set_account_policy))
        .on("iam.projects.serviceAccounts.testIamPermissions", with(admin, Admin::test_account_permissions))
}

impl Admin {
    fn create_service_account(
        &self,
        call: &Call,
        request: CreateServiceAccountRequest,
    ) -> Result<ServiceAccount, Refused> {
        let project = self.account_project(call, &request.name)?;
        let founds = self.settings().owner_founds_projects
            && call.caller().identity.email() == Some(self.cloud().owner_email().as_str());
        if founds && self.cloud().find_project(project).is_none() && is_project_id(project) {
            self.cloud().add_project(project);
        }
        permit(call, "iam.serviceAccounts.create", &project_resource(project))?;
        let id = request.account_id.as_str();
        call.check(
            Check::named("request")
                .expected("an id of 6 to 30 characters")
                .found(id)
                .holds((6..=30).contains(&id.len()))
                .or_refuse(&refusals::ACCOUNT_ID_LENGTH, "iam-sa-create-id-length")
                .with("id", id)
                .mend(|| "give `accountId` 6 to 30 characters".to_owned()),
        )?;
        let what = "it must begin with a letter, end with a letter or digit, and have only characters of [a-z0-9-]";
        call.check(field(ID, "account_id", what, is_account_id(id)).found(id))?;
        let told = request.service_account.unwrap_or_default();
        texts(call, &told)?;
        let project = self.cloud().find_project(project).unwrap_or_else(|| self.cloud().project().clone());
        let made = self.cloud().accounts().create(NewAccount {
            account: format!("{id}@{}.iam.gserviceaccount.com", project.id),
            display_name: told.display_name,
            description: told.description,
        });
        let check = |check: Check| {
            check
                .expected("no service account of this id")
                .found(id)
                .or_refuse(&refusals::ACCOUNT_EXISTS, "iam-sa-create-exists")
                .with("id", id)
                .with("project", &project.id)
                .mend(|| "choose another `accountId`, or use the account that is there".to_owned())
        };
        need(call, made.ok(), check, "resource").map(|made| told_account(&made))
    }

    fn get_service_account(&self, call: &Call, request: GetServiceAccountRequest) -> Result<ServiceAccount, Refused> {
        self.account(call, "iam.serviceAccounts.get", &request.name).map(|account| told_account(&account))
    }

    fn list_service_accounts(
        &self,
        call: &Call,
        request: ListServiceAccountsRequest,
    ) -> Result<ListServiceAccountsResponse, Refused> {
        let project = self.account_project(call, &request.name)?;
        permit(call, "iam.serviceAccounts.list", &project_resource(project))?;
        let all = self.cloud().accounts().list(project);
        let asked = (request.page_size, request.page_token.as_str());
        let page = paged(call, all, |account| account.email.as_str(), asked, (20, 100))?;
        let accounts = page.items.iter().map(|account| told_account(account)).collect();
        Ok(ListServiceAccountsResponse { accounts, next_page_token: page.next })
    }

    fn patch_service_account(
        &self,
        call: &Call,
        request: PatchServiceAccountRequest,
    ) -> Result<ServiceAccount, Refused> {
        let told = request.service_account.unwrap_or_default();
        let account = self.account(call, "iam.serviceAccounts.update", &told.name)?;
        texts(call, &told)?;
        let paths = mask_paths(request.update_mask.as_ref());
        let writable = |path: &String| ["display_name", "description", "etag", "*"].contains(&path.as_str());
        let wrong = paths.iter().find(|path| !writable(path)).map(String::as_str);
        let what = "only `display_name` and `description` can be changed";
        call.check(field(ID, "update_mask", what, wrong.is_none()).found(wrong))?;
        let named = |name: &str, value: &str| {
            let all = paths.iter().any(|path| path == "*") || (paths.is_empty() && !value.is_empty());
            (all || paths.iter().any(|path| path == name)).then(|| value.to_owned())
        };
        let (name, text) = (named("display_name", &told.display_name), named("description", &told.description));
        self.write_account(call, &account, name, text, &told)
    }

    fn update_service_account(&self, call: &Call, told: ServiceAccount) -> Result<ServiceAccount, Refused> {
        let account = self.account(call, "iam.serviceAccounts.update", &told.name)?;
        texts(call, &told)?;
        let (name, text) = (Some(told.display_name.clone()), Some(told.description.clone()));
        self.write_account(call, &account, name, text, &told)
    }

    fn write_account(
        &self,
        call: &Call,
        account: &Account,
        display_name: Option<String>,
        description: Option<String>,
        told: &ServiceAccount,
    ) -> Result<ServiceAccount, Refused> {
        #[expect(deprecated, reason = "Google still reads it")]
        let etag = STANDARD.encode(&told.etag);
        let changed = self.cloud().accounts().update(&account.unique_id, display_name, description, &etag);
        match changed {
            Ok(account) => Ok(told_account(&account)),
            Err(AccountFault::Stale(_)) => {
                let check = Check::named("resource").expected(account.etag.as_str()).found(etag).holds(false);
                let check = check.or_refuse(&refusals::ACCOUNT_CHANGED, "iam-etag-stale");
                Err(refuse(call, check.mend(|| "read the account again and send its present `etag`".to_owned())))
            }
            Err(_) => Err(gone(call, &account.email)),
        }
    }

    fn delete_service_account(&self, call: &Call, request: DeleteServiceAccountRequest) -> Result<(), Refused> {
        let account = self.account(call, "iam.serviceAccounts.delete", &request.name)?;
        self.cloud().accounts().delete(&account.unique_id).map_err(|_| gone(call, &account.email))?;
        Ok(())
    }

    fn undelete_service_account(
        &self,
        call: &Call,
        request: UndeleteServiceAccountRequest,
    ) -> Result<UndeleteServiceAccountResponse, Refused> {
        let name = self.account_name(call, &request.name)?;
        let deleted = self.cloud().accounts().get_by_id(name.account);
        let deleted = deleted.filter(|account| name.is_in(&account.project_id, &account.project_number));
        // A name under `projects/-` leads to a project only through the account itself.
        let resource = deleted.as_ref().map_or_else(|| name.resource(), |account| account.resource());
        permit(call, "iam.serviceAccounts.undelete", &resource)?;
        let restored = deleted.ok_or(AccountFault::NotDeleted(name.account.to_owned()));
        let restored = restored.and_then(|account| self.cloud().accounts().undelete(&account.unique_id));
        let check = Check::named("resource").expected("an account that was deleted within 30 days").found(name.account);
        match restored {
            Ok(account) => {
                call.check(check)?;
                Ok(UndeleteServiceAccountResponse { restored_account: Some(told_account(&account)) })
            }
            Err(AccountFault::Exists(email)) => {
                let check = check.expected(format!("no other account {email}")).holds(false);
                let check = check.or_refuse(&refusals::PRECONDITION, "iam-sa-undelete-exists");
                Err(refuse(call, check.mend(|| format!("delete the account that has the address {email} now"))))
            }
            Err(_) => {
                let check = check.holds(false).or_refuse(&refusals::ACCOUNT_UNKNOWN, "iam-sa-undelete-unknown");
                Err(refuse(call, check.mend(|| "name the account by the unique id that it had".to_owned())))
            }
        }
    }

    fn enable_service_account(&self, call: &Call, request: EnableServiceAccountRequest) -> Result<(), Refused> {
        let account = self.account(call, "iam.serviceAccounts.enable", &request.name)?;
        self.cloud().accounts().set_disabled(&account.unique_id, false).map_err(|_| gone(call, &account.email))?;
        Ok(())
    }

    fn disable_service_account(&self, call: &Call, request: DisableServiceAccountRequest) -> Result<(), Refused> {
        let account = self.account(call, "iam.serviceAccounts.disable", &request.name)?;
        self.cloud().accounts().set_disabled(&account.unique_id, true).map_err(|_| gone(call, &account.email))?;
        Ok(())
    }

    fn get_account_policy(&self, call: &Call, request: GetIamPolicyRequest) -> Result<Policy, Refused> {
        let account = self.account(call, "iam.serviceAccounts.getIamPolicy", &request.resource)?;
        Ok(iam::get(call, &account.resource(), &request))
    }

    fn set_account_policy(&self, call: &Call, request: SetIamPolicyRequest) -> Result<Policy, Refused> {
        let account = self.account(call, "iam.serviceAccounts.setIamPolicy", &request.resource)?;
        iam::set(call, &account.resource(), request)
    }

    fn test_account_permissions(
        &self,
        call: &Call,
        request: TestIamPermissionsRequest,
    ) -> Result<TestIamPermissionsResponse, Refused> {
        let name = self.account_name(call, &request.resource)?;
        // Of an account that is not there nobody has any permission, and that is no error.
        let found = name.find(self.cloud());
        found.map_or_else(|| Ok(Default::default()), |account| iam::test(call, &account.resource(), &request))
    }

    /// An account that must be there, after the caller's permission on it was asked.
    pub(super) fn account(&self, call: &Call, permission: &str, name: &str) -> Result<Arc<Account>, Refused> {
        let name = self.account_name(call, name)?;
        self.named_account(call, permission, name)
    }

    pub(super) fn named_account(
        &self,
        call: &Call,
        permission: &str,
        name: AccountName<'_>,
    ) -> Result<Arc<Account>, Refused> {
        let found = name.find(self.cloud());
        if found.is_none() && name.is_anywhere() {
            let check = Check::named("permission")
                .expected(serde_json::json!({ "permission": permission, "resource": name.resource() }))
                .found("no such service account")
                .holds(false)
                .or_refuse(&refusals::DENIED, "iam-permission-denied")
                .with("permission", permission)
                .mend(|| format!("create `{}` first, or correct the name", name.account));
            return Err(refuse(call, check));
        }
        permit(call, permission, &found.as_ref().map_or_else(|| name.resource(), |account| account.resource()))?;
        let check = |check: Check| unknown(check, name.account);
        need(call, found, check, "resource")
    }

    pub(super) fn account_name<'a>(&self, call: &Call, name: &'a str) -> Result<AccountName<'a>, Refused> {
        let what = "it must be projects/PROJECT/serviceAccounts/ACCOUNT";
        let parsed = AccountName::parse(name);
        need(call, parsed, |check| named(check, what, name), "request")
    }

    fn account_project<'a>(&self, call: &Call, name: &'a str) -> Result<&'a str, Refused> {
        need(call, project_of(name), |check| named(check, "it must be projects/PROJECT", name), "request")
    }
}

/// Asks for a permission on an account or on the project that is to hold one.
pub(super) fn permit(call: &Call, permission: &str, resource: &str) -> Result<(), Refused> {
    let deny = || refusals::DENIED.refuse("iam-permission-denied").with("permission", permission);
    call.permit(permission, resource, deny).map(drop)
}

/// The check of a `name`.
pub(super) fn named(check: Check, what: &str, name: &str) -> Check {
    check
        .expected(what)
        .found(name)
        .or_refuse(&refusals::FIELD_INVALID, "iam-field-invalid")
        .with("field", "name")
        .with("what", what)
        .mend(|| format!("correct `name`: {what}"))
}

fn unknown(check: Check, account: &str) -> Check {
    check
        .expected("a service account that exists")
        .found(account)
        .or_refuse(&refusals::ACCOUNT_UNKNOWN, "iam-sa-get-unknown")
        .mend(|| format!("create `{account}` first, or correct the name"))
}

/// Somebody else deleted the account meanwhile.
fn gone(call: &Call, account: &str) -> Refused {
    refuse(call, unknown(Check::named("resource").holds(false), account))
}

fn texts(call: &Call, told: &ServiceAccount) -> Result<(), Refused> {
    let (name, text) = (told.display_name.len(), told.description.len());
    call.check(field(ID, "service_account.display_name", "at most 100 bytes", name <= 100).found(name))?;
    call.check(field(ID, "service_account.description", "at most 256 bytes", text <= 256).found(text))
}

/// The account as Google tells it.
fn told_account(account: &Account) -> ServiceAccount {
    #[expect(deprecated, reason = "Google still tells it")]
    ServiceAccount {
        name: account.name(),
        project_id: account.project_id.clone(),
        unique_id: account.unique_id.clone(),
        email: account.email.clone(),
        display_name: account.display_name.clone(),
        etag: STANDARD.decode(&account.etag).unwrap_or_default(),
        description: account.description.clone(),
        oauth2_client_id: account.unique_id.clone(),
        disabled: account.disabled,
    }
}
