//! When a job runs: its schedule in one of two languages, and the time zone that it is meant in.
//!
//! Either language comes down to the same: which days, and at which minutes of them ([`Days`], [`Minutes`]). The next start is
//! searched in local time ([`Zone`]), stretch by stretch of the same offset from UTC. So a local time that is left out when
//! clocks are set forward never comes, and one that comes twice is met twice.

mod cron;
mod groc;
mod zone;

use jiff::civil::{Date, Weekday};
use tokenrig_clock::Timestamp;

pub(crate) use self::zone::Zone;

/// The longest schedule that is looked at.
const LONGEST: usize = 500;
/// How far ahead a start is looked for, in days: the 29th of February on one weekday comes within 40 years.
const HORIZON: i64 = 15_000;
const MINUTES_PER_DAY: i64 = 24 * 60;

/// A schedule that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    days: Days,
    minutes: Minutes,
    /// Whether it was read as unix-cron.
    cron: bool,
}

/// Which days.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    /// By day of the month and of the week as unix-cron has them: each field is a set, bit by bit.
    Cron {
        /// Bits 1 to 31.
        days: u32,
        /// Bits 1 to 12.
        months: u16,
        /// Bits 0 (Sunday) to 6.
        weekdays: u8,
        /// Whether both fields of days say something: then one of them is enough.
        either: bool,
    },
    /// Some weekdays of a month by their number.
    Nth {
        /// Bits 1 to 5.
        ordinals: u8,
        /// Bits 0 (Sunday) to 6.
        weekdays: u8,
        /// Bits 1 to 12.
        months: u16,
    },
}

/// At which minutes of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Minutes {
    /// By hour and minute, bit by bit.
    Clock { hours: u32, minutes: u64 },
    /// Every so many minutes, counted from midnight of the first of January 1970 in local time, so that what divides a day
    /// begins anew with each.
    Every(i64),
    /// Every so many minutes of a day from one minute of it to another, that included.
    Between { every: i64, from: i64, to: i64 },
}

/// Why a schedule cannot be read: in words of ours, for the decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}: `{part}`")]
pub(crate) struct ScheduleFault {
    /// What is wrong.
    why: &'static str,
    /// Where.
    part: String,
}

impl ScheduleFault {
    fn new(why: &'static str, part: impl Into<String>) -> Self {
        Self { why, part: part.into() }
    }
}

impl Schedule {
    /// Reads a schedule in either language.
    pub(crate) fn parse(text: &str) -> Result<Self, ScheduleFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ScheduleFault::new("there is no schedule", ""));
        }
        if text.len() > LONGEST {
            return Err(ScheduleFault::new("the schedule is too long", format!("{} bytes", text.len())));
        }
        let schedule = if groc::is(text) { groc::parse(text)? } else { cron::parse(text)? };
        if schedule.never() {
            return Err(ScheduleFault::new("it never comes", text));
        }
        Ok(schedule)
    }

    /// Whether it is unix-cron, and not in words.
    pub(crate) fn is_cron(&self) -> bool {
        self.cron
    }

    /// The first start after `after`, which itself is none; `None` if there is none in the calendar.
    pub(crate) fn next(&self, zone: &mut Zone, after: Timestamp) -> Option<Timestamp> {
        // Starts are on whole minutes of UTC or, where a zone's offset has seconds, of local time.
        let mut from = after.as_second() + 1;
        loop {
            let stretch = zone.stretch(from)?;
            let local = (from + stretch.offset).div_euclid(60) + i64::from((from + stretch.offset).rem_euclid(60) > 0);
            let end = stretch.until.map(|until| (until + stretch.offset).div_euclid(60));
            if let Some(found) = self.next_local(local, end) {
                let at = found * 60 - stretch.offset;
                if stretch.until.is_none_or(|until| at < until) {
                    return Timestamp::from_second(at).ok();
                }
            }
            from = stretch.until?;
            if from - after.as_second() > HORIZON * 86_400 {
                return None;
            }
        }
    }

    /// The first local minute at or after `from`, counted from 1970, that is one of the schedule's; not after `end`.
    fn next_local(&self, from: i64, end: Option<i64>) -> Option<i64> {
        let (mut day, mut minute) = (from.div_euclid(MINUTES_PER_DAY), from.rem_euclid(MINUTES_PER_DAY));
        let last = day + HORIZON;
        let end = end.map_or(last, |end| end.div_euclid(MINUTES_PER_DAY).min(last));
        while day <= end {
            if (self.days.all() || self.days.has(date(day)?))
                && let Some(found) = self.minutes.first(day, minute)
            {
                return Some(day * MINUTES_PER_DAY + found);
            }
            day += 1;
            minute = 0;
        }
        None
    }

    fn never(&self) -> bool {
        // From a leap year's January on, every day of the calendar comes by.
        let day = 10_957; // 2000-01-01
        self.next_local(day * MINUTES_PER_DAY, None).is_none()
    }
}

/// The civil date of a day counted from 1970.
fn date(day: i64) -> Option<Date> {
    let days = i32::try_from(day).ok()?;
    Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

impl Days {
    fn all(&self) -> bool {
        matches!(self, Self::Cron { days: EVERY_DAY, months: EVERY_MONTH, weekdays: EVERY_WEEKDAY, either: false })
    }

    fn has(&self, date: Date) -> bool {
        let month = |months: u16| months & (1 << date.month()) != 0;
        let weekday = |weekdays: u8| weekdays & (1 << sunday_first(date.weekday())) != 0;
        match self {
            Self::Cron { days, months, weekdays, either } => {
                let (day, weekday) = (days & (1 << date.day()) != 0, weekday(*weekdays));
                month(*months) && if *either { day || weekday } else { day && weekday }
            }
            Self::Nth { ordinals, weekdays, months } => {
                let nth = (date.day() - 1) / 7 + 1;
                month(*months) && weekday(*weekdays) && ordinals & (1 << nth) != 0
            }
        }
    }
}

const EVERY_DAY: u32 = 0xffff_fffe;
const EVERY_MONTH: u16 = 0x1ffe;
const EVERY_WEEKDAY: u8 = 0x7f;

fn sunday_first(weekday: Weekday) -> u8 {
    weekday.to_sunday_zero_offset().unsigned_abs()
}

impl Minutes {
    /// The first of a day's minutes at or after `from`.
    fn first(&self, day: i64, from: i64) -> Option<i64> {
        match *self {
            Self::Clock { hours, minutes } => {
                let (hour, minute) = (from / 60, from % 60);
                let at_or_after = |bits: u64, from: i64| {
                    let rest = bits & (u64::MAX.checked_shl(u32::try_from(from).ok()?).unwrap_or(0));
                    (rest != 0).then(|| i64::from(rest.trailing_zeros()))
                };
                if hours & (1 << hour) != 0
                    && let Some(minute) = at_or_after(minutes, minute)
                {
                    return Some(hour * 60 + minute);
                }
                let hour = at_or_after(u64::from(hours), hour + 1)?;
                Some(hour * 60 + at_or_after(minutes, 0)?)
            }
            Self::Every(every) => {
                let absolute = day * MINUTES_PER_DAY + from;
                let found = absolute + (-absolute).rem_euclid(every) - day * MINUTES_PER_DAY;
                (found < MINUTES_PER_DAY).then_some(found)
            }
            Self::Between { every, from: first, to } => {
                let found = if from <= first { first } else { from + (first - from).rem_euclid(every) };
                (found <= to).then_some(found)
            }
        }
    }
}

#[cfg(test)]
mod tests;
