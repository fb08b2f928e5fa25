//! Answers that were told beforehand, in their order; the last one repeats.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value};
use tokenrig_clock::real::pause;

use super::Failure;

/// What an endless body sends at a time, and how often: enough to overrun every bound, too little to keep a core busy.
const CHUNK: usize = 16 << 10;
const EVERY: Duration = Duration::from_millis(5);

/// The answers, and how many of them were given.
#[derive(Debug)]
pub(crate) struct Script {
    turns: Vec<Turn>,
    given: AtomicU64,
}

#[derive(Debug)]
struct Turn {
    answer: Answer,
    /// The number of requests after which it is over, counted from the first of all.
    until: u64,
}

#[derive(Debug)]
enum Answer {
    Reply {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        delay: Duration,
    },
    /// Takes the request and never answers.
    Hang,
    /// Takes the request and breaks the connection off.
    Reset,
    /// Answers with a body that does not end.
    Endless,
}

impl Script {
    /// Reads `answers: [{status, headers, body, delay, times} | hang | reset | endless]`.
    pub(crate) fn told(told: &Value) -> Result<Self, String> {
        let told = told.as_array().filter(|told| !told.is_empty()).ok_or("it is a list of at least one answer")?;
        let mut turns = Vec::with_capacity(told.len());
        let mut until = 0_u64;
        for (index, told) in told.iter().enumerate() {
            let (answer, times) = read(told).map_err(|what| format!("answer {}: {what}", index + 1))?;
            until = until.saturating_add(times);
            turns.push(Turn { answer, until });
        }
        Ok(Self { turns, given: AtomicU64::new(0) })
    }

    pub(crate) async fn answer(&self, request: Request<Body>) -> Result<Response, Failure> {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        let turn = self.turns.iter().find(|turn| number < turn.until).or(self.turns.last());
        let Some(turn) = turn else { return Err(Failure::Unavailable("there is no answer".to_owned())) };
        // Read to its end, so that it can be told what was received.
        let _ = request.into_body().collect().await;
        match &turn.answer {
            Answer::Reply { status, headers, body, delay } => {
                pause(*delay).await;
                let mut response = Response::new(Body::from(body.clone()));
                *response.status_mut() = *status;
                response.headers_mut().extend(headers.clone());
                Ok(response)
            }
            Answer::Hang => std::future::pending().await,
            Answer::Reset => Err(Failure::Broken("it reset the connection".to_owned())),
            Answer::Endless => {
                let chunk = Bytes::from(vec![b'.'; CHUNK]);
                let chunks = stream::unfold(chunk, |chunk| async move {
                    pause(EVERY).await;
                    Some((Ok::<_, std::convert::Infallible>(chunk.clone()), chunk))
                });
                Ok(Response::new(Body::from_stream(chunks)))
            }
        }
    }
}

/// An answer, and how often it is given.
fn read(told: &Value) -> Result<(Answer, u64), String> {
    const FORM: &str = "it is `hang`, `reset`, `endless` or a map of `status`, `headers`, `body`, `delay` and `times`";
    let fields = match told {
        Value::String(word) => {
            let answer = match word.as_str() {
                "hang" => Answer::Hang,
                "reset" => Answer::Reset,
                "endless" => Answer::Endless,
                _ => return Err(FORM.to_owned()),
            };
            return Ok((answer, 1));
        }
        Value::Object(fields) => fields,
        _ => return Err(FORM.to_owned()),
    };
    let mut status = StatusCode::OK;
    let (mut headers, mut body, mut delay, mut times) = (HeaderMap::new(), Bytes::new(), Duration::ZERO, 1);
    for (name, value) in fields {
        match name.as_str() {
            "status" => {
                let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
                // What is below 200 is no answer but an announcement of one.
                let found = number.filter(|number| (200..=599).contains(number));
                status = found
                    .and_then(|number| StatusCode::from_u16(number).ok())
                    .ok_or("`status` is a number from 200 to 599")?;
            }
            "headers" => {
                let told = value.as_object().ok_or("`headers` is a map of names to texts")?;
                headers = read_headers(told)?;
            }
            // Text as it is, all else as JSON.
            "body" => {
                body = value.as_str().map_or_else(|| value.to_string(), str::to_owned).into();
            }
            "delay" => {
                let told = value.as_str().and_then(tokenrig_scenario::duration);
                let told = told.and_then(|told| Duration::try_from(told).ok());
                delay = told.ok_or("`delay` is a duration such as `250ms` or `2s`")?;
            }
            "times" => {
                times = value.as_u64().filter(|times| *times > 0).ok_or("`times` is a whole number from 1 on")?;
            }
            other => return Err(format!("`{other}` is not known: {FORM}")),
        }
    }
    if let Some(Value::Object(_) | Value::Array(_)) = fields.get("body") {
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    }
    Ok((Answer::Reply { status, headers, body, delay }, times))
}

