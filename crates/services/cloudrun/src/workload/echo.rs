//! The built-in workload: tells the request that it got. A gRPC call gets back each message that it sent, whichever
//! method it calls, once it has sent the last one.

use std::{borrow::Cow, collections::BTreeMap, convert::Infallible};

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Buf as _, Bytes};
use futures_util::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde::Serialize;

use super::{Failure, is_grpc};

/// How the messages of a call are compressed; they go back as they came.
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// A request as it is told.
#[derive(Serialize)]
struct Told<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: BTreeMap<&'a str, Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    /// Bytes that are no text are told as such: JSON has no other way.
    #[serde(rename = "bodyBase64", skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

pub(crate) async fn answer(request: Request<Body>) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    // Bounded by the door.
    let body = body.collect().await.map_err(|fault| Failure::Broken(fault.to_string()))?.to_bytes();
    if is_grpc(&parts.headers) {
        return Ok(messages(&parts.headers, body));
    }
    let text = std::str::from_utf8(&body).ok();
    let told = Told {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: headers(&parts.headers),
        body: text,
        body_base64: if text.is_none() { Some(STANDARD.encode(&body)) } else { None },
    };
    let told = serde_json::to_vec(&told).map_err(|fault| Failure::Broken(fault.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], told).into_response())
}

/// The messages of a gRPC call, sent back.
fn messages(asked: &HeaderMap, body: Bytes) -> Response {
    let (status, message) =
        if is_framed(&body) { ("0", None) } else { ("13", Some("the body holds no whole messages")) };
    let mut trailers =
        HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static(status))]);
    trailers.extend(message.map(|text| (HeaderName::from_static("grpc-message"), HeaderValue::from_static(text))));
    let data = (status == "0").then(|| Frame::data(body));
    let frames = data.into_iter().chain([Frame::trailers(trailers)]).map(Ok::<_, Infallible>);
    let mut response = Response::new(Body::new(StreamBody::new(stream::iter(frames))));
    for name in [header::CONTENT_TYPE, ENCODING] {
        response.headers_mut().extend(asked.get(&name).map(|value| (name, value.clone())));
    }
    response
}

/// Whether the body is whole messages: for each a flag, four bytes of length, and as many bytes.
fn is_framed(mut body: &[u8]) -> bool {
    while body.has_remaining() {
        let Ok(_flag) = body.try_get_u8() else { return false };
        let Ok(length) = body.try_get_u32() else { return false };
        let Some(rest) = usize::try_from(length).ok().and_then(|length| body.get(length..)) else { return false };
        body = rest;
    }
    true
}

/// Lower-case names to values; repeated ones joined by `, `.
fn headers(headers: &HeaderMap) -> BTreeMap<&str, Cow<'_, str>> {
    let mut told: BTreeMap<&str, Cow<'_, str>> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        told.entry(name.as_str())
            .and_modify(|all| {
                let all = all.to_mut();
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert(value);
    }
    told
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    #[rstest]
    #[case::text("a,b\n".as_bytes(), json!({ "body": "a,b\n" }))]
    #[case::not_text(&[0xff, 0x00], json!({ "bodyBase64": "/wA=" }))]
    #[case::empty(&[], json!({ "body": "" }))]
    #[tokio::test]
    async fn the_body_is_told_as_text_or_else_as_base64(#[case] body: &'static [u8], #[case] told: Value) {
        let request = Request::post("/a%20b?c=d").header("x-one", "1").header("x-one", "2").body(Body::from(body));
        let answer = answer(request.unwrap()).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        let answer = answer.into_body().collect().await.unwrap().to_bytes();
        let mut expected =
            json!({ "method": "POST", "path": "/a%20b", "query": "c=d", "headers": { "x-one": "1, 2" } });
        expected.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        assert_eq!(serde_json::from_slice::<Value>(&answer).unwrap(), expected);
    }

    #[rstest]
    #[case::one_message(b"\0\0\0\0\x02hi", "0", b"\0\0\0\0\x02hi")]
    #[case::two_messages(b"\0\0\0\0\x01a\x01\0\0\0\x01b", "0", b"\0\0\0\0\x01a\x01\0\0\0\x01b")]
    #[case::none(b"", "0", b"")]
    #[case::cut_short(b"\0\0\0\0\x03hi", "13", b"")]
    #[case::no_head(b"\0\0", "13", b"")]
    #[tokio::test]
    async fn a_grpc_call_gets_its_messages_back(
        #[case] sent: &'static [u8],
        #[case] status: &str,
        #[case] back: &'static [u8],
    ) {
        let request = Request::post("/shop.Ledger/Enter")
            .header("content-type", "application/grpc+proto")
            .header("grpc-encoding", "gzip")
            .body(Body::from(sent));
        let answer = answer(request.unwrap()).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/grpc+proto");
        assert_eq!(answer.headers()["grpc-encoding"], "gzip");
        let body = answer.into_body().collect().await.unwrap();
        assert_eq!(body.trailers().unwrap()["grpc-status"], status);
        assert_eq!(body.to_bytes(), back);
    }
}
