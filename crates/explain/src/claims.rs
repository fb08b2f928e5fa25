//! What the claims of a token say about its kind, and about its times.

use serde_json::Value;
use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_jose::{Map, numeric_date};
use tokenrig_runner::redact::rough;

use crate::explanation::Explanation;

/// gcloud's own OAuth client: the audience of every ID token that it gets for a user.
const GCLOUD: &str = "32555940559.apps.googleusercontent.com";

/// What kind of token it is.
pub(crate) struct Kind {
    pub(crate) title: String,
    /// Who takes it.
    pub(crate) taken: String,
    /// Whether the Security Token Service may take it as a subject token.
    pub(crate) subject: bool,
    /// The longest life that its reader allows, if it does.
    pub(crate) longest: Option<SignedDuration>,
}

/// Providers whose tokens people exchange, by the start of the issuer.
const PROVIDERS: [(&str, &str); 10] = [
    ("https://token.actions.githubusercontent.com", "GitHub Actions"),
    ("https://gitlab.com", "GitLab"),
    ("https://login.microsoftonline.com/", "Microsoft Entra ID"),
    ("https://sts.windows.net/", "Microsoft Entra ID, version 1"),
    ("https://container.googleapis.com/", "a GKE cluster"),
    ("https://oidc.eks.", "an EKS cluster"),
    ("https://kubernetes.default.svc", "a Kubernetes cluster"),
    ("https://oidc.circleci.com/", "CircleCI"),
    ("https://app.terraform.io", "HCP Terraform"),
    ("https://cognito-idp.", "Amazon Cognito"),
];

/// The text of a claim.
pub(crate) fn text<'a>(claims: &'a Map, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The kind of a token by its claims alone: nothing of it is verified.
pub(crate) fn kind(header: &Map, claims: &Map) -> Kind {
    let (iss, aud, email) = (text(claims, "iss"), text(claims, "aud"), text(claims, "email"));
    let an_hour = Some(SignedDuration::from_hours(1));
    match iss {
        "https://accounts.google.com" | "accounts.google.com" => google(claims, aud, email),
        "https://cloud.google.com/iap" => Kind {
            title: format!("IAP assertion about {}", or(email, text(claims, "sub"))),
            taken: format!("the application behind IAP, in the header `x-goog-iap-jwt-assertion`, as audience `{aud}`"),
            subject: false,
            longest: Some(SignedDuration::from_mins(10)),
        },
        _ if iss.starts_with("https://securetoken.google.com/") => Kind {
            title: format!("Firebase ID token of {}", or(email, text(claims, "sub"))),
            taken: "backends that verify it with Firebase's keys; API Gateway and the Security Token Service, if they name this issuer".to_owned(),
            subject: true,
            longest: None,
        },
        _ if iss.ends_with(".gserviceaccount.com") && iss.contains('@') => by_account(claims, iss, aud, an_hour),
        _ => {
            let known = PROVIDERS.iter().find(|(start, _)| iss.starts_with(start)).map(|(_, name)| *name);
            let by = match (known, iss) {
                (Some(name), iss) => format!("{name} ({iss})"),
                (None, "") => "nobody: it has no `iss`".to_owned(),
                (None, iss) => iss.to_owned(),
            };
            let subject = text(claims, "sub");
            let typ = text(header, "typ");
            let what = if typ.eq_ignore_ascii_case("at+jwt") { "access token (JWT)" } else { "token" };
            Kind {
                title: format!("{what} of {}, issued by {by}", or(subject, "nobody (no `sub`)")),
                taken: "the Security Token Service, as a subject token, at a provider whose `oidc.issuerUri` is its `iss`; no API of Google takes it as it is".to_owned(),
                subject: true,
                longest: None,
            }
        }
    }
}

