//! One attempt on its way: the token in its header, redirects followed, what came back.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, header::LOCATION};
use tokenrig_clock::{SignedDuration, Timestamp};

use crate::{
    carrier::{Answer, Authorization, Carrier, CarryFault, Progress, Sending},
    order::{Header, Outgoing},
    outcome::Outcome,
};

/// What a carrier gives.
pub(crate) type Carrying = BoxFuture<'static, Result<Answer, CarryFault>>;

/// One attempt on its way.
pub(crate) struct Way {
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) request: Outgoing,
    pub(crate) authorization: Option<Authorization>,
    pub(crate) redirects: u8,
    pub(crate) now: Timestamp,
    pub(crate) progress: Progress,
}

/// Waits for the answer to a request that was sent, and follows as many redirects as it may.
pub(crate) async fn carry(way: Way, sent: Carrying) -> Outcome {
    let Way { carrier, mut request, authorization, mut redirects, now, progress } = way;
    let first = host_of(&request.url).to_owned();
    let mut came = sent.await;
    while let Some(next) = redirected(&request, &came).filter(|_| redirects > 0) {
        redirects -= 1;
        request = next;
        let authorization = authorization.as_ref().filter(|_| host_of(&request.url) == first);
        came = carrier.carry(Sending { request: &request, authorization }, progress.clone()).await;
    }
    outcome(came, now)
}

/// How an attempt ended that leads nowhere else.
pub(crate) fn outcome(came: Result<Answer, CarryFault>, now: Timestamp) -> Outcome {
    match came {
        Ok(answer) => Outcome::Answered { status: answer.status, retry_after: retry_after(&answer.headers, now) },
        Err(fault) => Outcome::Failed(fault),
    }
}

/// Whether an answer may lead elsewhere.
pub(crate) fn is_redirect(came: &Result<Answer, CarryFault>) -> bool {
    came.as_ref().is_ok_and(|answer| (300..400).contains(&answer.status))
}

/// The request that a redirect asks for, made as browsers make it.
fn redirected(request: &Outgoing, came: &Result<Answer, CarryFault>) -> Option<Outgoing> {
    let answer = came.as_ref().ok()?;
    let keeps = match answer.status {
        307 | 308 => true,
        301..=303 => false,
        _ => return None,
    };
    let location = answer.headers.get(LOCATION)?.to_str().ok()?;
    let url = join(&request.url, location)?;
    let mut next = Outgoing { url: url.into(), ..request.clone() };
    let turns = match answer.status {
        303 => next.method != Method::HEAD,
        _ => next.method == Method::POST,
    };
    if !keeps && turns {
        next.method = Method::GET;
        next.body = bytes::Bytes::new();
        let of_no_body = |(name, _): &&Header| !name.to_ascii_lowercase().starts_with("content-");
        next.headers = next.headers.iter().filter(of_no_body).cloned().collect();
    }
    Some(next)
}

/// `Retry-After` in seconds or as an HTTP date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let value = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let date = value.strip_suffix(" GMT")?;
    let date = http_date(date)?;
    Some(date.duration_since(now).max(SignedDuration::ZERO))
}

/// `Thu, 15 Jan 2026 09:00:00`, the form of dates in HTTP.
fn http_date(text: &str) -> Option<Timestamp> {
    let (_, text) = text.split_once(", ")?;
    let mut parts = text.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|known| *known == month)? + 1;
    format!("{year}-{month:02}-{day:0>2}T{time}Z").parse().ok()
}

