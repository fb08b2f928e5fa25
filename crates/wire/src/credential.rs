//! The checks that every Google API makes of its caller: `credential` and `scope`, and whose quota a call counts against.

use std::borrow::Cow;

use http::{HeaderMap, header::AUTHORIZATION};
use tokenrig_cloud::{Caller, CallerFault, Cloud, TokenKind};
use tokenrig_decision::{Check, Decision, Refused};
use tokenrig_protos::Method;

use crate::{call::Call, refusals};

/// Judges who calls. `None`: the last check of the decision failed and has the answer.
pub(crate) fn judge(cloud: &Cloud, method: &Method, headers: &HeaderMap, decision: &mut Decision) -> Option<Caller> {
    let caller = credential(cloud, method, headers, decision)?;
    scope(method, &caller, decision).then_some(caller)
}

fn credential(cloud: &Cloud, method: &Method, headers: &HeaderMap, decision: &mut Decision) -> Option<Caller> {
    let check = Check::named("credential").expected("Authorization: Bearer, an access token");
    let Some(bearer) = bearer(headers) else {
        decision.add(
            check
                .holds(false)
                .or_answer(|| named(refusals::TOKEN_MISSING.refuse("api-token-missing"), method))
                .mend(|| "send an access token in the header Authorization: Bearer".to_owned()),
        );
        return None;
    };
    match cloud.caller_at(bearer, method.host) {
        Ok(caller) if caller.kind == TokenKind::Federated && !method.federated => {
            decision.add(
                check
                    .found(format!("{}, a federated access token", caller.identity.member()))
                    .holds(false)
                    .or_refuse(&refusals::TOKEN_INVALID, "federated-token-at-unsupported-api")
                    .mend(|| "impersonate a service account: this API takes no federated access token".to_owned()),
            );
            None
        }
        Ok(caller) => {
            decision.add(check.found(caller.identity.member().to_string()));
            Some(caller)
        }
        Err(fault) => {
            let mend = fault.to_string();
            let check = check.found(mend.clone()).holds(false).mend(|| format!("get a new access token: {mend}"));
            decision.add(match fault {
                CallerFault::IdToken { .. } => {
                    check.or_refuse(&refusals::TOKEN_TYPE_UNSUPPORTED, "api-token-type-unsupported")
                }
                _ => check.or_refuse(&refusals::TOKEN_INVALID, "api-token-invalid"),
            });
            None
        }
    }
}

fn scope(method: &Method, caller: &Caller, decision: &mut Decision) -> bool {
    // A self-signed JWT for this service has no scopes and needs none.
    let holds = caller.audience.is_some() || caller.scopes.iter().any(|scope| method.scopes.contains(&scope.as_str()));
    decision.add(
        Check::named("scope")
            .expected(method.scopes.clone())
            .found(caller.scopes.clone())
            .holds(holds)
            .or_answer(|| named(refusals::SCOPE_INSUFFICIENT.refuse("api-scope-insufficient"), method))
            .mend(|| {
                format!("ask for the access token with scope {}", method.scopes.first().copied().unwrap_or_default())
            }),
    )
}

/// Google's names of the method, where an answer shows them.
fn named(refused: Refused, method: &Method) -> Refused {
    refused.with("service", method.host).with("method", format!("{}.{}", method.service, method.name))
}

/// The token after `Bearer`, in any case.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// May the caller let the project pay that `X-Goog-User-Project` names, or else the exchange that its token comes of?
/// Asked only if one of them names any.
pub(crate) fn user_project(call: &Call) -> Result<(), Refused> {
    let project = match (call.headers().get("x-goog-user-project"), &call.caller().user_project) {
        (Some(header), _) => String::from_utf8_lossy(header.as_bytes()),
        (None, Some(project)) => Cow::Borrowed(&**project),
        (None, None) => return Ok(()),
    };
    let known = call.cloud().find_project(&project).is_some();
    let resource = format!("//cloudresourcemanager.googleapis.com/projects/{project}");
    let deny = || {
        refusals::USER_PROJECT_DENIED
            .refuse("api-user-project-denied")
            .with("project", project.as_ref())
            .with("service", call.method().host)
    };
    if !known {
        let check = Check::named("permission").expected("a project of this cloud").found(project.as_ref());
        return call.check(check.holds(false).or_answer(deny));
    }
    call.permit("serviceusage.services.use", &resource, deny).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use rstest::rstest;
    use tokenrig_clock::{ManualClock, minutes};
    use tokenrig_cloud::{AccessTokenOrder, Foundation, IdentityPool};
    use tokenrig_policy::{Identity, PoolRef};
    use tokenrig_protos::table;

    use super::*;

    fn cloud() -> Cloud {
        Cloud::new(Foundation::on(Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()))))
    }

    fn method(federated: bool) -> Method {
        let like = table().by_short("iamcredentials.serviceAccounts.signBlob").unwrap();
        Method {
            id: like.id,
            short: like.short,
            host: like.host,
            version: like.version,
            surface: like.surface,
            service: like.service,
            name: like.name,
            grpc_path: like.grpc_path,
            rules: like.rules.clone(),
            input: like.input.clone(),
            output: like.output.clone(),
            grpc: like.grpc,
            regional: like.regional,
            federated,
            scopes: like.scopes.clone(),
        }
    }

    #[rstest]
    #[case(true, None)]
    #[case(false, Some("federated-token-at-unsupported-api"))]
    fn a_federated_token_is_good_where_the_api_takes_it(#[case] taken: bool, #[case] refusal: Option<&str>) {
        let cloud = cloud();
        cloud.pools().create(IdentityPool::named(PoolRef::workforce("employees"))).unwrap();
        let token = cloud.mint().access_token(AccessTokenOrder {
            identity: Identity::Federated {
                pool: PoolRef::workforce("employees"),
                subject: "alice".into(),
                groups: Vec::new(),
                attributes: BTreeMap::new(),
                provider: String::new(),
            },
            scopes: vec!["https://www.googleapis.com/auth/iam".into()],
            lifetime: minutes(60),
        });
        let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {}", token.reveal()).parse().unwrap())]);
        let mut decision = Decision::of("iamcredentials", "a test");
        let caller = judge(&cloud, &method(taken), &headers, &mut decision);
        assert_eq!(caller.is_some(), taken);
        assert_eq!(decision.failed().and_then(Check::refused).map(Refused::id), refusal);
    }

    #[rstest]
    #[case("Bearer t", Some("t"))]
    #[case("bearer  t ", Some("t"))]
    #[case("Bearer", None)]
    #[case("Basic t", None)]
    #[case("Bearer\tt", None)]
    fn the_scheme_is_read_in_any_case(#[case] header: &str, #[case] token: Option<&str>) {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, header.parse().unwrap())]);
        assert_eq!(bearer(&headers), token);
    }
}
