//! The private service, called with an ID token by HTTP and by gRPC. It is the rig's echo.

use std::env;

use serde_json::Value;
use tonic::{
    Request, Status,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    transport::{Channel, ClientTlsConfig},
};
use tonic_prost::ProstCodec;

use crate::{
    rig::{send, text},
    verdict::{Outcome, Well as _, equal},
};

/// Whether names lead to the rig: tonic obeys no proxy.
pub fn by_name() -> bool {
    env::var_os("HTTPS_PROXY").is_none()
}

pub async fn status(url: &str, token: Option<&str>) -> Outcome<(u16, String)> {
    send("GET", &format!("{url}/entries"), token, None).await
}

pub async fn by_http(url: &str, token: &str) -> Outcome {
    let (status, body) = status(url, Some(token)).await?;
    equal(status, 200, &format!("the status of the service, {body},"))?;
    let answer: Value = serde_json::from_str(&body).well()?;
    equal(text(&answer, "/path")?.as_str(), "/entries", "the path that the service saw")
}

/// Calls a method of the service; the echo sends the message back.
pub async fn call(url: &str, token: Option<&str>) -> Outcome<Result<String, Status>> {
    let tls = ClientTlsConfig::new().with_native_roots();
    let endpoint = Channel::from_shared(url.to_owned()).map_err(|error| error.to_string())?;
    let channel = endpoint.tls_config(tls).well()?.connect().await.well()?;
    let mut client = Grpc::new(channel);
    client.ready().await.well()?;
    let mut request = Request::new("entry 17".to_owned());
    if let Some(token) = token {
        let bearer = format!("Bearer {token}").parse().map_err(|_| "the token is no header")?;
        request.metadata_mut().insert("authorization", bearer);
    }
    let path = PathAndQuery::from_static("/shop.Ledger/Enter");
    let codec = ProstCodec::<String, String>::default();
    Ok(client.unary(request, path, codec).await.map(tonic::Response::into_inner))
}

pub async fn by_grpc(url: &str, token: &str) -> Outcome {
    equal(call(url, Some(token)).await?.well()?.as_str(), "entry 17", "what came back by gRPC")
}
