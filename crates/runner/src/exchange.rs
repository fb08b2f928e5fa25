//! Requests through the site, each kept as it may be shown.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::{
    events::{AnswerShown, Exchange, TokenShown},
    redact,
    world::{Answer, Received, Request, Site, SiteFault},
};

/// How much of a body is kept for showing.
const BODY: usize = 8 << 10;
/// How many tokens of an exchange are kept opened.
const TOKENS: usize = 16;

/// Sends a request and notes both sides in `exchanges`.
pub(crate) async fn send(
    site: &dyn Site,
    request: Request,
    exchanges: &mut Vec<Exchange>,
) -> Result<Answer, SiteFault> {
    let at = site.now();
    let sent = Sent { request: request.clone(), at };
    let result = site.send(request).await;
    exchanges.push(sent.shown(&result, site.now()));
    result
}

/// A request as it was sent, whole: it can be shown, and is not shown otherwise.
pub(crate) struct Sent {
    pub(crate) request: Request,
    pub(crate) at: Timestamp,
}

impl Sent {
    /// Both sides, as they may be shown; the answer came at `now`.
    pub(crate) fn shown(&self, result: &Result<Answer, SiteFault>, now: Timestamp) -> Exchange {
        let Self { request, at } = self;
        let mut showing = Showing::at(*at, "request");
        let mut exchange = Exchange {
            method: request.method.clone(),
            url: showing.text("URL", &request.url),
            request_headers: showing.headers(&request.headers),
            request_body: showing.body(&request.body),
            ..Exchange::default()
        };
        match result {
            Ok(answer) => exchange.answer = Some(showing.answer(answer, now)),
            Err(fault) => exchange.fault = Some(redact::text(&fault.to_string()).into_owned()),
        }
        exchange.tokens = showing.tokens;
        exchange
    }
}

/// Shows the messages of a gRPC call in place of its frames.
pub(crate) fn as_json(exchange: &mut Exchange, request: &Json, answer: &Json, now: Timestamp) {
    let mut showing = Showing::at(now, "request");
    exchange.request_body = showing.body(request.to_string().as_bytes());
    if let Some(shown) = &mut exchange.answer
        && !answer.is_null()
    {
        showing.side = "answer";
        shown.body = showing.body(answer.to_string().as_bytes());
    }
    exchange.tokens.append(&mut showing.tokens);
}

/// A request that reached a service, as it may be shown.
pub(crate) fn received(request: &Received) -> Exchange {
    let mut showing = Showing::at(request.at, "received");
    let host = request.headers.iter().find(|(name, _)| name == "host").map_or("", |(_, host)| host);
    Exchange {
        method: request.method.clone(),
        url: showing.text("URL", &format!("https://{host}{}", request.path)),
        request_headers: showing.headers(&request.headers),
        request_body: showing.body(&request.body),
        answer: Some(AnswerShown { version: "HTTP", status: request.status, ..AnswerShown::default() }),
        fault: None,
        tokens: showing.tokens,
    }
}

/// Texts as they may be shown, and the tokens that were found in them.
struct Showing {
    now: Timestamp,
    side: &'static str,
    tokens: Vec<TokenShown>,
}

impl Showing {
    fn at(now: Timestamp, side: &'static str) -> Self {
        Self { now, side, tokens: Vec::new() }
    }

    fn answer(&mut self, answer: &Answer, now: Timestamp) -> AnswerShown {
        self.side = "answer";
        self.now = now;
        let mut headers = self.headers(&answer.headers);
        headers.extend(self.headers(&answer.trailers));
        let body = self.body(&answer.body);
        AnswerShown { version: answer.version, status: answer.status, headers, body, took: answer.took }
    }

    fn text(&mut self, place: &str, text: &str) -> String {
        self.opened(place, text).into_owned()
    }

    fn opened<'t>(&mut self, place: &str, text: &'t str) -> Cow<'t, str> {
        let Self { now, side, tokens } = self;
        redact::opening(text, *now, |shown, opened| {
            if tokens.len() < TOKENS {
                tokens.push(TokenShown::new(format!("{side} {place}"), shown, opened));
            }
        })
    }

    fn headers(&mut self, headers: &[(String, String)]) -> Vec<(String, String)> {
        headers
            .iter()
            .map(|(name, value)| {
                let lower = name.to_ascii_lowercase();
                let place = format!("header {lower}");
                let value = match lower.as_str() {
                    "authorization" | "proxy-authorization" | "x-serverless-authorization" => {
                        self.credential(&place, value)
                    }
                    _ => self.text(&place, value),
                };
                (name.clone(), value)
            })
            .collect()
    }

    /// A credential is shortened whether or not it looks like one of Google's tokens.
    fn credential(&mut self, place: &str, value: &str) -> String {
        let opened = self.opened(place, value);
        if opened != value {
            return opened.into_owned();
        }
        match value.split_once(' ') {
            Some((scheme, secret)) => format!("{scheme} {}", tokenrig_jose::shorten(secret)),
            None => tokenrig_jose::shorten(value),
        }
    }

    fn body(&mut self, bytes: &[u8]) -> String {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return format!("({} bytes that are no text)", bytes.len());
        };
        // A gRPC frame is text by chance at most.
        if text.contains('\0') {
            return format!("({} bytes that are no text)", bytes.len());
        }
        let shown = self.opened("body", text);
        match shown.char_indices().nth(BODY) {
            None => shown.into_owned(),
            Some((at, _)) => format!("{}… ({} bytes)", shown.get(..at).unwrap_or_default(), bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokenrig_jose::{pool, protected_header, sign};

    use super::*;

    #[test]
    fn tokens_on_the_way_are_told_opened_and_never_whole() {
        let inner = "ya29.c.b0AXv0zTPQaaaaaaaaaaaaaaaaaaaaaaaa";
        let claims = json!({ "iss": "https://login.corp.example", "aud": "a", "access": inner });
        let key = pool::ec(0);
        let token = sign(&protected_header(key.algorithm(), "k"), claims.as_object().unwrap(), key);
        let mut showing = Showing::at(Timestamp::UNIX_EPOCH, "request");
        let headers = showing.headers(&[("Authorization".to_owned(), format!("Bearer {token}"))]);
        showing.side = "answer";
        let body = showing.body(json!({ "token": token }).to_string().as_bytes());

        let places: Vec<&str> = showing.tokens.iter().map(|token| token.place.as_str()).collect();
        assert_eq!(places, ["request header authorization", "answer body"]);
        let shown = &showing.tokens[0];
        assert_eq!(shown.claims["aud"], "a");
        assert_eq!(shown.header["kid"], "k");
        assert!(headers[0].1.ends_with(&shown.shortened), "{headers:?}");
        let told = format!("{headers:?} {body} {:?}", showing.tokens);
        assert!(!told.contains(inner) && !told.contains(&token[token.len() - 20..]), "{told}");
    }
}
