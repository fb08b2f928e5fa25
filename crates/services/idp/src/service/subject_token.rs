//! A subject token for who asks by GET: what CI systems and metadata servers outside Google do, and what client libraries
//! know as a `credential_source` with a `url`.

use http::HeaderMap;
use serde_json::Value;
use tokenrig_decision::{Check, Decision};
use tokenrig_jose::Map;

use super::{Issuers, KeyChoice, MintOrder};
use crate::refusals;

/// Parameters of a query that are read.
const MOST_PARAMETERS: usize = 64;
/// The member of a JSON answer that holds the token, unless the query names another.
const FIELD: &str = "id_token";

/// What a query asks for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Asked {
    claims: Map,
    algorithm: Option<String>,
    /// The member that holds the token, of a JSON answer.
    field: Option<String>,
    /// The header that must be there, and its value.
    header: Option<(String, String)>,
    /// What `format` says, if it is neither of the two.
    unknown_format: Option<String>,
}

/// A token as it is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// The bare token.
    Text(String),
    /// A JSON object with the token in a member.
    Json(String),
}

impl Asked {
    /// Reads a query. What is none of our own parameters is a claim, a text.
    pub(crate) fn parse(query: &str) -> Self {
        let mut asked = Self::default();
        let (mut json, mut field) = (false, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()).take(MOST_PARAMETERS) {
            match &*name {
                "alg" => asked.algorithm = Some(value.into_owned()),
                "field" => field = Some(value.into_owned()),
                "format" if value == "json" => json = true,
                "format" if value == "text" => json = false,
                "format" => asked.unknown_format = Some(value.chars().take(40).collect()),
                "header" => {
                    let (name, value) = value.split_once(':').unwrap_or((&value, ""));
                    asked.header = Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
                _ => _ = asked.claims.insert(name.into_owned(), Value::String(value.into_owned())),
            }
        }
        asked.field = (json || field.is_some()).then(|| field.unwrap_or_else(|| FIELD.to_owned()));
        asked
    }
}

impl Issuers {
    /// `GET /subject-token`.
    pub(crate) fn subject_token(&self, id: &str, asked: Asked, headers: &HeaderMap) -> (Decision, Option<Told>) {
        let mut decision = Decision::of("idp", "subject-token");
        let Asked { claims, algorithm, field, header, unknown_format } = asked;
        if let Some((name, value)) = &header {
            let found = headers.get(name.as_str()).and_then(|value| value.to_str().ok());
            let there = found == Some(value.as_str());
            decision.add(
                Check::named("header")
                    .expected(format!("{name}: {value}"))
                    // What stands there may be somebody's secret.
                    .found(match found {
                        Some(_) if there => "it is there",
                        Some(_) => "another value",
                        None => "nothing",
                    })
                    .holds(there)
                    .or_refuse(&refusals::HEADER_MISSING, "idp-header-missing")
                    .with("name", name)
                    .mend(|| format!("send the header `{name}`: `headers` of the credential source hold it")),
            );
        }
        decision.add(
            Check::named("request")
                .expected("format=text or json")
                .found(unknown_format.as_deref())
                .holds(unknown_format.is_none())
                .or_refuse(&refusals::FORMAT_UNKNOWN, "idp-format-unknown")
                .mend(|| "ask for `format=text` or `format=json`".to_owned()),
        );
        if decision.failed().is_some() {
            return (decision, None);
        }
        let key = algorithm.map_or(KeyChoice::Present, KeyChoice::Named);
        let minted = self.mint(MintOrder { key, ..MintOrder::new(id, claims) });
        decision.add(
            Check::named("key")
                .expected("RS256, ES256 or the id of a key")
                .holds(minted.is_ok())
                .or_refuse(&refusals::ALGORITHM_UNKNOWN, "idp-algorithm-unknown")
                .mend(|| "ask for an `alg` that the issuer has, or leave it out".to_owned()),
        );
        let told = minted.ok().map(|token| match field {
            Some(field) => Told::Json(Value::Object(Map::from_iter([(field, Value::String(token))])).to_string()),
            None => Told::Text(token),
        });
        (decision, told)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_parameter_of_ours_is_a_claim() {
        let asked = Asked::parse("sub=alice&aud=https%3A%2F%2Fapp.example&alg=ES256&header=Metadata:%20True");
        assert_eq!(Value::Object(asked.claims), json!({ "sub": "alice", "aud": "https://app.example" }));
        assert_eq!(asked.algorithm.as_deref(), Some("ES256"));
        assert_eq!(asked.header, Some(("metadata".to_owned(), "True".to_owned())));
        assert_eq!(asked.field, None);
    }

    #[rstest]
    #[case("", None)]
    #[case("format=text", None)]
    #[case("format=json", Some("id_token"))]
    #[case("format=json&field=value", Some("value"))]
    #[case("field=value", Some("value"))]
    fn a_token_stands_bare_or_in_a_member(#[case] query: &str, #[case] field: Option<&str>) {
        assert_eq!(Asked::parse(query).field.as_deref(), field);
    }
}
