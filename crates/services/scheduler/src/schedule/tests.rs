//! Schedules and their next starts.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// The starts after an instant of UTC.
fn starts(schedule: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::parse(schedule).unwrap();
    let mut zone = Zone::named(zone).unwrap();
    let mut at: Timestamp = after.parse().unwrap();
    let mut found = Vec::new();
    while found.len() < count {
        at = schedule.next(&mut zone, at).unwrap();
        found.push(at.to_string().replace(":00Z", "Z"));
    }
    found
}

#[rstest]
#[case::gap_of_a_year("30 2 14 3 *", "America/New_York", "2026-10-01T05:20:25Z", &["2028-03-14T06:30Z"])]
#[case::fold_of_a_day("30 1 1 11 *", "America/New_York", "2026-10-01T05:20:30Z", &["2026-11-01T05:30Z"])]
#[case::names("0 9 * JAN MON", "UTC", "2026-10-01T05:20:05Z", &["2027-01-04T09:00Z"])]
#[case::gap("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", &["2026-03-09T06:30Z"])]
#[case::fold("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", &["2026-11-01T05:30Z", "2026-11-01T06:30Z", "2026-11-02T06:30Z"])]
#[case::through_a_fold("*/30 * * * *", "America/New_York", "2026-11-01T04:59:00Z", &["2026-11-01T05:00Z", "2026-11-01T05:30Z", "2026-11-01T06:00Z", "2026-11-01T06:30Z", "2026-11-01T07:00Z", "2026-11-01T07:30Z"])]
#[case::berlin_gap("0 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", &["2026-03-30T00:00Z"])]
#[case::just_after_a_gap("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", &["2026-03-29T01:00Z"])]
#[case::berlin_fold("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", &["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-26T01:30Z"])]
#[case::half_an_hour_gap("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", &["2026-10-04T15:15Z"])]
#[case::half_an_hour_fold("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", &["2026-04-04T14:45Z", "2026-04-04T15:15Z", "2026-04-05T15:15Z"])]
#[case::midnight_gap("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", &["2018-11-05T02:00Z"])]
#[case::either_day("0 9 1 * SAT", "UTC", "2026-11-21T07:00:00Z", &["2026-11-21T09:00Z", "2026-11-28T09:00Z", "2026-12-01T09:00Z", "2026-12-05T09:00Z"])]
#[case::leap_day("0 0 29 2 *", "UTC", "2026-11-21T00:00:00Z", &["2028-02-29T00:00Z"])]
#[case::long_months("0 0 31 * *", "UTC", "2026-11-21T00:00:00Z", &["2026-12-31T00:00Z", "2027-01-31T00:00Z", "2027-03-31T00:00Z"])]
#[case::strictly_after("5 * * * *", "UTC", "2026-11-21T07:05:00Z", &["2026-11-21T08:05Z"])]
#[case::working_hours("*/15 9-17 * * MON-FRI", "Asia/Kolkata", "2026-11-20T12:14:00Z", &["2026-11-20T12:15Z", "2026-11-23T03:30Z"])]
#[case::seven_is_sunday("0 12 * * 7", "UTC", "2026-11-21T07:05:00Z", &["2026-11-22T12:00Z"])]
#[case::a_step_begins_anew("*/7 * * * *", "UTC", "2026-11-21T07:50:00Z", &["2026-11-21T07:56Z", "2026-11-21T08:00Z", "2026-11-21T08:07Z"])]
#[case::every_other_weekday("0 0 * * */2", "UTC", "2026-11-21T00:00:00Z", &["2026-11-22T00:00Z", "2026-11-24T00:00Z", "2026-11-26T00:00Z", "2026-11-28T00:00Z", "2026-11-29T00:00Z"])]
#[case::odd_days("0 0 */2 * *", "UTC", "2026-11-28T12:00:00Z", &["2026-11-29T00:00Z", "2026-12-01T00:00Z", "2026-12-03T00:00Z"])]
#[case::range_to_seven("0 0 * * FRI-7", "UTC", "2026-11-21T12:00:00Z", &["2026-11-22T00:00Z", "2026-11-27T00:00Z"])]
#[case::list("0,30 8,20 * * *", "UTC", "2026-11-21T08:10:00Z", &["2026-11-21T08:30Z", "2026-11-21T20:00Z"])]
fn unix_cron_starts_at_local_times_that_exist(
    #[case] schedule: &str,
    #[case] zone: &str,
    #[case] after: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(starts(schedule, zone, after, expected.len()), expected);
}

