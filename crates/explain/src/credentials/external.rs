//! `external_account` and its relatives.

use serde_json::{Map, Value};

use super::fields::{self, Fields, nearest};
use crate::token::provider_audience;

const STS: &str = "https://sts.googleapis.com/v1/token";
/// Types of subject tokens, and what each is.
const KINDS: [(&str, &str); 6] = [
    ("urn:ietf:params:oauth:token-type:jwt", "a JWT"),
    ("urn:ietf:params:oauth:token-type:id_token", "an ID token"),
    ("urn:ietf:params:oauth:token-type:saml2", "a SAML response"),
    ("urn:ietf:params:aws:token-type:aws4_request", "a signed request of AWS"),
    ("urn:ietf:params:oauth:token-type:mtls", "a certificate chain"),
    ("urn:ietf:params:oauth:token-type:access_token", "an access token"),
];

pub(super) fn account(mut own: Fields<'_>) {
    let audience = own.needed("audience").unwrap_or_default();
    let workforce = audience.contains("/workforcePools/");
    audience_form(&audience, &mut own);
    let kind = own.needed("subject_token_type").unwrap_or_default();
    let token = KINDS.iter().find(|(known, _)| *known == kind).map_or("a token", |(_, what)| what);
    if !kind.is_empty() && KINDS.iter().all(|(known, _)| *known != kind) {
        let near = nearest(&kind, KINDS.iter().map(|(known, _)| *known)).unwrap_or(KINDS[0].0);
        own.told.fault(
            format!("`subject_token_type` is `{kind}`, which the Security Token Service does not know"),
            format!("did you mean `{near}`?"),
        );
    }
    own.needed("token_url");
    let url = own.https("token_url", Some(STS)).unwrap_or_else(|| STS.to_owned());
    let first = match own.json.get("credential_source").cloned() {
        Some(Value::Object(source)) => source_step(&source, &kind, token, &mut own),
        _ => {
            own.told.fault(
                "`credential_source` is missing: nobody says where the subject token comes from",
                "add `file`, `url`, `executable`, `environment_id` or `certificate`",
            );
            "the subject token comes from nowhere".to_owned()
        }
    };
    let mut steps =
        vec![first, format!("POST it to {url} as subject token for {audience}: a federated access token comes back")];
    if let Some(impersonation) = own.optional("service_account_impersonation_url") {
        let email = impersonated(&mut own, &impersonation).unwrap_or_default();
        steps.push(format!("POST :generateAccessToken with it: an access token of {email} comes back; the principal needs roles/iam.workloadIdentityUser on that account"));
    } else {
        steps.push("the federated token itself is sent to the APIs: the principal must be granted what it does there, and not every API takes it".to_owned());
    }
    if own.optional("workforce_pool_user_project").is_some() && !workforce {
        own.told
            .fault("`workforce_pool_user_project` is for workforce pools only: clients refuse the file", "take it out");
    }
    if workforce && own.optional("workforce_pool_user_project").is_none() {
        own.told.fault(
            "`workforce_pool_user_project` is missing",
            "name the project that calls count on; the person needs serviceusage.services.use there",
        );
    }
    own.unknown(&fields::EXTERNAL);
    let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
    own.steps(&steps);
}

/// The forms that people write in place of `//iam.googleapis.com/…`.
fn audience_form(audience: &str, own: &mut Fields<'_>) {
    const WHOLE: &str =
        "//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER";
    if audience.is_empty() || audience.starts_with("//iam.googleapis.com/locations/") {
        return;
    }
    if audience.starts_with("https://iam.googleapis.com/") {
        own.told.fault(
            "`audience` starts with https:: that is what the subject token's `aud` holds, not this field",
            "write it without `https:`, from `//iam.googleapis.com/` on",
        );
    } else if audience.starts_with("principal") {
        own.told.fault("`audience` is a member of a policy, not a provider", format!("write {WHOLE}"));
        return;
    } else if audience.starts_with("projects/")
        || audience.starts_with("iam.googleapis.com/")
        || audience.starts_with("/iam")
    {
        own.told.fault("`audience` lacks its start `//iam.googleapis.com/`", format!("write {WHOLE}"));
    } else if !audience.starts_with("//iam.googleapis.com/") {
        own.told.fault(format!("`audience` is `{audience}`, no name of a provider"), format!("write {WHOLE}"));
        return;
    }
    provider_audience(audience, own.told);
}

/// The account of an impersonation URL.
pub(super) fn impersonated(own: &mut Fields<'_>, url: &str) -> Option<String> {
    own.https("service_account_impersonation_url", None);
    let rest = url.split_once("/serviceAccounts/").map(|(_, rest)| rest);
    let Some((email, method)) = rest.and_then(|rest| rest.rsplit_once(':')) else {
        own.told.fault(
            "`service_account_impersonation_url` does not name an account and a method",
            "write https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/EMAIL:generateAccessToken",
        );
        return None;
    };
    if method != "generateAccessToken" {
        own.told.fault(format!("the impersonation URL ends in `:{method}`"), "credential files use :generateAccessToken; for ID tokens the program calls :generateIdToken with what comes of it");
    }
    if !url.contains("/projects/-/") {
        own.told.fault("the impersonation URL names a project", "write `projects/-`: Google takes no other there");
    }
    if !email.contains('@') {
        own.told.fault(format!("`{email}` in the impersonation URL is no e-mail address"), "");
    }
    Some(email.to_owned())
}

