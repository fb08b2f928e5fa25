//! The requests of the exchange and the names in them.

use form_urlencoded::parse;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokenrig_jose::{JsonLimits, Map, parse_object};
use tokenrig_policy::PoolRef;

/// Bytes of a request's body.
pub(crate) const LARGEST_BODY: usize = 1 << 20;
/// Characters of `options`, as JSON.
const LONGEST_OPTIONS: usize = 4096;
/// Characters of `options.userProject`.
const LONGEST_PROJECT: usize = 32;
/// Characters of `options.accessBoundary`, as JSON.
const LONGEST_BOUNDARY: usize = 2048;

/// The one grant type of `/v1/token`.
pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The token type of access tokens.
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// What client-side downscoping asks for.
pub(crate) const INTERMEDIATE_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_boundary_intermediate_token";
/// The token type of JWTs.
pub(crate) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// The token type of ID tokens.
pub(crate) const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
/// The token type of signed requests to AWS.
pub(crate) const AWS4_REQUEST: &str = "urn:ietf:params:aws:token-type:aws4_request";
/// Subject token types that Google knows and the rig does not play yet.
pub(crate) const OTHER_SUBJECTS: &[&str] =
    &["urn:ietf:params:oauth:token-type:saml2", "urn:ietf:params:oauth:token-type:mtls"];

/// What kind of subject token is exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubjectKind {
    /// A JWT of an OpenID provider.
    Jwt,
    /// A signed request to AWS.
    Aws,
}

impl SubjectKind {
    /// The kind that a `subject_token_type` names.
    #[must_use]
    pub(crate) fn of(token_type: &str) -> Option<Self> {
        match token_type {
            JWT | ID_TOKEN => Some(Self::Jwt),
            AWS4_REQUEST => Some(Self::Aws),
            _ => None,
        }
    }

    /// The types that name it.
    #[must_use]
    pub(crate) const fn types(self) -> &'static [&'static str] {
        match self {
            Self::Jwt => &[JWT, ID_TOKEN],
            Self::Aws => &[AWS4_REQUEST],
        }
    }
}

/// The fields of `POST /v1/token` and `POST /v1/introspect`. A field that was not sent, or sent empty, is `None`.
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
    /// `token`, of introspection; trimmed.
    pub(crate) token: Option<String>,
    /// `token_type_hint` or `tokenTypeHint`, of introspection.
    pub(crate) token_type_hint: Option<String>,
}

/// Why a body holds no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// The field that the answer names, in the form's spelling.
    pub(crate) field: &'static str,
    /// What is wrong, in words; nothing of the body is in them.
    pub(crate) why: String,
}

impl Unreadable {
    /// The body as a whole.
    pub(crate) fn whole(why: impl Into<String>) -> Self {
        Self { field: "grant_type", why: why.into() }
    }
}

impl TokenRequest {
    /// Reads a form. Unknown fields are ignored, of repeated ones the first counts.
    #[must_use]
    pub(crate) fn from_form(body: &[u8]) -> Self {
        let mut request = Self::default();
        for (name, value) in parse(body) {
            if let Some((_, field)) = request.field(&name) {
                put(field, value.into_owned());
            }
        }
        request
    }

    /// Reads a JSON object with the names of Google's REST reference, or those of the form. Unknown members are
    /// ignored.
    ///
    /// # Errors
    ///
    /// What is wrong with the body.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, Unreadable> {
        let limits = JsonLimits { bytes: LARGEST_BODY, ..JsonLimits::default() };
        let members = parse_object(body, limits).map_err(|fault| Unreadable::whole(fault.to_string()))?;
        let mut request = Self::default();
        for (name, value) in members {
            let Some((known, field)) = request.field(&name) else { continue };
            match value {
                Value::String(text) => put(field, text),
                // The reference says that `options` is serialised JSON; an object says the same.
                Value::Object(_) if known == "options" => put(field, value.to_string()),
                Value::Null => {}
                _ => return Err(Unreadable { field: known, why: format!("`{known}` is no string") }),
            }
        }
        Ok(request)
    }

    /// A field by either of its names, with the form's.
    fn field(&mut self, name: &str) -> Option<(&'static str, &mut Option<String>)> {
        Some(match name {
            "grant_type" | "grantType" => ("grant_type", &mut self.grant_type),
            "audience" => ("audience", &mut self.audience),
            "scope" => ("scope", &mut self.scope),
            "requested_token_type" | "requestedTokenType" => ("requested_token_type", &mut self.requested_token_type),
            "subject_token" | "subjectToken" => ("subject_token", &mut self.subject_token),
            "subject_token_type" | "subjectTokenType" => ("subject_token_type", &mut self.subject_token_type),
            "options" => ("options", &mut self.options),
            "token" => ("token", &mut self.token),
            "token_type_hint" | "tokenTypeHint" => ("token_type_hint", &mut self.token_type_hint),
            _ => return None,
        })
    }

    /// The subject token without the white space around it.
    #[must_use]
    pub(crate) fn subject(&self) -> Option<&str> {
        trimmed(self.subject_token.as_deref())
    }

    /// The token to introspect without the white space around it.
    #[must_use]
    pub(crate) fn introspected(&self) -> Option<&str> {
        trimmed(self.token.as_deref())
    }
}

