//! From `aws.accounts` of a given document to the principals of a cloud, and the requests that they sign.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use tokenrig_clock::minutes;
use tokenrig_cloud::{
    AwsFault, AwsKind, AwsPrincipal, AwsRequest, AwsScope, Cloud, NewAwsPrincipal, Secret, amz_date, aws_authorization,
};
use tokenrig_jose::forge::Flaw;
use tokenrig_runner::{Facts, MintKey, MintOrder};

use crate::foundation::{FoundationFault, object, text};

/// The header that says for which provider a request is signed.
const TARGET: &str = "x-goog-cloud-target-resource";
/// A provider that is nobody's.
const SOMEBODY_ELSES: &str =
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/somebody/providers/else";

/// Makes all accounts known, and who has keys of them.
pub(crate) fn enter(cloud: &Cloud, accounts: &Map<String, Value>) -> Result<(), FoundationFault> {
    for (id, fields) in accounts {
        let place = format!("aws.accounts.{id}");
        let fields = object(Some(fields), &place)?;
        let region = fields.get("region").map(|region| text(region, &format!("{place}.region"))).transpose()?;
        cloud.aws().add(id, region.as_deref()).map_err(|fault| at(&place, &fault))?;
        for (word, kind) in [("roles", AwsKind::Role), ("users", AwsKind::User)] {
            for (name, fields) in object(fields.get(word), &format!("{place}.{word}"))? {
                let place = format!("{place}.{word}.{name}");
                let fields = object(Some(&fields), &place)?;
                let field =
                    |name: &str| fields.get(name).map(|value| text(value, &format!("{place}.{name}"))).transpose();
                let new = NewAwsPrincipal {
                    account: id.clone(),
                    kind,
                    name,
                    session: field("roleSessionName")?,
                    access_key_id: field("accessKeyId")?,
                    secret_access_key: field("secretAccessKey")?.map(Secret::new),
                    session_token: field("sessionToken")?.map(Secret::new),
                };
                cloud.aws().add_principal(new).map_err(|fault| at(&place, &fault))?;
            }
        }
    }
    Ok(())
}

fn at(place: &str, fault: &AwsFault) -> FoundationFault {
    FoundationFault::new(format!("`{place}`: {fault}"))
}

/// Tells which accounts are known.
pub(crate) fn tell(cloud: &Cloud, facts: &mut Facts) {
    for (id, fields) in document(cloud) {
        let Value::Object(mut fields) = fields else { continue };
        fields.insert("id".to_owned(), json!(id));
        facts.aws.insert(id, fields);
    }
}

/// The accounts as a given document has them.
pub(crate) fn document(cloud: &Cloud) -> Map<String, Value> {
    let principals = cloud.aws().principals();
    let told = |account: &str, kind: AwsKind| {
        let own = principals.iter().filter(|one| one.account == account && one.kind == kind);
        own.map(|one| (one.name.clone(), credentials(one))).collect::<Map<_, _>>()
    };
    let accounts = cloud.aws().list().into_iter().map(|(id, region)| {
        let fields = json!({
            "region": region, "roles": told(&id, AwsKind::Role), "users": told(&id, AwsKind::User),
        });
        (id, fields)
    });
    accounts.collect()
}

fn credentials(principal: &AwsPrincipal) -> Value {
    let mut told = json!({
        "accessKeyId": principal.access_key_id,
        "secretAccessKey": principal.secret_access_key.reveal(),
    });
    if let Some(token) = &principal.session_token {
        told["sessionToken"] = json!(token.reveal());
        told["roleSessionName"] = json!(principal.session);
    }
    told
}

/// Why a request was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignFault {
    #[error("a request to AWS is signed with the principal's own key: leave `key` out")]
    Key,
    #[error("a request to AWS cannot have the flaw `{0}`")]
    Flaw(Flaw),
    #[error("a request to AWS has no `{0}`: `header` takes `url`, `method`, `body` and `region`")]
    Member(String),
    #[error("`{0}` is no text")]
    NoText(String),
    #[error("`{0}` is no https URL with a host")]
    Url(String),
}

