//! Unix-cron, as Cloud Scheduler takes it: five fields of `*`, numbers, names, ranges, steps and lists.
//!
//! Source: <https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules>.

use super::{Days, Minutes, Schedule, ScheduleFault};

/// A field: what it is called, its smallest and largest number, and names for numbers, from one number on.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
    first_name: u32,
}

const NONE: &[&str] = &[];
const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const MINUTE: Field = Field { name: "minute", least: 0, most: 59, names: NONE, first_name: 0 };
const HOUR: Field = Field { name: "hour", least: 0, most: 23, names: NONE, first_name: 0 };
const DAY: Field = Field { name: "day of the month", least: 1, most: 31, names: NONE, first_name: 0 };
const MONTH: Field = Field { name: "month", least: 1, most: 12, names: MONTHS, first_name: 1 };
/// Both 0 and 7 are Sunday.
const WEEKDAY: Field = Field { name: "day of the week", least: 0, most: 7, names: WEEKDAYS, first_name: 0 };

pub(super) fn parse(text: &str) -> Result<Schedule, ScheduleFault> {
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let &[minute, hour, day, month, weekday] = fields.as_slice() else {
        return Err(ScheduleFault::new("unix-cron has five fields", text));
    };
    let minutes = MINUTE.read(minute)?;
    let hours = narrow(HOUR.read(hour)?);
    let days = narrow(DAY.read(day)?);
    let months = narrow(MONTH.read(month)?);
    let bits = WEEKDAY.read(weekday)?;
    let weekdays = narrow((bits & 0x7f) | (bits >> 7));
    Ok(Schedule {
        days: Days::Cron { days, months, weekdays, either: day != "*" && weekday != "*" },
        minutes: Minutes::Clock { hours, minutes },
        cron: true,
    })
}

/// The bits of a field that has fewer than its type.
fn narrow<T: TryFrom<u64> + Default>(bits: u64) -> T {
    T::try_from(bits).unwrap_or_default()
}

impl Field {
    /// The numbers of a field, as bits.
    fn read(&self, text: &str) -> Result<u64, ScheduleFault> {
        text.split(',').try_fold(0, |bits, part| Ok(bits | self.part(part)?))
    }

    fn part(&self, part: &str) -> Result<u64, ScheduleFault> {
        let fault = |why| ScheduleFault::new(why, format!("{part} ({})", self.name));
        let (range, step) = match part.split_once('/') {
            None => (part, 1),
            Some((range, step)) => {
                let step = number(step).filter(|step| (1..=self.most).contains(step));
                (range, step.ok_or_else(|| fault("a step is a number up to the largest of its field"))?)
            }
        };
        let (first, last) = if range == "*" {
            // Sunday is not counted twice.
            (self.least, if self.names.len() == 7 { 6 } else { self.most })
        } else if let Some((first, last)) = range.split_once('-') {
            let first = self.value(first).ok_or_else(|| fault("a range begins with a number or name of its field"))?;
            let last = self.value(last).ok_or_else(|| fault("a range ends with a number or name of its field"))?;
            if first >= last {
                return Err(fault("a range goes upwards"));
            }
            (first, last)
        } else {
            let value = self.value(range).ok_or_else(|| fault("it is no number or name of its field"))?;
            if part.contains('/') {
                return Err(fault("a step follows a range or `*`"));
            }
            (value, value)
        };
        let step = usize::try_from(step).unwrap_or(usize::MAX);
        Ok((first..=last).step_by(step).fold(0, |bits, value| bits | 1 << value))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(index) => self.first_name + u32::try_from(index).ok()?,
            None => number(text)?,
        };
        (self.least..=self.most).contains(&value).then_some(value)
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