fn google(claims: &Map, aud: &str, email: &str) -> Kind {
    let who = or(email, or(text(claims, "sub"), "nobody"));
    let of = if email.ends_with(".gserviceaccount.com") {
        format!("ID token of the service account {who}")
    } else if claims.contains_key("hd") || !email.is_empty() || aud == GCLOUD {
        format!("ID token of the user {who}")
    } else {
        format!("ID token of {who} (it holds no `email`)")
    };
    let taken = match aud {
        GCLOUD => "Cloud Run and Cloud Functions, from people: it is gcloud's own audience. Nobody who checks the audience for himself".to_owned(),
        "" => "nobody: it is made for no single audience".to_owned(),
        _ if aud.starts_with("https://") => format!("whoever is `{aud}`: a Cloud Run service or function at this URL, or one with this custom audience"),
        _ if aud.ends_with(".apps.googleusercontent.com") => "an application with this OAuth client; IAP, if it is IAP's client".to_owned(),
        _ => format!("whoever checks for the audience `{aud}`: a Cloud Run service that lists it in `customAudiences`"),
    };
    Kind { title: format!("{of}, issued by https://accounts.google.com"), taken, subject: true, longest: None }
}

/// What a service account signed itself, or had signed by `signJwt`.
fn by_account(claims: &Map, iss: &str, aud: &str, longest: Option<SignedDuration>) -> Kind {
    let sub = text(claims, "sub");
    let of = |title: String, taken: String| Kind { title, taken, subject: false, longest };
    if aud == "https://oauth2.googleapis.com/token" || aud == "https://www.googleapis.com/oauth2/v4/token" {
        let (title, taken) = if claims.contains_key("target_audience") {
            ("assertion for an ID token", "for an ID token with `target_audience` as audience")
        } else if !sub.is_empty() && sub != iss {
            (
                "assertion for an access token of a user (domain-wide delegation)",
                "if the Workspace domain has delegated these scopes",
            )
        } else {
            ("assertion for an access token", "for an access token with its `scope`")
        };
        return of(
            format!("{title}, signed by {iss}"),
            format!(
                "https://oauth2.googleapis.com/token with `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`, {taken}; no API takes it as it is"
            ),
        );
    }
    if aud.starts_with("https://") && aud.contains(".googleapis.com") {
        return of(format!("self-signed token of {iss}"), format!("the API at {aud}, in place of an access token"));
    }
    if aud.is_empty() && claims.contains_key("scope") {
        return of(
            format!("self-signed token of {iss}, with scopes"),
            "Google's APIs, in place of an access token".to_owned(),
        );
    }
    of(
        format!("token that {iss} signed itself"),
        format!(
            "whoever verifies it with that account's keys and is `{aud}`; Cloud Run, Cloud Functions and IAP take no such token, unless it is an ID token of Google"
        ),
    )
}

fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}

/// The times of a token in words, and what is wrong with them.
pub(crate) fn times(
    claims: &Map,
    now: Timestamp,
    longest: Option<SignedDuration>,
    told: &mut Explanation,
) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    let date = |name: &str| claims.contains_key(name).then(|| numeric_date(claims, name));
    for (name, word) in [("iat", "issued"), ("nbf", "not before"), ("exp", "expires")] {
        match date(name) {
            None => {}
            Some(Ok(at)) => {
                let away = at.duration_since(now);
                let rough = rough(away.abs());
                let words = if away.is_negative() { format!("{rough} ago") } else { format!("in {rough}") };
                lines.push((word.to_owned(), format!("{at}, {words}")));
            }
            Some(Err(fault)) => told.fault(
                format!("`{name}` is no NumericDate: {fault}"),
                "write seconds since 1970 as a number: milliseconds, texts and ISO dates are refused",
            ),
        }
    }
    match date("exp") {
        Some(Ok(exp)) if exp <= now => {
            told.fault(
                format!("it expired {} ago, at {exp}", rough(now.duration_since(exp))),
                "get a new one; a token cannot be renewed",
            );
        }
        None => told.fault("it has no `exp`: nobody here takes a token without end", "let the token have `exp`"),
        _ => {}
    }
    for name in ["iat", "nbf"] {
        if let Some(Ok(at)) = date(name)
            && at > now
        {
            let ahead = rough(at.duration_since(now));
            told.fault(
                format!("its `{name}` lies {ahead} ahead"),
                "set the clock of whoever makes the tokens: a minute is forgiven at most",
            );
        }
    }
    if let (Some(Ok(iat)), Some(Ok(exp)), Some(longest)) = (date("iat"), date("exp"), longest)
        && exp.duration_since(iat) > longest
    {
        told.fault(
            format!("it lives for {}, and its reader allows {}", rough(exp.duration_since(iat)), rough(longest)),
            "let `exp` be nearer to `iat`",
        );
    }
    lines
}