/// A subject token of the kind `aws4_request`: the request as clients serialise it, encoded for a URL.
pub(crate) fn sign(cloud: &Cloud, principal: &AwsPrincipal, order: &MintOrder) -> Result<String, SignFault> {
    if order.key != MintKey::Current {
        return Err(SignFault::Key);
    }
    let text =
        |name: &str, value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| SignFault::NoText(name.to_owned()));
    let (mut url, mut method, mut body, mut region) = (None, "POST".to_owned(), String::new(), None);
    for (name, value) in &order.header {
        match name.as_str() {
            "url" => url = Some(text(name, value)?),
            "method" => method = text(name, value)?,
            "body" => body = text(name, value)?,
            "region" => region = Some(text(name, value)?),
            other => return Err(SignFault::Member(other.to_owned())),
        }
    }
    let region = region.unwrap_or_else(|| principal.region.clone());
    let url = url
        .unwrap_or_else(|| format!("https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"));
    let mut request = AwsRequest::post(&url).map_err(|_| SignFault::Url(url))?;
    request.method = method;
    request.body = body.into_bytes();
    let date = amz_date(match order.flaw {
        Some(Flaw::Expired) => cloud.now() - minutes(16),
        Some(Flaw::NotYetValid) => cloud.now() + minutes(16),
        _ => cloud.now(),
    });
    request.put("x-amz-date", &date);
    if let Some(token) = &principal.session_token {
        request.put("x-amz-security-token", token.reveal());
    }
    for (name, value) in &order.claims {
        let name = name.to_ascii_lowercase();
        match value {
            Value::Null => request.remove(&name),
            value => request.put(&name, &text(&name, value)?),
        }
    }
    let meant = request.header(TARGET).map(str::to_owned);
    let (mut access_key_id, mut secret) = (principal.access_key_id.clone(), principal.secret_access_key.reveal());
    match order.flaw {
        None | Some(Flaw::Expired | Flaw::NotYetValid | Flaw::Truncated) => {}
        Some(Flaw::WrongKey) => secret = "another secret, of forty characters or so",
        Some(Flaw::UnknownKid) => access_key_id = "ASIANOBODYSKEY000000".to_owned(),
        Some(Flaw::WrongAudience | Flaw::TamperedPayload) => request.put(TARGET, SOMEBODY_ELSES),
        Some(Flaw::Oversized) => request.put("x-padding", &"x".repeat(1 << 17)),
        Some(other) => return Err(SignFault::Flaw(other)),
    }
    let scope = AwsScope::sts(&date, &region);
    let authorization = aws_authorization(&request, &access_key_id, secret, &scope);
    request.put("authorization", &authorization);
    if let (Some(Flaw::TamperedPayload), Some(meant)) = (order.flaw, meant) {
        request.put(TARGET, &meant);
    }
    let headers: Vec<Value> =
        request.headers.iter().map(|(name, value)| json!({ "key": name, "value": value })).collect();
    let mut token = json!({ "url": request.url, "method": request.method, "headers": headers });
    if !request.body.is_empty() {
        token["body"] = json!(String::from_utf8_lossy(&request.body));
    }
    let mut token = utf8_percent_encode(&token.to_string(), NON_ALPHANUMERIC).to_string();
    if order.flaw == Some(Flaw::Truncated) {
        token.truncate(token.len() / 2);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rstest::rstest;
    use tokenrig_clock::ManualClock;
    use tokenrig_cloud::Foundation;

    use super::*;

    fn cloud() -> Cloud {
        let clock = Arc::new(ManualClock::starting_at("2026-01-15T09:00:00Z".parse().unwrap()));
        Cloud::new(Foundation::on(clock))
    }

    #[test]
    fn what_is_given_is_told_again() {
        let cloud = cloud();
        let role =
            json!({ "accessKeyId": "ASIAA", "secretAccessKey": "s", "sessionToken": "t", "roleSessionName": "i-1" });
        let user = json!({ "accessKeyId": "AKIAA", "secretAccessKey": "s" });
        let accounts =
            json!({ "123456789012": { "region": "eu-west-1", "roles": { "ci": role }, "users": { "joe": user } } });
        let accounts = accounts.as_object().unwrap();
        enter(&cloud, accounts).unwrap();
        assert_eq!(&document(&cloud), accounts);
    }

    #[rstest]
    #[case(json!({ "1234": {} }), "`aws.accounts.1234`: `1234` is no AWS account")]
    #[case(json!({ "123456789012": { "region": 7 } }), "`aws.accounts.123456789012.region` is a text")]
    #[case(json!({ "123456789012": { "roles": { "c i": {} } } }), "`c i` is no name of AWS")]
    #[case(json!({ "123456789012": { "roles": { "ci": { "accessKeyId": "a" } } } }), "`a` is no access key id")]
    fn a_wrong_account_is_told_by_the_place(#[case] accounts: Value, #[case] told: &str) {
        let fault = enter(&cloud(), accounts.as_object().unwrap()).unwrap_err().to_string();
        assert!(fault.contains(told), "{fault}");
    }

    #[test]
    fn a_request_cannot_have_every_flaw_of_a_token() {
        let cloud = cloud();
        enter(&cloud, json!({ "123456789012": { "roles": { "ci": {} } } }).as_object().unwrap()).unwrap();
        let principal = cloud.aws().principal("123456789012/ci").unwrap();
        let order = |flaw| MintOrder {
            issuer: principal.key(),
            header: Map::new(),
            claims: Map::new(),
            key: MintKey::Current,
            flaw: Some(flaw),
        };
        assert_eq!(sign(&cloud, &principal, &order(Flaw::AlgNone)), Err(SignFault::Flaw(Flaw::AlgNone)));
        assert!(sign(&cloud, &principal, &order(Flaw::Expired)).unwrap().starts_with("%7B"));
    }
}
