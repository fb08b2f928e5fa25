//! The exchange: a subject token in, a federated access token out, or the check that refuses it.

mod aws;
mod condition;
mod downscope;
mod introspect;
mod keys;
mod mapping;
mod provider;
mod reading;
mod request;
mod shown;
mod token;

use std::{fmt, sync::Arc};

use tokenrig_cel::Value as CelValue;
use tokenrig_clock::SignedDuration;
use tokenrig_cloud::{AccessTokenOrder, Cloud, Fetch, IdentityPool, Oidc, Provider, ProviderConfig};
use tokenrig_decision::{Check, Decision};
use tokenrig_jose::{Jws, Map};
use tokenrig_policy::{Attributes, Identity, PoolRef};

pub use self::reading::{Evaluated, MappedAttribute, Reading, ReadingFault, read};
pub(crate) use self::{
    introspect::{INTROSPECT, Introspection},
    request::unreadable,
};
use self::{keys::IssuerKeys, request::Asked};
use crate::{
    assumptions::Settings,
    model::{Options, ProviderName, SubjectKind, TokenRequest},
    refusals,
};

/// The surface word of its decisions.
pub(crate) const SURFACE: &str = "sts";
/// The method's discovery id.
pub(crate) const TOKEN: &str = "sts.token";
/// The quota that every exchange counts on, if the rig's settings give it an end.
const QUOTA: &str = "sts.googleapis.com/requests";
/// The longest life of a federated token, unless the pool says otherwise.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// How long a session of a workforce pool is that says nothing.
const WORKFORCE_SESSION: SignedDuration = SignedDuration::from_hours(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

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
pub(crate) struct FederatedToken {
    pub(crate) access_token: String,
    /// Seconds; absent when too little is left to tell.
    pub(crate) expires_in: Option<i64>,
}

impl fmt::Debug for FederatedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FederatedToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Whom a good subject token names, and for how long.
struct Named {
    identity: Identity,
    life: Life,
    /// `options.userProject`.
    user_project: Option<String>,
}

/// How long a federated token lives, and what is said about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Life {
    lifetime: SignedDuration,
    told: Option<i64>,
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
        let mut decision = Decision::of(SURFACE, TOKEN);
        let token = match self.asked(&mut decision, request) {
            None => None,
            Some(Asked::Downscope(boundary)) => self.downscope(&mut decision, request, boundary),
            Some(Asked::Exchange(kind, options)) => {
                let named = self.exchange(&mut decision, request, kind, options).await;
                named.filter(|_| decision.failed().is_none()).map(|named| self.issue(request, named))
            }
        };
        Exchanged { decision, token }
    }

    /// The check `request`; what is asked for, if it passed.
    fn asked(&self, decision: &mut Decision, request: &TokenRequest) -> Option<Asked> {
        if let Err(over) = self.cloud.quotas().take(QUOTA) {
            decision.add(request::throttled(&over));
            return None;
        }
        let (check, asked) = request::fields(request);
        decision.add(check);
        asked
    }

    async fn exchange(
        &self,
        decision: &mut Decision,
        request: &TokenRequest,
        kind: SubjectKind,
        options: Options,
    ) -> Option<Named> {
        let (check, audience) = request::audience(request.audience.as_deref().unwrap_or_default());
        decision.add(check);
        let name = audience?;
        let provider = self.cloud.pools().provider(&name.pool, name.provider);
        let good = decision.add(provider::check(&self.cloud, &name, provider.as_ref(), kind));
        let provider = provider?;
        let named = match &provider.config {
            ProviderConfig::Oidc(oidc) if kind == SubjectKind::Jwt => {
                self.judge(decision, request, &name, &provider, oidc).await
            }
            ProviderConfig::Aws { account_id } if kind == SubjectKind::Aws => {
                self.judge_aws(decision, request, &name, &provider, account_id)
            }
            ProviderConfig::Saml { .. } => {
                decision.add(request::not_played("provider", "providers of SAML"));
                None
            }
            _ => {
                debug_assert!(!good, "a provider that takes another kind of token was let through");
                None
            }
        }?;
        if let Some(project) = options.user_project.as_ref().filter(|_| self.settings.user_project_needs_permission)
            && decision.failed().is_none()
        {
            decision.add(self.user_project(&named.identity, project));
        }
        Some(Named { user_project: options.user_project, ..named })
    }

    /// Everything about the subject token itself. Claims are unverified until the signature check has passed: they are
    /// shown by later checks, and acted upon only if every check passed.
    async fn judge(
        &self,
        decision: &mut Decision,
        request: &TokenRequest,
        name: &ProviderName<'_>,
        provider: &Provider,
        oidc: &Oidc,
    ) -> Option<Named> {
        let opened = Jws::parse_within(request.subject().unwrap_or_default(), self.settings.longest_token);
        let jws = opened.map_err(|fault| decision.add(token::malformed(&fault.to_string()))).ok()?;
        let claims = match jws.claims() {
            Ok(claims) => claims,
            Err(fault) => {
                decision.add(token::malformed(&format!("its claims cannot be read: {fault}")));
                return None;
            }
        };
        decision.add(token::issuer(claims, &oidc.issuer_uri, self.settings.trailing_slash_ignored));
        self.verify(decision, &jws, oidc).await;
        decision.add(token::audience(claims, &provider::allowed_audiences(name, oidc)));
        let (check, left) = token::times(claims, self.cloud.now(), &self.settings);
        decision.add(check);
        let identity = self.identify(decision, claims, name, provider, &provider.attribute_mapping);
        let life = life(left?, session(&provider.pool, &self.settings), &self.settings);
        Some(Named { identity: identity?, life, user_project: None })
    }

    /// The checks `key` and `signature`. No issuer is asked for keys on behalf of a request that is refused anyway.
    async fn verify(&self, decision: &mut Decision, jws: &Jws, oidc: &Oidc) {
        let algorithm = match jws.algorithm() {
            Ok(algorithm) => algorithm,
            Err(fault) => {
                decision.add(token::malformed(&fault.to_string()));
                return;
            }
        };
        let (source, set) = if !oidc.jwks_json.is_empty() {
            ("the provider's `oidc.jwksJson`".to_owned(), self.keys.uploaded(&oidc.jwks_json))
        } else if decision.failed().is_none() {
            let set = self.keys.published(&self.cloud, &oidc.issuer_uri, jws.kid(), &self.settings).await;
            (format!("the published keys of {}", oidc.issuer_uri), set)
        } else {
            return;
        };
        let (check, key) = token::key(jws, algorithm, &source, set);
        decision.add(check);
        if let Some(key) = key {
            decision.add(token::signature(jws, &key));
        }
    }

    /// The checks `mapping`, `condition` and `size`.
    fn identify(
        &self,
        decision: &mut Decision,
        claims: &Map,
        name: &ProviderName<'_>,
        provider: &Provider,
        mapping: &[(String, String)],
    ) -> Option<Identity> {
        let claims = CelValue::from(claims);
        let missing_fails = self.settings.missing_attribute_fails;
        let (mapped, check) = mapping::map(mapping, &claims, missing_fails);
        let condition = condition::condition(&provider.attribute_condition, &claims, &mapped);
        // Recorded: a token without `sub` whose condition reads that claim is refused by the condition, although the
        // mapping of `google.subject` has no value either. So there the condition speaks first, unless what it lacks is
        // the mapping's.
        let condition_first = mapping::lacks_subject(&check)
            && condition.as_ref().is_some_and(|condition| !condition.check.ok() && !condition.reads_subject);
        let mut checks = [Some(check), condition.map(|condition| condition.check)];
        if condition_first {
            checks.swap(0, 1);
        }
        let mut good = true;
        for check in checks.into_iter().flatten() {
            good &= decision.add(check);
        }
        if !(good && decision.add(mapping::size(&mapped, &provider.pool, self.settings.most_workforce_groups))) {
            return None;
        }
        Some(Identity::Federated {
            pool: name.pool.clone(),
            attributes: mapped.attributes(),
            subject: mapped.subject,
            groups: mapped.groups,
            provider: name.resource(),
        })
    }

    /// Whether calls with the token may count on the project.
    fn user_project(&self, identity: &Identity, project: &str) -> Check {
        const PERMISSION: &str = "serviceusage.services.use";
        let resource = format!("//cloudresourcemanager.googleapis.com/projects/{project}");
        let verdict = self.cloud.permit_identity(identity, PERMISSION, &resource, &Attributes::at(self.cloud.now()));
        verdict
            .check(identity, PERMISSION)
            .or_refuse(&refusals::USER_PROJECT_DENIED, "sts-user-project-denied")
            .with("project", project)
    }

    fn issue(&self, request: &TokenRequest, named: Named) -> FederatedToken {
        let asked = request.scope.as_deref().filter(|scope| !scope.trim().is_empty());
        let scope = asked.unwrap_or(&self.settings.default_scope);
        let order = AccessTokenOrder {
            identity: named.identity,
            scopes: scope.split_ascii_whitespace().map(str::to_owned).collect(),
            lifetime: named.life.lifetime,
        };
        let token = match named.user_project {
            None => self.cloud.mint().access_token(order),
            Some(project) => self.cloud.mint().access_token_on(&project, order),
        };
        FederatedToken { access_token: token.reveal().to_owned(), expires_in: named.life.told }
    }
}

