//! What a provider may be: the rules that Google checks when one is made or changed. The issuer is not asked anything.

use std::collections::BTreeMap;

use tokenrig_cel::{Dialect, Program};
use tokenrig_decision::{Check, Refusal, Refused};
use tokenrig_jose::{JwkSet, KeyFault};
use tokenrig_protos::tokenrig::iam::v1::{
    WorkloadIdentityPoolProvider as Provider,
    workload_identity_pool_provider::{Oidc, ProviderConfig},
};
use tokenrig_wire::Call;

use super::{field, pools::texts, refuse, unplayed};
use crate::{assumptions::Settings, refusals};

pub(super) const ID: &str = "wif-provider-field-invalid";

/// Documented limits.
const MOST_AUDIENCES: usize = 10;
const LONGEST_AUDIENCE: usize = 256;
const MOST_KEYS: usize = 8;
const MOST_ATTRIBUTES: usize = 50;
const LONGEST_ATTRIBUTE: usize = 100;
const LONGEST_METADATA: usize = 128 * 1024;
/// What can be mapped beside `attribute.NAME`.
const GOOGLE_ATTRIBUTES: &[&str] = &["google.subject", "google.groups"];

/// All rules of a provider; the first that fails gives the answer.
pub(super) fn rules(call: &Call, settings: &Settings, told: &Provider) -> Result<(), Refused> {
    texts(call, ID, &told.display_name, &told.description)?;
    match &told.provider_config {
        Some(ProviderConfig::Oidc(oidc)) => oidc_rules(call, settings, oidc)?,
        Some(ProviderConfig::Aws(aws)) => {
            let digits = aws.account_id.len() == 12 && aws.account_id.bytes().all(|byte| byte.is_ascii_digit());
            call.check(field(ID, "aws.account_id", "it must have 12 digits", digits).found(aws.account_id.as_str()))?;
        }
        Some(ProviderConfig::Saml(saml)) => metadata(call, ID, &saml.idp_metadata_xml)?,
        Some(ProviderConfig::X509(_)) => return Err(unplayed(call, "providers of X.509 certificates")),
        None => call.check(field(ID, "provider_config", "one of `oidc`, `aws` and `saml` must be there", false))?,
    }
    // AWS has a default mapping.
    let defaulted = matches!(told.provider_config, Some(ProviderConfig::Aws(_))) && told.attribute_mapping.is_empty();
    mapping(call, &told.attribute_mapping, GOOGLE_ATTRIBUTES, defaulted)?;
    let program = condition(call, &told.attribute_condition)?;
    condition_of_many(call, settings, told, program.as_ref())
}

/// The metadata of a SAML identity provider, which is not read here.
pub(super) fn metadata(call: &Call, id: &'static str, xml: &str) -> Result<(), Refused> {
    let size = xml.chars().count();
    let good = (1..=LONGEST_METADATA).contains(&size);
    call.check(field(id, "saml.idp_metadata_xml", "1 to 131072 characters", good).found(size))
}

/// An issuer must be a URI of scheme https.
pub(super) fn issuer(call: &Call, uri: &str) -> Result<(), Refused> {
    let scheme = scheme(uri);
    let issuer = |refusal: &'static Refusal, id, holds| {
        let check = Check::named("request").expected("a URI of scheme https").found(uri);
        check
            .holds(holds)
            .or_refuse(refusal, id)
            .mend(|| "write `oidc.issuerUri` as the tokens' `iss` claim has it, https:// and all".to_owned())
    };
    call.check(issuer(&refusals::ISSUER_NOT_URI, "wif-provider-issuer-not-uri", scheme.is_some()))?;
    let https = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    call.check(issuer(&refusals::ISSUER_NOT_HTTPS, "wif-provider-issuer-not-https", https))
}

