//! Organization policies: the constraints that the rig heeds.

use tokenrig_cloud::{OrgPolicy, OrgRule};
use tokenrig_decision::{Check, Refused};
use tokenrig_protos::google::cloud::orgpolicy::v2::{
    CreatePolicyRequest, DeletePolicyRequest, GetPolicyRequest, ListPoliciesRequest, ListPoliciesResponse, Policy,
    PolicySpec, UpdatePolicyRequest,
    policy_spec::{
        PolicyRule,
        policy_rule::{Kind, StringValues},
    },
};
use tokenrig_wire::{Api, Call, merge, with};

use super::{
    Admin, field, need, paged,
    pools::{exists, permit, unknown},
    refuse, timestamp, unplayed,
};
use crate::refusals;

const ID: &str = "orgpolicy-field-invalid";

/// No new keys of service accounts.
pub(super) const NO_KEY_CREATION: &str = "iam.disableServiceAccountKeyCreation";
/// No uploaded keys of service accounts.
pub(super) const NO_KEY_UPLOAD: &str = "iam.disableServiceAccountKeyUpload";
/// The issuers that providers may trust.
pub(super) const ISSUERS: &str = "iam.workloadIdentityPoolProviders";
/// Whose members policies may name; `wire` heeds it, for all services.
const MEMBERS: &str = "iam.allowedPolicyMemberDomains";

pub(super) fn methods(api: Api, admin: &Admin) -> Api {
    api.on("orgpolicy.projects.policies.create", with(admin, Admin::create_policy))
        .on("orgpolicy.projects.policies.get", with(admin, Admin::get_policy))
        .on("orgpolicy.projects.policies.list", with(admin, Admin::list_policies))
        .on("orgpolicy.projects.policies.patch", with(admin, Admin::update_policy))
        .on("orgpolicy.projects.policies.delete", with(admin, Admin::delete_policy))
}

/// Where a constraint is set.
struct Place {
    /// `projects/NUMBER` or `organizations/NUMBER`.
    parent: String,
    /// The full resource name.
    resource: String,
}

impl Admin {
    fn create_policy(&self, call: &Call, request: CreatePolicyRequest) -> Result<Policy, Refused> {
        let place = self.place(call, "orgpolicy.policies.create", &request.parent)?;
        let told = request.policy.unwrap_or_default();
        let constraint = told.name.rsplit_once("/policies/").map_or("", |(_, constraint)| constraint).to_owned();
        heeded(call, &constraint)?;
        let free = self.cloud().org_policies().get(&place.resource, &constraint).is_none();
        let check = Check::named("resource").holds(free);
        call.check(exists(check, "orgpolicy-create-exists", &told.name))?;
        self.write_policy(call, &place, &constraint, &told)
    }

    fn get_policy(&self, call: &Call, request: GetPolicyRequest) -> Result<Policy, Refused> {
        let (place, constraint) = self.named_policy(call, "orgpolicy.policy.get", &request.name)?;
        let found = self.cloud().org_policies().get(&place.resource, constraint);
        let found = need(call, found, |check| unknown(check, &request.name), "resource")?;
        Ok(told_policy(&place, constraint, &found))
    }

    fn list_policies(&self, call: &Call, request: ListPoliciesRequest) -> Result<ListPoliciesResponse, Refused> {
        let place = self.place(call, "orgpolicy.policies.list", &request.parent)?;
        let all = self.cloud().org_policies().list(&place.resource);
        let asked = (request.page_size, request.page_token.as_str());
        let page = paged(call, all, |(constraint, _)| constraint.as_str(), asked, (100, 1000))?;
        let policies = page.items.iter().map(|(constraint, policy)| told_policy(&place, constraint, policy)).collect();
        Ok(ListPoliciesResponse { policies, next_page_token: page.next })
    }

    fn update_policy(&self, call: &Call, request: UpdatePolicyRequest) -> Result<Policy, Refused> {
        let told = request.policy.unwrap_or_default();
        let (place, constraint) = self.named_policy(call, "orgpolicy.policies.update", &told.name)?;
        let found = self.cloud().org_policies().get(&place.resource, constraint);
        let found = need(call, found, |check| unknown(check, &told.name), "resource")?;
        unchanged(call, &found, &told.etag)?;
        let mut mask = request.update_mask;
        // Paths are those of the request, `policy.spec`, and `spec` is taken too.
        for path in mask.iter_mut().flat_map(|mask| &mut mask.paths) {
            let inner = path.strip_prefix("policy.").map(str::to_owned);
            *path = inner.unwrap_or_else(|| std::mem::take(path));
        }
        let current = told_policy(&place, constraint, &found);
        let merged = merge(&current, &told, mask.as_ref());
        let fault = merged.as_ref().err().map(ToString::to_string).unwrap_or_default();
        let what = if fault.is_empty() { "fields of a policy" } else { &fault };
        call.check(field(ID, "update_mask", what, merged.is_ok()).found(fault.as_str()))?;
        self.write_policy(call, &place, constraint, &merged.unwrap_or(current))
    }

    fn delete_policy(&self, call: &Call, request: DeletePolicyRequest) -> Result<(), Refused> {
        let (place, constraint) = self.named_policy(call, "orgpolicy.policies.delete", &request.name)?;
        let found = self.cloud().org_policies().get(&place.resource, constraint);
        let found = need(call, found, |check| unknown(check, &request.name), "resource")?;
        unchanged(call, &found, &request.etag)?;
        self.cloud().org_policies().remove(&place.resource, constraint);
        Ok(())
    }

