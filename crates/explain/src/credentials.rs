//! A credential file of any type: what it would do, step by step, and what in it is wrong. Secrets are never told.

mod external;
mod fields;

use serde_json::{Map, Value};
use tokenrig_jose::SigningKey;

use self::fields::Fields;
use crate::{
    explanation::{Explanation, pair},
    input,
};

/// Types of credential files, with what they are.
const TYPES: [(&str, &str); 8] = [
    ("service_account", "a key of a service account"),
    ("authorized_user", "a user, by a refresh token"),
    ("external_account", "a federated workload (or a person of a workforce pool)"),
    ("external_account_authorized_user", "a person of a workforce pool, by a refresh token"),
    ("external_account_authorized_user_login_config", "what `gcloud auth login --login-config` reads"),
    ("impersonated_service_account", "a service account, impersonated by other credentials"),
    ("gdch_service_account", "a service account of Google Distributed Cloud"),
    ("service_account_key", "nothing: `service_account` is meant"),
];

/// What a credential file would do, and what in it is wrong.
#[must_use]
pub fn credentials(bytes: &[u8]) -> Explanation {
    let mut told = Explanation::default();
    let text = input::text(bytes, &mut told);
    let json = match serde_json::from_str::<Value>(text.trim()) {
        Ok(Value::Object(json)) => json,
        Ok(_) => {
            "JSON that is no object".clone_into(&mut told.title);
            told.fault("a credential file is a JSON object", "");
            return told;
        }
        Err(fault) => {
            "a file that is no JSON".clone_into(&mut told.title);
            no_json(text.trim(), &fault, &mut told);
            return told;
        }
    };
    file(&json, &mut told, 0);
    told
}

fn no_json(text: &str, fault: &serde_json::Error, told: &mut Explanation) {
    let help = match text {
        "" => "the secret that should have been written is empty: is it there, in this environment, under this name?",
        _ if text.starts_with("ewog") || text.starts_with("eyJ0eXBl") => {
            "it is base64 of a credential file: decode it with `base64 -d`"
        }
        _ if text.starts_with("-----BEGIN") => "it is a key alone: take the whole JSON file, or make a new key",
        _ if text.starts_with('/') || text.starts_with('~') => "it is the path of a file, not its content",
        _ if text.contains("\\\"") => {
            "its quotes are escaped: the JSON was written into a string once more than it was read out"
        }
        _ if text.contains('\n') && text.contains("PRIVATE KEY") => {
            "line breaks in a string are written `\\n` in JSON: a shell has replaced them (use `printf '%s'`, not `echo -e`)"
        }
        _ => "every client says that the file is no valid JSON",
    };
    // The fault of the parser tells the place and nothing of the text.
    told.fault(format!("line {}, column {}: it is no valid JSON", fault.line(), fault.column()), help);
}

/// Explains an object with a `type`; `depth` counts credentials within credentials.
fn file(json: &Map<String, Value>, told: &mut Explanation, depth: usize) {
    for wrapper in ["web", "installed"] {
        if let Some(Value::Object(client)) = json.get(wrapper) {
            return client_file(wrapper, client, told);
        }
    }
    let Some(kind) = json.get("type").and_then(Value::as_str) else {
        "JSON without `type`".clone_into(&mut told.title);
        told.fault(
            "a credential file has a `type`",
            "download or create it anew; an answer of an API is no credential file",
        );
        return;
    };
    let Some((_, what)) = TYPES.iter().find(|(known, _)| *known == kind) else {
        told.title = format!("a credential file of the unknown type `{kind}`");
        let near = fields::nearest(kind, TYPES.iter().map(|(known, _)| *known));
        told.fault(
            format!("no client knows the type `{kind}`"),
            near.map_or_else(String::new, |near| format!("did you mean `{near}`?")),
        );
        return;
    };
    if depth == 0 {
        told.title = format!("{kind}: {what}");
    }
    let fields = Fields { json, told };
    match kind {
        "service_account" => service_account(fields),
        "authorized_user" => authorized_user(fields),
        "external_account" => external::account(fields),
        "external_account_authorized_user" => external::authorized_user(fields),
        "external_account_authorized_user_login_config" => external::login_config(fields),
        "impersonated_service_account" => impersonated(fields, depth),
        "gdch_service_account" => gdch(fields),
        _ => told.fault("no client knows the type `service_account_key`", "write `service_account`"),
    }
}

fn service_account(mut own: Fields<'_>) {
    let (email, id) = (own.needed("client_email"), own.needed("private_key_id"));
    own.needed("client_id");
    own.https("token_uri", Some("https://oauth2.googleapis.com/token"));
    key(&mut own);
    let project = own.optional("project_id");
    if let (Some(email), Some(project)) = (&email, &project) {
        match email.split_once('@').and_then(|(_, domain)| domain.strip_suffix(".iam.gserviceaccount.com")) {
            Some(of) if of != project.replace(':', ".") && !of.contains('.') => own.told.fault(
                format!("`client_email` is an account of the project `{of}`, and `project_id` says `{project}`"),
                "the file was put together by hand, or quota is to be charged elsewhere: then set `quota_project_id`, and leave `project_id`",
            ),
            None if !email.ends_with("gserviceaccount.com") => {
                own.told.fault(format!("`client_email` is `{email}`, no service account"), "take the file as it was downloaded");
            }
            _ => {}
        }
    }
    if let Some(url) = own.optional("client_x509_cert_url")
        && let Some(email) = &email
        && !url.contains(&email.replace('@', "%40"))
        && !url.contains(email.as_str())
    {
        own.told.fault(
            "`client_x509_cert_url` is that of another account than `client_email`",
            "take the file as it was downloaded",
        );
    }
    own.unknown(&fields::SERVICE_ACCOUNT);
    let (email, id) = (email.unwrap_or_default(), id.unwrap_or_default());
    own.steps(&[
        &format!("a JWT is signed with the key {id} of {email}, good for an hour"),
        "POST it to `token_uri` (grant jwt-bearer): an access token of the account comes back",
        "or, for APIs with self-signed tokens, the JWT itself is sent as bearer token and nobody is asked",
        "for an ID token the JWT holds `target_audience`",
    ]);
}

