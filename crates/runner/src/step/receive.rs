//! `receive`: what reached a service since the last look.

use std::time::Duration;

use serde_json::Value as Json;
use tokenrig_cel::Value;
use tokenrig_clock::real::{self, Stopwatch};
use tokenrig_scenario::{Key, Kind, Step, Template};

use super::{Case, Done, Stop};
use crate::{events::StepReport, exchange, headers::headers, world::Received};

/// How long between two looks while waiting.
const LOOK: Duration = Duration::from_millis(20);
/// How many received requests a report shows.
const SHOWN: usize = 5;

impl Case<'_> {
    pub(super) async fn receive(
        &mut self,
        service: &Key,
        within: Option<&Template>,
        step: &Step,
        report: &mut StepReport,
    ) -> Result<Done, Stop> {
        let name = self.service(&service.text);
        let since = self.received.get(&name).copied().unwrap_or_default();
        let patience = within.map_or(Ok(Duration::ZERO), |within| self.length(within))?;
        let wanted = wanted(step);
        let watch = Stopwatch::start();
        let requests = loop {
            let requests = self.site.received(&name, since).await?;
            if requests.len() >= wanted || watch.elapsed() >= patience {
                break requests;
            }
            real::pause(LOOK).await;
        };
        if let Some(last) = requests.last() {
            self.received.insert(name, last.seq);
        }
        // The last ones are enough to see what is wrong.
        let shown = requests.len().saturating_sub(SHOWN);
        report.exchanges = requests.iter().skip(shown).map(exchange::received).collect();
        let values: Vec<Value> = requests.iter().map(value).collect();
        Ok(Done {
            names: vec![("requests", Value::from(values))],
            decisions: requests.iter().filter_map(|request| request.decision.clone()).collect(),
            requests: Some(requests),
            ..Done::default()
        })
    }
}

/// How many requests are worth waiting for.
fn wanted(step: &Step) -> usize {
    match step.expect.as_ref().and_then(|expect| expect.count.as_ref()).map(|count| &count.kind) {
        Some(Kind::Int(count)) => usize::try_from(*count).unwrap_or_default(),
        _ => 1,
    }
}

/// A request as expressions see it.
pub(crate) fn value(request: &Received) -> Value {
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let body = serde_json::from_str::<Json>(&text).map_or(Value::Absent, |body| Value::from(&body));
    let token = match &request.token {
        Some(opened) => Value::map([("header", Value::from(&opened.header)), ("claims", Value::from(&opened.claims))]),
        None => Value::Absent,
    };
    let all = [
        ("method", Value::from(request.method.as_str())),
        ("path", Value::from(request.path.as_str())),
        ("headers", headers(&request.headers)),
        ("body", body),
        ("text", Value::from(text)),
        ("status", Value::Int(i64::from(request.status))),
        ("time", Value::from(request.at)),
        ("token", token),
    ];
    Value::map(all.into_iter().filter(|(_, value)| !matches!(value, Value::Absent)))
}
