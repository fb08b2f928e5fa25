//! What a queue and a task must be like.

use std::sync::Arc;

use tokenrig_clock::SignedDuration;
use tokenrig_decision::Refused;
use tokenrig_delivery::TokenOrder;
use tokenrig_protos::google::cloud::tasks::v2::{
    self, HttpMethod, HttpTarget, RateLimits, RetryConfig, http_request, http_target,
};
use tokenrig_wire::Call;

use super::{Tasks, demand, rule};
use crate::{
    model::{
        self, FASTEST, LARGEST_HEADERS, LEAST_DEADLINE, LONGEST_URL, MOST_CONCURRENT, MOST_DEADLINE,
        MOST_DEADLINE_APP_ENGINE,
    },
    refusals::{
        BACKOFF_ORDER, DEADLINE, DEADLINE_APP_ENGINE, MAX_ATTEMPTS, NEGATIVE, TOO_HIGH, URL_MISSING, URL_SCHEME,
    },
    store::Auth,
};

impl Tasks {
    /// A queue as somebody wants it.
    pub(super) fn judge_queue(&self, call: &Call, told: &v2::Queue) -> Result<(), Refused> {
        if let Some(limits) = &told.rate_limits {
            rate_limits(call, limits)?;
        }
        if let Some(config) = &told.retry_config {
            retry_config(call, config)?;
        }
        if let Some(logging) = &told.stackdriver_logging_config {
            let ratio = logging.sampling_ratio;
            let good = (0.0..=1.0).contains(&ratio);
            let what = "StackdriverLoggingConfig.samplingRatio must be between 0.0 and 1.0.";
            demand(call, good, "tasks-queue-logging-invalid", "a share of 0 to 1", ratio.to_string(), what)?;
        }
        match &told.http_target {
            Some(target) => self.judge_target(call, target),
            None => Ok(()),
        }
    }

    fn judge_target(&self, call: &Call, target: &HttpTarget) -> Result<(), Refused> {
        let id = "tasks-queue-target-invalid";
        if let Some(uri) = &target.uri_override {
            let host = uri.host.as_deref();
            let good = host.is_none_or(is_host);
            let what = "HttpTarget.uriOverride.host must be the name of a host.";
            demand(call, good, id, "the name of a host", host.unwrap_or_default(), what)?;
            let port = uri.port.unwrap_or_default();
            let what = "HttpTarget.uriOverride.port must be between 0 and 65535.";
            demand(call, (0..=65_535).contains(&port), id, "a port, or 0 for none", port, what)?;
        }
        let headers = target.header_overrides.iter().filter_map(|over| over.header.as_ref());
        headers_fit(call, headers.map(|header| (header.key.as_str(), header.value.as_str())))?;
        let (account, named) = match &target.authorization_header {
            None => return Ok(()),
            Some(http_target::AuthorizationHeader::OidcToken(token)) => {
                (&token.service_account_email, !token.audience.is_empty())
            }
            Some(http_target::AuthorizationHeader::OauthToken(token)) => {
                (&token.service_account_email, !token.scope.is_empty())
            }
        };
        let what = "HttpTarget: both the service account and the audience or scope must be specified.";
        let expected =
            "serviceAccountEmail and audience of `oidcToken`, or serviceAccountEmail and scope of `oauthToken`";
        demand(call, named && !account.is_empty(), id, expected, account.as_str(), what)?;
        self.act_as(call, account)
    }

    /// The token that a task orders.
    pub(super) fn judge_auth(
        &self,
        call: &Call,
        told: Option<http_request::AuthorizationHeader>,
        url: &str,
    ) -> Result<Option<Auth>, Refused> {
        let Some(told) = told else { return Ok(None) };
        let order = match &told {
            http_request::AuthorizationHeader::OidcToken(token) => {
                TokenOrder::oidc(token.service_account_email.as_str(), &token.audience, url)
            }
            http_request::AuthorizationHeader::OauthToken(token) => {
                TokenOrder::oauth(token.service_account_email.as_str(), &token.scope)
            }
        };
        self.act_as(call, &order.account)?;
        Ok(Some(Auth { told, order: Arc::new(order) }))
    }
}

pub(super) fn rate_limits(call: &Call, limits: &RateLimits) -> Result<(), Refused> {
    let field = "RateLimits.maxDispatchesPerSecond";
    let rate = limits.max_dispatches_per_second;
    let shown = rate.to_string();
    let id = (&NEGATIVE, "tasks-queue-rate-negative");
    rule(call, rate >= 0.0, id, "a rate of 0 or more", shown.as_str(), &[("field", field)])?;
    let id = (&TOO_HIGH, "tasks-queue-rate-too-high");
    rule(call, rate <= FASTEST, id, "a rate of 500 or less", shown, &[("field", field), ("most", "500")])?;
    let field = "RateLimits.maxConcurrentDispatches";
    let most = limits.max_concurrent_dispatches;
    let id = (&NEGATIVE, "tasks-queue-concurrent-negative");
    rule(call, most >= 0, id, "a number of 0 or more", most, &[("field", field)])?;
    let id = (&TOO_HIGH, "tasks-queue-concurrent-too-high");
    rule(call, most <= MOST_CONCURRENT, id, "a number of 5000 or less", most, &[("field", field), ("most", "5000")])
}

