//! The request of an exchange and the names in it.

use form_urlencoded::parse;
use serde_json::Value;

/// The one grant type of `/v1/token`.
pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The token type of access tokens.
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The token type of JWTs.
pub(crate) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// The token type of ID tokens.
pub(crate) const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
/// Subject token types that Google knows and the rig does not play yet.
pub(crate) const OTHER_SUBJECTS: &[&str] = &[
    "urn:ietf:params:oauth:token-type:saml2",
    "urn:ietf:params:aws:token-type:aws4_request",
    "urn:ietf:params:oauth:token-type:mtls",
];

/// The fields of `POST /v1/token`. A field that was not sent, or sent empty, is `None`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct TokenRequest {
    /// `grant_type` or `grantType`.
    pub(crate) grant_type: Option<String>,
    /// `audience`.
    pub(crate) audience: Option<String>,
    /// `scope`, space-delimited.
    pub(crate) scope: Option<String>,
    /// `requested_token_type` or `requestedTokenType`.
    pub(crate) requested_token_type: Option<String>,
    /// `subject_token` or `subjectToken`, trimmed: gcloud sends a file with its line break.
    pub(crate) subject_token: Option<String>,
    /// `subject_token_type` or `subjectTokenType`.
    pub(crate) subject_token_type: Option<String>,
    /// `options`: serialised JSON, possibly percent-encoded once more.
    pub(crate) options: Option<String>,
}

impl TokenRequest {
    /// Reads a form. Unknown fields are ignored, of repeated ones the first counts.
    #[must_use]
    pub(crate) fn from_form(body: &[u8]) -> Self {
        let mut request = Self::default();
        for (name, value) in parse(body) {
            request.put(&name, &value);
        }
        request
    }

    /// Reads a JSON object with the names of Google's REST reference (or those of the form).
    ///
    /// # Errors
    ///
    /// What is wrong with the body, in words.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(body).map_err(|fault| format!("the body is no JSON: {fault}"))?;
        let Value::Object(fields) = value else { return Err("the body is no JSON object".to_owned()) };
        let mut request = Self::default();
        for (name, value) in &fields {
            match value {
                Value::String(text) => request.put(name, text),
                // The reference says that `options` is serialised JSON; an object says the same.
                Value::Object(_) if name == "options" => request.put(name, &value.to_string()),
                Value::Null => {}
                _ => return Err(format!("`{name}` is no text")),
            }
        }
        Ok(request)
    }

    fn put(&mut self, name: &str, value: &str) {
        let field = match name {
            "grant_type" | "grantType" => &mut self.grant_type,
            "audience" => &mut self.audience,
            "scope" => &mut self.scope,
            "requested_token_type" | "requestedTokenType" => &mut self.requested_token_type,
            "subject_token" | "subjectToken" => &mut self.subject_token,
            "subject_token_type" | "subjectTokenType" => &mut self.subject_token_type,
            "options" => &mut self.options,
            _ => return,
        };
        let value = value.trim();
        if field.is_none() && !value.is_empty() {
            *field = Some(value.to_owned());
        }
    }
}

/// The provider that `audience` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderName<'a> {
    /// What stands after `projects/`: the number if it is right.
    pub(crate) project: &'a str,
    /// The pool's id.
    pub(crate) pool: &'a str,
    /// The provider's id.
    pub(crate) provider: &'a str,
}

/// What kind of pool `audience` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Audience<'a> {
    /// A provider of a workload identity pool.
    Workload(ProviderName<'a>),
    /// A provider of a workforce pool.
    Workforce,
}

impl<'a> Audience<'a> {
    /// Reads `//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/X` or its workforce twin.
    #[must_use]
    pub(crate) fn parse(audience: &'a str) -> Option<Self> {
        let name = audience.strip_prefix("//iam.googleapis.com/")?;
        let segments: Vec<&str> = name.split('/').collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        match segments[..] {
            ["projects", project, "locations", "global", "workloadIdentityPools", pool, "providers", provider] => {
                Some(Self::Workload(ProviderName { project, pool, provider }))
            }
            ["locations", "global", "workforcePools", _, "providers", _] => Some(Self::Workforce),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_form_is_read_whatever_its_order_and_what_is_unknown_is_ignored() {
        let request = TokenRequest::from_form(b"scope=&x=y&subject_token=a.b.c%0A&audience=%2F%2Fiam&grant_type=g");
        assert_eq!(request.subject_token.as_deref(), Some("a.b.c"));
        assert_eq!(request.audience.as_deref(), Some("//iam"));
        assert_eq!(request.scope, None);
    }

    #[rstest]
    #[case::object(br#"{"grantType":"g","subjectToken":"t"}"#, true)]
    #[case::list(b"[]", false)]
    #[case::number(br#"{"audience":7}"#, false)]
    #[case::broken(b"{", false)]
    fn json_is_read_as_an_object_of_texts(#[case] body: &[u8], #[case] reads: bool) {
        assert_eq!(TokenRequest::from_json(body).is_ok(), reads);
    }

    #[rstest]
    #[case("//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x", true)]
    #[case("https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x", false)]
    #[case("//iam.googleapis.com/projects//locations/global/workloadIdentityPools//providers/", false)]
    #[case("//iam.googleapis.com/projects/1/locations/eu/workloadIdentityPools/p/providers/x", false)]
    #[case("//iam.googleapis.com/locations/global/workforcePools/p/providers/x", true)]
    #[case("", false)]
    fn an_audience_is_a_providers_full_name(#[case] audience: &str, #[case] reads: bool) {
        assert_eq!(Audience::parse(audience).is_some(), reads);
    }
}
