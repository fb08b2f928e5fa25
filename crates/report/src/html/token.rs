//! A token opened.

use serde_json::{Map, Value};
use tokenrig_clock::Timestamp;
use tokenrig_runner::TokenShown;

use super::text::{line, shown, start};

/// Characters of a claim that are shown.
const CLAIM: usize = 1_000;
/// Claims that are shown.
const CLAIMS: usize = 60;

/// A token as the page shows it.
pub(super) struct TokenView {
    pub(super) shortened: String,
    pub(super) place: String,
    pub(super) header: String,
    pub(super) claims: Vec<ClaimView>,
    pub(super) more: usize,
}

/// A claim, and what it means where that is not plain to see.
pub(super) struct ClaimView {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) meaning: String,
}

impl TokenView {
    pub(super) fn of(token: &TokenShown) -> Self {
        Self {
            shortened: line(&token.shortened),
            place: line(&token.place),
            header: pairs(&token.header),
            claims: token.claims.iter().take(CLAIMS).map(|(name, value)| claim(name, value)).collect(),
            more: token.claims.len().saturating_sub(CLAIMS),
        }
    }
}

fn pairs(members: &Map<String, Value>) -> String {
    let all: Vec<String> = members.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect();
    line(&start(&all.join(", "), CLAIM))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn claim(name: &str, value: &Value) -> ClaimView {
    let meaning = match name {
        "iat" | "exp" | "nbf" | "auth_time" | "updated_at" => instant(value).unwrap_or_default(),
        _ => String::new(),
    };
    ClaimView { name: line(&start(name, 100)), value: shown(&start(&value.to_string(), CLAIM)), meaning }
}

/// A NumericDate as people write instants.
fn instant(value: &Value) -> Option<String> {
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))?;
    Some(Timestamp::from_second(seconds).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_are_told_as_instants_and_nothing_else_is() {
        assert_eq!(claim("exp", &json!(1_768_467_600)).meaning, "2026-01-15T09:00:00Z");
        assert_eq!(claim("exp", &json!("soon")).meaning, "");
        assert_eq!(claim("exp", &json!(1e300)).meaning, "");
        assert_eq!(claim("sub", &json!(1)).meaning, "");
    }
}
