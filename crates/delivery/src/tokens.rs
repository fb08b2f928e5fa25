//! The tokens that go with deliveries: made when they are needed, used again while they live.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};
use tokenrig_clock::{SignedDuration, Timestamp, minutes};
use tokenrig_cloud::{AccessTokenOrder, Cloud, IdTokenOrder, Project, ServiceAccount};
use tokenrig_decision::{Check, Refused};
use tokenrig_policy::Attributes;

use crate::{
    carrier::Authorization,
    order::{TokenKind, TokenOrder},
    refusals,
};

/// A token that goes with an attempt.
#[derive(Clone)]
pub(crate) struct Carried {
    /// The token itself, for the header and nothing else.
    pub(crate) authorization: Authorization,
    pub(crate) about: Arc<About>,
    expires_at: Timestamp,
}

/// What may be told of a token: each attempt that it goes with keeps it.
#[derive(Debug)]
pub(crate) struct About {
    /// Its header and claims; `None` if none was made.
    pub(crate) told: Option<Value>,
    /// The checks `agent`, `account` and `audience`, as they were when it was made.
    pub(crate) checks: Vec<Check>,
}

/// The tokens of one rig, by service and order.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<&'static str, BTreeMap<Arc<TokenOrder>, Carried>>>);

impl Tokens {
    /// A token for an attempt of `service`, with more than `left` to live; or why there is none, and what may be told of that.
    pub(crate) fn get(
        &self,
        cloud: &Cloud,
        service: &'static str,
        order: &Arc<TokenOrder>,
        left: SignedDuration,
        now: Timestamp,
    ) -> Result<Carried, (Refused, Arc<About>)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.entry(service).or_default();
        if let Some(kept) = own.get(order).filter(|kept| kept.expires_at.duration_since(now) > left) {
            return Ok(kept.clone());
        }
        let (checks, account) = judge(cloud, service, order, now);
        let refused = checks.iter().find(|check| !check.ok()).and_then(|check| check.refused().cloned());
        let refused = match (refused, account) {
            (None, Some(account)) => {
                let made = make(cloud, order, &account, checks);
                // What nobody orders any more goes with its time.
                own.retain(|_, kept| kept.expires_at > now);
                own.insert(Arc::clone(order), made.clone());
                return Ok(made);
            }
            (Some(refused), _) => refused,
            // An account that is not there has failed its check.
            (None, None) => refusals::ACCOUNT_NOT_FOUND.refuse("delivery-account-not-found"),
        };
        own.remove(order);
        Err((refused, Arc::new(About { told: None, checks })))
    }
}

/// May the service's agent make this token now?
fn judge(
    cloud: &Cloud,
    service: &'static str,
    order: &TokenOrder,
    now: Timestamp,
) -> (Vec<Check>, Option<Arc<ServiceAccount>>) {
    let account = cloud.accounts().get(&order.account);
    let permission = match order.kind {
        TokenKind::Oidc { .. } => "iam.serviceAccounts.getOpenIdToken",
        TokenKind::OAuth { .. } => "iam.serviceAccounts.getAccessToken",
    };
    let checks = vec![
        agent(cloud, service, permission, &order.account, account.as_deref(), now),
        is_there(&order.account, account.as_deref()),
        audience(order),
    ];
    (checks, account)
}

/// The check `agent`.
fn agent(
    cloud: &Cloud,
    service: &'static str,
    permission: &'static str,
    email: &str,
    account: Option<&ServiceAccount>,
    now: Timestamp,
) -> Check {
    let address = cloud.project().agent_email(service).unwrap_or_default();
    let resource = account
        .map_or_else(|| format!("//iam.googleapis.com/projects/-/serviceAccounts/{email}"), ServiceAccount::resource);
    let refuse = |check: Check| {
        check
            .or_refuse(&refusals::AGENT_DENIED, "delivery-agent-denied")
            .with("permission", permission)
            .with("account", email)
    };
    let Some(agent) = cloud.accounts().get(&address) else {
        let expected = json!({ "permission": permission, "resource": resource, "member": address });
        let check = Check::named("agent").expected(expected).found(Value::Null).holds(false);
        return refuse(check).mend(|| format!("the service agent {address} was deleted: undelete it"));
    };
    let identity = agent.identity();
    let explained =
        cloud.permit_identity(&identity, permission, &resource, &Attributes::at(now)).explain(&identity, permission);
    let check =
        Check::named("agent").expected(explained.expected).found(explained.found).holds(explained.mend.is_none());
    let role = Project::agents().iter().find(|agent| agent.service == service).map_or("", |agent| agent.role);
    refuse(check).mend(|| {
        let mend = explained.mend.unwrap_or_default();
        format!("{mend}; as a rule the service agent has {role} on the project")
    })
}

