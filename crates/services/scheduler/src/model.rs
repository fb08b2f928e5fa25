//! Jobs: their names, the rules of their fields, and what becomes of them.

mod target;

use std::sync::Arc;

use tokenrig_clock::{SignedDuration, minutes, seconds};
use tokenrig_delivery::{Backoff, Retry, TokenOrder};
use tokenrig_protos::{
    google::cloud::scheduler::v1::{HttpTarget, Job, RetryConfig, http_target::AuthorizationHeader, job::Target},
    prost::Message as _,
    prost_types,
};

pub(crate) use self::target::Aim;
use crate::schedule::{Schedule, Zone};

/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 500;
/// The largest job.
const LARGEST: usize = 1 << 20;
/// The most retries.
const MOST_RETRIES: i32 = 5;

/// `projects/P/locations/L/jobs/J`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JobName<'a> {
    pub(crate) project: &'a str,
    pub(crate) location: &'a str,
    pub(crate) job: &'a str,
}

impl<'a> JobName<'a> {
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let (parent, job) = name.rsplit_once("/jobs/")?;
        let (project, location) = parse_parent(parent)?;
        Some(Self { project, location, job })
    }

    /// Whether the job's own part is one.
    pub(crate) fn is_well_formed(&self) -> bool {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        (1..=500).contains(&self.job.len()) && self.job.bytes().all(letter)
    }
}

/// `projects/P/locations/L`.
pub(crate) fn parse_parent(parent: &str) -> Option<(&str, &str)> {
    let (project, location) = parent.strip_prefix("projects/")?.split_once("/locations/")?;
    let part = |part: &str| !part.is_empty() && !part.contains('/');
    (part(project) && part(location)).then_some((project, location))
}

/// What is wrong with a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The schedule, and why.
    Schedule(String),
    /// The time zone.
    Zone(String),
    /// `retryConfig.retryCount`.
    RetryCount(i32),
    /// `retryConfig.maxRetryDuration` has a fraction.
    RetryNanos,
    /// A rule of the reference is broken: the refusal's id, and what the rule is.
    Field(&'static str, String),
}

impl Fault {
    pub(crate) fn field(id: &'static str, what: impl Into<String>) -> Self {
        Self::Field(id, what.into())
    }
}

/// What a job does, made of what it says.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) schedule: Schedule,
    pub(crate) zone: Zone,
    pub(crate) retry: Retry,
    pub(crate) deadline: SignedDuration,
    pub(crate) aim: Aim,
    pub(crate) token: Option<Arc<TokenOrder>>,
}

/// Fills in what a job does not say, as Google stores it, and takes away what is not the user's to say.
pub(crate) fn complete(mut job: Job, project: &str) -> Job {
    job = user_part(job);
    if job.time_zone.is_empty() {
        job.time_zone = "UTC".to_owned();
    }
    let told = job.retry_config.unwrap_or_default();
    job.retry_config = Some(RetryConfig {
        retry_count: told.retry_count,
        max_retry_duration: told.max_retry_duration.or(Some(duration(0))),
        min_backoff_duration: told.min_backoff_duration.or(Some(duration(5))),
        max_backoff_duration: told.max_backoff_duration.or(Some(duration(3600))),
        max_doublings: if told.max_doublings == 0 { 5 } else { told.max_doublings },
    });
    match &mut job.target {
        Some(Target::HttpTarget(target)) => {
            target::complete_http(target);
            job.attempt_deadline = job.attempt_deadline.or(Some(duration(180)));
        }
        Some(Target::AppEngineHttpTarget(target)) => target::complete_app_engine(target, project),
        // A deadline is ignored there and not shown.
        Some(Target::PubsubTarget(_)) => job.attempt_deadline = None,
        None => {}
    }
    job
}

/// A job without what only the service says.
pub(crate) fn user_part(job: Job) -> Job {
    Job {
        user_update_time: None,
        state: 0,
        status: None,
        schedule_time: None,
        last_attempt_time: None,
        satisfies_pzs: false,
        ..job
    }
}

