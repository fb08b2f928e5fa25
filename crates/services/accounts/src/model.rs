//! Requests of the OAuth endpoints, and the claims of an assertion.

use std::collections::BTreeMap;

use serde_json::Value;
use tokenrig_clock::Timestamp;
use tokenrig_jose::{DateFault, Map, numeric_date};

/// The address that official clients put into `aud`, wherever they send the assertion.
pub(crate) const TOKEN_ENDPOINT: &str = "https://oauth2.googleapis.com/token";
/// The older address.
pub(crate) const LEGACY_ENDPOINT: &str = "https://www.googleapis.com/oauth2/v4/token";
/// The grant of RFC 7523.
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Grants of users and devices.
pub(crate) const OTHER_GRANTS: [&str; 3] =
    ["refresh_token", "authorization_code", "urn:ietf:params:oauth:grant-type:device_code"];

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
}