fn put(field: &mut Option<String>, value: String) {
    if field.is_none() && !value.is_empty() {
        *field = Some(value);
    }
}

fn trimmed(token: Option<&str>) -> Option<&str> {
    token.map(str::trim).filter(|token| !token.is_empty())
}

/// What `options` says. Members that it does not know are ignored, as is what clients add for themselves.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Options {
    /// `userProject`: whose quota calls with the token count on, an id or a number.
    pub(crate) user_project: Option<String>,
    /// `accessBoundary`.
    pub(crate) access_boundary: Option<Map>,
}

impl Options {
    /// Reads serialised JSON. Google's Python library percent-encodes it before the form is encoded, others do not.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // A character is at most four bytes, and each byte three when it is encoded.
        let limits = JsonLimits { bytes: LONGEST_OPTIONS * 4, ..JsonLimits::default() };
        if text.len() > LONGEST_OPTIONS * 12 {
            return Err(format!("it is longer than {LONGEST_OPTIONS} characters"));
        }
        let decoded;
        let (text, members) = match parse_object(text.as_bytes(), limits) {
            Ok(members) => (text, members),
            Err(fault) => {
                decoded = percent_decode_str(text).decode_utf8().map_err(|_| fault.to_string())?;
                (&*decoded, parse_object(decoded.as_bytes(), limits).map_err(|fault| fault.to_string())?)
            }
        };
        if text.chars().count() > LONGEST_OPTIONS {
            return Err(format!("it is longer than {LONGEST_OPTIONS} characters"));
        }
        let mut options = Self::default();
        for (name, value) in members {
            match (name.as_str(), value) {
                (_, Value::Null) => {}
                ("userProject", Value::String(project)) if project.chars().count() <= LONGEST_PROJECT => {
                    options.user_project = Some(project).filter(|project| !project.is_empty());
                }
                ("userProject", Value::String(_)) => {
                    return Err(format!("`userProject` is longer than {LONGEST_PROJECT} characters"));
                }
                ("userProject", _) => return Err("`userProject` is no string".to_owned()),
                ("accessBoundary", Value::Object(boundary)) => {
                    let long = Value::Object(boundary.clone()).to_string().chars().count() > LONGEST_BOUNDARY;
                    if long {
                        return Err(format!("`accessBoundary` is longer than {LONGEST_BOUNDARY} characters"));
                    }
                    options.access_boundary = Some(boundary);
                }
                ("accessBoundary", _) => return Err("`accessBoundary` is no object".to_owned()),
                _ => {}
            }
        }
        Ok(options)
    }
}

/// The provider that `audience` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderName<'a> {
    /// The pool as it was written: of a workload pool the project is its number if it is right.
    pub(crate) pool: PoolRef,
    /// The provider's id.
    pub(crate) provider: &'a str,
}

/// Why `audience` names no provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoAudience {
    /// It begins right, and something between its slashes is empty: variables of a script that had no value.
    EmptySegments,
    /// It begins with `https:`, as the token's `aud` may.
    WithScheme,
    /// Anything else.
    Malformed,
}

impl<'a> ProviderName<'a> {
    /// `projects/N/locations/global/workloadIdentityPools/P/providers/X`, or `locations/global/workforcePools/P/providers/X`.
    #[must_use]
    pub(crate) fn resource(&self) -> String {
        format!("{}/providers/{}", self.pool, self.provider)
    }