/// What a pool says about the life of its federated tokens. Of a workforce pool it is the session that begins with the
/// exchange, and an access token lives no longer than an hour of it.
fn session(pool: &IdentityPool, settings: &Settings) -> Option<SignedDuration> {
    match pool.reference {
        PoolRef::Workload { .. } => pool.session_duration,
        PoolRef::Workforce { .. } => {
            let session = pool.session_duration.unwrap_or(WORKFORCE_SESSION);
            Some(session.min(settings.workforce_lifetime))
        }
    }
}

/// The life of a federated token: `left` is that of its subject token, `session` what the pool says. At least a second.
fn life(left: SignedDuration, session: Option<SignedDuration>, settings: &Settings) -> Life {
    let shortened = settings.shortened;
    let (lifetime, told) = match session {
        Some(session) if settings.session_outlives_token => (session, session),
        session => {
            let most = session.unwrap_or(LONGEST_LIFE);
            (left.min(most), (left - shortened).min(most))
        }
    };
    let told = (told - shortened).as_secs();
    Life { lifetime: lifetime.max(SECOND), told: (told > 0).then_some(told) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::half_a_minute(30, None, 30, Some(28))]
    #[case::ten_minutes(600, None, 600, Some(598))]
    #[case::an_hour(3600, None, 3600, Some(3598))]
    #[case::longer(86_400, None, 3600, Some(3599))]
    #[case::three_seconds(3, None, 3, Some(1))]
    #[case::two_seconds(2, None, 2, None)]
    #[case::one_second(1, None, 1, None)]
    #[case::over_within_the_skew(-59, None, 1, None)]
    #[case::a_session_that_is_longer(600, Some(43_200), 43_200, Some(43_199))]
    #[case::a_session_that_is_shorter(3600, Some(120), 120, Some(119))]
    fn a_federated_token_lives_as_measured(
        #[case] left: i64,
        #[case] session: Option<i64>,
        #[case] lifetime: i64,
        #[case] told: Option<i64>,
    ) {
        let session = session.map(SignedDuration::from_secs);
        let life = life(SignedDuration::from_secs(left), session, &Settings::default());
        assert_eq!(life, Life { lifetime: SignedDuration::from_secs(lifetime), told });
    }

    #[rstest]
    #[case::by_itself(None, 3600)]
    #[case::shorter_than_an_hour(Some(1800), 1800)]
    #[case::longer_than_an_hour(Some(7200), 3600)]
    fn a_workforce_token_lives_as_long_as_its_session_and_an_hour_at_most(
        #[case] session_duration: Option<i64>,
        #[case] expected: i64,
    ) {
        let mut pool = IdentityPool::named(PoolRef::workforce("employees"));
        pool.session_duration = session_duration.map(SignedDuration::from_secs);
        let settings = Settings::default();
        // However short the life of the subject token is.
        let life = life(SignedDuration::from_secs(60), session(&pool, &settings), &settings);
        assert_eq!(life, Life { lifetime: SignedDuration::from_secs(expected), told: Some(expected - 1) });
    }

    #[rstest]
    #[case(600, 43_200, 600, Some(598))]
    #[case(3600, 120, 120, Some(119))]
    fn a_session_may_be_bound_to_the_subject_token(
        #[case] left: i64,
        #[case] session: i64,
        #[case] lifetime: i64,
        #[case] told: Option<i64>,
    ) {
        let settings = Settings { session_outlives_token: false, ..Settings::default() };
        let session = Some(SignedDuration::from_secs(session));
        let life = life(SignedDuration::from_secs(left), session, &settings);
        assert_eq!(life, Life { lifetime: SignedDuration::from_secs(lifetime), told });
    }
}