fn oidc_rules(call: &Call, settings: &Settings, oidc: &Oidc) -> Result<(), Refused> {
    issuer(call, &oidc.issuer_uri)?;
    let count = oidc.allowed_audiences.len();
    let audiences = "oidc.allowed_audiences";
    call.check(field(ID, audiences, "at most 10 audiences", count <= MOST_AUDIENCES).found(count))?;
    let long = oidc.allowed_audiences.iter().find(|audience| audience.chars().count() > LONGEST_AUDIENCE);
    let found = long.map(|audience| audience.chars().count());
    call.check(field(ID, audiences, "at most 256 characters each", long.is_none()).found(found))?;
    if oidc.jwks_json.is_empty() { Ok(()) } else { jwks(call, settings, ID, &oidc.jwks_json) }
}

/// The scheme of an absolute URI that names a host.
fn scheme(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let good = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    let spaces = uri.chars().any(|c| c.is_whitespace() || c.is_control());
    (good && !host.is_empty() && !spaces).then_some(scheme)
}

/// Uploaded keys are looked at one by one: what STS could never use is refused, what it merely does not use is not.
pub(super) fn jwks(call: &Call, settings: &Settings, of: &'static str, text: &str) -> Result<(), Refused> {
    let check = |found: String, holds: bool, refusal: &'static Refusal, id| {
        let check = Check::named("request").expected("a JWK set of RSA and EC keys").found(found).holds(holds);
        check.or_refuse(refusal, id).mend(|| "upload the issuer's own key set, RSA or EC P-256".to_owned())
    };
    let set = match JwkSet::parse(text.as_bytes()) {
        Ok(set) => set,
        Err(fault) => {
            let (form, id) = (&refusals::JWKS_MALFORMED, "wif-provider-jwks-malformed");
            return Err(refuse(call, check(fault.to_string(), false, form, id)));
        }
    };
    let count = set.keys().len();
    call.check(field(of, "oidc.jwks_json", "1 to 8 keys", (1..=MOST_KEYS).contains(&count)).found(count))?;
    for key in set.keys() {
        let certificate = ["x5c", "x5t"].into_iter().find(|name| key.members().contains_key(*name));
        let fine = settings.jwks_with_certificates || certificate.is_none();
        let found = certificate.unwrap_or_default().to_owned();
        call.check(check(found, fine, &refusals::JWKS_MALFORMED, "wif-provider-jwks-x5c"))?;
        let Err(fault) = key.key() else { continue };
        let (form, id) = match fault {
            // Measured: accepted at upload, of no use at exchange.
            KeyFault::Algorithm(_) | KeyFault::Use(_) | KeyFault::Operations => continue,
            KeyFault::NotAnObject => (&refusals::JWKS_MALFORMED, "wif-provider-jwks-malformed"),
            KeyFault::Curve(_) => (&refusals::JWKS_KEY_TYPE, "wif-provider-jwks-ec-curve"),
            KeyFault::KeyType(kind) if kind != "OKP" => (&refusals::JWKS_KEY_TYPE, "wif-provider-jwks-key-type"),
            _ => (&refusals::JWKS_CORRUPTED, "wif-provider-jwks-corrupted"),
        };
        return Err(refuse(
            call,
            check(format!("key {}: {fault}", key.kid().unwrap_or("without id")), false, form, id),
        ));
    }
    Ok(())
}

/// `google`: what of Google's own can be mapped; `defaulted`: whether there is a mapping by default.
pub(super) fn mapping(
    call: &Call,
    mapping: &BTreeMap<String, String>,
    google: &[&str],
    defaulted: bool,
) -> Result<(), Refused> {
    let id = "wif-provider-mapping-invalid";
    let custom = mapping.keys().filter(|key| key.starts_with("attribute.")).count();
    let most = custom <= MOST_ATTRIBUTES;
    call.check(field(id, "attribute_mapping", "at most 50 attributes of one's own", most).found(custom))?;
    let subject = defaulted || mapping.contains_key("google.subject");
    let what = "`google.subject` must be mapped";
    let keys: Vec<&str> = mapping.keys().map(String::as_str).collect();
    call.check(field(id, "attribute_mapping", what, subject).found(keys))?;
    for (key, expression) in mapping {
        call.check(
            Check::named("request")
                .expected(format!("{} or attribute.NAME with NAME of [a-z0-9_]", google.join(", ")))
                .found(key.as_str())
                .holds(is_attribute(key, google))
                .or_refuse(&refusals::MAPPING_KEY, "wif-provider-mapping-key-invalid")
                .with("key", key)
                .mend(|| format!("name the attribute `attribute.{}`", suggestion(key))),
        )?;
        let place = format!("attribute_mapping[{key}]");
        compiles(call, id, &place, expression, Dialect::AttributeMapping)?;
    }
    Ok(())
}

