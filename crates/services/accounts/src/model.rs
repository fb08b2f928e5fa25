//! Requests of the OAuth endpoints, and the claims of an assertion.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokenrig_clock::Timestamp;
use tokenrig_jose::{DateFault, Map, numeric_date};

/// The address that official clients put into `aud`, wherever they send the assertion.
pub(crate) const TOKEN_ENDPOINT: &str = "https://oauth2.googleapis.com/token";
/// The older address.
pub(crate) const LEGACY_ENDPOINT: &str = "https://www.googleapis.com/oauth2/v4/token";
/// The grant of RFC 7523.
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The grant of a user's refresh token, and the field that it is in.
pub(crate) const REFRESH_TOKEN: &str = "refresh_token";
/// Grants that somebody has to sign in for.
pub(crate) const OTHER_GRANTS: [&str; 2] = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"];

/// The fields of a request: a form's or a JSON object's texts, and those of the query. Of a field that stands twice the
/// first counts.
#[derive(Debug, Default)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads a form.
    pub(crate) fn form(bytes: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in form_urlencoded::parse(bytes) {
            fields.0.entry(name.into_owned()).or_insert_with(|| value.into_owned());
        }
        fields
    }

    /// Reads a JSON object; what is no text is left out. `None`: it is no object.
    pub(crate) fn json(bytes: &[u8]) -> Option<Self> {
        let Ok(Value::Object(object)) = serde_json::from_slice(bytes) else { return None };
        let texts = object.into_iter().filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            _ => None,
        });
        Some(Self(texts.collect()))
    }

    /// These fields, and `other`'s where they have none.
    pub(crate) fn or(mut self, other: Self) -> Self {
        for (name, value) in other.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }

    /// A field that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// How an OAuth client names and proves itself.
#[derive(Default)]
pub(crate) struct Client {
    /// `client_id`.
    pub(crate) id: Option<String>,
    /// `client_secret`.
    pub(crate) secret: Option<String>,
}

impl Client {
    /// By basic authentication (RFC 6749, section 2.3.1), else by the fields of the body.
    pub(crate) fn of(authorization: Option<&str>, fields: &Fields) -> Self {
        let field = |name| fields.get(name).map(str::to_owned);
        authorization.and_then(basic).unwrap_or_else(|| Self { id: field("client_id"), secret: field("client_secret") })
    }
}

fn basic(authorization: &str) -> Option<Client> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    let bytes = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    // Both are form-encoded before they are put together. Of a text without `%` and `+` that changes nothing.
    let decoded = |text: &str| {
        let pair = format!("v={}", text.replace('&', "%26"));
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    let there = |text: &str| decoded(text).filter(|text| !text.is_empty());
    Some(Client { id: there(id), secret: there(secret) })
}

/// A claim that is a text, and not an empty one.
pub(crate) fn text<'a>(claims: &'a Map, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// A time of an assertion: a number, or a text of digits, which Google takes too.
///
/// # Errors
///
/// What [`numeric_date`] says of a claim that is neither.
pub(crate) fn date(claims: &Map, name: &str) -> Result<Timestamp, DateFault> {
    match claims.get(name) {
        None | Some(Value::Null) => Err(DateFault::Missing),
        Some(Value::String(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let seconds = digits.parse().map_err(|_| DateFault::OutOfRange)?;
            Timestamp::from_second(seconds).map_err(|_| DateFault::OutOfRange)
        }
        Some(_) => numeric_date(claims, name),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!(1_768_467_600), Ok("2026-01-15T09:00:00Z"))]
    #[case(json!("1768467600"), Ok("2026-01-15T09:00:00Z"))]
    #[case(json!("1768467600.5"), Err(DateFault::NotANumber("a string")))]
    #[case(json!(""), Err(DateFault::OutOfRange))]
    #[case(json!("99999999999999999999"), Err(DateFault::OutOfRange))]
    #[case(json!(null), Err(DateFault::Missing))]
    #[case(json!(true), Err(DateFault::NotANumber("a boolean")))]
    fn a_time_is_a_number_or_digits(#[case] value: Value, #[case] time: Result<&str, DateFault>) {
        let claims = json!({ "iat": value });
        assert_eq!(date(claims.as_object().unwrap(), "iat"), time.map(|time| time.parse().unwrap()));
    }

    #[test]
    fn fields_come_as_a_form_or_as_json_and_the_body_wins() {
        let form = Fields::form(b"grant_type=a+b&grant_type=c&assertion=");
        assert_eq!((form.get("grant_type"), form.get("assertion")), (Some("a b"), None));
        let json = Fields::json(br#"{ "grant_type": "x", "n": 1 }"#).unwrap();
        let both = json.or(Fields::form(b"grant_type=y&scope=z"));
        assert_eq!((both.get("grant_type"), both.get("scope"), both.get("n")), (Some("x"), Some("z"), None));
        assert!(Fields::json(b"[]").is_none());
    }

    #[rstest]
    #[case::by_fields(None, "client_id=web&client_secret=s", Some("web"), Some("s"))]
    #[case::by_basic(Some("Basic d2ViOnM="), "", Some("web"), Some("s"))]
    #[case::by_both(Some("basic d2ViOnM="), "client_id=other", Some("web"), Some("s"))]
    #[case::without_a_secret(Some("Basic d2ViOg=="), "", Some("web"), None)]
    #[case::without_an_id(Some("Basic OnM="), "", None, Some("s"))]
    #[case::form_encoded(Some("Basic dyUyMGI6cw=="), "", Some("w b"), Some("s"))]
    #[case::no_base64(Some("Basic d2ViOnM"), "client_id=web", Some("web"), None)]
    #[case::another_scheme(Some("Bearer d2ViOnM="), "client_id=web", Some("web"), None)]
    #[case::nothing(None, "client_id=", None, None)]
    fn a_client_proves_itself_by_basic_authentication_or_fields(
        #[case] authorization: Option<&str>,
        #[case] form: &str,
        #[case] id: Option<&str>,
        #[case] secret: Option<&str>,
    ) {
        let client = Client::of(authorization, &Fields::form(form.as_bytes()));
        assert_eq!((client.id.as_deref(), client.secret.as_deref()), (id, secret));
    }
}
