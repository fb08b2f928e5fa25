//! The built-in workload: tells the request that it got.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};

use super::Failure;

pub(crate) async fn answer(request: Request<Body>) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    // Bounded by the door.
    let body = body.collect().await.map_err(|fault| Failure::Broken(fault.to_string()))?.to_bytes();
    let mut told = Map::new();
    told.insert("method".to_owned(), json!(parts.method.as_str()));
    told.insert("path".to_owned(), json!(parts.uri.path()));
    told.insert("query".to_owned(), json!(parts.uri.query().unwrap_or_default()));
    told.insert("headers".to_owned(), headers(&parts.headers));
    match std::str::from_utf8(&body) {
        Ok(text) => told.insert("body".to_owned(), json!(text)),
        // Bytes that are no text are told as such: JSON has no other way.
        Err(_) => told.insert("bodyBase64".to_owned(), json!(STANDARD.encode(&body))),
    };
    Ok(([(header::CONTENT_TYPE, "application/json")], Value::Object(told).to_string()).into_response())
}

/// Lower-case names to values; repeated ones joined by `, `.
fn headers(headers: &HeaderMap) -> Value {
    let mut told: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        told.entry(name.as_str())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    json!(told)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

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
}