/// The check `account`.
fn is_there(email: &str, account: Option<&ServiceAccount>) -> Check {
    let check = Check::named("account").expected("a service account that exists and is not disabled");
    match account {
        None => check
            .found(Value::Null)
            .holds(false)
            .or_refuse(&refusals::ACCOUNT_NOT_FOUND, "delivery-account-not-found")
            .with("account", email)
            .mend(|| format!("create the service account {email}, or name one that exists")),
        Some(account) => check
            .found(json!({ "email": account.email, "uniqueId": account.unique_id, "disabled": account.disabled }))
            .holds(!account.disabled)
            .or_refuse(&refusals::ACCOUNT_DISABLED, "delivery-account-disabled")
            .with("account", email)
            .mend(|| format!("enable the service account {}", account.email)),
    }
}

/// The check `audience`: what the token is for. It always passes; whether the target takes it, the target decides.
fn audience(order: &TokenOrder) -> Check {
    match &order.kind {
        TokenKind::Oidc { audience } => {
            Check::named("audience").expected("what the target takes").found(audience.as_str())
        }
        TokenKind::OAuth { scope } => {
            Check::named("audience").expected("an API of Google").found(json!({ "scope": scope }))
        }
    }
}

fn make(cloud: &Cloud, order: &TokenOrder, account: &Arc<ServiceAccount>, checks: Vec<Check>) -> Carried {
    let mint = cloud.mint();
    let (authorization, told, expires_at) = match &order.kind {
        TokenKind::Oidc { audience } => {
            let token = mint.id_token(&IdTokenOrder::delivered(account, audience));
            let opened = tokenrig_jose::peek(&token);
            let expires_at = opened.as_ref().and_then(|opened| tokenrig_jose::numeric_date(&opened.claims, "exp").ok());
            let told = opened.map(|opened| json!({ "header": opened.header, "claims": opened.claims }));
            (Authorization::bearer(&token), told, expires_at.unwrap_or_else(|| cloud.now()))
        }
        TokenKind::OAuth { scope } => {
            let scopes = scope.split_ascii_whitespace().map(str::to_owned).collect();
            let order = AccessTokenOrder { identity: account.identity(), scopes, lifetime: minutes(60) };
            let token = mint.access_token(order);
            let expires_at = token.expires_at();
            // An access token says nothing itself; this is what tokeninfo would tell of it.
            let claims = json!({
                "azp": account.unique_id, "email": account.email, "scope": scope, "exp": expires_at.as_second(),
            });
            let told = json!({ "header": Value::Null, "claims": claims });
            (Authorization::bearer(token.reveal()), Some(told), expires_at)
        }
    };
    Carried { authorization, about: Arc::new(About { told, checks }), expires_at }
}

#[cfg(test)]
mod tests {
    use tokenrig_clock::{Clock as _, ManualClock, SharedClock, seconds};
    use tokenrig_cloud::{Foundation, NewAccount};
    use tokenrig_policy::{Binding, Policy};

    use super::*;

    fn rig() -> (Cloud, Arc<ManualClock>, Arc<ServiceAccount>) {
        let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        let cloud = Cloud::new(Foundation::on(Arc::clone(&clock) as SharedClock));
        let account =
            cloud.accounts().create(NewAccount { account: "runner".into(), ..NewAccount::default() }).unwrap();
        (cloud, clock, account)
    }

    fn order(account: &ServiceAccount) -> Arc<TokenOrder> {
        Arc::new(TokenOrder::oidc(account.email.clone(), "", "https://orders.example.com/tick?x=1"))
    }

