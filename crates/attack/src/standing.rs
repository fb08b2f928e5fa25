//! A rig that stands elsewhere: what it holds, so that its twin signs with the same keys.

use std::{io, time::Duration};

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokenrig_clock::real::within;
use tokio::net::TcpStream;

/// How long it may take to tell.
const DEADLINE: Duration = Duration::from_secs(10);
/// The largest state that is read: 64 MiB.
const LIMIT: usize = 64 * 1024 * 1024;

/// The given document of the rig at a control address (`TOKENRIG_URL`). A rig that is built from it has the same seed,
/// and so the same keys under the same ids.
///
/// # Errors
///
/// There is no rig, or it does not tell.
pub async fn state_of(control_url: &str) -> io::Result<Value> {
    within(DEADLINE, fetch(control_url)).await.map_err(|late| io::Error::new(io::ErrorKind::TimedOut, late))?
}

async fn fetch(control_url: &str) -> io::Result<Value> {
    let uri: Uri = control_url.parse().map_err(io::Error::other)?;
    let authority = uri.authority().ok_or_else(|| io::Error::other("it is no URL"))?;
    let stream = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(async move { drop(connection.await) });
    let request = Request::get("/state").header(header::HOST, authority.as_str()).body(Empty::<Bytes>::new());
    let answer = sender.send_request(request.map_err(io::Error::other)?).await.map_err(io::Error::other)?;
    if answer.status() != http::StatusCode::OK {
        return Err(io::Error::other(format!("it answers {}", answer.status())));
    }
    let body = Limited::new(answer.into_body(), LIMIT).collect().await.map_err(io::Error::other)?;
    serde_json::from_slice(&body.to_bytes()).map_err(io::Error::other)
}
