//! A time zone, and the stretches of time in which its offset from UTC stays.

use jiff::tz::TimeZone;
use tokenrig_clock::Timestamp;

/// A time zone of the database that is built in. It remembers the stretch that was last asked for.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    zone: TimeZone,
    last: Option<Stretch>,
}

/// A stretch of time with one offset. Instants in seconds from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Where it begins; `None`: it always was so.
    since: Option<i64>,
    /// Where the next one begins; `None`: it stays so.
    pub(crate) until: Option<i64>,
    /// Local time less UTC, in seconds.
    pub(crate) offset: i64,
}

impl Default for Zone {
    fn default() -> Self {
        Self { zone: TimeZone::UTC, last: None }
    }
}

impl Zone {
    /// The zone of this name: `America/New_York`, `Etc/UTC`. None is `UTC`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = if name.is_empty() { "UTC" } else { name };
        TimeZone::get(name).ok().map(|zone| Self { zone, last: None })
    }

    /// The stretch that an instant lies in; `None` beyond the calendar.
    pub(crate) fn stretch(&mut self, at: i64) -> Option<Stretch> {
        let within = |stretch: &Stretch| {
            stretch.since.is_none_or(|since| since <= at) && stretch.until.is_none_or(|until| at < until)
        };
        if let Some(last) = self.last.filter(within) {
            return Some(last);
        }
        let instant = Timestamp::from_second(at).ok()?;
        let offset = i64::from(self.zone.to_offset(instant).seconds());
        let mut until = self.zone.following(instant).map(|transition| transition.timestamp().as_second());
        // A transition may change the name alone.
        let until = until.find(|until| {
            Timestamp::from_second(*until).is_ok_and(|until| i64::from(self.zone.to_offset(until).seconds()) != offset)
        });
        let stretch = Stretch { since: Some(at), until, offset };
        self.last = Some(stretch);
        Some(stretch)
    }

    /// An instant in whole seconds, in local time with its offset: `2026-10-05T01:41:00-07:00`.
    pub(crate) fn rfc3339(&mut self, at: Timestamp) -> String {
        let Some(stretch) = self.stretch(at.as_second()) else { return at.to_string() };
        let shifted = Timestamp::from_second(at.as_second() + stretch.offset).unwrap_or(at);
        let local = shifted.to_string();
        let local = local.strip_suffix('Z').unwrap_or(&local);
        let (sign, offset) = (if stretch.offset < 0 { '-' } else { '+' }, stretch.offset.unsigned_abs());
        format!("{local}{sign}{:02}:{:02}", offset / 3600, offset % 3600 / 60)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("America/Los_Angeles", "2026-10-05T08:41:00Z", "2026-10-05T01:41:00-07:00")]
    #[case("America/Los_Angeles", "2026-12-05T08:41:00Z", "2026-12-05T00:41:00-08:00")]
    #[case("Asia/Kolkata", "2026-12-05T08:41:00Z", "2026-12-05T14:11:00+05:30")]
    #[case("", "2026-12-05T08:41:00Z", "2026-12-05T08:41:00+00:00")]
    fn an_instant_is_told_with_the_offset_of_its_day(#[case] zone: &str, #[case] at: &str, #[case] told: &str) {
        assert_eq!(Zone::named(zone).unwrap().rfc3339(at.parse().unwrap()), told);
    }

    #[rstest]
    #[case("Invalid/Unknown")]
    #[case("Mars")]
    #[case("../etc/passwd")]
    #[case("America/New_York\0")]
    fn what_is_no_zone_is_none(#[case] name: &str) {
        assert!(Zone::named(name).is_none());
    }

    #[test]
    fn a_stretch_ends_where_clocks_change() {
        let mut zone = Zone::named("Europe/Berlin").unwrap();
        let at: Timestamp = "2026-03-28T12:00:00Z".parse().unwrap();
        let until: Timestamp = "2026-03-29T01:00:00Z".parse().unwrap();
        let winter = zone.stretch(at.as_second()).unwrap();
        assert_eq!((winter.until, winter.offset), (Some(until.as_second()), 3600));
        assert_eq!(zone.stretch(until.as_second()).unwrap().offset, 7200);
        assert_eq!(Zone::named("Etc/UTC").unwrap().stretch(0).unwrap().until, None);
    }
}
