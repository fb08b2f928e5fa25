//! Schedules in words, as App Engine's cron has them: `every 5 minutes`, `every monday 09:00`,
//! `1st,third mon of month 10:00`.
//!
//! Source: <https://cloud.google.com/appengine/docs/flexible/scheduling-jobs-with-cron-yaml#formatting_the_schedule>.

use super::{Days, EVERY_DAY, EVERY_MONTH, EVERY_WEEKDAY, MINUTES_PER_DAY, Minutes, Schedule, ScheduleFault};

const ORDINALS: [(&str, &str); 5] =
    [("1st", "first"), ("2nd", "second"), ("3rd", "third"), ("4th", "fourth"), ("5th", "fifth")];
const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// The first month of each quarter: recorded for `1st friday of quarter`.
const QUARTERS: u16 = 1 << 1 | 1 << 4 | 1 << 7 | 1 << 10;
/// The longest interval.
const LONGEST: i64 = 366 * MINUTES_PER_DAY;

/// Whether this is a schedule in words: no field of unix-cron is `every`, a number in words or the word `of`.
pub(super) fn is(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let in_words = |part: &str| ordinal(part).is_some() && part.bytes().any(|byte| byte.is_ascii_lowercase());
    first == "every" || first.split(',').all(in_words) || words.next() == Some("of")
}

pub(super) fn parse(text: &str) -> Result<Schedule, ScheduleFault> {
    let lower = text.to_ascii_lowercase();
    let mut words = Words { all: lower.split_ascii_whitespace().collect(), at: 0 };
    let schedule = if words.take("every") { every(&mut words)? } else { nth(&mut words)? };
    match words.next() {
        None => Ok(schedule),
        Some(word) => Err(ScheduleFault::new("there is more than a schedule", word)),
    }
}

struct Words<'a> {
    all: Vec<&'a str>,
    at: usize,
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.all.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.peek();
        self.at += 1;
        word
    }

    fn take(&mut self, word: &str) -> bool {
        let is = self.peek() == Some(word);
        self.at += usize::from(is);
        is
    }

    fn need(&mut self, what: &'static str) -> Result<&'a str, ScheduleFault> {
        self.next().ok_or_else(|| ScheduleFault::new(what, "…"))
    }
}

/// After `every`: an interval, or days.
fn every(words: &mut Words<'_>) -> Result<Schedule, ScheduleFault> {
    let word = words.need("`every` is followed by an interval or by days")?;
    let alone = match word {
        "minute" => Some(1),
        "hour" => Some(60),
        _ => None,
    };
    let count = word.bytes().all(|byte| byte.is_ascii_digit()).then(|| word.parse::<i64>().ok()).flatten();
    if alone.is_none() && count.is_none() {
        return days(words, word);
    }
    let interval = match (alone, count) {
        (Some(interval), _) => interval,
        (None, Some(count)) => {
            let unit = match words.need("a number is followed by `minutes` or `hours`")? {
                "minutes" | "minute" | "mins" | "min" => 1,
                "hours" | "hour" => 60,
                other => return Err(ScheduleFault::new("a number is followed by `minutes` or `hours`", other)),
            };
            count.saturating_mul(unit)
        }
        (None, None) => 0,
    };
    if !(1..=LONGEST).contains(&interval) {
        return Err(ScheduleFault::new("an interval is between a minute and a year", word));
    }
    interval_of(words, interval)
}

/// After an interval: `from` and `to`, `synchronized`, `on` some weekdays; each may be left out.
fn interval_of(words: &mut Words<'_>, every: i64) -> Result<Schedule, ScheduleFault> {
    let mut minutes = Minutes::Every(every);
    if words.take("from") {
        let from = time(words.need("`from` is followed by a time")?)?;
        if !words.take("to") {
            return Err(ScheduleFault::new(
                "`from` is followed by a time, `to` and a time",
                words.peek().unwrap_or("…"),
            ));
        }
        let to = time(words.need("`to` is followed by a time")?)?;
        if from > to {
            return Err(ScheduleFault::new("a window ends after it begins", format!("{from} minutes")));
        }
        minutes = Minutes::Between { every, from, to };
    } else {
        // What is counted from midnight anyway is synchronized already.
        words.take("synchronized");
    }
    let weekdays = if words.take("on") { weekdays(words.need("`on` is followed by days")?)? } else { EVERY_WEEKDAY };
    Ok(Schedule {
        days: Days::Cron { days: EVERY_DAY, months: EVERY_MONTH, weekdays, either: false },
        minutes,
        cron: false,
    })
}

