//! Requests through the site, each kept as it may be shown.

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::{
    events::{AnswerShown, Exchange},
    redact,
    world::{Answer, Received, Request, Site, SiteFault},
};

/// How much of a body is kept for showing.
const BODY: usize = 8 << 10;

/// Sends a request and notes both sides in `exchanges`.
pub(crate) async fn send(
    site: &dyn Site,
    request: Request,
    exchanges: &mut Vec<Exchange>,
) -> Result<Answer, SiteFault> {
    let now = site.now();
    let mut exchange = Exchange {
        method: request.method.clone(),
        url: redact::opened(&request.url, now).into_owned(),
        request_headers: headers(&request.headers, now),
        request_body: body(&request.body, now),
        ..Exchange::default()
    };
    let result = site.send(request).await;
    match &result {
        Ok(answer) => exchange.answer = Some(shown(answer, site.now())),
        Err(fault) => exchange.fault = Some(redact::text(&fault.to_string()).into_owned()),
    }
    exchanges.push(exchange);
    result
}

/// Shows the messages of a gRPC call in place of its frames.
pub(crate) fn as_json(exchange: &mut Exchange, request: &Json, answer: &Json, now: Timestamp) {
    exchange.request_body = body(request.to_string().as_bytes(), now);
    if let Some(shown) = &mut exchange.answer
        && !answer.is_null()
    {
        shown.body = body(answer.to_string().as_bytes(), now);
    }
}

/// A request that reached a service, as it may be shown.
pub(crate) fn received(request: &Received) -> Exchange {
    let host = request.headers.iter().find(|(name, _)| name == "host").map_or("", |(_, host)| host);
    Exchange {
        method: request.method.clone(),
        url: redact::opened(&format!("https://{host}{}", request.path), request.at).into_owned(),
        request_headers: headers(&request.headers, request.at),
        request_body: body(&request.body, request.at),
        answer: Some(AnswerShown { version: "HTTP", status: request.status, ..AnswerShown::default() }),
        fault: None,
    }
}

fn shown(answer: &Answer, now: Timestamp) -> AnswerShown {
    let mut all = headers(&answer.headers, now);
    all.extend(headers(&answer.trailers, now));
    AnswerShown {
        version: answer.version,
        status: answer.status,
        headers: all,
        body: body(&answer.body, now),
        took: answer.took,
    }
}

fn headers(headers: &[(String, String)], now: Timestamp) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = match name.to_ascii_lowercase().as_str() {
                "authorization" | "proxy-authorization" | "x-serverless-authorization" => credential(value, now),
                _ => redact::opened(value, now).into_owned(),
            };
            (name.clone(), value)
        })
        .collect()
}

/// A credential is shortened whether or not it looks like one of Google's tokens.
fn credential(value: &str, now: Timestamp) -> String {
    let opened = redact::opened(value, now);
    if opened != value {
        return opened.into_owned();
    }
    match value.split_once(' ') {
        Some((scheme, secret)) => format!("{scheme} {}", tokenrig_jose::shorten(secret)),
        None => tokenrig_jose::shorten(value),
    }
}

fn body(bytes: &[u8], now: Timestamp) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return format!("({} bytes that are no text)", bytes.len());
    };
    // A gRPC frame is text by chance at most.
    if text.contains('\0') {
        return format!("({} bytes that are no text)", bytes.len());
    }
    let shown = redact::opened(text, now);
    match shown.char_indices().nth(BODY) {
        None => shown.into_owned(),
        Some((at, _)) => format!("{}… ({} bytes)", shown.get(..at).unwrap_or_default(), bytes.len()),
    }
}
