//! `exchange`, `call` and `http`: the verbs that send one request.

use std::time::Duration;

use serde_json::Value as Json;
use tokenrig_cel::Value;
use tokenrig_protos::Method;
use tokenrig_scenario::{HttpBody, Over, Step, Template, Who as StepWho};

use super::{Case, Done, Seen, Stop, request_line};
use crate::{
    evaluate::{self, Fault},
    events::StepReport,
    exchange,
    headers::headers,
    method_call,
    world::{Answer, Protocol, Request, SiteFault, Who},
};

const STS: &str = "https://sts.googleapis.com/v1/token";
/// The largest file that is sent: 16 MiB.
const MAX_FILE: u64 = 16 << 20;

/// What an `http` step says.
pub(super) struct Parts<'a> {
    pub(super) method: &'a Template,
    pub(super) target: &'a Template,
    pub(super) headers: Option<&'a Template>,
    pub(super) query: Option<&'a Template>,
    pub(super) body: &'a HttpBody,
}

impl Case<'_> {
    /// The token exchange: a form with the token and the five usual fields, each of which `with` may replace.
    pub(super) async fn exchange(
        &mut self,
        token: &Template,
        at: Option<&Template>,
        with: Option<&Template>,
        step: &Step,
        deadline: Duration,
        report: &mut StepReport,
    ) -> Result<Done, Stop> {
        let mut fields: Vec<(String, Option<String>)> = [
            ("grantType", Some("urn:ietf:params:oauth:grant-type:token-exchange")),
            ("requestedTokenType", Some("urn:ietf:params:oauth:token-type:access_token")),
            ("scope", Some("https://www.googleapis.com/auth/cloud-platform")),
            ("subjectTokenType", Some("urn:ietf:params:oauth:token-type:jwt")),
        ]
        .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
        .into();
        if let Some(at) = at {
            let provider = self.env.text(at)?;
            let audience = if provider.starts_with("//") || provider.starts_with("https://") {
                provider
            } else {
                format!("//iam.googleapis.com/{provider}")
            };
            fields.insert(1, ("audience".to_owned(), Some(audience)));
        }
        let token = match self.env.value(token)? {
            Value::Absent => None,
            value => Some(value.to_text().ok_or_else(|| Fault::new(token.span, "a token is text"))?),
        };
        fields.push(("subjectToken".to_owned(), token));
        if let Some(with) = with {
            for (name, value) in self.env.entries(with)? {
                let value = match &value {
                    Value::Absent => None,
                    Value::Map(_) | Value::List(_) => evaluate::json(&value).map(|json| json.to_string()),
                    other => other.to_text(),
                };
                match fields.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = value,
                    None => fields.push((name, value)),
                }
            }
        }
        let fields = fields.into_iter().filter_map(|(name, value)| Some((snake(&name), value?)));
        let mut request = Request {
            method: "POST".to_owned(),
            url: STS.to_owned(),
            headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
            body: form(fields).into_bytes(),
            protocol: Protocol::Any,
            deadline,
        };
        if let Some(credential) = self.credential(step.who.as_ref(), None).await? {
            request.headers.push(("authorization".to_owned(), credential));
        }
        let answer = self.send(request, None, report).await?;
        Ok(plain(answer))
    }

    pub(super) async fn call(
        &mut self,
        method: &'static Method,
        with: Option<&Template>,
        over: Over,
        step: &Step,
        deadline: Duration,
        report: &mut StepReport,
    ) -> Result<Done, Stop> {
        let fields = match with {
            Some(with) => self.env.object(with)?,
            None => serde_json::Map::new(),
        };
        let made = match over {
            Over::Rest => method_call::rest(method, &fields, deadline),
            Over::Grpc => method_call::grpc(method, &fields, deadline),
        };
        let span = with.map_or(step.verb_span, |with| with.span);
        let mut request = made.map_err(|fault| Fault::new(span, fault.to_string()))?;
        if let Some(credential) = self.credential(step.who.as_ref(), Some(Who::Owner)).await? {
            request.headers.push(("authorization".to_owned(), credential));
        }
        let answer = self.send(request, Some(method), report).await?;
        Ok(match over {
            Over::Rest => plain(answer),
            Over::Grpc => {
                let (status, body) = method_call::read_grpc(method, &answer);
                if let Some(exchange) = report.exchanges.last_mut() {
                    exchange::as_json(exchange, &Json::Object(fields), &body, self.site.now());
                }
                by_grpc(answer, status, &body)
            }
        })
    }

    pub(super) async fn http(
        &mut self,
        parts: Parts<'_>,
        step: &Step,
        deadline: Duration,
        report: &mut StepReport,
    ) -> Result<Done, Stop> {
        let method = self.env.text(parts.method)?;
        let mut url = self.env.text(parts.target)?;
        if let Some(query) = parts.query {
            let pairs = form(self.pairs(query)?);
            if !pairs.is_empty() {
                url.push(if url.contains('?') { '&' } else { '?' });
                url.push_str(&pairs);
            }
        }
        let mut headers = match parts.headers {
            Some(headers) => self.pairs(headers)?,
            None => Vec::new(),
        };
        let (kind, body) = self.body(parts.body).await?;
        let says = |headers: &[(String, String)], name: &str| {
            headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let silenced = parts
            .headers
            .and_then(|headers| headers.entries())
            .is_some_and(|entries| entries.iter().any(|(key, _)| key.text.eq_ignore_ascii_case("content-type")));
        if let Some(kind) = kind
            && !silenced
        {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        if let Some(StepWho::Account(id)) = &step.who
            && !is_googleapis(&url)
        {
            let message = format!("`as: {}` is an access token, which only Google's APIs take", id.text);
            return Err(Fault::new(id.span, format!("{message}; mint an ID token for {url}")).into());
        }
        if !says(&headers, "authorization")
            && let Some(credential) = self.credential(step.who.as_ref(), None).await?
        {
            headers.push(("authorization".to_owned(), credential));
        }
        let request = Request { method, url, headers, body, protocol: Protocol::Any, deadline };
        let answer = self.send(request, None, report).await?;
        Ok(plain(answer))
    }

    /// Names and values, a list once per item, what is absent not at all.
    fn pairs(&self, template: &Template) -> Result<Vec<(String, String)>, Fault> {
        let mut pairs = Vec::new();
        for (name, value) in self.env.entries(template)? {
            let items = match &value {
                Value::Absent => &[][..],
                Value::List(items) => items,
                other => std::slice::from_ref(other),
            };
            for item in items {
                let text = item.to_text().ok_or_else(|| {
                    Fault::new(template.span, format!("`{name}` is text here, not {}", evaluate::described(item)))
                })?;
                pairs.push((name.clone(), text));
            }
        }
        Ok(pairs)
    }

    async fn body(&self, body: &HttpBody) -> Result<(Option<&'static str>, Vec<u8>), Stop> {
        Ok(match body {
            HttpBody::None => (None, Vec::new()),
            HttpBody::Json(template) => (Some("application/json"), self.env.json(template)?.to_string().into_bytes()),
            HttpBody::Form(template) => {
                (Some("application/x-www-form-urlencoded"), form(self.pairs(template)?).into_bytes())
            }
            HttpBody::Text(template) => (None, self.env.text(template)?.into_bytes()),
            HttpBody::File(template) => {
                let name = self.env.text(template)?;
                let path = self.folder.join(&name);
                let unreadable =
                    |why: String| Stop::Value(Fault::new(template.span, format!("cannot read `{name}`: {why}")));
                let size = tokio::fs::metadata(&path).await.map_err(|fault| unreadable(fault.to_string()))?.len();
                if size > MAX_FILE {
                    return Err(unreadable(format!("it has {size} bytes; {MAX_FILE} are the most")));
                }
                (None, tokio::fs::read(&path).await.map_err(|fault| unreadable(fault.to_string()))?)
            }
        })
    }

    async fn send(
        &mut self,
        request: Request,
        method: Option<&Method>,
        report: &mut StepReport,
    ) -> Result<Answer, SiteFault> {
        let answer = exchange::send(self.site, request, &mut report.exchanges).await;
        if let Some(exchange) = report.exchanges.last() {
            report.what = request_line(method, exchange);
        }
        answer
    }
}

fn plain(answer: Answer) -> Done {
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let body = serde_json::from_slice::<Json>(&answer.body).map_or(Value::Absent, |body| Value::from(&body));
    Done {
        names: vec![
            ("status", Value::Int(i64::from(answer.status))),
            ("headers", headers(&answer.headers)),
            ("text", Value::from(text)),
            ("body", body),
        ],
        status: Some(answer.status),
        answer: Some(Seen { status: answer.status, headers: Some(answer.headers), body: answer.body }),
        ..Done::default()
    }
}

/// A gRPC answer as REST would have given it: the status that its code stands for, the message or the error as JSON.
fn by_grpc(answer: Answer, status: u16, body: &Json) -> Done {
    let text = body.to_string();
    let mut all = answer.headers;
    all.extend(answer.trailers);
    Done {
        names: vec![
            ("status", Value::Int(i64::from(status))),
            ("headers", headers(&all)),
            ("text", Value::from(text.as_str())),
            ("body", if body.is_null() { Value::Absent } else { Value::from(body) }),
        ],
        status: Some(status),
        answer: Some(Seen { status, headers: None, body: text.into_bytes() }),
        ..Done::default()
    }
}

/// Names and values as a form or a query has them.
fn form(pairs: impl IntoIterator<Item = (String, String)>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs);
    form.finish()
}

/// `subjectTokenType` as the form spells it.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

fn is_googleapis(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    host == "googleapis.com" || host.ends_with(".googleapis.com")
}
