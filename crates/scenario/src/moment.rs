//! Durations and instants as people write them.

use jiff::{SignedDuration, Timestamp};

/// The longest duration that may be written: a hundred years.
const LONGEST: SignedDuration = SignedDuration::from_hours(100 * 366 * 24);

/// What `advance` may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So long from now.
    After(SignedDuration),
    /// At this instant.
    At(Timestamp),
}

impl Moment {
    /// Reads `1d`, `90s`, `9m59s` or an RFC 3339 instant.
    ///
    /// # Errors
    /// What may be written instead, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(duration) = duration(text) {
            return Ok(Self::After(duration));
        }
        instant(text)
            .map(Self::At)
            .ok_or("a duration is written like `90s`, `9m59s`, `1d`, an instant like `2026-03-02T09:00:00Z`")
    }
}

/// Reads a duration: whole numbers with the units `d h m s ms`, large units first, each at most once.
#[must_use]
pub fn duration(text: &str) -> Option<SignedDuration> {
    let mut rest = text;
    let mut total = SignedDuration::ZERO;
    let mut last_unit = usize::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let number: i64 = number.parse().ok().filter(|_| digits <= 12)?;
        let letters = after.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (rank, milliseconds) = match unit {
            "d" => (5, 86_400_000),
            "h" => (4, 3_600_000),
            "m" => (3, 60_000),
            "s" => (2, 1_000),
            "ms" => (1, 1),
            _ => return None,
        };
        if rank >= last_unit {
            return None;
        }
        last_unit = rank;
        total = total.checked_add(SignedDuration::from_millis(number.checked_mul(milliseconds)?))?;
        rest = after;
    }
    (last_unit != usize::MAX && total <= LONGEST).then_some(total)
}

/// Reads an RFC 3339 instant.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    // jiff takes more than RFC 3339 does: a space for the `T`, a zone in brackets.
    let plain = text.len() <= 40 && text.as_bytes().get(10).is_some_and(|byte| matches!(byte, b'T' | b't'));
    let zoned = text.ends_with(['Z', 'z']) || text.get(text.len().checked_sub(6)?..)?.starts_with(['+', '-']);
    (plain && zoned).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("90s", 90_000)]
    #[case("9m59s", 599_000)]
    #[case("1d", 86_400_000)]
    #[case("24h", 86_400_000)]
    #[case("0s", 0)]
    #[case("1s500ms", 1_500)]
    fn a_duration_is_read(#[case] text: &str, #[case] milliseconds: i64) {
        assert_eq!(duration(text), Some(SignedDuration::from_millis(milliseconds)));
    }

    #[rstest]
    #[case("")]
    #[case("90")]
    #[case("s")]
    #[case("5x")]
    #[case("1m1h")]
    #[case("1m1m")]
    #[case("-5s")]
    #[case("1.5s")]
    #[case("9999999999999d")]
    #[case("999999999999d")]
    #[case("5 s")]
    fn what_is_no_duration_is_none(#[case] text: &str) {
        assert_eq!(duration(text), None);
    }

    #[rstest]
    #[case("2026-03-02T09:00:00Z", true)]
    #[case("2026-03-02T09:00:00.25+01:00", true)]
    #[case("2026-03-02 09:00:00Z", false)]
    #[case("2026-03-02T09:00:00Z[UTC]", false)]
    #[case("2026-03-02T09:00:00", false)]
    #[case("2026-03-02", false)]
    #[case("ä", false)]
    fn an_instant_is_rfc_3339(#[case] text: &str, #[case] good: bool) {
        assert_eq!(instant(text).is_some(), good);
    }
}