fn read_headers(told: &Map<String, Value>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in told {
        let header = HeaderName::try_from(name).map_err(|_| format!("`{name}` is no name of a header"))?;
        let one = std::slice::from_ref(value);
        for value in value.as_array().map_or(one, Vec::as_slice) {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return Err(format!("`{name}` of `headers` is a text or a list of texts")),
            };
            let value =
                HeaderValue::try_from(text).map_err(|_| format!("the value of header `{name}` cannot be sent"))?;
            headers.append(header.clone(), value);
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    async fn next(script: &Script) -> Result<(u16, HeaderMap, Bytes), Failure> {
        let response = script.answer(Request::new(Body::from("asked"))).await?;
        let (parts, body) = response.into_parts();
        Ok((parts.status.as_u16(), parts.headers, body.collect().await.unwrap().to_bytes()))
    }

    #[tokio::test]
    async fn answers_come_in_their_order_and_the_last_one_repeats() {
        let told = json!([
            { "status": 503, "times": 2 },
            "reset",
            { "body": { "ok": true }, "headers": { "X-Tries": 3, "set-cookie": ["a=1", "b=2"] } },
        ]);
        let script = Script::told(&told).unwrap();
        assert_eq!(next(&script).await.unwrap().0, 503);
        assert_eq!(next(&script).await.unwrap().0, 503);
        assert!(matches!(next(&script).await, Err(Failure::Broken(_))));
        for _ in 0..3 {
            let (status, headers, body) = next(&script).await.unwrap();
            assert_eq!((status, &*body), (200, br#"{"ok":true}"#.as_slice()));
            assert_eq!(headers["x-tries"], "3");
            assert_eq!(headers["content-type"], "application/json");
            assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
        }
    }

    #[tokio::test]
    async fn a_delay_is_waited_for_in_real_time() {
        let script = Script::told(&json!([{ "delay": "30ms" }])).unwrap();
        let watch = tokenrig_clock::real::Stopwatch::start();
        next(&script).await.unwrap();
        assert!(watch.elapsed() >= Duration::from_millis(30));
    }

    #[tokio::test]
    async fn who_hangs_never_answers_and_who_is_endless_never_ends() {
        let script = Script::told(&json!(["hang", "endless"])).unwrap();
        let asked = tokenrig_clock::real::within(Duration::from_millis(50), next(&script)).await;
        assert!(asked.is_err());
        let mut body = script.answer(Request::new(Body::empty())).await.unwrap().into_body();
        for _ in 0..20 {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), CHUNK);
        }
    }

    #[rstest]
    #[case(json!([]), "at least one answer")]
    #[case(json!("hang"), "at least one answer")]
    #[case(json!(["sleep"]), "answer 1: it is `hang`")]
    #[case(json!(["hang", 5]), "answer 2: it is `hang`")]
    #[case(json!([{ "status": 99 }]), "200 to 599")]
    #[case(json!([{ "status": "200" }]), "200 to 599")]
    #[case(json!([{ "headers": { "a b": "c" } }]), "`a b` is no name of a header")]
    #[case(json!([{ "headers": { "a": "b\nc" } }]), "cannot be sent")]
    #[case(json!([{ "headers": [] }]), "a map of names to texts")]
    #[case(json!([{ "delay": 3 }]), "`delay` is a duration")]
    #[case(json!([{ "times": 0 }]), "`times` is a whole number")]
    #[case(json!([{ "sttus": 200 }]), "`sttus` is not known")]
    fn what_cannot_be_an_answer_is_told_with_its_place(#[case] told: Value, #[case] fault: &str) {
        let found = Script::told(&told).unwrap_err();
        assert!(found.contains(fault), "{found}");
    }
}