/// The private key: never told, only whether it can be one.
fn key(own: &mut Fields<'_>) {
    let Some(pem) = own.needed("private_key") else { return };
    if pem.contains("\\n") {
        return own.told.fault(
            "`private_key` holds `\\n` as two characters, not line breaks: it was escaped once too often",
            "replace `\\n` by line breaks when the value is put together, or write the file as it was downloaded",
        );
    }
    let Some(body) = pem
        .trim()
        .strip_prefix("-----BEGIN PRIVATE KEY-----")
        .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"))
    else {
        let why = if pem.contains("BEGIN RSA PRIVATE KEY") {
            "`private_key` is in PKCS#1 form (`RSA PRIVATE KEY`): Google's files hold PKCS#8, and some clients read no other"
        } else {
            "`private_key` is no whole PEM of a private key"
        };
        return own.told.fault(why, "take the file as it was downloaded");
    };
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let compact: String = body.split_whitespace().collect();
    let read = BASE64_STANDARD.decode(compact).ok().and_then(|der| SigningKey::from_pkcs8(&der).ok());
    match read {
        Some(key) if key.algorithm().name() == "RS256" => {}
        Some(_) => own.told.fault("`private_key` is no RSA key", "keys of service accounts are RSA"),
        None => own.told.fault(
            "`private_key` cannot be read: something of it is missing or was changed",
            "take the file as it was downloaded, or make a new key",
        ),
    }
}

fn authorized_user(mut own: Fields<'_>) {
    let client = own.needed("client_id").unwrap_or_default();
    own.needed("client_secret");
    if own.needed("refresh_token").is_some_and(|token| token.starts_with("ya29.")) {
        own.told.fault(
            "`refresh_token` holds an access token: it ends within the hour and cannot be refreshed",
            "sign in anew: `gcloud auth application-default login`",
        );
    }
    own.https("token_uri", None);
    own.unknown(&fields::AUTHORIZED_USER);
    if own.optional("quota_project_id").is_none() {
        own.told.not_checked.push("it has no `quota_project_id`: some APIs refuse users without one; `gcloud auth application-default set-quota-project PROJECT` adds it".to_owned());
    }
    own.steps(&[
        &format!("POST the refresh token to https://oauth2.googleapis.com/token as the OAuth client {client}: an access token of the user comes back, for an hour, with the scopes that the user once agreed to"),
        "it gives an ID token only for the client's own audience: Cloud Run takes it only if the client is gcloud's",
    ]);
}

fn impersonated(mut own: Fields<'_>, depth: usize) {
    let url = own.needed("service_account_impersonation_url");
    let email = url.as_deref().and_then(|url| external::impersonated(&mut own, url)).unwrap_or_default();
    own.unknown(&fields::IMPERSONATED);
    let source = own.json.get("source_credentials").and_then(Value::as_object).cloned();
    match &source {
        None => own.told.fault(
            "`source_credentials` is missing: nobody is there who could impersonate",
            "create the file with `gcloud auth application-default login --impersonate-service-account=EMAIL`",
        ),
        Some(source) => {
            let kind = source.get("type").and_then(Value::as_str).unwrap_or_default();
            if kind == "external_account" {
                own.told.not_checked.push("Python's client refuses `source_credentials` of type external_account; set `service_account_impersonation_url` in that file instead".to_owned());
            }
        }
    }
    own.steps(&[
        "the source credentials (below) get an access token",
        &format!("POST :generateAccessToken with it: an access token of {email}; the source needs roles/iam.serviceAccountTokenCreator on that account"),
    ]);
    if let Some(source) = source.filter(|_| depth < 3) {
        file(&source, own.told, depth + 1);
    }
}

fn gdch(mut own: Fields<'_>) {
    own.needed("project");
    own.needed("name");
    own.needed("private_key_id");
    own.needed("private_key");
    own.https("token_uri", None);
    if own.optional("format_version").is_some_and(|version| version != "1") {
        own.told.fault("`format_version` is not \"1\"", "no client knows another");
    }
    own.unknown(&fields::GDCH);
    own.steps(&["a JWT is signed with the key (ES256) and exchanged at `token_uri` of the distributed cloud; Google Cloud itself takes no such credential"]);
}

/// What the console gives for an OAuth client.
fn client_file(wrapper: &str, client: &Map<String, Value>, told: &mut Explanation) {
    told.title = format!("an OAuth client ({wrapper}), which is no credential by itself");
    let id = client.get("client_id").and_then(Value::as_str).unwrap_or_default();
    told.section("", vec![pair("client", id)]);
    told.fault(
        "it names an application, not somebody: as GOOGLE_APPLICATION_CREDENTIALS every client refuses it (it has no `type`)",
        "sign somebody in with it: `gcloud auth application-default login --client-id-file=FILE`",
    );
}
