//! The flow of a case as a sequence diagram: who asked whom for what, and what came back.

use tokenrig_runner::{CaseReport, Exchange, StepReport};

use super::text::{line, start};

/// Messages that are drawn at most.
const MESSAGES: usize = 40;
/// Lanes that are drawn at most; what goes to others is counted.
const LANES: usize = 8;
/// Between two lanes.
const GAP: usize = 176;
/// From the edge to the first lane.
const EDGE: usize = 92;
/// Where the first message is.
const TOP: usize = 64;
/// From one message to the next.
const ROW: usize = 42;
/// About what a character of a label takes.
const CHARACTER: usize = 7;

/// A diagram with all its places.
pub(super) struct Flow {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) lanes: Vec<Lane>,
    pub(super) messages: Vec<Drawn>,
    /// The same in words, for whoever does not see it.
    pub(super) words: String,
    pub(super) more: usize,
}

/// Somebody who takes part.
pub(super) struct Lane {
    pub(super) label: String,
    pub(super) sub: String,
    pub(super) x: usize,
}

/// A message with its places.
pub(super) struct Drawn {
    pub(super) number: usize,
    pub(super) label: String,
    pub(super) answer: String,
    pub(super) bad: bool,
    pub(super) two_way: bool,
    pub(super) x1: usize,
    pub(super) x2: usize,
    pub(super) middle: usize,
    pub(super) y: usize,
    pub(super) back: usize,
}

struct Message {
    step: usize,
    from: Who,
    to: Who,
    label: String,
    /// What came back; `None` for what is only handed over.
    answer: Option<(String, bool)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Who {
    label: String,
    sub: String,
}

impl Who {
    fn new(label: &str, sub: &str) -> Self {
        Self { label: label.to_owned(), sub: sub.to_owned() }
    }

    fn client() -> Self {
        Self::new("client", "")
    }
}

impl Flow {
    /// The flow of a case; none if nothing went anywhere.
    pub(super) fn of(report: &CaseReport) -> Option<Self> {
        let all: Vec<Message> = report.steps.iter().flat_map(messages).collect();
        let mut lanes: Vec<Who> = vec![Who::client()];
        let mut kept: Vec<(usize, usize, &Message)> = Vec::new();
        for message in &all {
            if kept.len() == MESSAGES {
                break;
            }
            let ends = [&message.from, &message.to].map(|who| lane(&mut lanes, who));
            if let [Some(from), Some(to)] = ends {
                kept.push((from, to, message));
            }
        }
        if kept.is_empty() {
            return None;
        }
        let x = |lane: usize| EDGE + lane * GAP;
        let words: Vec<String> =
            kept.iter().map(|(from, to, message)| told(&lanes[*from], &lanes[*to], message)).collect();
        Some(Self {
            width: x(lanes.len() - 1) + EDGE,
            height: TOP + kept.len() * ROW + 8,
            more: all.len() - kept.len(),
            messages: kept
                .iter()
                .enumerate()
                .map(|(row, (from, to, message))| {
                    let room = from.abs_diff(*to).max(1) * GAP / CHARACTER - 3;
                    let (x1, x2) = (x(*from), x(*to));
                    let y = TOP + row * ROW + 10;
                    let (answer, bad) = message.answer.clone().unwrap_or_default();
                    Drawn {
                        number: message.step,
                        label: start(&message.label, room),
                        answer: start(&answer, room),
                        bad,
                        two_way: message.answer.is_some(),
                        x1,
                        x2,
                        middle: x1.midpoint(x2),
                        y,
                        back: y + 16,
                    }
                })
                .collect(),
            lanes: lanes
                .into_iter()
                .enumerate()
                .map(|(at, who)| Lane { label: start(&who.label, 22), sub: start(&who.sub, 26), x: x(at) })
                .collect(),
            words: start(&words.join(". "), 4_000),
        })
    }
}

/// The lane of somebody, a new one if there is room.
fn lane(lanes: &mut Vec<Who>, who: &Who) -> Option<usize> {
    // A decision knows only the kind of service, an address which one it was.
    let same =
        |known: &Who| known.label == who.label && (who.sub.is_empty() || known.sub == who.sub || known.sub.is_empty());
    if let Some(at) = lanes.iter().position(same) {
        if let Some(known) = lanes.get_mut(at).filter(|known| known.sub.is_empty()) {
            known.sub.clone_from(&who.sub);
        }
        return Some(at);
    }
    if lanes.len() == LANES {
        return None;
    }
    lanes.push(who.clone());
    Some(lanes.len() - 1)
}

fn told(from: &Who, to: &Who, message: &Message) -> String {
    let answer = message.answer.as_ref().map_or_else(String::new, |(answer, _)| format!(": {answer}"));
    format!("Step {}, {} to {}: {}{answer}", message.step, from.label, to.label, message.label)
}

fn messages(step: &StepReport) -> Vec<Message> {
    let number = step.number;
    if step.what.starts_with("receive ") {
        return step.exchanges.iter().filter_map(|exchange| delivered(number, exchange)).collect();
    }
    let mut all: Vec<Message> = Vec::new();
    for token in &step.tokens {
        let issuer = token.claims.get("iss").and_then(|iss| iss.as_str()).unwrap_or_default();
        let subject = token.claims.get("sub").and_then(|sub| sub.as_str()).unwrap_or_default();
        let from = Who::new("identity provider", &line(issuer.split_once("://").map_or(issuer, |(_, rest)| rest)));
        let label = line(&format!("a token of {}", if subject.is_empty() { "nobody" } else { subject }));
        all.push(Message { step: number, from, to: Who::client(), label, answer: None });
    }
    for exchange in &step.exchanges {
        all.push(asked(step, exchange));
    }
    // A command's requests are known by what was decided about them.
    if step.command.is_some() && step.exchanges.is_empty() {
        all.extend(step.decisions.iter().map(|record| Message {
            step: number,
            from: Who::client(),
            to: of_surface(&record.surface),
            label: line(&record.of),
            answer: Some(answer(record.answer.status, record.refusal.as_deref())),
        }));
    }
    all
}

fn asked(step: &StepReport, exchange: &Exchange) -> Message {
    let (host, path) = split(&exchange.url);
    let back = match &exchange.answer {
        Some(shown) => {
            let decided = step.decisions.iter().rev().find(|record| record.answer.status == shown.status);
            answer(shown.status, decided.and_then(|record| record.refusal.as_deref()))
        }
        None => ("no answer".to_owned(), true),
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Message {
        step: step.number,
        from: Who::client(),
        to: of_host(host),
        label: line(&format!("{} {}", exchange.method, tail(path))),
        answer: Some(back),
    }
}

/// A request that a service of Google's made, not the client of the scenario.
fn delivered(step: usize, exchange: &Exchange) -> Option<Message> {
    let agent = exchange.request_headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("user-agent"))?;
    let from = match agent.1.as_str() {
        agent if agent.starts_with("Google-Cloud-Scheduler") => "Cloud Scheduler",
        agent if agent.starts_with("Google-Cloud-Tasks") => "Cloud Tasks",
        agent if agent.contains("CloudPubSub") => "Pub/Sub",
        agent if agent.contains("Workflows") => "Workflows",
        _ => return None,
    };
    let (host, path) = split(&exchange.url);
    let status = exchange.answer.as_ref().map_or(0, |answer| answer.status);
    Some(Message {
        step,
        from: Who::new(from, ""),
        to: of_host(host),
        label: line(&format!("{} {path}", exchange.method)),
        answer: Some(answer(status, None)),
    })
}

fn answer(status: u16, refusal: Option<&str>) -> (String, bool) {
    match refusal {
        Some(refusal) => (line(&format!("{status} {refusal}")), true),
        None => (status.to_string(), status >= 400),
    }
}

/// The last parts of a long path: `…/ci@shop.iam:generateIdToken`.
fn tail(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((before, last)) if path.len() > 34 && !before.is_empty() => format!("…/{last}"),
        _ => path.to_owned(),
    }
}

fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find(['/', '?']).map_or((rest, "/"), |at| rest.split_at(at))
}

fn of_host(host: &str) -> Who {
    let name = host.split(':').next().unwrap_or(host);
    let first = name.split('.').next().unwrap_or(name);
    let label = match name {
        _ if name.ends_with(".run.app") => return Who::new("Cloud Run", first),
        _ if name.ends_with(".cloudfunctions.net") => return Who::new("Cloud Functions", first),
        "metadata.google.internal" | "169.254.169.254" => "metadata server",
        "oauth2.googleapis.com" | "accounts.google.com" | "www.googleapis.com" => "Google accounts",
        _ => match name.strip_suffix(".googleapis.com").map(|api| api.trim_end_matches(".mtls")) {
            Some(api) => return Who::new(of_api(api), ""),
            None => return Who::new("host", &line(name)),
        },
    };
    Who::new(label, "")
}

fn of_api(api: &str) -> &str {
    match api {
        "sts" => "STS",
        "iamcredentials" => "IAM Credentials",
        "iam" => "IAM",
        "run" => "Cloud Run Admin",
        "cloudfunctions" => "Cloud Functions Admin",
        "cloudresourcemanager" => "Resource Manager",
        "storage" => "Cloud Storage",
        "pubsub" => "Pub/Sub",
        "cloudtasks" => "Cloud Tasks",
        "cloudscheduler" => "Cloud Scheduler",
        other => other,
    }
}

fn of_surface(surface: &str) -> Who {
    let label = match surface {
        "cloud-run-front" => "Cloud Run",
        "cloud-functions" => "Cloud Functions",
        "oauth2-token" | "tokeninfo" => "Google accounts",
        "metadata" => "metadata server",
        api => of_api(api),
    };
    Who::new(label, "")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("sts.googleapis.com", "STS", "")]
    #[case("orders-4k2xq7w3ua-uc.a.run.app", "Cloud Run", "orders-4k2xq7w3ua-uc")]
    #[case("login.corp.example:8443", "host", "login.corp.example")]
    #[case("oauth2.googleapis.com", "Google accounts", "")]
    fn a_host_is_somebody(#[case] host: &str, #[case] label: &str, #[case] sub: &str) {
        assert_eq!(of_host(host), Who::new(label, sub));
    }

    #[test]
    fn a_decision_is_drawn_at_the_service_that_an_address_named() {
        let mut lanes = vec![Who::client()];
        assert_eq!(lane(&mut lanes, &of_host("orders-4k-uc.a.run.app")), Some(1));
        assert_eq!(lane(&mut lanes, &of_surface("cloud-run-front")), Some(1));
        assert_eq!(lane(&mut lanes, &of_host("billing-4k-uc.a.run.app")), Some(2));
        for api in 'a'..='z' {
            lane(&mut lanes, &of_surface(&api.to_string()));
        }
        assert_eq!(lanes.len(), LANES);
    }
}