/// What a completed job does.
pub(crate) fn plan(job: &Job, project: &str) -> Result<Plan, Fault> {
    if job.description.chars().count() > LONGEST_DESCRIPTION {
        let what = format!("Job.description must not be longer than {LONGEST_DESCRIPTION} characters.");
        return Err(Fault::field("scheduler-description-too-long", what));
    }
    if job.encoded_len() > LARGEST {
        return Err(Fault::field("scheduler-job-too-large", "The job must not be larger than 1MB."));
    }
    let schedule = Schedule::parse(&job.schedule).map_err(|fault| Fault::Schedule(fault.to_string()))?;
    let zone = Zone::named(&job.time_zone).ok_or_else(|| Fault::Zone(job.time_zone.clone()))?;
    let retry = retry(job.retry_config.as_ref().unwrap_or(&RetryConfig::default()))?;
    let (aim, token, longest) = match &job.target {
        Some(Target::HttpTarget(target)) => (Aim::http(target, &job.name)?, token(target)?, minutes(30)),
        Some(Target::AppEngineHttpTarget(target)) => {
            (Aim::app_engine(target, &job.name, project)?, None, SignedDuration::from_hours(24) + seconds(15))
        }
        Some(Target::PubsubTarget(target)) => (Aim::topic(target, project)?, None, minutes(30)),
        None => return Err(Fault::field("scheduler-target-missing", "Job.target must be set.")),
    };
    let deadline = match &job.attempt_deadline {
        None => minutes(10),
        Some(told) => {
            let told = SignedDuration::new(told.seconds, told.nanos.clamp(0, 999_999_999));
            if told < seconds(15) || told > longest {
                let what = format!("Job.attemptDeadline must be between [15s, {}s].", longest.as_secs());
                return Err(Fault::field("scheduler-attempt-deadline-invalid", what));
            }
            told
        }
    };
    Ok(Plan { schedule, zone, retry, deadline, aim, token })
}

fn retry(told: &RetryConfig) -> Result<Retry, Fault> {
    if !(0..=MOST_RETRIES).contains(&told.retry_count) {
        return Err(Fault::RetryCount(told.retry_count));
    }
    let invalid = |what: &str| Fault::field("scheduler-retry-config-invalid", what);
    let window = told.max_retry_duration.unwrap_or_default();
    if window.nanos != 0 {
        return Err(Fault::RetryNanos);
    }
    if window.seconds < 0 {
        return Err(invalid("RetryConfig.maxRetryDuration cannot be negative."));
    }
    let length = |told: &Option<prost_types::Duration>| {
        told.as_ref().map_or(SignedDuration::ZERO, |told| {
            SignedDuration::new(told.seconds, told.nanos.clamp(-999_999_999, 999_999_999))
        })
    };
    let (min, max) = (length(&told.min_backoff_duration), length(&told.max_backoff_duration));
    if min.is_negative() {
        return Err(invalid("RetryConfig.minBackoffDuration cannot be negative."));
    }
    if min > max {
        return Err(invalid(
            "RetryConfig.minBackoffDuration must be less than or equal to RetryConfig.maxBackoffDuration.",
        ));
    }
    let doublings = u32::try_from(told.max_doublings);
    let doublings = doublings.map_err(|_| invalid("RetryConfig.maxDoublings cannot be negative."))?;
    let retries = u32::try_from(told.retry_count).unwrap_or_default();
    let window = (window.seconds > 0).then(|| seconds(window.seconds));
    // A window without a count lets any number of retries be made in it; without both there is none.
    let attempts = (retries > 0 || window.is_none()).then_some(retries + 1);
    Ok(Retry { attempts, window, backoff: Backoff { min, max, doublings } })
}

fn token(target: &HttpTarget) -> Result<Option<Arc<TokenOrder>>, Fault> {
    let order = match &target.authorization_header {
        None => return Ok(None),
        Some(AuthorizationHeader::OidcToken(token)) => {
            TokenOrder::oidc(&token.service_account_email, &token.audience, &target.uri)
        }
        Some(AuthorizationHeader::OauthToken(token)) => TokenOrder::oauth(&token.service_account_email, &token.scope),
    };
    if order.account.is_empty() {
        let what = "HttpTarget: a token needs a serviceAccountEmail.";
        return Err(Fault::field("scheduler-token-invalid", what));
    }
    if !target.uri.starts_with("https://") && !target::is_local(&target.uri) {
        let what = "HttpTarget.uri must be an HTTPS URL if a token is sent.";
        return Err(Fault::field("scheduler-token-invalid", what));
    }
    Ok(Some(Arc::new(order)))
}

