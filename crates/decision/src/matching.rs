//! Whether an answer that came back has the wire form of a refusal, its arguments being anything.

use serde_json::Value;

use crate::refusal::Refusal;

/// An answer as a client saw it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The HTTP status; of a gRPC answer the one that its code stands for.
    pub status: u16,
    /// The headers, names in any case. `None` for an answer whose carrier has none of HTTP's, as gRPC.
    pub headers: Option<&'a [(String, String)]>,
    /// The body.
    pub body: &'a [u8],
}

/// One way in which an answer differs from a wire form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where: `status`, `headers.www-authenticate`, `body.error.message`.
    pub place: String,
    /// What the form has there; `{arguments}` stand for anything.
    pub expected: String,
    /// What the answer has there; empty if nothing.
    pub found: String,
}

impl Refusal {
    /// Compares an answer with this form: the status, the headers that the form names, and the body; JSON as JSON.
    /// An argument of the form stands for any text. Other headers do not matter.
    ///
    /// # Errors
    ///
    /// Every difference, the status first.
    pub fn compare(&'static self, seen: &Seen<'_>) -> Result<(), Vec<Difference>> {
        let form = match self.ids.first() {
            Some(id) => self.refuse(id).form(),
            None => return Ok(()),
        };
        let mut differences = Vec::new();
        if form.status != seen.status {
            differences.push(Difference {
                place: "status".to_owned(),
                expected: form.status.to_string(),
                found: seen.status.to_string(),
            });
        }
        for (name, expected) in form.headers.iter().filter(|_| seen.headers.is_some()) {
            let found = seen.header(name);
            if !header_fits(name, expected, found.as_deref()) {
                differences.push(Difference {
                    place: format!("headers.{name}"),
                    expected: expected.clone(),
                    found: found.unwrap_or_default(),
                });
            }
        }
        match (serde_json::from_str::<Value>(&form.body), serde_json::from_slice::<Value>(seen.body)) {
            (Ok(mut expected), Ok(found)) => {
                // The legacy array is JSON's alone: gRPC has code, message and details.
                if seen.headers.is_none()
                    && let Some(error) = expected.get_mut("error").and_then(Value::as_object_mut)
                {
                    error.shift_remove("errors");
                }
                json_differences("body", &expected, Some(&found), &mut differences);
            }
            _ => {
                let found = String::from_utf8_lossy(seen.body);
                if !fits(&form.body, &found) {
                    differences.push(Difference {
                        place: "body".to_owned(),
                        expected: form.body,
                        found: found.into_owned(),
                    });
                }
            }
        }
        if differences.is_empty() { Ok(()) } else { Err(differences) }
    }
}

impl Seen<'_> {
    /// A header's values, joined as RFC 9110 allows.
    fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers?
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        if values.is_empty() { None } else { Some(values.join(", ")) }
    }
}

fn header_fits(name: &str, expected: &str, found: Option<&str>) -> bool {
    let Some(found) = found else { return false };
    if name.eq_ignore_ascii_case("content-type") {
        // Type and charset ignore case, and spaces between parameters mean nothing.
        let plain = |text: &str| text.to_ascii_lowercase().replace(' ', "");
        return fits(&plain(expected), &plain(found));
    }
    fits(expected, found)
}

fn json_differences(place: &str, expected: &Value, found: Option<&Value>, differences: &mut Vec<Difference>) {
    let mut differ = |expected: &Value| {
        differences.push(Difference {
            place: place.to_owned(),
            expected: shown(expected),
            found: found.map(shown).unwrap_or_default(),
        });
    };
    match (expected, found) {
        (Value::Object(expected), Some(Value::Object(found))) => {
            for (key, value) in expected {
                json_differences(&format!("{place}.{key}"), value, found.get(key), differences);
            }
            for (key, value) in found.iter().filter(|(key, _)| !expected.contains_key(*key)) {
                differences.push(Difference {
                    place: format!("{place}.{key}"),
                    expected: String::new(),
                    found: shown(value),
                });
            }
        }
        (Value::Array(expected), Some(Value::Array(found))) if any_violations(expected) && violations(found) => {}
        (Value::Array(expected), Some(Value::Array(found))) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                json_differences(&format!("{place}[{index}]"), expected, Some(found), differences);
            }
        }
        (Value::String(pattern), Some(Value::String(text))) if fits(pattern, text) => {}
        (expected, Some(found)) if expected == found => {}
        (expected, _) => differ(expected),
    }
}

/// Whether a list of the form is an argument as a whole: its one violation has a description that is one.
fn any_violations(form: &[Value]) -> bool {
    let [Value::Object(violation)] = form else { return false };
    let description = violation.get("description").and_then(Value::as_str);
    violation.len() == 1 && description.is_some_and(|description| matches!(pieces(description).as_slice(), ["", ""]))
}

