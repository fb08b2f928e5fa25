//! The three IAM methods that every resource with a policy has: one implementation for all services.
//!
//! A service asks for the caller's permission and for the resource itself first, then hands over to [`get`], [`set`] or [`test()`].
//!
//! Source: `google/iam/v1/iam_policy.proto` and its references.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokenrig_cloud::Cloud;
use tokenrig_decision::{Check, Refused};
use tokenrig_policy::{Binding as AllowBinding, Condition, Member, Policy as AllowPolicy, PoolRef};
use tokenrig_protos::google::{
    iam::v1::{
        AuditConfig, AuditLogConfig, Binding, GetIamPolicyRequest, Policy, SetIamPolicyRequest,
        TestIamPermissionsRequest, TestIamPermissionsResponse, audit_log_config::LogType,
    },
    r#type::Expr,
};

use crate::{call::Call, refusals};

/// Principals of one policy.
const MOST_PRINCIPALS: usize = 1_500;

/// The policy of a resource (full resource name), in the version that was asked for: below 3 conditions do not show.
#[must_use]
pub fn get(call: &Call, resource: &str, request: &GetIamPolicyRequest) -> Policy {
    let version = request.options.as_ref().map_or(0, |options| options.requested_policy_version);
    let policies = call.cloud().policies();
    told(if version >= 3 { policies.get(resource) } else { policies.get_without_conditions(resource) })
}

/// Replaces the policy of a resource (full resource name).
///
/// # Errors
///
/// Conditions below version 3, a member that cannot be, too many members, a stale etag.
pub fn set(call: &Call, resource: &str, request: SetIamPolicyRequest) -> Result<Policy, Refused> {
    let masked = request.update_mask.map(|mask| mask.paths).unwrap_or_default();
    let names = |field: &str, json: &str| masked.iter().any(|path| path == field || path == json || path == "*");
    let sent = request.policy.unwrap_or_default();
    call.check(version(&sent))?;
    let mut policy = read(sent, names("audit_configs", "auditConfigs"));
    if !masked.is_empty() && !names("bindings", "bindings") {
        policy.bindings = call.cloud().policies().get(resource).bindings;
    }
    let principals = policy.principals();
    call.check(
        Check::named("request")
            .expected(format!("at most {MOST_PRINCIPALS} principals"))
            .found(principals)
            .holds(principals <= MOST_PRINCIPALS)
            .or_refuse(&refusals::POLICY_INVALID, "iam-set-policy-too-many-members")
            .with("what", format!("The number of members in the policy ({principals}) is larger than the maximum allowed size {MOST_PRINCIPALS}."))
            .mend(|| "use groups or principal sets in place of single members".to_owned()),
    )?;
    for binding in &policy.bindings {
        for member in &binding.members {
            call_member(call, member)?;
        }
    }
    let present = call.cloud().policies().get(resource);
    let has = |member: &String| present.bindings.iter().any(|binding| binding.members.contains(member));
    let members = policy.bindings.iter().flat_map(|binding| &binding.members);
    for member in members.filter(|member| !has(member)) {
        permitted(call, resource, member)?;
    }
    match call.cloud().policies().set(resource, policy) {
        Ok(policy) => Ok(told(policy)),
        Err(stale) => Err(call
            .check(
                Check::named("resource")
                    .expected(json!({ "etag": stale.present }))
                    .found(json!({ "etag": stale.sent }))
                    .holds(false)
                    .or_refuse(&refusals::POLICY_ETAG_STALE, "iam-set-policy-etag-stale")
                    .mend(|| "read the policy again and send the `etag` that it has now".to_owned()),
            )
            .err()
            .unwrap_or_else(|| refusals::POLICY_ETAG_STALE.refuse("iam-set-policy-etag-stale"))),
    }
}

/// Those of the asked permissions that the caller has. An unknown resource is no error.
///
/// # Errors
///
/// A permission with a wildcard.
pub fn test(
    call: &Call,
    resource: &str,
    request: &TestIamPermissionsRequest,
) -> Result<TestIamPermissionsResponse, Refused> {
    let wild = request.permissions.iter().find(|permission| permission.contains('*'));
    if let Some(permission) = wild {
        call.check(
            Check::named("request")
                .expected("permissions by their whole names")
                .found(permission.as_str())
                .holds(false)
                .or_refuse(&refusals::POLICY_INVALID, "iam-test-permissions-wildcard")
                .with("what", format!("Permission {permission} is not valid for this resource."))
                .mend(|| "name each permission: wildcards are not allowed".to_owned()),
        )?;
    }
    let asked: Vec<&str> = request.permissions.iter().map(String::as_str).collect();
    let held = call.cloud().permitted(call.caller(), &asked, resource);
    Ok(TestIamPermissionsResponse { permissions: held.into_iter().map(str::to_owned).collect() })
}

/// Who writes conditions must know of them, and says so by version 3.
fn version(sent: &Policy) -> Check {
    let conditional = sent.bindings.iter().any(|binding| binding.condition.is_some());
    let good = if conditional { sent.version == 3 } else { matches!(sent.version, 0 | 1 | 3) };
    Check::named("request")
        .expected(if conditional { json!({ "version": [3] }) } else { json!({ "version": [0, 1, 3] }) })
        .found(json!({ "version": sent.version }))
        .holds(good)
        .or_refuse(&refusals::POLICY_INVALID, "iam-set-policy-version-invalid")
        .with("what", format!("Policy version {} cannot be used for this policy.", sent.version))
        .mend(|| "send the policy with `version` 3, and the `etag` that was read".to_owned())
}

