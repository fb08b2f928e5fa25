//! The checks of the request itself: its fields, its quota, the name in `audience`.

use serde_json::{Value, json};
use tokenrig_cloud::QuotaExceeded;
use tokenrig_decision::Check;
use tokenrig_policy::AccessBoundary;

use super::shown;
use crate::{
    model::{
        ACCESS_TOKEN, AWS4_REQUEST, ID_TOKEN, INTERMEDIATE_TOKEN, JWT, NoAudience, OTHER_SUBJECTS, Options,
        ProviderName, SubjectKind, TOKEN_EXCHANGE, TokenRequest, Unreadable,
    },
    refusals,
};

/// How the name of a provider looks.
const PROVIDER_FORM: &str =
    "//iam.googleapis.com/projects/PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER";
/// How the name of a provider of a workforce pool looks.
const WORKFORCE_FORM: &str = "//iam.googleapis.com/locations/global/workforcePools/POOL/providers/PROVIDER";

/// How `options` of a downscoping request look.
const BOUNDARY_FORM: &str = "{\"accessBoundary\":{\"accessBoundaryRules\":[…]}}";

/// What a request asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    /// To exchange a token of somebody outside.
    Exchange(SubjectKind, Options),
    /// To downscope an access token.
    Downscope(AccessBoundary),
}

/// The fields of the request; what it asks for, unless the check failed.
pub(crate) fn fields(request: &TokenRequest) -> (Check, Option<Asked>) {
    if let Some(fault) = wrong_type(request) {
        return (fault, None);
    }
    if request.subject().is_none() {
        return (invalid("subject_token", json!("a token"), Value::Null), None);
    }
    let options = match request.options.as_deref().map(Options::parse).transpose() {
        Ok(options) => options.unwrap_or_default(),
        Err(why) => return (invalid_options(request, "serialised JSON", &why), None),
    };
    let downscope = request.subject_token_type.as_deref() == Some(ACCESS_TOKEN);
    let kind = request.subject_token_type.as_deref().and_then(SubjectKind::of).unwrap_or(SubjectKind::Jwt);
    let asked = match options.access_boundary {
        Some(_) if !downscope => return (not_played("request", "access boundaries of federated tokens"), None),
        None if downscope => {
            let check = invalid_options(request, BOUNDARY_FORM, "an access token is exchanged by an `accessBoundary`");
            return (check, None);
        }
        None => Asked::Exchange(kind, options),
        Some(boundary) => match AccessBoundary::from_json(&boundary) {
            Ok(boundary) => Asked::Downscope(boundary),
            Err(fault) => return (invalid_options(request, BOUNDARY_FORM, &fault.to_string()), None),
        },
    };
    (Check::named("request").expects(|| TOKEN_EXCHANGE.into()).finds(|| TOKEN_EXCHANGE.into()), Some(asked))
}

/// The three fields that hold a name from a list, if one of them is wrong.
fn wrong_type(request: &TokenRequest) -> Option<Check> {
    let grant = request.grant_type.as_deref();
    if grant != Some(TOKEN_EXCHANGE) {
        let found = shown::field(grant);
        let value = found.as_str().unwrap_or_default().to_owned();
        let check = wrong("grant_type", json!(TOKEN_EXCHANGE), found)
            .or_refuse(&refusals::GRANT_TYPE_UNSUPPORTED, "sts-grant-type-unsupported")
            .with("value", value)
            .mend(|| format!("set `grant_type` to `{TOKEN_EXCHANGE}`"));
        return Some(check);
    }
    match request.subject_token_type.as_deref() {
        Some(JWT | ID_TOKEN | AWS4_REQUEST | ACCESS_TOKEN) => {}
        Some(other) if OTHER_SUBJECTS.contains(&other) => {
            return Some(not_played("request", &format!("subject tokens of type {other}")));
        }
        other => {
            let expected = json!([JWT, ID_TOKEN, AWS4_REQUEST, ACCESS_TOKEN]);
            return Some(invalid("subject_token_type", expected, shown::field(other)));
        }
    }
    match request.requested_token_type.as_deref() {
        Some(ACCESS_TOKEN) => None,
        Some(INTERMEDIATE_TOKEN) => Some(not_played("request", "tokens for client-side downscoping")),
        other => Some(invalid("requested_token_type", json!(ACCESS_TOKEN), shown::field(other))),
    }
}

/// A body that holds no request.
pub(crate) fn unreadable(fault: &Unreadable) -> Check {
    Check::named("request")
        .expected("a form or a JSON object")
        .found(fault.why.as_str())
        .holds(false)
        .or_refuse(&refusals::REQUEST_FIELD_INVALID, "sts-request-field-invalid")
        .with("field", fault.field)
        .mend(|| "send the fields of RFC 8693 as a form, or those of the REST reference as JSON".to_owned())
}

/// More requests in a minute than the rig was told to take.
pub(crate) fn throttled(over: &QuotaExceeded) -> Check {
    Check::named("request")
        .expected(json!({ "quota": over.quota, "requests a minute": over.limit }))
        .found("more requests in this minute")
        .holds(false)
        .or_refuse(&refusals::RATE_LIMITED, "sts-rate-limited")
        .mend(|| format!("wait for the next minute, or raise `{}` in the rig's `settings.quotas`", over.quota))
}

fn invalid_options(request: &TokenRequest, expected: &str, why: &str) -> Check {
    wrong("options", json!(expected), shown::field(request.options.as_deref()))
        .or_refuse(&refusals::REQUEST_FIELD_INVALID, "sts-options-invalid")
        .with("field", "options")
        .mend(|| format!("correct `options`: {why}"))
}

