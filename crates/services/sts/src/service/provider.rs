//! The provider that a request names: whether it is there and enabled, and what it lets tokens be for.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Value, json};
use tokenrig_cloud::{Cloud, Oidc, PoolState, Provider, ProviderConfig};
use tokenrig_decision::Check;

use super::shown;
use crate::{
    model::{ProviderName, SubjectKind},
    refusals,
};

/// Whether the provider exchanges tokens, and tokens of this kind.
pub(crate) fn check(cloud: &Cloud, name: &ProviderName<'_>, provider: Option<&Provider>, kind: SubjectKind) -> Check {
    let resource: Arc<str> = shown::text(&name.resource()).into();
    let active = {
        let resource = Arc::clone(&resource);
        move || json!({ "provider": *resource, "state": "ACTIVE" })
    };
    let check = Check::named("provider").expects(active.clone());
    let Some(provider) = provider else {
        let check = check.found(Value::Null).holds(false);
        let written = name.pool.project().unwrap_or_default();
        let project = cloud.find_project(written).filter(|project| project.number != written);
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
    let (state, mend) = match (&provider.pool.state, provider.pool.disabled, &provider.state, provider.disabled) {
        (PoolState::Deleted { .. }, ..) => ("the pool is deleted", "undelete it"),
        (_, true, ..) => ("the pool is disabled", "enable it"),
        (_, _, PoolState::Deleted { .. }, _) => ("the provider is deleted", "undelete it"),
        (_, _, _, true) => ("the provider is disabled", "enable it"),
        (PoolState::Active, false, PoolState::Active, false) => {
            if provider.pool.workforce.as_ref().is_some_and(|workforce| workforce.programmatic_sign_in_disabled) {
                return check
                    .found(
                        json!({ "provider": *resource, "accessRestrictions": { "disableProgrammaticSignin": true } }),
                    )
                    .holds(false)
                    .or_refuse(&refusals::PROGRAMMATIC_SIGN_IN_DISABLED, "sts-programmatic-sign-in-disabled")
                    .mend(|| "let the pool's `accessRestrictions.disableProgrammaticSignin` be false".to_owned());
            }
            return match of_another_kind(provider, kind) {
                None => check.finds(active),
                Some(taken) => not_taken(check, taken, kind),
            };
        }
    };
    check
        .found(json!({ "provider": *resource, "state": state }))
        .holds(false)
        .or_refuse(&refusals::TARGET_INVALID, "sts-provider-disabled")
        .mend(|| format!("{state}: {mend}"))
}

/// The kind of tokens that a provider takes, if it is another than this one. One whose kind is not played yet takes any.
fn of_another_kind(provider: &Provider, kind: SubjectKind) -> Option<SubjectKind> {
    let taken = match &provider.config {
        ProviderConfig::Oidc(_) => SubjectKind::Jwt,
        ProviderConfig::Aws { .. } => SubjectKind::Aws,
        ProviderConfig::Saml { .. } => return None,
    };
    (taken != kind).then_some(taken)
}

fn not_taken(check: Check, taken: SubjectKind, kind: SubjectKind) -> Check {
    check
        .expected(json!({ "subject_token_type": taken.types() }))
        .found(json!({ "subject_token_type": kind.types() }))
        .holds(false)
        .or_refuse(&refusals::REQUEST_FIELD_INVALID, "sts-subject-token-of-another-kind")
        .with("field", "subject_token_type")
        .mend(|| format!("this provider takes subject tokens of type {}", taken.types().join(" or ")))
}

/// What a token's `aud` may hold: the provider's list (of a workforce provider its `clientId`), else its own name in both
/// spellings.
pub(crate) fn allowed_audiences<'a>(name: &ProviderName<'_>, oidc: &'a Oidc) -> Cow<'a, [String]> {
    if !oidc.allowed_audiences.is_empty() {
        return Cow::Borrowed(&oidc.allowed_audiences);
    }
    let resource = name.resource();
    Cow::Owned(vec![format!("https://iam.googleapis.com/{resource}"), format!("//iam.googleapis.com/{resource}")])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;
    use tokenrig_clock::{ManualClock, Timestamp};
    use tokenrig_cloud::{Foundation, IdentityPool as Pool};
    use tokenrig_policy::PoolRef;

    use super::*;

    fn name(project: &str) -> ProviderName<'static> {
        ProviderName { pool: PoolRef::workload(project, "partners"), provider: "corp" }
    }

    fn cloud() -> Cloud {
        Cloud::new(Foundation::on(Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()))))
    }

    fn provider_in(reference: PoolRef, change: impl FnOnce(&mut Pool, &mut Provider)) -> Provider {
        let mut pool = Pool::named(reference);
        let mut provider = Provider::named(Arc::new(pool.clone()), "corp");
        change(&mut pool, &mut provider);
        Provider { pool: Arc::new(pool), ..provider }
    }

    fn provider(change: impl FnOnce(&mut Pool, &mut Provider)) -> Provider {
        provider_in(name(NUMBER).pool, change)
    }

    const NUMBER: &str = "1071284184436";

    const DELETED: PoolState = PoolState::Deleted { expires: Timestamp::MAX };

    #[rstest]
    #[case::of_a_deleted_pool(|pool: &mut Pool, _: &mut Provider| pool.state = DELETED, "the pool is deleted")]
    #[case::of_a_disabled_pool(|pool: &mut Pool, _: &mut Provider| pool.disabled = true, "the pool is disabled")]
    #[case::deleted(|_: &mut Pool, own: &mut Provider| own.state = DELETED, "the provider is deleted")]
    #[case::disabled(|_: &mut Pool, own: &mut Provider| own.disabled = true, "the provider is disabled")]
    fn a_provider_that_is_not_active_exchanges_nothing(
        #[case] change: fn(&mut Pool, &mut Provider),
        #[case] state: &str,
    ) {
        let cloud = cloud();
        let name = name(NUMBER);
        assert!(check(&cloud, &name, Some(&provider(|_, _| {})), SubjectKind::Jwt).ok());
        let check = check(&cloud, &name, Some(&provider(change)), SubjectKind::Jwt);
        assert_eq!(check.refused().unwrap().id(), "sts-provider-disabled");
        assert_eq!(check.finding()["state"], state);
    }

    #[rstest]
    #[case::unknown("42", "sts-provider-not-found")]
    #[case::by_number("1071284184436", "sts-provider-not-found")]
    #[case::by_id("shop-test", "sts-audience-project-id-instead-of-number")]
    fn a_provider_that_is_not_there_is_told_from_a_wrong_project(#[case] project: &str, #[case] id: &str) {
        let check = check(&cloud(), &name(project), None, SubjectKind::Jwt);
        assert_eq!(check.refused().unwrap().id(), id);
    }

    #[test]
    fn a_workforce_pool_may_keep_its_people_from_exchanging_tokens() {
        let name = ProviderName { pool: PoolRef::workforce("employees"), provider: "corp" };
        let kept_out = |disabled: bool| {
            let provider = provider_in(name.pool.clone(), |pool, _| {
                pool.workforce.as_mut().unwrap().programmatic_sign_in_disabled = disabled;
            });
            check(&cloud(), &name, Some(&provider), SubjectKind::Jwt)
        };
        assert!(kept_out(false).ok());
        assert_eq!(kept_out(true).refused().unwrap().id(), "sts-programmatic-sign-in-disabled");
    }

    #[test]
    fn a_list_of_audiences_takes_the_place_of_the_providers_name() {
        let name = name(NUMBER);
        let own = allowed_audiences(&name, &Oidc::default()).into_owned();
        assert_eq!(own, ["https:", ""].map(|scheme| format!("{scheme}//iam.googleapis.com/{}", name.resource())));
        let listed = Oidc { allowed_audiences: vec!["a".to_owned()], ..Oidc::default() };
        assert_eq!(*allowed_audiences(&name, &listed), ["a"]);
    }
}