#[rstest]
#[case::recorded_interval("every 5 minutes", "UTC", "2026-10-01T05:20:03Z", &["2026-10-01T05:25Z", "2026-10-01T05:30Z"])]
#[case::recorded_quarter("1st friday of quarter 9:00", "UTC", "2026-10-01T05:20:03Z", &["2026-10-02T09:00Z", "2027-01-01T09:00Z"])]
#[case::minute("every minute", "UTC", "2026-10-01T05:20:03Z", &["2026-10-01T05:21Z"])]
#[case::mins("every 90 mins", "UTC", "2026-10-01T23:00:00Z", &["2026-10-02T00:00Z", "2026-10-02T01:30Z"])]
#[case::hours("every 12 hours", "Europe/Berlin", "2026-07-01T05:20:03Z", &["2026-07-01T10:00Z", "2026-07-01T22:00Z"])]
#[case::day("every day 09:00", "America/New_York", "2026-07-01T15:00:00Z", &["2026-07-02T13:00Z"])]
#[case::monday("every monday 09:00", "Australia/Sydney", "2026-07-01T15:00:00Z", &["2026-07-05T23:00Z"])]
#[case::weekdays("every mon,wed 17:30", "UTC", "2026-11-21T00:00:00Z", &["2026-11-23T17:30Z", "2026-11-25T17:30Z"])]
#[case::of_months("every thu of mar,november", "UTC", "2026-11-21T00:00:00Z", &["2026-11-26T00:00Z", "2027-03-04T00:00Z"])]
#[case::ordinals("1st,third mon,wed of month 17:00", "UTC", "2026-12-01T00:00:00Z", &["2026-12-02T17:00Z", "2026-12-07T17:00Z", "2026-12-16T17:00Z", "2026-12-21T17:00Z"])]
#[case::first_sunday("first sunday of month 12:00", "UTC", "2026-12-01T00:00:00Z", &["2026-12-06T12:00Z", "2027-01-03T12:00Z"])]
#[case::days_of_months("1,3 of jan,jul 12:34", "UTC", "2026-12-01T00:00:00Z", &["2027-01-01T12:34Z", "2027-01-03T12:34Z", "2027-07-01T12:34Z"])]
#[case::window("every 2 hours from 10:00 to 14:00", "UTC", "2026-12-01T09:00:00Z", &["2026-12-01T10:00Z", "2026-12-01T12:00Z", "2026-12-01T14:00Z", "2026-12-02T10:00Z"])]
#[case::on_days("every 60 minutes on mon,wed", "UTC", "2026-12-01T22:30:00Z", &["2026-12-02T00:00Z", "2026-12-02T01:00Z"])]
#[case::synchronized("every 6 hours synchronized", "UTC", "2026-12-01T22:30:00Z", &["2026-12-02T00:00Z"])]
#[case::capitals("Every Day 09:00", "UTC", "2026-12-01T22:30:00Z", &["2026-12-02T09:00Z"])]
fn a_schedule_in_words_starts_when_it_says(
    #[case] schedule: &str,
    #[case] zone: &str,
    #[case] after: &str,
    #[case] expected: &[&str],
) {
    assert_eq!(starts(schedule, zone, after, expected.len()), expected);
}

#[rstest]
#[case("", "there is no schedule")]
#[case("0 9 * * * *", "five fields")]
#[case("* * * *", "five fields")]
#[case("@daily", "five fields")]
#[case("60 * * * *", "60 (minute)")]
#[case("* 24 * * *", "24 (hour)")]
#[case("* * 0 * *", "0 (day of the month)")]
#[case("* * * 13 *", "13 (month)")]
#[case("* * * * 8", "8 (day of the week)")]
#[case("* * * JANUARY *", "JANUARY (month)")]
#[case("9-5 * * * *", "a range goes upwards")]
#[case("5-5 * * * *", "a range goes upwards")]
#[case("*/0 * * * *", "a step is a number")]
#[case("*/60 * * * *", "a step is a number")]
#[case("5/15 * * * *", "a step follows a range")]
#[case("1,,2 * * * *", "no number or name")]
#[case("L * * * *", "no number or name")]
#[case("* * L * *", "no number or name")]
#[case("? * * * *", "no number or name")]
#[case("* * * * MON#1", "no number or name")]
#[case("-1 * * * *", "a range begins")]
#[case("001 * * * *", "no number or name")]
#[case("0 0 31 2 *", "it never comes")]
#[case("every", "an interval or by days")]
#[case("every 5", "`minutes` or `hours`")]
#[case("every 0 minutes", "between a minute and a year")]
#[case("every 99999999999999999999 hours", "it names no day")]
#[case("every 5 seconds", "`minutes` or `hours`")]
#[case("every funday 09:00", "it names no day")]
#[case("every day 24:00", "a time is written like")]
#[case("every day 9:5", "a time is written like")]
#[case("every day 09:00 sharp", "more than a schedule")]
#[case("every 5 minutes from 10:00", "`to` and a time")]
#[case("6th mon of month", "at most five")]
#[case("1st mon", "followed by `of`")]
fn what_is_no_schedule_is_told_why(#[case] schedule: &str, #[case] why: &str) {
    let fault = Schedule::parse(schedule).unwrap_err().to_string();
    assert!(fault.contains(why), "{fault}");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_run_on(text in "[ -~]{0,40}", after in 0_i64..4_000_000_000) {
        if let Ok(schedule) = Schedule::parse(&text) {
            let after = Timestamp::from_second(after).unwrap();
            let next = schedule.next(&mut Zone::named("America/New_York").unwrap(), after);
            prop_assert!(next.is_none_or(|next| next > after));
        }
    }

    /// A start is a minute whose local time the schedule has, and no such minute is left out before it.
    #[test]
    fn a_start_is_the_first_minute_that_matches(
        (minute, hour) in (0_u32..60, 0_u32..24),
        day in prop_oneof![Just("*".to_owned()), (1_u32..29).prop_map(|day| day.to_string())],
        zone in prop_oneof![Just("America/New_York"), Just("Australia/Lord_Howe"), Just("Africa/Casablanca"), Just("UTC")],
        after in 1_700_000_000_i64..1_900_000_000,
    ) {
        let schedule = Schedule::parse(&format!("{minute} {hour} {day} * *")).unwrap();
        let after = Timestamp::from_second(after).unwrap();
        let next = schedule.next(&mut Zone::named(zone).unwrap(), after).unwrap();
        let zone = jiff::tz::TimeZone::get(zone).unwrap();
        let matches = |at: Timestamp| {
            let local = at.to_zoned(zone.clone());
            (local.minute() as u32, local.hour() as u32) == (minute, hour)
                && (day == "*" || day == local.day().to_string())
        };
        prop_assert!(matches(next) && next > after);
        let mut at = (after.as_second() / 60 + 1) * 60;
        while at < next.as_second() {
            prop_assert!(!matches(Timestamp::from_second(at).unwrap()), "{at} is left out");
            at += 60;
        }
    }
}