/// A field that must be something else.
pub(crate) fn invalid(name: &'static str, expected: Value, found: Value) -> Check {
    wrong(name, expected, found)
        .or_refuse(&refusals::REQUEST_FIELD_INVALID, "sts-request-field-invalid")
        .with("field", name)
        .mend(|| format!("set `{name}` as the reference of `sts.token` says"))
}

fn wrong(name: &'static str, expected: Value, found: Value) -> Check {
    Check::named("request").expected(json!({ name: expected })).found(json!({ name: found })).holds(false)
}

/// What this version of the rig does not play, as the check that found it; `what` is in the plural.
pub(crate) fn not_played(check: &'static str, what: &str) -> Check {
    Check::named(check)
        .expected("something that this version of the rig plays")
        .found(what)
        .holds(false)
        .or_refuse(&refusals::NOT_PLAYED, "sts-not-played")
        .with("what", format!("This version of the rig does not play {what}."))
        .mend(|| {
            "this version of the rig exchanges tokens at providers of OpenID Connect and AWS, and downscopes".to_owned()
        })
}

/// The name in `audience`.
pub(crate) fn audience(audience: &str) -> (Check, Option<ProviderName<'_>>) {
    let check = Check::named("audience").expects(|| json!([PROVIDER_FORM, WORKFORCE_FORM]));
    let fault = match ProviderName::parse(audience) {
        Ok(name) => {
            let found = Value::String(shown::text(&format!("//iam.googleapis.com/{}", name.resource())));
            return (check.found(found), Some(name));
        }
        Err(fault) => fault,
    };
    let id = match fault {
        NoAudience::EmptySegments => "sts-audience-empty-segments",
        NoAudience::WithScheme | NoAudience::Malformed => "sts-audience-malformed",
    };
    let check = check.found(shown::field(Some(audience))).holds(false);
    let check = check.or_refuse(&refusals::AUDIENCE_MALFORMED, id).mend(|| match fault {
        NoAudience::WithScheme => {
            "begin `audience` with `//iam.googleapis.com/`: the form with `https:` is for the token's `aud`".to_owned()
        }
        _ => format!("set `audience` to the provider's full resource name, `{PROVIDER_FORM}`"),
    });
    (check, None)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn request(change: impl FnOnce(&mut TokenRequest)) -> TokenRequest {
        let mut request = TokenRequest {
            grant_type: Some(TOKEN_EXCHANGE.to_owned()),
            requested_token_type: Some(ACCESS_TOKEN.to_owned()),
            subject_token: Some("a.b.c".to_owned()),
            subject_token_type: Some(JWT.to_owned()),
            ..TokenRequest::default()
        };
        change(&mut request);
        request
    }

    #[rstest]
    #[case::jwt(JWT, Asked::Exchange(SubjectKind::Jwt, Options::default()))]
    #[case::id_token(ID_TOKEN, Asked::Exchange(SubjectKind::Jwt, Options::default()))]
    #[case::aws(AWS4_REQUEST, Asked::Exchange(SubjectKind::Aws, Options::default()))]
    fn the_type_of_the_subject_token_says_what_is_asked(#[case] kind: &str, #[case] asked: Asked) {
        let (check, found) = fields(&request(|request| request.subject_token_type = Some(kind.to_owned())));
        assert!(check.ok());
        assert_eq!(found, Some(asked));
    }

    #[rstest]
    #[case::no_grant_type(|r: &mut TokenRequest| r.grant_type = None, "sts-grant-type-unsupported")]
    #[case::code(|r: &mut TokenRequest| r.grant_type = Some("code".into()), "sts-grant-type-unsupported")]
    #[case::no_type(|r: &mut TokenRequest| r.subject_token_type = None, "sts-request-field-invalid")]
    #[case::saml(|r: &mut TokenRequest| r.subject_token_type = Some(OTHER_SUBJECTS[0].into()), "sts-not-played")]
    #[case::any_type(|r: &mut TokenRequest| r.subject_token_type = Some("jwt".into()), "sts-request-field-invalid")]
    #[case::nothing_requested(|r: &mut TokenRequest| r.requested_token_type = None, "sts-request-field-invalid")]
    #[case::requested(|r: &mut TokenRequest| r.requested_token_type = Some(JWT.into()), "sts-request-field-invalid")]
    #[case::client(|r: &mut TokenRequest| r.requested_token_type = Some(INTERMEDIATE_TOKEN.into()), "sts-not-played")]
    #[case::no_token(|r: &mut TokenRequest| r.subject_token = None, "sts-request-field-invalid")]
    #[case::blank_token(|r: &mut TokenRequest| r.subject_token = Some(" \n".into()), "sts-request-field-invalid")]
    #[case::no_boundary(|r: &mut TokenRequest| r.subject_token_type = Some(ACCESS_TOKEN.into()), "sts-options-invalid")]
    #[case::options(|r: &mut TokenRequest| r.options = Some("{".into()), "sts-options-invalid")]
    fn a_request_with_a_wrong_field_is_refused(#[case] change: fn(&mut TokenRequest), #[case] id: &str) {
        let (check, asked) = fields(&request(change));
        assert_eq!(asked, None);
        assert_eq!((check.name(), check.refused().unwrap().id()), ("request", id));
    }

    #[test]
    fn who_writes_https_is_told_where_that_belongs() {
        let name = "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x";
        let (check, parsed) = audience(name);
        assert_eq!(parsed, None);
        assert!(check.mending().unwrap().contains("the token's `aud`"));
    }
}