pub(super) fn retry_config(call: &Call, config: &RetryConfig) -> Result<(), Refused> {
    let id = (&MAX_ATTEMPTS, "tasks-queue-max-attempts");
    rule(call, config.max_attempts >= -1, id, "a number of -1 or more", config.max_attempts, &[])?;
    let id = (&NEGATIVE, "tasks-queue-max-doublings-negative");
    let field = [("field", "RetryConfig.maxDoublings")];
    rule(call, config.max_doublings >= 0, id, "a number of 0 or more", config.max_doublings, &field)?;
    let (min, max) = (model::duration(config.min_backoff.as_ref()), model::duration(config.max_backoff.as_ref()));
    let window = model::duration(config.max_retry_duration.as_ref());
    for (field, duration) in
        [("RetryConfig.minBackoff", min), ("RetryConfig.maxBackoff", max), ("RetryConfig.maxRetryDuration", window)]
    {
        let id = (&NEGATIVE, "tasks-queue-backoff-negative");
        let good = duration >= SignedDuration::ZERO;
        rule(call, good, id, "a duration of 0 or more", format!("{duration:#}"), &[("field", field)])?;
    }
    let whole = model::retry_config(Some(config), false);
    let (min, max) = (model::duration(whole.min_backoff.as_ref()), model::duration(whole.max_backoff.as_ref()));
    let id = (&BACKOFF_ORDER, "tasks-queue-backoff-order");
    rule(call, min <= max, id, format!("a minBackoff of at most {max:#}"), format!("{min:#}"), &[])
}

/// How long an answer may take, as a task says it; cut to milliseconds.
pub(super) fn deadline(
    call: &Call,
    told: Option<&tokenrig_protos::prost_types::Duration>,
    app_engine: bool,
) -> Result<Option<SignedDuration>, Refused> {
    let Some(told) = told.filter(|told| told.seconds != 0 || told.nanos != 0) else {
        return Ok((!app_engine).then_some(model::DEADLINE));
    };
    let deadline = model::duration(Some(told));
    let (most, id, expected): (_, (&'static _, _), _) = if app_engine {
        let id = (&DEADLINE_APP_ENGINE, "tasks-dispatch-deadline-appengine");
        (MOST_DEADLINE_APP_ENGINE, id, "a deadline of 15 s to 24 h 15 s")
    } else {
        (MOST_DEADLINE, (&DEADLINE, "tasks-dispatch-deadline"), "a deadline of 15 s to 30 min")
    };
    let good = deadline >= LEAST_DEADLINE && deadline <= most;
    rule(call, good, id, expected, format!("{deadline:#}"), &[])?;
    let whole = deadline.as_millis();
    Ok(Some(SignedDuration::from_millis(i64::try_from(whole).unwrap_or(i64::MAX))))
}

pub(super) fn url(call: &Call, url: &str) -> Result<(), Refused> {
    rule(call, !url.is_empty(), (&URL_MISSING, "tasks-url-missing"), "the URL of the target", url, &[])?;
    let good = url.starts_with("http://") || url.starts_with("https://");
    let id = (&URL_SCHEME, "tasks-url-scheme");
    rule(call, good, id, "a URL that begins with `http://` or `https://`", url, &[])?;
    let length = url.chars().count();
    let what = "HttpRequest.url must be at most 2083 characters long.";
    demand(call, length <= LONGEST_URL, "tasks-url-too-long", "at most 2083 characters", length, what)
}

/// A body goes only with some verbs.
pub(super) fn body(call: &Call, method: i32, body: &[u8], takes: &[HttpMethod]) -> Result<(), Refused> {
    let method = HttpMethod::try_from(method).unwrap_or_default();
    let good = body.is_empty() || method == HttpMethod::Unspecified || takes.contains(&method);
    let names: Vec<&str> = takes.iter().map(HttpMethod::as_str_name).collect();
    let what = format!("A body is only allowed with the HTTP methods {}.", names.join(", "));
    demand(call, good, "tasks-body-not-allowed", names, method.as_str_name(), what)
}

/// The number of a verb that there is.
pub(super) fn method(call: &Call, method: i32) -> Result<(), Refused> {
    let known = HttpMethod::try_from(method).is_ok();
    demand(call, known, "tasks-method-not-allowed", "a verb of HTTP", method, "The HTTP method is not known.")
}

/// Headers that HTTP can carry, and not too many.
pub(super) fn headers_fit<'h>(call: &Call, headers: impl Iterator<Item = (&'h str, &'h str)>) -> Result<(), Refused> {
    let mut bytes = 0;
    for (name, value) in headers {
        bytes += name.len() + value.len();
        let good = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
            && http::HeaderValue::from_bytes(value.as_bytes()).is_ok();
        let what = "The headers must be valid HTTP headers.";
        demand(call, good, "tasks-header-invalid", "the name and value of a header", name, what)?;
    }
    let what = "The size of the headers must be less than 80KB.";
    demand(call, bytes < LARGEST_HEADERS, "tasks-headers-too-large", "headers of less than 80 KB", bytes, what)
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte))
        && text.parse::<http::uri::Authority>().is_ok_and(|authority| authority.port().is_none())
}
