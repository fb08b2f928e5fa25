//! Names, scopes, lifetimes and payloads, as a request may have them.

use tokenrig_clock::{SignedDuration, Timestamp};
use tokenrig_jose::{DateFault, JsonLimits, numeric_date, parse_object};
use tokenrig_protos::prost_types;

/// The scope of an access token for which an empty one was asked.
pub(crate) const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// How large the payload of signJwt may be.
const LARGEST_PAYLOAD: usize = 64 << 10;

/// How an account is named in a path: `projects/PROJECT/serviceAccounts/ACCOUNT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccountName<'a> {
    /// `-`, if the name is a good one.
    pub(crate) project: &'a str,
    /// An e-mail address or a unique id, if the name is a good one.
    pub(crate) account: &'a str,
}

impl<'a> AccountName<'a> {
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let (project, account) = name.strip_prefix("projects/")?.split_once("/serviceAccounts/")?;
        Some(Self { project, account })
    }

    /// The account alone, as if written after `projects/-/serviceAccounts/`.
    pub(crate) fn bare(account: &'a str) -> Self {
        Self { project: "-", account }
    }
}

/// Whether an account can be named like this: an e-mail address, or digits. An address with a closing dot is none, and the
/// name of a GKE workload pool (`PROJECT.svc.id.goog`) has no `@`.
pub(crate) fn names_an_account(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+%".contains(&byte))
    };
    match text.split_once('@') {
        Some((local, domain)) => part(local) && part(domain) && domain.contains('.'),
        None => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// The lifetime asked for, in whole seconds; what lies beyond the longest duration is the longest.
pub(crate) fn lifetime(asked: Option<&prost_types::Duration>) -> SignedDuration {
    match asked {
        None => SignedDuration::from_hours(1),
        Some(asked) => {
            // Of -0.5 s the proto has no seconds and negative nanos: less than a second either way.
            SignedDuration::from_secs(asked.seconds)
        }
    }
}

/// What is wrong with the payload of signJwt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PayloadFault {
    #[error("the payload: {0}")]
    NotAnObject(String),
    #[error("`exp`: {0}")]
    Exp(DateFault),
    #[error("`exp` is {0}, which is past")]
    Past(Timestamp),
    #[error("`exp` is {0}, too far ahead")]
    Far(Timestamp),
}

/// Looks at the payload of signJwt: a JSON object, whose `exp`, if it has one, is an integer, not past, and not further
/// ahead than `longest`. No other claim is looked at.
pub(crate) fn payload(text: &str, now: Timestamp, longest: SignedDuration) -> Result<(), PayloadFault> {
    let limits = JsonLimits { bytes: LARGEST_PAYLOAD, ..JsonLimits::default() };
    let claims = parse_object(text.as_bytes(), limits).map_err(|fault| PayloadFault::NotAnObject(fault.to_string()))?;
    let exp = match numeric_date(&claims, "exp") {
        Err(DateFault::Missing) => return Ok(()),
        exp => exp.map_err(PayloadFault::Exp)?,
    };
    if exp <= now {
        return Err(PayloadFault::Past(exp));
    }
    if exp.duration_since(now) > longest { Err(PayloadFault::Far(exp)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("caller@shop-test.iam.gserviceaccount.com", true)]
    #[case("1071284184436-compute@developer.gserviceaccount.com", true)]
    #[case("107145139691231222712", true)]
    #[case("default", false)]
    #[case("undefined", false)]
    #[case("-", false)]
    #[case("", false)]
    #[case("@", false)]
    #[case("caller@localhost", false)]
    #[case("shop-test.svc.id.goog", false)]
    #[case("caller@shop-test.iam.gserviceaccount.com.", false)]
    #[case("a@b.c@d.e", false)]
    #[case("ä@shop-test.iam.gserviceaccount.com", false)]
    fn an_account_is_named_by_an_address_or_digits(#[case] text: &str, #[case] named: bool) {
        assert_eq!(names_an_account(text), named);
    }

    #[rstest]
    #[case("projects/-/serviceAccounts/1", Some(("-", "1")))]
    #[case("projects/p/serviceAccounts/a@b.c", Some(("p", "a@b.c")))]
    #[case("serviceAccounts/1", None)]
    #[case("", None)]
    fn a_name_has_project_and_account(#[case] name: &str, #[case] parts: Option<(&str, &str)>) {
        assert_eq!(AccountName::parse(name).map(|name| (name.project, name.account)), parts);
    }

    #[rstest]
    #[case::no_exp(r#"{"sub":"x"}"#, None)]
    #[case::in_an_hour(r#"{"exp":1768471200}"#, None)]
    #[case::in_twelve_hours(r#"{"exp":1768510800}"#, None)]
    #[case::a_second_more(r#"{"exp":1768510801}"#, Some("too far ahead"))]
    #[case::now(r#"{"exp":1768467600}"#, Some("past"))]
    #[case::text(r#"{"exp":"1768471200"}"#, Some("a string"))]
    #[case::fraction(r#"{"exp":1768471200.5}"#, Some("fraction"))]
    #[case::list("[]", Some("payload"))]
    #[case::nothing("", Some("payload"))]
    fn the_payload_of_a_jwt_is_an_object_with_a_near_exp_if_any(#[case] text: &str, #[case] fault: Option<&str>) {
        let now = "2026-01-15T09:00:00Z".parse().unwrap();
        let found = payload(text, now, SignedDuration::from_hours(12)).map_err(|fault| fault.to_string());
        match fault {
            None => assert_eq!(found, Ok(())),
            Some(part) => assert!(found.as_ref().is_err_and(|text| text.contains(part)), "{found:?}"),
        }
    }
}