/// The host and port of an absolute URL.
pub(crate) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// What `location` means beside `base`; `None` if it leads to something that is no HTTP.
fn join(base: &str, location: &str) -> Option<String> {
    let location = location.split_once('#').map_or(location, |(location, _)| location);
    if location.starts_with("http://") || location.starts_with("https://") {
        return Some(location.to_owned());
    }
    let (scheme, rest) = base.split_once("://")?;
    if let Some(other) = location.strip_prefix("//") {
        return Some(format!("{scheme}://{other}"));
    }
    let host = host_of(base);
    if location.starts_with('/') {
        return Some(format!("{scheme}://{host}{location}"));
    }
    let path = rest.get(host.len()..)?.split(['?', '#']).next().unwrap_or_default();
    if location.starts_with('?') {
        return Some(format!("{scheme}://{host}{path}{location}"));
    }
    // A colon before any slash ends a scheme, and it is none of ours.
    if location.split('/').next().is_some_and(|first| first.contains(':')) {
        return None;
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(format!("{scheme}://{host}{folder}/{location}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;
    use futures_util::future::FutureExt as _;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://a.example/x/y?z", "https://b.example/q", Some("https://b.example/q"))]
    #[case("https://a.example/x/y?z", "//b.example/q#part", Some("https://b.example/q"))]
    #[case("https://a.example/x/y?z", "/q", Some("https://a.example/q"))]
    #[case("https://a.example/x/y?z", "q", Some("https://a.example/x/q"))]
    #[case("https://a.example:8443", "q", Some("https://a.example:8443/q"))]
    #[case("https://a.example/x/y?z", "?q", Some("https://a.example/x/y?q"))]
    #[case("https://a.example/", "javascript:alert(1)", None)]
    #[case("nonsense", "/q", None)]
    fn a_location_is_read_beside_the_url(#[case] base: &str, #[case] location: &str, #[case] found: Option<&str>) {
        assert_eq!(join(base, location).as_deref(), found);
    }

    #[rstest]
    #[case("120", Some(120))]
    #[case("Thu, 15 Jan 2026 09:01:00 GMT", Some(60))]
    #[case("Thu, 15 Jan 2026 08:00:00 GMT", Some(0))]
    #[case("soon", None)]
    #[case("-5", None)]
    fn retry_after_is_seconds_or_a_date(#[case] value: &str, #[case] seconds: Option<i64>) {
        let headers = HeaderMap::from_iter([(http::header::RETRY_AFTER, value.parse().unwrap())]);
        let now = "2026-01-15T09:00:00Z".parse().unwrap();
        assert_eq!(retry_after(&headers, now).map(|wait| wait.as_secs()), seconds);
    }

    /// What a request was: verb, URL, whether a token came, length of the body.
    type Got = (Method, String, bool, usize);

    /// Answers as told, and keeps what it got.
    struct Scripted(Mutex<(Vec<Answer>, Vec<Got>)>);

    impl Carrier for Scripted {
        fn carry(&self, sending: Sending<'_>, _: Progress) -> Carrying {
            let mut state = self.0.lock().unwrap();
            let all = sending.headers().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
            let token = all.collect::<Vec<_>>() == [("Authorization", "Bearer t")];
            let request = sending.request;
            state.1.push((request.method.clone(), request.url.to_string(), token, request.body.len()));
            let answer = if state.0.len() > 1 { state.0.remove(0) } else { state.0[0].clone() };
            std::future::ready(Ok(answer)).boxed()
        }
    }

    fn answer(status: u16, location: Option<&str>) -> Answer {
        let headers = location.map(|location| (LOCATION, location.parse().unwrap()));
        Answer { status, headers: HeaderMap::from_iter(headers) }
    }

    async fn through(answers: Vec<Answer>, redirects: u8) -> (Outcome, Vec<Got>) {
        let carrier = Arc::new(Scripted(Mutex::new((answers, Vec::new()))));
        let request = Outgoing {
            method: Method::POST,
            url: "https://a.example/x".into(),
            headers: vec![("authorization".into(), "Basic x".into()), ("Content-Type".into(), "text/plain".into())]
                .into(),
            body: Bytes::from_static(b"abc"),
        };
        let as_carrier = Arc::clone(&carrier) as Arc<dyn Carrier>;
        let authorization = Some(Authorization::bearer("t"));
        let sending = Sending { request: &request, authorization: authorization.as_ref() };
        let sent = as_carrier.carry(sending, Progress::default());
        let (now, progress) = (Timestamp::UNIX_EPOCH, Progress::default());
        let outcome = carry(Way { carrier: as_carrier, request, authorization, redirects, now, progress }, sent).await;
        let got = carrier.0.lock().unwrap().1.clone();
        (outcome, got)
    }

    #[tokio::test]
    async fn a_token_stays_with_the_host_it_was_made_for() {
        let told = vec![answer(307, Some("/y")), answer(302, Some("https://b.example/z")), answer(204, None)];
        let (outcome, got) = through(told, 5).await;
        assert_eq!(outcome.status(), Some(204));
        let expected = [
            (Method::POST, "https://a.example/x".to_owned(), true, 3),
            (Method::POST, "https://a.example/y".to_owned(), true, 3),
            (Method::GET, "https://b.example/z".to_owned(), false, 0),
        ];
        assert_eq!(got, expected);
    }

    #[tokio::test]
    async fn redirects_end_after_as_many_as_are_followed() {
        let (outcome, got) = through(vec![answer(302, Some("/again"))], 5).await;
        assert_eq!((outcome.status(), got.len()), (Some(302), 6));
        let (outcome, got) = through(vec![answer(302, Some("/again"))], 0).await;
        assert_eq!((outcome.status(), got.len()), (Some(302), 1));
    }
}
