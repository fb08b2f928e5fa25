//! How services of the rig reach hosts of the rig: through its own gateway, over TLS, like everybody else.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::Request;
use http_body_util::Empty;
use tokenrig_cloud::{Fetch, FetchFault, FetchLimits, Fetched};
use tokenrig_gateway::{DialError, Dialer};

/// A fetcher that is joined to a gateway once that listens.
#[derive(Clone, Default)]
pub(crate) struct ThroughGateway {
    dialer: Arc<OnceLock<Dialer>>,
}

impl fmt::Debug for ThroughGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThroughGateway")
    }
}

impl ThroughGateway {
    /// Joins it to the gateway that `dialer` reaches.
    pub(crate) fn join(&self, dialer: Dialer) {
        // A rig has one gateway; a second joining would be a defect and changes nothing.
        let _ = self.dialer.set(dialer);
    }
}

impl Fetch for ThroughGateway {
    fn get<'a>(&'a self, url: &'a str, limits: FetchLimits) -> BoxFuture<'a, Result<Fetched, FetchFault>> {
        async move {
            let host = url.split('/').nth(2).unwrap_or_default().to_owned();
            let Some(dialer) = self.dialer.get() else { return Err(FetchFault::UnknownHost(host)) };
            let request = Request::get(url)
                .header("accept", "application/json")
                .body(Empty::<Bytes>::new())
                .map_err(|_| FetchFault::Url(url.to_owned()))?;
            let response =
                dialer.fetch(request, limits.deadline, limits.body).await.map_err(|fault| told(fault, host, limits))?;
            let (parts, body) = response.into_parts();
            let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            };
            Ok(Fetched {
                status: parts.status.as_u16(),
                headers: parts.headers.iter().filter_map(text).collect(),
                body: body.to_vec(),
            })
        }
        .boxed()
    }
}

fn told(fault: DialError, host: String, limits: FetchLimits) -> FetchFault {
    let why = fault.to_string();
    match fault {
        DialError::Target(url) => FetchFault::Url(url),
        _ => FetchFault::Connection {
            host,
            why: format!("{why} (limits: {:?}, {} bytes)", limits.deadline, limits.body),
        },
    }
}
