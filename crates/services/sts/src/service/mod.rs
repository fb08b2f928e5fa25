//! The exchange: a subject token in, a federated access token out, or the check that refuses it.

mod keys;
mod mapping;
mod token;

use std::sync::Arc;

use serde_json::{Value, json};
use tokenrig_clock::SignedDuration;
use tokenrig_cloud::{AccessTokenOrder, Cloud, Fetch, Oidc, PoolState, Provider, ProviderConfig};
use tokenrig_decision::{Check, Decision};
use tokenrig_jose::{Jws, Map};
use tokenrig_policy::{Identity, PoolRef};

use self::{keys::IssuerKeys, mapping::Mapped};
use crate::{
    assumptions::Settings,
    model::{ACCESS_TOKEN, Audience, ID_TOKEN, JWT, OTHER_SUBJECTS, ProviderName, TOKEN_EXCHANGE, TokenRequest},
    refusals,
};

/// The surface word of its decisions.
const SURFACE: &str = "sts";
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
/// The longest life of a federated token.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// The Security Token Service of one rig.
#[derive(Debug, Clone)]
pub(crate) struct Sts {
    cloud: Cloud,
    settings: Arc<Settings>,
    keys: Arc<IssuerKeys>,
}

/// What came of an exchange.
#[derive(Debug)]
pub(crate) struct Exchanged {
    /// Why.
    pub(crate) decision: Decision,
    /// The token, if the decision is for it.
    pub(crate) token: Option<FederatedToken>,
}

/// The fields of a good answer.
#[derive(Debug)]
pub(crate) struct FederatedToken {
    pub(crate) access_token: String,
    /// Seconds; absent when too little is left to tell.
    pub(crate) expires_in: Option<i64>,
}

impl Sts {
    pub(crate) fn new(cloud: Cloud, fetch: Arc<dyn Fetch>, settings: Settings) -> Self {
        Self { cloud, settings: Arc::new(settings), keys: Arc::new(IssuerKeys::new(fetch)) }
    }

    /// The cloud it belongs to.
    pub(crate) fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// `POST /v1/token`.
    pub(crate) async fn token(&self, request: &TokenRequest) -> Exchanged {
        let mut decision = Decision::of(SURFACE, "v1.token");
        let mut token = None;
        if decision.add(check_request(request)) {
            let audience = request.audience.as_deref().unwrap_or_default();
            let parsed = Audience::parse(audience);
            if decision.add(check_audience(audience, parsed.as_ref()))
                && let Some(Audience::Workload(name)) = parsed
            {
                let pool = PoolRef::workload(name.project, name.pool);
                let provider = self.cloud.pools().provider(&pool, name.provider);
                decision.add(self.check_provider(&name, provider.as_ref()));
                if let Some(provider) = provider {
                    let identity = self.judge(&mut decision, request, &name, &provider).await;
                    if decision.failed().is_none() {
                        token = identity.map(|(identity, life)| self.issue(request, identity, life));
                    }
                }
            }
        }
        Exchanged { decision, token }
    }

    /// Everything about the subject token itself. Claims are unverified until the signature check has passed: they are
    /// shown by later checks, and acted upon only if every check passed.
    async fn judge(
        &self,
        decision: &mut Decision,
        request: &TokenRequest,
        name: &ProviderName<'_>,
        provider: &Provider,
    ) -> Option<(Identity, SignedDuration)> {
        let text = request.subject_token.as_deref().unwrap_or_default();
        let opened = Jws::parse_within(text, self.settings.longest_token).map_err(|fault| fault.to_string());
        let opened = opened.and_then(|jws| match jws.claims() {
            Ok(claims) => Ok((claims.clone(), jws)),
            Err(fault) => Err(format!("its claims cannot be read: {fault}")),
        });
        let (claims, jws) = match opened {
            Ok(opened) => opened,
            Err(why) => {
                decision.add(token::malformed(&why));
                return None;
            }
        };
        let ProviderConfig::Oidc(oidc) = &provider.config else {
            decision.add(not_played("providers of a kind other than OpenID Connect"));
            return None;
        };
        if decision.add(token::issuer(&claims, &oidc.issuer_uri)) {
            self.verify(decision, &jws, oidc).await;
        }
        decision.add(token::audience(&claims, &allowed_audiences(name, oidc)));
        let now = self.cloud.now();
        decision.add(token::times(&claims, now, self.settings.skew));
        let identity = self.identify(decision, &claims, name, provider);
        let left = tokenrig_jose::numeric_date(&claims, "exp").ok()?.duration_since(now);
        identity.map(|identity| (identity, left))
    }

