//! How deliveries of the rig reach their targets: hosts of the rig through its own gateway, like everybody else; servers on
//! this machine at their own addresses; nothing beyond.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use futures_util::future::{BoxFuture, FutureExt as _};
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::BodyExt as _;
use tokenrig_delivery::{Answer, Carrier, CarryFault, Progress, Sending};
use tokenrig_gateway::{DialError, Dialer};

/// A carrier that is joined to a gateway once that listens.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    dialers: Arc<OnceLock<Dialers>>,
    /// The most bytes of an answer that are read.
    most: u64,
}

#[derive(Debug)]
struct Dialers {
    gateway: Dialer,
    loopback: Dialer,
}

impl Network {
    pub(crate) fn reading(most: usize) -> Self {
        Self { dialers: Arc::default(), most: most.try_into().unwrap_or(u64::MAX) }
    }

    /// Joins it to the gateway that `gateway` reaches, and to this machine.
    pub(crate) fn join(&self, gateway: Dialer, loopback: Dialer) {
        // A rig has one gateway; a second joining would be a defect and changes nothing.
        let _ = self.dialers.set(Dialers { gateway, loopback });
    }

    async fn send(&self, request: Request<Body>, progress: Progress) -> Result<Answer, CarryFault> {
        let dialers =
            self.dialers.get().ok_or_else(|| CarryFault::Unreachable("the rig has not started".to_owned()))?;
        let dialer = if Dialer::is_loopback(request.uri()) { &dialers.loopback } else { &dialers.gateway };
        let response = dialer.send(request).await.map_err(told)?;
        let (parts, mut body) = response.into_parts();
        progress.began(parts.status.as_u16());
        let mut read: u64 = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|fault| CarryFault::Broken(fault.to_string()))?;
            read = read.saturating_add(frame.data_ref().map_or(0, |data| data.len() as u64));
            if read > self.most {
                // Whoever sends without end is left waiting, until the attempt's deadline ends it with its connection.
                progress.passed(self.most);
                std::future::pending::<()>().await;
            }
        }
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers })
    }
}

impl Carrier for Network {
    fn carry(&self, sending: Sending<'_>, progress: Progress) -> BoxFuture<'static, Result<Answer, CarryFault>> {
        let (this, request) = (self.clone(), built(sending));
        async move { this.send(request?, progress).await }.boxed()
    }
}

fn built(sending: Sending<'_>) -> Result<Request<Body>, CarryFault> {
    let target = |why: String| CarryFault::Target(why);
    let request = sending.request;
    let uri: Uri = request.url.parse().map_err(|fault: http::uri::InvalidUri| target(fault.to_string()))?;
    let mut built = Request::new(Body::from(request.body.clone()));
    *built.method_mut() = request.method.clone();
    *built.uri_mut() = uri;
    for (name, value) in sending.headers() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| target(format!("`{name}` is no header")))?;
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| target(format!("the value of header `{name}` holds bytes that HTTP does not allow")))?;
        built.headers_mut().append(name, value);
    }
    Ok(built)
}

fn told(fault: DialError) -> CarryFault {
    match fault {
        DialError::Target(url) => CarryFault::Target(format!("`{url}` is no absolute http or https URL")),
        DialError::NotPlayed(host) => CarryFault::NotPlayed(host),
        DialError::Untrusted { .. } => CarryFault::Untrusted(fault.to_string()),
        // Of an answer that is read here there is none too long.
        DialError::Broken { .. } | DialError::TooLong { .. } => CarryFault::Broken(fault.to_string()),
        DialError::Unreachable { .. } | DialError::Late { .. } => CarryFault::Unreachable(fault.to_string()),
    }
}