    /// Reads `//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/X`, or its workforce
    /// twin.
    ///
    /// # Errors
    ///
    /// [`NoAudience`] says why it is neither.
    pub(crate) fn parse(audience: &'a str) -> Result<Self, NoAudience> {
        let Some(name) = audience.strip_prefix("//iam.googleapis.com/") else {
            let scheme = audience.starts_with("https://iam.googleapis.com/");
            return Err(if scheme { NoAudience::WithScheme } else { NoAudience::Malformed });
        };
        if name.split('/').any(str::is_empty) {
            return Err(NoAudience::EmptySegments);
        }
        // Nine tell one segment too many from eight.
        let segments: Vec<&str> = name.split('/').take(9).collect();
        match segments[..] {
            ["projects", project, "locations", "global", "workloadIdentityPools", pool, "providers", provider] => {
                Ok(Self { pool: PoolRef::workload(project, pool), provider })
            }
            ["locations", "global", "workforcePools", pool, "providers", provider] => {
                Ok(Self { pool: PoolRef::workforce(pool), provider })
            }
            _ => Err(NoAudience::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_is_read_whatever_its_order_and_what_is_unknown_is_ignored() {
        let request = TokenRequest::from_form(b"scope=&x=y&subject_token=a.b.c%0A&audience=%2F%2Fiam&grant_type=g");
        assert_eq!(request.subject(), Some("a.b.c"));
        assert_eq!(request.audience.as_deref(), Some("//iam"));
        assert_eq!(request.scope, None);
    }

    #[test]
    fn of_a_repeated_field_the_first_that_says_something_counts() {
        let request = TokenRequest::from_form(b"audience=&audience=a&audience=b");
        assert_eq!(request.audience.as_deref(), Some("a"));
    }

    #[rstest]
    #[case::object(br#"{"grantType":"g","subjectToken":"t"}"#, None)]
    #[case::unknown_members(br#"{"grantType":"g","resource":[1]}"#, None)]
    #[case::null(br#"{"scope":null}"#, None)]
    #[case::options_as_an_object(br#"{"options":{"userProject":"p"}}"#, None)]
    #[case::list(b"[]", Some("grant_type"))]
    #[case::number(br#"{"audience":7}"#, Some("audience"))]
    #[case::a_token_in_a_list(br#"{"subjectToken":["t"]}"#, Some("subject_token"))]
    #[case::twice(br#"{"audience":"a","audience":"b"}"#, Some("grant_type"))]
    #[case::broken(b"{", Some("grant_type"))]
    fn json_is_read_as_an_object_of_texts(#[case] body: &[u8], #[case] field: Option<&str>) {
        assert_eq!(TokenRequest::from_json(body).err().map(|fault| fault.field), field);
    }

    #[rstest]
    #[case::once(r#"{"userProject": "shop-test"}"#, Ok(Some("shop-test")))]
    #[case::twice_encoded("%7B%22userProject%22%3A%20%22shop-test%22%7D", Ok(Some("shop-test")))]
    #[case::others_are_ignored(r#"{"bindCertFingerprint":"x"}"#, Ok(None))]
    #[case::no_json("userProject", Err("the text is not JSON"))]
    #[case::a_list("[]", Err("the JSON text is not an object"))]
    #[case::no_text("%FF", Err("the text is not JSON"))]
    #[case::a_number(r#"{"userProject":7}"#, Err("`userProject` is no string"))]
    #[case::a_long_project(r#"{"userProject":"aaaaaaaaaabbbbbbbbbbccccccccccddd"}"#, Err("`userProject` is longer"))]
    #[case::a_text_for_a_boundary(r#"{"accessBoundary":"x"}"#, Err("`accessBoundary` is no object"))]
    fn options_are_json_encoded_once_or_twice(#[case] text: &str, #[case] expected: Result<Option<&str>, &str>) {
        match (Options::parse(text), expected) {
            (Ok(options), Ok(project)) => assert_eq!(options.user_project.as_deref(), project),
            (Err(why), Err(start)) => assert!(why.starts_with(start), "{why}"),
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn options_are_bounded() {
        let of = |length: usize| Options::parse(&json!({ "x": "é".repeat(length) }).to_string());
        assert!(of(LONGEST_OPTIONS - 8).is_ok());
        assert!(of(LONGEST_OPTIONS - 7).is_err());
        assert!(of(LONGEST_OPTIONS * 12).is_err());
        let boundary = json!({ "accessBoundary": { "x": "y".repeat(LONGEST_BOUNDARY) } });
        assert!(Options::parse(&boundary.to_string()).unwrap_err().contains("accessBoundary"));
    }

    #[rstest]
    #[case("//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x", None)]
    #[case("//iam.googleapis.com/locations/global/workforcePools/p/providers/x", None)]
    #[case(
        "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x",
        Some(NoAudience::WithScheme)
    )]
    #[case(
        "//iam.googleapis.com/projects//locations/global/workloadIdentityPools//providers/",
        Some(NoAudience::EmptySegments)
    )]
    #[case(
        "//iam.googleapis.com/projects/1/locations/eu/workloadIdentityPools/p/providers/x",
        Some(NoAudience::Malformed)
    )]
    #[case(
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x/y",
        Some(NoAudience::Malformed)
    )]
    #[case("//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p", Some(NoAudience::Malformed))]
    #[case("", Some(NoAudience::Malformed))]
    fn an_audience_is_a_providers_full_name(#[case] audience: &str, #[case] fault: Option<NoAudience>) {
        assert_eq!(ProviderName::parse(audience).err(), fault);
    }
}