    async fn verify(&self, decision: &mut Decision, jws: &Jws, oidc: &Oidc) {
        let algorithm = match jws.algorithm() {
            Ok(algorithm) => algorithm,
            Err(fault) => {
                decision.add(token::malformed(&fault.to_string()));
                return;
            }
        };
        let kid = jws.kid().unwrap_or_default();
        let (source, set) = if oidc.jwks_json.is_empty() {
            let set = self.keys.published(&self.cloud, &oidc.issuer_uri, kid, self.settings.keys_kept).await;
            (format!("the published keys of {}", oidc.issuer_uri), set)
        } else {
            ("the provider's `oidc.jwksJson`".to_owned(), self.keys.uploaded(&oidc.jwks_json))
        };
        let (check, key) = token::key(jws, algorithm, &source, set);
        if decision.add(check)
            && let Some(key) = key
        {
            decision.add(token::signature(jws, &key));
        }
    }

    fn identify(
        &self,
        decision: &mut Decision,
        claims: &Map,
        name: &ProviderName<'_>,
        provider: &Provider,
    ) -> Option<Identity> {
        let (mapped, check) =
            mapping::map(provider.attribute_mapping.iter().map(|(k, v)| (k.as_str(), v.as_str())), claims);
        let condition = Some(provider.attribute_condition.as_str())
            .filter(|condition| !condition.trim().is_empty())
            .map(|condition| mapping::condition(condition, claims, &mapped));
        // Recorded: a token without `sub` whose condition reads it is refused by the condition, although the mapping of
        // `google.subject` has no value either. So where both fail the condition speaks first.
        let condition_first = !check.ok() && condition.as_ref().is_some_and(|condition| !condition.ok());
        let mut checks = vec![Some(check), condition];
        if condition_first {
            checks.swap(0, 1);
        }
        let mut good = true;
        for check in checks.into_iter().flatten() {
            good &= decision.add(check);
        }
        if !(good && decision.add(mapping::size(&mapped))) {
            return None;
        }
        let Mapped { subject, groups, attributes, .. } = mapped;
        Some(Identity::Federated {
            pool: PoolRef::workload(name.project, name.pool),
            subject,
            groups,
            attributes,
            provider: provider_resource(name),
        })
    }

    fn check_provider(&self, name: &ProviderName<'_>, provider: Option<&Provider>) -> Check {
        let resource = provider_resource(name);
        let active = json!({ "provider": resource, "state": "ACTIVE" });
        let check = Check::named("provider").expected(active.clone());
        let Some(provider) = provider else {
            let project = self.cloud.find_project(name.project).filter(|project| project.number != name.project);
            let check = check.found(Value::Null).holds(false);
            return match project {
                Some(project) => {
                    check.or_refuse(&refusals::TARGET_INVALID, "sts-audience-project-id-instead-of-number").mend(|| {
                        format!("write the project's number in `audience`: `projects/{}`, not its id", project.number)
                    })
                }
                None => check
                    .or_refuse(&refusals::TARGET_INVALID, "sts-provider-not-found")
                    .mend(|| format!("there is no provider `{resource}`: correct `audience`, or create it")),
            };
        };
        let state = match (&provider.pool.state, provider.pool.disabled, &provider.state, provider.disabled) {
            (PoolState::Deleted { .. }, ..) => "the pool is deleted",
            (_, true, ..) => "the pool is disabled",
            (_, _, PoolState::Deleted { .. }, _) => "the provider is deleted",
            (_, _, _, true) => "the provider is disabled",
            (PoolState::Active, false, PoolState::Active, false) => return check.found(active),
        };
        check
            .found(json!({ "provider": resource, "state": state }))
            .holds(false)
            .or_refuse(&refusals::TARGET_INVALID, "sts-provider-disabled")
            .mend(|| format!("{state}: enable or undelete it"))
    }

    fn issue(&self, request: &TokenRequest, identity: Identity, left: SignedDuration) -> FederatedToken {
        let scope = request.scope.as_deref().unwrap_or(CLOUD_PLATFORM);
        let life = left.min(LONGEST_LIFE);
        let told = (life - self.settings.shortened).as_secs();
        let order = AccessTokenOrder {
            identity,
            scopes: scope.split_ascii_whitespace().map(str::to_owned).collect(),
            lifetime: life.max(SignedDuration::from_secs(1)),
        };
        let token = self.cloud.mint().access_token(order);
        FederatedToken { access_token: token.reveal().to_owned(), expires_in: (told > 0).then_some(told) }
    }
}