fn is_attribute(key: &str, google: &[&str]) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    google.contains(&key)
        || key
            .strip_prefix("attribute.")
            .is_some_and(|name| (1..=LONGEST_ATTRIBUTE).contains(&name.len()) && name.chars().all(good))
}

fn suggestion(key: &str) -> String {
    let name = key.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let good = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
    name.chars().filter(good).take(LONGEST_ATTRIBUTE).collect()
}

/// A condition must be an expression, if there is one.
pub(super) fn condition(call: &Call, text: &str) -> Result<Option<Program>, Refused> {
    if text.is_empty() {
        return Ok(None);
    }
    let id = "wif-provider-condition-invalid";
    compiles(call, id, "attribute_condition", text, Dialect::AttributeCondition).map(Some)
}

/// Where an issuer signs for many customers, the condition must tell one's own tokens from others'.
fn condition_of_many(
    call: &Call,
    settings: &Settings,
    told: &Provider,
    program: Option<&Program>,
) -> Result<(), Refused> {
    let Some(ProviderConfig::Oidc(oidc)) = &told.provider_config else { return Ok(()) };
    let shared = settings
        .multi_tenant_issuers
        .iter()
        .any(|issuer| issuer.trim_end_matches('/') == oidc.issuer_uri.trim_end_matches('/'));
    if !shared {
        return Ok(());
    }
    let reads = program.is_some_and(|program| !program.variables().is_empty());
    call.check(
        Check::named("request")
            .expected("a condition that reads a claim, because the issuer signs for many customers")
            .found(told.attribute_condition.as_str())
            .holds(reads)
            .or_refuse(&refusals::CONDITION_REQUIRED, "wif-provider-condition-required")
            .mend(|| "set `attributeCondition` to something that only your own tokens meet".to_owned()),
    )
}

/// An expression must be one, and use only what its place has.
fn compiles(call: &Call, id: &'static str, place: &str, text: &str, dialect: Dialect) -> Result<Program, Refused> {
    let compiled = Program::compile(text, dialect).map_err(|fault| fault.message).and_then(|program| {
        let known = dialect.variables().unwrap_or_default();
        let stranger = program.variables().iter().find(|name| !known.contains(&name.as_str()));
        match stranger {
            Some(name) => Err(format!("undeclared reference to '{name}'")),
            None => Ok(program),
        }
    });
    match compiled {
        Ok(program) => Ok(program),
        Err(fault) => Err(refuse(call, field(id, place, &fault, false).found(text))),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://login.corp.example", Some("https"))]
    #[case("http://login.corp.example/", Some("http"))]
    #[case("HTTPS://login.corp.example", Some("HTTPS"))]
    #[case("frisket-host", None)]
    #[case("https://", None)]
    #[case("https:///path", None)]
    #[case("https://a b", None)]
    #[case("", None)]
    fn an_issuer_is_a_uri_with_a_host(#[case] uri: &str, #[case] expected: Option<&str>) {
        assert_eq!(scheme(uri), expected);
    }

    #[rstest]
    #[case("google.subject", true)]
    #[case("google.groups", true)]
    #[case("attribute.repository_owner", true)]
    #[case("google.display_name", false)]
    #[case("assertion.repository", false)]
    #[case("attribute.repository_ow ner", false)]
    #[case("attribute.isAdmin", false)]
    #[case("attribute.", false)]
    fn an_attribute_has_a_name_of_its_form(#[case] key: &str, #[case] good: bool) {
        assert_eq!(is_attribute(key, GOOGLE_ATTRIBUTES), good);
    }
}