fn source_step(source: &Map<String, Value>, kind: &str, token: &str, own: &mut Fields<'_>) -> String {
    let text = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ways = ["file", "url", "executable", "environment_id", "certificate"];
    // AWS has a `url` of its own.
    let aws = source.contains_key("environment_id");
    let found: Vec<&str> =
        ways.into_iter().filter(|way| source.contains_key(*way) && !(aws && *way == "url")).collect();
    if found.len() > 1 {
        own.told.fault(
            format!(
                "`credential_source` says {}: one of them counts, and not every client takes the same",
                found.join(" and ")
            ),
            "leave one",
        );
    }
    let known = [
        "file",
        "url",
        "executable",
        "environment_id",
        "certificate",
        "format",
        "headers",
        "region_url",
        "regional_cred_verification_url",
        "imdsv2_session_token_url",
    ];
    for name in source.keys().filter(|name| !known.contains(&name.as_str())) {
        let near = nearest(name, known.into_iter());
        own.told.fault(
            format!("`credential_source.{name}` is no field"),
            near.map_or_else(String::new, |near| format!("did you mean `{near}`?")),
        );
    }
    let format = match source.get("format") {
        Some(format) if format.get("type").and_then(Value::as_str) == Some("json") => match format
            .get("subject_token_field_name")
            .and_then(Value::as_str)
        {
            Some(field) => format!(", as the member `{field}` of its JSON"),
            None => {
                own.told
                    .fault("`format.type` is json, and `subject_token_field_name` does not say which member", "add it");
                String::new()
            }
        },
        _ => String::new(),
    };
    let is_aws = kind == KINDS[3].0;
    if is_aws != aws && !kind.is_empty() {
        own.told.fault(
            "`subject_token_type` and `credential_source` do not fit: one is AWS's, the other not",
            "AWS has `environment_id: aws1` and the type …:aws4_request",
        );
    }
    match found.first() {
        Some(&"file") => format!("{token} is read from the file `{}`{format}, each time anew", text("file")),
        Some(&"url") => format!("{token} is fetched by GET {}{format}", text("url")),
        Some(&"executable") => executable(source, token, own),
        Some(&"environment_id") => {
            if text("environment_id") != "aws1" {
                own.told.fault(
                    format!("`environment_id` is `{}`: only `aws1` is known", text("environment_id")),
                    "write aws1",
                );
            }
            if text("regional_cred_verification_url").is_empty() {
                own.told.fault(
                    "`regional_cred_verification_url` is missing",
                    "write https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
                );
            }
            "AWS's keys are taken from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, else from the metadata of the machine, and sign a request for GetCallerIdentity (it is not sent to AWS: Google does that)".to_owned()
        }
        Some(_) => "the certificate of the workload is presented on the connection (mTLS)".to_owned(),
        None => {
            own.told.fault(
                "`credential_source` says no source",
                "add `file`, `url`, `executable`, `environment_id` or `certificate`",
            );
            "the subject token comes from nowhere".to_owned()
        }
    }
}

fn executable(source: &Map<String, Value>, token: &str, own: &mut Fields<'_>) -> String {
    let executable = source.get("executable").and_then(Value::as_object).cloned().unwrap_or_default();
    let command = executable.get("command").and_then(Value::as_str).unwrap_or_default();
    if command.is_empty() {
        own.told.fault("`executable.command` is missing", "write the whole path of the command and its arguments");
    } else if !command.starts_with('/') && command.get(1..2) != Some(":") {
        own.told.not_checked.push(format!("`{command}` is looked for on PATH, or not at all: write the whole path"));
    }
    match executable.get("timeout_millis").map(Value::as_i64) {
        Some(Some(5_000..=120_000)) | None => {}
        Some(_) => own.told.fault("`timeout_millis` must be between 5000 and 120000 (5 s to 2 min)", "30000 is usual"),
    }
    own.told.not_checked.push("clients run a command only if GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 is set in their environment: the environment is not looked at here".to_owned());
    format!("`{command}` is run, and {token} taken from the JSON that it prints")
}

pub(super) fn authorized_user(mut own: Fields<'_>) {
    let audience = own.needed("audience").unwrap_or_default();
    if !audience.contains("/workforcePools/") {
        own.told.fault("`audience` is no provider of a workforce pool", "people sign in by workforce pools: //iam.googleapis.com/locations/global/workforcePools/POOL/providers/PROVIDER");
    }
    for name in ["client_id", "client_secret", "refresh_token"] {
        own.needed(name);
    }
    own.https("token_url", Some("https://sts.googleapis.com/v1/oauthtoken"));
    own.unknown(&fields::AUTHORIZED);
    own.steps(&["POST the refresh token to `token_url` with the client's id and secret (HTTP Basic): a federated access token comes back"]);
}

pub(super) fn login_config(mut own: Fields<'_>) {
    own.needed("audience");
    for name in ["auth_url", "token_url", "token_info_url"] {
        own.https(name, None);
    }
    own.unknown(&fields::LOGIN);
    own.told.fault(
        "it says where to sign in, and holds nobody's credentials: no client library takes it",
        "`gcloud auth login --login-config=FILE` or `gcloud auth application-default login --login-config=FILE`",
    );
    own.steps(&["a browser is opened at `auth_url`; who has signed in gets a credential file of type external_account_authorized_user"]);
}