    fn write_policy(&self, call: &Call, place: &Place, constraint: &str, told: &Policy) -> Result<Policy, Refused> {
        if told.dry_run_spec.is_some() {
            return Err(unplayed(call, "organization policies that are only tried"));
        }
        let spec = told.spec.clone().unwrap_or_default();
        let rules = spec.rules.into_iter().map(|rule| read_rule(call, constraint, rule));
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        let set =
            self.cloud().org_policies().set(&place.resource, constraint, rules, spec.inherit_from_parent, spec.reset);
        Ok(told_policy(place, constraint, &set))
    }

    fn named_policy<'a>(&self, call: &Call, permission: &str, name: &'a str) -> Result<(Place, &'a str), Refused> {
        let what = "it must be projects/PROJECT/policies/CONSTRAINT or organizations/NUMBER/policies/CONSTRAINT";
        let check = |check: Check| {
            check
                .expected(what)
                .found(name)
                .or_refuse(&refusals::FIELD_INVALID, ID)
                .with("field", "name")
                .with("what", what)
                .mend(|| "name the constraint without `constraints/`".to_owned())
        };
        let (parent, constraint) = need(call, name.rsplit_once("/policies/"), check, "request")?;
        Ok((self.place(call, permission, parent)?, constraint))
    }

    /// Where a constraint is to be, after the caller's permission was asked.
    fn place(&self, call: &Call, permission: &str, parent: &str) -> Result<Place, Refused> {
        let resource = format!("//cloudresourcemanager.googleapis.com/{parent}");
        permit(call, permission, &resource)?;
        let known = match parent.split_once('/') {
            Some(("projects", id)) => {
                self.cloud().find_project(id).map(|project| format!("projects/{}", project.number))
            }
            Some(("organizations", id)) if self.cloud().organization() == Some(id) => Some(parent.to_owned()),
            _ => None,
        };
        let parent = need(call, known, |check| unknown(check, parent), "resource")?;
        Ok(Place { parent, resource })
    }

    /// A constraint of yes or no must not hold for a resource. `refused` gets the check and says how it is refused.
    pub(super) fn unconstrained(
        &self,
        call: &Call,
        constraint: &str,
        resource: &str,
        refused: impl FnOnce(Check) -> Check,
    ) -> Result<(), Refused> {
        let enforced = self.cloud().org_policies().enforced(resource, constraint);
        if !enforced {
            return Ok(());
        }
        let check = Check::named("resource").expected(format!("constraints/{constraint} is not enforced"));
        let check = refused(check.found("it is").holds(false));
        Err(refuse(call, check.mend(|| format!("set the organization policy `{constraint}` to `enforce: false`"))))
    }
}

/// A policy for a constraint that nobody heeds would look as if it worked.
fn heeded(call: &Call, constraint: &str) -> Result<(), Refused> {
    if [NO_KEY_CREATION, NO_KEY_UPLOAD, ISSUERS, MEMBERS].contains(&constraint) {
        return Ok(());
    }
    Err(unplayed(call, &format!("the constraint `{constraint}`")))
}

fn unchanged(call: &Call, policy: &OrgPolicy, etag: &str) -> Result<(), Refused> {
    call.check(
        Check::named("resource")
            .expected(policy.etag.as_str())
            .found(etag)
            .holds(etag.is_empty() || etag == policy.etag)
            .or_refuse(&refusals::ACCOUNT_CHANGED, "iam-etag-stale")
            .mend(|| "read the policy again and send its present `etag`".to_owned()),
    )
}

fn read_rule(call: &Call, constraint: &str, rule: PolicyRule) -> Result<OrgRule, Refused> {
    if rule.condition.is_some() || rule.parameters.is_some() {
        return Err(unplayed(call, "conditions and parameters of organization policies"));
    }
    let of_values = matches!(constraint, ISSUERS | MEMBERS);
    let fits = match &rule.kind {
        Some(Kind::Enforce(_)) => !of_values,
        Some(_) => of_values,
        None => false,
    };
    let what = if of_values { "`values`, `allowAll` or `denyAll`" } else { "`enforce`" };
    call.check(field(ID, "policy.spec.rules", what, fits).found(constraint))?;
    Ok(match rule.kind {
        Some(Kind::Values(values)) => OrgRule::Values { allowed: values.allowed_values, denied: values.denied_values },
        Some(Kind::AllowAll(true)) => OrgRule::AllowAll,
        Some(Kind::DenyAll(true)) => OrgRule::DenyAll,
        Some(Kind::Enforce(enforce)) => OrgRule::Enforce(enforce),
        Some(Kind::AllowAll(false) | Kind::DenyAll(false)) | None => {
            OrgRule::Values { allowed: Vec::new(), denied: Vec::new() }
        }
    })
}

fn told_policy(place: &Place, constraint: &str, policy: &OrgPolicy) -> Policy {
    let rules = policy.rules.iter().map(|rule| {
        let kind = match rule {
            OrgRule::Enforce(enforce) => Kind::Enforce(*enforce),
            OrgRule::AllowAll => Kind::AllowAll(true),
            OrgRule::DenyAll => Kind::DenyAll(true),
            OrgRule::Values { allowed, denied } => {
                Kind::Values(StringValues { allowed_values: allowed.clone(), denied_values: denied.clone() })
            }
        };
        PolicyRule { kind: Some(kind), ..PolicyRule::default() }
    });
    Policy {
        name: format!("{}/policies/{constraint}", place.parent),
        spec: Some(PolicySpec {
            etag: policy.etag.clone(),
            update_time: Some(timestamp(policy.updated)),
            rules: rules.collect(),
            inherit_from_parent: policy.inherit,
            reset: policy.reset,
        }),
        dry_run_spec: None,
        etag: policy.etag.clone(),
    }
}
