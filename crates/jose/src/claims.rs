//! Times in claims.

use jiff::Timestamp;
use serde_json::Value;

use crate::Map;

/// Why a claim holds no time (RFC 7519 NumericDate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateFault {
    /// The claim is absent.
    #[error("it is absent")]
    Missing,
    /// It is something else than a number; the word says what.
    #[error("it is {0}, not a number")]
    NotANumber(&'static str),
    /// A number with a fraction. The standard allows it, Google's tokens have none.
    #[error("it has a fraction")]
    Fraction,
    /// No instant between the years -9999 and 9999.
    #[error("it is beyond the calendar")]
    OutOfRange,
}

/// Reads a claim as seconds since 1970: a JSON number with an integral value (`1768467600`, `1768467600.0`, `1.7684676e9`).
///
/// # Errors
///
/// [`DateFault`] says what stands there instead.
pub fn numeric_date(claims: &Map, name: &str) -> Result<Timestamp, DateFault> {
    let number = match claims.get(name) {
        None => return Err(DateFault::Missing),
        Some(Value::Number(number)) => number,
        Some(Value::Null) => return Err(DateFault::NotANumber("null")),
        Some(Value::Bool(_)) => return Err(DateFault::NotANumber("a boolean")),
        Some(Value::String(_)) => return Err(DateFault::NotANumber("a string")),
        Some(Value::Array(_)) => return Err(DateFault::NotANumber("a list")),
        Some(Value::Object(_)) => return Err(DateFault::NotANumber("an object")),
    };
    let seconds = match (number.as_i64(), number.as_f64()) {
        (Some(seconds), _) => seconds,
        (None, Some(double)) if double.fract() != 0.0 => return Err(DateFault::Fraction),
        // What an i64 cannot hold becomes its nearest end, which lies beyond the calendar too.
        (None, Some(double)) => double as i64,
        (None, None) => return Err(DateFault::OutOfRange),
    };
    Timestamp::from_second(seconds).map_err(|_| DateFault::OutOfRange)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::an_integer("1768467600", Ok("2026-01-15T09:00:00Z"))]
    #[case::an_integral_double("1768467600.0", Ok("2026-01-15T09:00:00Z"))]
    #[case::with_an_exponent("1.7684676e9", Ok("2026-01-15T09:00:00Z"))]
    #[case::before_1970("-1", Ok("1969-12-31T23:59:59Z"))]
    #[case::a_fraction("1768467600.5", Err(DateFault::Fraction))]
    #[case::text("\"1768467600\"", Err(DateFault::NotANumber("a string")))]
    #[case::null("null", Err(DateFault::NotANumber("null")))]
    #[case::a_list("[1768467600]", Err(DateFault::NotANumber("a list")))]
    #[case::an_object("{}", Err(DateFault::NotANumber("an object")))]
    #[case::a_boolean("true", Err(DateFault::NotANumber("a boolean")))]
    #[case::the_largest_i64("9223372036854775807", Err(DateFault::OutOfRange))]
    #[case::the_largest_u64("18446744073709551615", Err(DateFault::OutOfRange))]
    #[case::a_huge_double("1e300", Err(DateFault::OutOfRange))]
    #[case::a_hugely_negative_double("-1e300", Err(DateFault::OutOfRange))]
    fn a_numeric_date_is_an_integral_number(#[case] json: &str, #[case] expected: Result<&str, DateFault>) {
        let claims: Map = serde_json::from_str(&format!("{{\"exp\":{json}}}")).unwrap();
        assert_eq!(numeric_date(&claims, "exp"), expected.map(|time| time.parse().unwrap()));
    }

    #[test]
    fn an_absent_claim_is_missing() {
        assert_eq!(numeric_date(json!({ "iat": 1 }).as_object().unwrap(), "exp"), Err(DateFault::Missing));
    }
}
