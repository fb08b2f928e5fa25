//! Instants and lengths of time.

use jiff::{
    SignedDuration, Timestamp,
    civil::Weekday,
    tz::{Offset, TimeZone},
};

use super::Result;
use crate::{failure::Failure, operators, value::Value};

/// What the getters ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    FullYear,
    /// From 0.
    Month,
    /// The day of the month, from 1.
    Date,
    /// The day of the month, from 0.
    DayOfMonth,
    /// From 0, Sunday.
    DayOfWeek,
    /// From 0.
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// A part of an instant, in UTC or a time zone; of a length of time the whole of it in that unit.
pub(super) fn part(part: Part, arguments: &[Value]) -> Result<Option<Value>> {
    let (at, zone) = match arguments {
        [Value::Timestamp(at)] => (at, TimeZone::UTC),
        [Value::Timestamp(at), Value::String(name)] => (at, zone(name)?),
        [Value::Duration(length)] => return Ok(whole(part, *length).map(Value::Int)),
        _ => return Ok(None),
    };
    let at = at.to_zoned(zone);
    let number = match part {
        Part::FullYear => i64::from(at.year()),
        Part::Month => i64::from(at.month()) - 1,
        Part::Date => i64::from(at.day()),
        Part::DayOfMonth => i64::from(at.day()) - 1,
        Part::DayOfWeek => i64::from(at.weekday().since(Weekday::Sunday)),
        Part::DayOfYear => i64::from(at.day_of_year()) - 1,
        Part::Hours => i64::from(at.hour()),
        Part::Minutes => i64::from(at.minute()),
        Part::Seconds => i64::from(at.second()),
        Part::Milliseconds => i64::from(at.subsec_nanosecond() / 1_000_000),
    };
    Ok(Some(Value::Int(number)))
}

fn whole(part: Part, length: SignedDuration) -> Option<i64> {
    match part {
        Part::Hours => Some(length.as_hours()),
        Part::Minutes => Some(length.as_mins()),
        Part::Seconds => Some(length.as_secs()),
        Part::Milliseconds => i64::try_from(length.as_millis()).ok(),
        _ => None,
    }
}

/// A zone by its IANA name or its offset (`+05:30`, `05:30`, `-08:00`).
fn zone(name: &str) -> Result<TimeZone> {
    let unknown = || Failure::other(format!("`{name}` is no time zone"));
    let Some((hours, minutes)) = name.split_once(':') else {
        return if name.is_empty() { Ok(TimeZone::UTC) } else { TimeZone::get(name).map_err(|_| unknown()) };
    };
    let two_digits = |text: &str| match text.as_bytes() {
        [b'0'..=b'9', b'0'..=b'9'] => text.parse::<i32>().ok(),
        _ => None,
    };
    let minutes = two_digits(minutes).filter(|minutes| *minutes < 60).ok_or_else(unknown)?;
    let negative = hours.starts_with('-');
    let hours = two_digits(hours.trim_start_matches(['+', '-'])).filter(|hours| *hours < 24).ok_or_else(unknown)?;
    let seconds = (hours * 60 + minutes) * 60;
    let offset = Offset::from_seconds(if negative { -seconds } else { seconds }).map_err(|_| unknown())?;
    Ok(TimeZone::fixed(offset))
}

/// An instant from RFC 3339, and from nothing else that jiff would read.
pub(super) fn timestamp(text: &str) -> Option<Value> {
    let (date, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.split_at_checked(9)?;
    let shaped = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                _ => byte.eq_ignore_ascii_case(&wanted),
            })
    };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let fits = shaped(date, "0000-00-00")
        && shaped(clock, "T00:00:00")
        && !rest.starts_with(".Z")
        && (shaped(zone, "Z") || shaped(zone, "+00:00") || shaped(zone, "-00:00"));
    if !fits {
        return None;
    }
    operators::timestamp(text.parse::<Timestamp>().ok()?)
}

/// A length of time as Go writes it: numbers with units, `1h30m`, `-1.5s`, `250ms`; `0` alone needs no unit.
pub(super) fn duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut nanos: i128 = 0;
    if rest.is_empty() || rest.len() > 128 {
        return None;
    }
    while !rest.is_empty() {
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (whole, after) = rest.split_at_checked(digits(rest))?;
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at_checked(digits(after))?,
            None => ("", after),
        };
        let (unit, after) = [
            ("ms", 1_000_000),
            ("us", 1_000),
            ("µs", 1_000),
            ("ns", 1),
            ("h", 3_600_000_000_000),
            ("m", 60_000_000_000),
            ("s", 1_000_000_000_i128),
        ]
        .into_iter()
        .find_map(|(name, nanos)| Some((nanos, after.strip_prefix(name)?)))?;
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let number = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<i128>().ok() };
        nanos = nanos.checked_add(number(whole)?.checked_mul(unit)?)?;
        let fraction = fraction.get(..fraction.len().min(15))?;
        let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        nanos = nanos.checked_add(number(fraction)?.checked_mul(unit)? / scale)?;
        rest = after;
    }
    let nanos = i64::try_from(if negative { -nanos } else { nanos }).ok()?;
    Some(SignedDuration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1h30m", 5_400_000_000_000)]
    #[case("-1.5s", -1_500_000_000)]
    #[case("250ms", 250_000_000)]
    #[case("1.1ns", 1)]
    #[case(".5s", 500_000_000)]
    #[case("1.s", 1_000_000_000)]
    #[case("0", 0)]
    #[case("9223372036854775807ns", i64::MAX)]
    fn a_duration_is_read(#[case] text: &str, #[case] nanos: i64) {
        assert_eq!(duration(text), Some(SignedDuration::from_nanos(nanos)));
    }

    #[rstest]
    #[case("")]
    #[case("-")]
    #[case("1")]
    #[case("1d")]
    #[case("s")]
    #[case(".s")]
    #[case("1s ")]
    #[case("9223372036854775808ns")]
    #[case("99999999999999999999999999999999999999999h")]
    fn what_is_no_duration_is_not_read(#[case] text: &str) {
        assert_eq!(duration(text), None);
    }

    #[rstest]
    #[case("2026-01-15T09:00:00Z", true)]
    #[case("2026-01-15t09:00:00.123456789z", true)]
    #[case("2026-01-15T09:00:00+05:30", true)]
    #[case("0001-01-01T00:00:00Z", true)]
    #[case("0000-12-31T23:59:59Z", false)]
    #[case("2026-01-15 09:00:00Z", false)]
    #[case("2026-01-15T09:00:00", false)]
    #[case("2026-01-15T09:00:00.Z", false)]
    #[case("2026-01-15T09:00:00Z[UTC]", false)]
    #[case("2026-01-15", false)]
    #[case("2026-02-30T09:00:00Z", false)]
    fn only_rfc_3339_is_a_timestamp(#[case] text: &str, #[case] readable: bool) {
        assert_eq!(timestamp(text).is_some(), readable, "{text}");
    }
}