/// After `every`: days, a month and a time.
fn days(words: &mut Words<'_>, word: &str) -> Result<Schedule, ScheduleFault> {
    let weekdays = weekdays(word)?;
    let months = if words.take("of") { months(words.need("`of` is followed by months")?)? } else { EVERY_MONTH };
    let minutes = at(words)?;
    Ok(Schedule { days: Days::Cron { days: EVERY_DAY, months, weekdays, either: false }, minutes, cron: false })
}

/// Numbers of weekdays, or days of the month; then a month and a time.
fn nth(words: &mut Words<'_>) -> Result<Schedule, ScheduleFault> {
    let word = words.need("a schedule begins with `every` or with numbers of days")?;
    let mut numbers = Vec::new();
    for part in word.split(',') {
        numbers.push(ordinal(part).ok_or_else(|| ScheduleFault::new("it is no number of a day", part))?);
    }
    let on = match words.peek() {
        Some("of") | None => None,
        Some(_) => Some(weekdays(words.need("numbers are followed by days")?)?),
    };
    if !words.take("of") {
        return Err(ScheduleFault::new("days are followed by `of` and months", words.peek().unwrap_or("…")));
    }
    let months = months(words.need("`of` is followed by months")?)?;
    let minutes = at(words)?;
    let days = match on {
        Some(weekdays) if weekdays != EVERY_WEEKDAY => {
            if let Some(number) = numbers.iter().find(|number| **number > 5) {
                return Err(ScheduleFault::new("a month has at most five of a weekday", number.to_string()));
            }
            Days::Nth { ordinals: numbers.iter().fold(0, |bits, number| bits | 1 << number), weekdays, months }
        }
        // `1 of jan` and `1st day of month` are days of the month.
        _ => Days::Cron {
            days: numbers.iter().fold(0, |bits, number| bits | 1 << number),
            months,
            weekdays: EVERY_WEEKDAY,
            either: false,
        },
    };
    Ok(Schedule { days, minutes, cron: false })
}

/// A time of the day, midnight if there is none.
fn at(words: &mut Words<'_>) -> Result<Minutes, ScheduleFault> {
    let minute = words.next().map_or(Ok(0), time)?;
    Ok(Minutes::Clock { hours: 1 << (minute / 60), minutes: 1 << (minute % 60) })
}

/// `9:00` or `09:00`, in minutes.
fn time(text: &str) -> Result<i64, ScheduleFault> {
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        let digits = |text: &str, least: usize| {
            let well = (least..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            well.then(|| text.parse::<i64>().ok()).flatten()
        };
        let (hour, minute) = (digits(hour, 1)?, digits(minute, 2)?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    read().ok_or_else(|| ScheduleFault::new("a time is written like 09:00", text))
}

/// `1st`, `first` or `1`; days of a month go up to 31.
fn ordinal(text: &str) -> Option<u32> {
    if let Some(index) = ORDINALS.iter().position(|(short, long)| text == *short || text == *long) {
        return u32::try_from(index + 1).ok();
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let suffix = text.get(digits.len()..)?;
    let number: u32 = digits.parse().ok().filter(|number| (1..=31).contains(number))?;
    ["", "st", "nd", "rd", "th"].contains(&suffix).then_some(number)
}

fn weekdays(text: &str) -> Result<u8, ScheduleFault> {
    if text == "day" {
        return Ok(EVERY_WEEKDAY);
    }
    named(text, &WEEKDAYS).map(|bits| u8::try_from(bits).unwrap_or_default())
}

fn months(text: &str) -> Result<u16, ScheduleFault> {
    match text {
        "month" => Ok(EVERY_MONTH),
        "quarter" => Ok(QUARTERS),
        _ => named(text, &MONTHS).map(|bits| u16::try_from(bits << 1).unwrap_or_default()),
    }
}

/// A list of names, whole or of three letters, as bits from 0.
fn named(text: &str, names: &[&str]) -> Result<u32, ScheduleFault> {
    text.split(',').try_fold(0, |bits, part| {
        let is = |name: &&str| part == *name || name.get(..3) == Some(part);
        let index = names.iter().position(is).ok_or_else(|| ScheduleFault::new("it names no day or month", part))?;
        Ok(bits | 1 << index)
    })
}