/// Organizations may keep people outside out of policies. The rig does not know who is whose customer: where any list of
/// permitted customers is set, the public is out of it, and everybody else is in it.
fn permitted(call: &Call, resource: &str, member: &str) -> Result<(), Refused> {
    const CONSTRAINT: &str = "iam.allowedPolicyMemberDomains";
    let public = matches!(member, "allUsers" | "allAuthenticatedUsers");
    if !public || call.cloud().org_policies().allows(resource, CONSTRAINT, member) {
        return Ok(());
    }
    call.check(
        Check::named("request")
            .expected("members of permitted customers only")
            .found(member)
            .holds(false)
            .or_refuse(&refusals::MEMBER_NOT_PERMITTED, "iam-set-policy-domain-restricted")
            .with("member", member)
            .mend(|| format!("leave `{member}` out, or change the organization policy `{CONSTRAINT}`")),
    )
}

/// A member must be something that Google stores. What merely matches nobody is stored too.
fn call_member(call: &Call, text: &str) -> Result<(), Refused> {
    let check = Check::named("request").found(text);
    let cloud = call.cloud();
    match Member::parse(text) {
        Err(fault) => call.check(
            check
                .expected("a principal identifier")
                .holds(false)
                .or_refuse(&refusals::POLICY_INVALID, "iam-set-policy-member-malformed")
                .with("what", format!("Invalid member: {text}"))
                .mend(|| fault.to_string()),
        ),
        Ok(Member::ServiceAccount(email)) if !exists(cloud, &email) => call.check(
            check
                .expected("a service account that exists")
                .holds(false)
                .or_refuse(&refusals::ACCOUNT_MISSING, "iam-set-policy-account-missing")
                .with("email", email.as_str())
                .mend(|| format!("create `{email}` first, or correct the member")),
        ),
        Ok(Member::Subject(pool, _)) if !pool_exists(cloud, &pool) => call.check(
            check
                .expected("a subject of a pool that exists")
                .holds(false)
                .or_refuse(&refusals::POOL_MISSING, "iam-binding-wif-pool-missing")
                .with("pool", pool.to_string())
                .mend(|| format!("create the pool `{pool}` first, or correct the member")),
        ),
        Ok(Member::Kubernetes { project, .. }) => call.check(
            check
                .expected("a subject of a pool that exists")
                .holds(false)
                .or_refuse(&refusals::POOL_MISSING, "iam-binding-gke-pool-missing")
                .with("pool", format!("{project}.svc.id.goog"))
                .mend(|| "the rig has no Kubernetes clusters: use a workload identity pool of your own".to_owned()),
        ),
        Ok(_) => Ok(()),
    }
}

/// Google's own agents exist whether or not the rig plays their service.
fn exists(cloud: &Cloud, email: &str) -> bool {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let of_google = domain.starts_with("gcp-sa-") || !domain.ends_with(".iam.gserviceaccount.com");
    cloud.accounts().get(email).is_some() || (of_google && domain.ends_with(".gserviceaccount.com"))
}

/// A pool named with a project's id is stored and matches nobody; only a number can be looked up.
fn pool_exists(cloud: &Cloud, pool: &PoolRef) -> bool {
    match pool {
        PoolRef::Workload { project, .. } if project.bytes().all(|byte| byte.is_ascii_digit()) => {
            cloud.pools().get(pool).is_some()
        }
        PoolRef::Workload { .. } | PoolRef::Workforce { .. } => true,
    }
}

fn read(policy: Policy, names_audit: bool) -> AllowPolicy {
    let bindings = policy.bindings.into_iter().map(|binding| AllowBinding {
        role: binding.role,
        members: binding.members,
        condition: binding.condition.map(|expr| Condition {
            expression: expr.expression,
            title: expr.title,
            description: expr.description,
            location: expr.location,
        }),
    });
    let configs: Vec<Value> = policy.audit_configs.iter().map(audit_json).collect();
    AllowPolicy {
        bindings: bindings.collect(),
        etag: if policy.etag.is_empty() { String::new() } else { STANDARD.encode(&policy.etag) },
        audit_configs: (names_audit || !configs.is_empty()).then_some(configs),
    }
}

fn told(policy: AllowPolicy) -> Policy {
    let version = policy.version();
    let bindings = policy.bindings.into_iter().map(|binding| Binding {
        role: binding.role,
        members: binding.members,
        condition: binding.condition.map(|condition| Expr {
            expression: condition.expression,
            title: condition.title,
            description: condition.description,
            location: condition.location,
        }),
    });
    Policy {
        version,
        bindings: bindings.collect(),
        audit_configs: policy.audit_configs.unwrap_or_default().iter().map(audit_proto).collect(),
        etag: STANDARD.decode(&policy.etag).unwrap_or_default(),
    }
}

fn audit_json(config: &AuditConfig) -> Value {
    let logs: Vec<Value> = config
        .audit_log_configs
        .iter()
        .map(|log| json!({ "logType": log.log_type().as_str_name(), "exemptedMembers": log.exempted_members }))
        .collect();
    json!({ "service": config.service, "auditLogConfigs": logs })
}

fn audit_proto(config: &Value) -> AuditConfig {
    let texts = |value: Option<&Value>| {
        let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let logs = config.get("auditLogConfigs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    AuditConfig {
        service: config.get("service").and_then(Value::as_str).unwrap_or_default().to_owned(),
        audit_log_configs: logs
            .iter()
            .map(|log| AuditLogConfig {
                log_type: log
                    .get("logType")
                    .and_then(Value::as_str)
                    .and_then(LogType::from_str_name)
                    .unwrap_or(LogType::Unspecified)
                    .into(),
                exempted_members: texts(log.get("exemptedMembers")),
            })
            .collect(),
    }
}