/// Whether these are violations, as `google.rpc.BadRequest` has them.
fn violations(found: &[Value]) -> bool {
    let is_text = |value: Option<&Value>| value.is_some_and(Value::is_string);
    !found.is_empty()
        && found.iter().all(|violation| {
            let Value::Object(violation) = violation else { return false };
            is_text(violation.get("description"))
                && violation
                    .iter()
                    .all(|(name, value)| matches!(name.as_str(), "field" | "description") && value.is_string())
        })
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether `text` is `pattern` with some text, perhaps none, in place of each `{name}`.
fn fits(pattern: &str, text: &str) -> bool {
    let pieces = pieces(pattern);
    let Some((first, rest)) = pieces.split_first() else { return text.is_empty() };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let Some((last, middle)) = rest.split_last() else { return text.is_empty() };
    for piece in middle {
        match text.find(piece) {
            Some(at) => text = text.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    text.ends_with(last)
}

/// The literal pieces between the arguments; one more than there are arguments.
fn pieces(pattern: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(open) = pattern.get(at..).and_then(|rest| rest.find('{')).map(|open| at + open) {
        let inside = pattern.get(open + 1..).unwrap_or_default();
        let length = inside.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let is_argument = inside.as_bytes().first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
            && inside.as_bytes().get(length) == Some(&b'}');
        at = if is_argument {
            pieces.push(pattern.get(start..open).unwrap_or_default());
            start = open + length + 2;
            start
        } else {
            open + 1
        };
    }
    pieces.push(pattern.get(start..).unwrap_or_default());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Detail, Evidence, Wire, refusal::tests::DENIED};

    const PAGE: Refusal = Refusal {
        ids: &["page"],
        when: "always",
        wire: Wire::Page { status: 401, headers: &[], html: "<style>p{margin:0}</style><p>{path}</p>\n" },
        evidence: Evidence::assumed("a test"),
    };

    fn given() -> (u16, Vec<(String, String)>, String) {
        let form = DENIED.refuse("denied").with("permission", "a.b").with("realm", "r").form();
        let headers = form.headers.into_iter().map(|(name, value)| (name.to_uppercase(), value)).collect();
        (form.status, headers, form.body)
    }

    #[test]
    fn an_answer_that_was_given_by_a_refusal_has_its_form() {
        let (status, headers, body) = given();
        let seen = Seen { status, headers: Some(&headers), body: body.as_bytes() };
        assert_eq!(DENIED.compare(&seen), Ok(()));
    }

    #[test]
    fn what_differs_is_told_place_by_place() {
        let (_, _, body) = given();
        let body = body.replace("denied on", "missing on").replace("\"reason\"", "\"cause\"");
        let headers = [("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        let seen = Seen { status: 401, headers: Some(&headers), body: body.as_bytes() };
        let places: Vec<String> =
            DENIED.compare(&seen).unwrap_err().into_iter().map(|difference| difference.place).collect();
        assert_eq!(
            places,
            [
                "status",
                "headers.www-authenticate",
                "body.error.message",
                "body.error.details[0].reason",
                "body.error.details[0].cause"
            ]
        );
    }

    #[test]
    fn each_fault_of_a_request_may_have_a_violation_of_its_own() {
        static INVALID: Refusal = Refusal {
            ids: &["invalid"],
            when: "always",
            wire: Wire::Status {
                code: Code::InvalidArgument,
                message: "{message}",
                details: &[Detail::BadRequestEach { violations: "{violations}" }],
                headers: &[],
                legacy_reason: None,
            },
            evidence: Evidence::assumed("a test"),
        };
        let given = |violations: &str| {
            let form = INVALID.refuse("invalid").with("message", "m").with("violations", violations).form();
            INVALID.compare(&Seen { status: form.status, headers: None, body: form.body.as_bytes() })
        };
        for violations in ["one", "a.b\tone", "a\tone\n\ttwo\nb\tthree"] {
            assert_eq!(given(violations), Ok(()), "{violations}");
        }
        let mut none: Value = serde_json::from_str(&INVALID.refuse("invalid").form().body).unwrap();
        none["error"]["details"][0]["fieldViolations"] = Value::Array(Vec::new());
        let none = none.to_string();
        let places = INVALID.compare(&Seen { status: 400, headers: None, body: none.as_bytes() }).unwrap_err();
        assert_eq!(places[0].place, "body.error.details[0].fieldViolations");
    }

    #[test]
    fn headers_do_not_matter_where_the_carrier_has_none() {
        let (status, _, body) = given();
        assert_eq!(DENIED.compare(&Seen { status, headers: None, body: body.as_bytes() }), Ok(()));
    }

    #[test]
    fn the_legacy_errors_are_not_expected_of_grpc() {
        static LEGACY: Refusal = Refusal {
            ids: &["legacy"],
            when: "always",
            wire: Wire::Status {
                code: Code::NotFound,
                message: "gone",
                details: &[],
                headers: &[],
                legacy_reason: Some("notFound"),
            },
            evidence: Evidence::assumed("a test"),
        };
        let body = br#"{"error":{"code":404,"message":"gone","status":"NOT_FOUND"}}"#;
        assert_eq!(LEGACY.compare(&Seen { status: 404, headers: None, body }), Ok(()));
        let headers = [("content-type".to_owned(), "application/json; charset=UTF-8".to_owned())];
        let differences = LEGACY.compare(&Seen { status: 404, headers: Some(&headers), body }).unwrap_err();
        assert_eq!(differences[0].place, "body.error.errors");
    }

    #[test]
    fn a_page_is_compared_as_text_and_its_braces_are_no_arguments() {
        let seen = |body: &'static str| Seen { status: 401, headers: None, body: body.as_bytes() };
        assert_eq!(PAGE.compare(&seen("<style>p{margin:0}</style><p>/x{y}</p>\n")), Ok(()));
        assert!(PAGE.compare(&seen("<style>p{margin:1}</style><p>/x</p>\n")).is_err());
    }

    #[test]
    fn an_argument_may_be_empty_and_the_text_around_it_must_be_whole() {
        assert!(fits("a{x}b", "ab"));
        assert!(fits("a{x}b{y}", "a1b2"));
        assert!(fits("{x}", ""));
        assert!(!fits("a{x}a", "a"));
        assert!(!fits("a{x}b", "axbc"));
        assert!(!fits("plain", "plainer"));
    }
}