fn duration(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tokenrig_protos::google::cloud::scheduler::v1::OidcToken;

    use super::*;

    fn job() -> Job {
        let target = HttpTarget { uri: "https://orders.example.com/tick".to_owned(), ..HttpTarget::default() };
        Job {
            name: "projects/p/locations/us-central1/jobs/tick".to_owned(),
            schedule: "* * * * *".to_owned(),
            target: Some(Target::HttpTarget(target)),
            ..Job::default()
        }
    }

    fn planned(change: impl FnOnce(&mut Job)) -> Result<Plan, Fault> {
        let mut job = job();
        change(&mut job);
        plan(&complete(job, "p"), "p")
    }

    #[test]
    fn a_job_is_told_with_all_its_defaults() {
        let job = complete(job(), "p");
        let config = job.retry_config.unwrap();
        assert_eq!(config.max_doublings, 5);
        assert_eq!(config.min_backoff_duration, Some(duration(5)));
        assert_eq!(config.max_backoff_duration, Some(duration(3600)));
        assert_eq!(config.max_retry_duration, Some(duration(0)));
        assert_eq!((job.attempt_deadline, job.time_zone.as_str()), (Some(duration(180)), "UTC"));
        let Some(Target::HttpTarget(target)) = job.target else { panic!() };
        assert_eq!(target.headers["User-Agent"], "Google-Cloud-Scheduler");
        assert!(!target.headers.contains_key("Content-Type"));
    }

    #[rstest]
    #[case(0, 0, Some(1), None)]
    #[case(5, 0, Some(6), None)]
    #[case(0, 30, None, Some(30))]
    #[case(2, 30, Some(3), Some(30))]
    fn a_count_of_retries_and_a_window_bound_the_attempts(
        #[case] count: i32,
        #[case] window: i64,
        #[case] attempts: Option<u32>,
        #[case] bound: Option<i64>,
    ) {
        let plan = planned(|job| {
            let config = RetryConfig {
                retry_count: count,
                max_retry_duration: Some(duration(window)),
                ..RetryConfig::default()
            };
            job.retry_config = Some(config);
        });
        let retry = plan.unwrap().retry;
        assert_eq!((retry.attempts, retry.window), (attempts, bound.map(seconds)));
    }

    #[rstest]
    #[case::no_schedule(|job: &mut Job| job.schedule.clear(), "Schedule")]
    #[case::zone(|job: &mut Job| job.time_zone = "Invalid/Unknown".into(), "Zone")]
    #[case::retries(|job: &mut Job| job.retry_config = Some(RetryConfig { retry_count: 6, ..Default::default() }), "RetryCount(6)")]
    #[case::negative_retries(|job: &mut Job| job.retry_config = Some(RetryConfig { retry_count: -1, ..Default::default() }), "RetryCount(-1)")]
    #[case::fraction(|job: &mut Job| job.retry_config = Some(RetryConfig { max_retry_duration: Some(prost_types::Duration { seconds: 20, nanos: 500_000_000 }), ..Default::default() }), "RetryNanos")]
    #[case::backoff(|job: &mut Job| job.retry_config = Some(RetryConfig { min_backoff_duration: Some(duration(20)), max_backoff_duration: Some(duration(10)), ..Default::default() }), "less than or equal")]
    #[case::doublings(|job: &mut Job| job.retry_config = Some(RetryConfig { max_doublings: -1, ..Default::default() }), "maxDoublings")]
    #[case::no_target(|job: &mut Job| job.target = None, "scheduler-target-missing")]
    #[case::short_deadline(|job: &mut Job| job.attempt_deadline = Some(duration(14)), "[15s, 1800s]")]
    #[case::long_deadline(|job: &mut Job| job.attempt_deadline = Some(duration(1801)), "[15s, 1800s]")]
    #[case::description(|job: &mut Job| job.description = "x".repeat(501), "description")]
    #[case::size(|job: &mut Job| http(job).body = vec![0; LARGEST], "larger than 1MB")]
    #[case::no_account(|job: &mut Job| http(job).authorization_header = Some(AuthorizationHeader::OidcToken(OidcToken::default())), "serviceAccountEmail")]
    fn a_job_that_breaks_a_rule_is_told_which(#[case] change: fn(&mut Job), #[case] told: &str) {
        let fault = format!("{:?}", planned(change).unwrap_err());
        assert!(fault.contains(told), "{fault}");
    }

    fn http(job: &mut Job) -> &mut HttpTarget {
        match &mut job.target {
            Some(Target::HttpTarget(target)) => target,
            _ => panic!(),
        }
    }

    #[rstest]
    #[case("https://orders.example.com/", true)]
    #[case("http://127.0.0.1:8080/", true)]
    #[case("http://localhost/", true)]
    #[case("http://orders.example.com/", false)]
    fn a_token_goes_out_in_clear_to_this_machine_alone(#[case] uri: &str, #[case] taken: bool) {
        let plan = planned(|job| {
            let token = OidcToken { service_account_email: "a@p.iam.gserviceaccount.com".into(), ..Default::default() };
            *http(job) = HttpTarget {
                uri: uri.to_owned(),
                authorization_header: Some(AuthorizationHeader::OidcToken(token)),
                ..HttpTarget::default()
            };
        });
        assert_eq!(plan.is_ok(), taken);
    }

    #[rstest]
    #[case("projects/p/locations/l/jobs/j-1_X", true)]
    #[case("projects/p/locations/l/jobs/", false)]
    #[case("projects/p/locations/l/jobs/a.b", false)]
    #[case("projects/p/locations/l/jobs/ä", false)]
    fn a_job_is_named_by_letters_digits_and_two_more(#[case] name: &str, #[case] well: bool) {
        assert_eq!(JobName::parse(name).unwrap().is_well_formed(), well);
    }

    #[rstest]
    #[case("projects/p/jobs/j")]
    #[case("projects//locations/l/jobs/j")]
    #[case("projects/p/locations/l/m/jobs/j")]
    #[case("jobs/j")]
    fn a_name_has_project_and_location(#[case] name: &str) {
        assert_eq!(JobName::parse(name), None);
    }
}