    #[test]
    fn a_token_is_used_again_until_five_minutes_before_its_end() {
        let (cloud, clock, account) = rig();
        let (tokens, order) = (Tokens::default(), order(&account));
        let get = || tokens.get(&cloud, "cloudscheduler", &order, minutes(5), cloud.now()).ok().unwrap().authorization;
        let first = get();
        clock.advance_to(cloud.now() + minutes(54)).unwrap();
        assert_eq!(get(), first);
        clock.advance_to(cloud.now() + minutes(1)).unwrap();
        assert_ne!(get(), first);
    }

    #[test]
    fn it_has_the_claims_that_iam_credentials_gives_and_each_audience_its_own() {
        let (cloud, _, account) = rig();
        let tokens = Tokens::default();
        let carried = tokens.get(&cloud, "cloudscheduler", &order(&account), minutes(5), cloud.now()).ok().unwrap();
        let claims = &carried.about.told.as_ref().unwrap()["claims"];
        let expected = json!({
            "aud": "https://orders.example.com/tick?x=1", "azp": account.unique_id, "email": account.email,
            "email_verified": true, "exp": 1_768_471_200, "iat": 1_768_467_600, "iss": "https://accounts.google.com",
            "sub": account.unique_id,
        });
        assert_eq!(claims, &expected);
        assert_eq!(carried.about.checks.iter().map(Check::name).collect::<Vec<_>>(), ["agent", "account", "audience"]);
        let other = Arc::new(TokenOrder::oidc(account.email.clone(), "https://other.example.com", ""));
        let other = tokens.get(&cloud, "cloudscheduler", &other, minutes(5), cloud.now()).ok().unwrap();
        assert_ne!(other.authorization, carried.authorization);
    }

    #[test]
    fn without_the_agents_role_there_is_no_token() {
        let (cloud, _, account) = rig();
        let resource = cloud.project().resource();
        let mut policy = cloud.policies().get(&resource);
        policy.bindings.retain(|binding| binding.role != "roles/cloudscheduler.serviceAgent");
        cloud.policies().set(&resource, policy).unwrap();
        let tokens = Tokens::default();
        let get = || tokens.get(&cloud, "cloudscheduler", &order(&account), minutes(5), cloud.now());
        let (refused, about) = get().err().unwrap();
        assert_eq!(refused.id(), "delivery-agent-denied");
        let check = &about.checks[0];
        assert!(check.mending().unwrap().contains("roles/cloudscheduler.serviceAgent"), "{check:?}");
        // On the account itself it will do as well, as in the published tutorial.
        let member = format!("serviceAccount:{}", cloud.project().agent_email("cloudscheduler").unwrap());
        let binding = Binding::of("roles/iam.serviceAccountTokenCreator", [member]);
        cloud.policies().set(&account.resource(), Policy::of([binding])).unwrap();
        assert!(get().is_ok());
    }

    #[test]
    fn a_disabled_and_a_deleted_account_get_none_once_the_kept_token_is_over() {
        let (cloud, clock, account) = rig();
        let (tokens, order) = (Tokens::default(), order(&account));
        let get = || {
            let got = tokens.get(&cloud, "cloudscheduler", &order, minutes(5), cloud.now());
            got.map(|carried| carried.authorization).map_err(|(refused, _)| refused)
        };
        get().unwrap();
        cloud.accounts().set_disabled(&account.email, true).unwrap();
        assert!(get().is_ok());
        clock.advance_to(cloud.now() + minutes(55)).unwrap();
        assert_eq!(get().unwrap_err().id(), "delivery-account-disabled");
        cloud.accounts().delete(&account.email).unwrap();
        assert_eq!(get().unwrap_err().id(), "delivery-account-not-found");
    }

    #[test]
    fn an_access_token_has_the_scopes_that_were_ordered() {
        let (cloud, _, account) = rig();
        let order = Arc::new(TokenOrder::oauth(account.email.clone(), ""));
        let carried = Tokens::default().get(&cloud, "cloudtasks", &order, seconds(60), cloud.now()).ok().unwrap();
        let token = carried.authorization.token();
        let caller = cloud.caller(token).unwrap();
        assert_eq!((caller.identity, caller.scopes), (account.identity(), vec![crate::CLOUD_PLATFORM.to_owned()]));
        assert!(!carried.about.told.as_ref().unwrap().to_string().contains(token));
        assert_eq!(format!("{:?}", carried.authorization), "Bearer …");
    }
}