/// `projects/N/locations/global/workloadIdentityPools/P/providers/X`.
fn provider_resource(name: &ProviderName<'_>) -> String {
    let ProviderName { project, pool, provider } = name;
    format!("projects/{project}/locations/global/workloadIdentityPools/{pool}/providers/{provider}")
}

/// What `aud` may hold: the provider's list, else its own name in both spellings.
fn allowed_audiences(name: &ProviderName<'_>, oidc: &Oidc) -> Vec<String> {
    if !oidc.allowed_audiences.is_empty() {
        return oidc.allowed_audiences.clone();
    }
    let resource = provider_resource(name);
    vec![format!("https://iam.googleapis.com/{resource}"), format!("//iam.googleapis.com/{resource}")]
}

fn check_request(request: &TokenRequest) -> Check {
    let field = |name: &'static str, expected: Value, found: &Option<String>, ok: bool| {
        Check::named("request").expected(json!({ name: expected })).found(json!({ name: found })).holds(ok)
    };
    let invalid = |check: Check, name: &'static str| {
        check
            .or_refuse(&refusals::REQUEST_FIELD_INVALID, "sts-request-field-invalid")
            .with("field", name)
            .mend(|| format!("set `{name}` as the reference of `sts.token` says"))
    };
    if request.grant_type.as_deref() != Some(TOKEN_EXCHANGE) {
        return field("grant_type", json!(TOKEN_EXCHANGE), &request.grant_type, false)
            .or_refuse(&refusals::GRANT_TYPE_UNSUPPORTED, "sts-grant-type-unsupported")
            .with("value", request.grant_type.as_deref().unwrap_or_default())
            .mend(|| format!("set `grant_type` to `{TOKEN_EXCHANGE}`"));
    }
    let kind = request.subject_token_type.as_deref();
    if let Some(other) = kind.filter(|kind| OTHER_SUBJECTS.contains(kind) || *kind == ACCESS_TOKEN) {
        return field("subject_token_type", json!([JWT, ID_TOKEN]), &request.subject_token_type, false)
            .or_refuse(&refusals::NOT_PLAYED, "sts-not-played")
            .with("what", format!("This version of the rig does not exchange subject tokens of type {other}."))
            .mend(|| "this version of the rig exchanges OpenID Connect tokens only".to_owned());
    }
    if kind != Some(JWT) && kind != Some(ID_TOKEN) {
        let check = field("subject_token_type", json!([JWT, ID_TOKEN]), &request.subject_token_type, false);
        return invalid(check, "subject_token_type");
    }
    if request.requested_token_type.as_deref() != Some(ACCESS_TOKEN) {
        let check = field("requested_token_type", json!(ACCESS_TOKEN), &request.requested_token_type, false);
        return invalid(check, "requested_token_type");
    }
    if request.subject_token.is_none() {
        return invalid(field("subject_token", json!("a token"), &None, false), "subject_token");
    }
    Check::named("request").expected(TOKEN_EXCHANGE).found(request.grant_type.as_deref())
}

fn check_audience(audience: &str, parsed: Option<&Audience<'_>>) -> Check {
    let form =
        "//iam.googleapis.com/projects/PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER";
    let check = Check::named("audience").expected(form).found(audience);
    match parsed {
        Some(Audience::Workload(_)) => check,
        Some(Audience::Workforce) => check
            .holds(false)
            .or_refuse(&refusals::NOT_PLAYED, "sts-not-played")
            .with("what", "This version of the rig does not exchange tokens for workforce identity pools.")
            .mend(|| "this version of the rig plays workload identity pools only".to_owned()),
        None => {
            let empty = audience.starts_with("//iam.googleapis.com/")
                && audience["//iam.googleapis.com/".len()..].split('/').any(str::is_empty);
            let id = if empty { "sts-audience-empty-segments" } else { "sts-audience-malformed" };
            let stripped = audience.starts_with("https://iam.googleapis.com/");
            check.holds(false).or_refuse(&refusals::AUDIENCE_MALFORMED, id).mend(|| {
                if stripped {
                    "begin `audience` with `//iam.googleapis.com/`: the form with `https:` is for the token's `aud`"
                        .to_owned()
                } else {
                    format!("set `audience` to the provider's full resource name, `{form}`")
                }
            })
        }
    }
}

fn not_played(what: &str) -> Check {
    Check::named("request")
        .expected("something that this version of the rig plays")
        .found(what)
        .holds(false)
        .or_refuse(&refusals::NOT_PLAYED, "sts-not-played")
        .with("what", format!("This version of the rig does not play {what}."))
        .mend(|| "this version of the rig exchanges tokens at OpenID Connect providers of workload pools".to_owned())
}
