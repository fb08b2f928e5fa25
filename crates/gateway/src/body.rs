//! Bodies of requests: bounded while a handler reads them, read to their end when it does not.
//!
//! A handler that answers without reading the body makes HTTP/2 clients fail: the stream is reset under them while they
//! still send (curl 7.88 lost a third of its requests). So what a handler leaves is read here, within bounds.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use http::{HeaderMap, Request, Version, header};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use tokenrig_clock::real::{pause, within};

use crate::Limits;

/// What was wrong with a body, so that the answer to it is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyFault {
    #[error("the request's body is larger than {0} bytes")]
    TooLarge(u64),
    #[error("the request's body did not end within {0:?}")]
    Late(Duration),
}

const TOO_LARGE: u8 = 1;
const LATE: u8 = 2;

/// Takes the body out of a request: what the handler gets, and what to settle after it has answered.
pub(crate) fn guard(request: Request<Incoming>, limits: &Limits) -> (Request<Body>, Unread) {
    let (parts, incoming) = request.into_parts();
    if incoming.is_end_stream() {
        return (Request::from_parts(parts, Body::empty()), Unread(None));
    }
    let shared = Arc::new(Shared { fault: AtomicU8::new(0), stage: Mutex::new(Stage::Handling) });
    let unread = Unread(Some((Arc::clone(&shared), *limits)));
    let bounds = (!is_grpc(&parts.headers)).then_some(Bounds { left: limits.body, late: None });
    if bounds.is_some() && incoming.size_hint().lower() > limits.body {
        shared.fault.store(TOO_LARGE, Ordering::Relaxed);
    }
    // Such a client sends its body only once it is asked to, which reading does.
    let waits = parts.version < Version::HTTP_2 && parts.headers.contains_key(header::EXPECT);
    let reader = Reader { incoming: Some(incoming), bounds, waits, limits: *limits, shared };
    (Request::from_parts(parts, Body::new(reader)), unread)
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

struct Shared {
    fault: AtomicU8,
    stage: Mutex<Stage>,
}

enum Stage {
    /// The handler has the body.
    Handling,
    /// The handler has dropped it before its end.
    Left(Incoming),
    /// The answer is on its way.
    Answered,
}

struct Bounds {
    left: u64,
    late: Option<BoxFuture<'static, ()>>,
}

/// What a handler reads.
struct Reader {
    incoming: Option<Incoming>,
    bounds: Option<Bounds>,
    waits: bool,
    limits: Limits,
    shared: Arc<Shared>,
}

impl HttpBody for Reader {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = &mut *self;
        if let Some(fault) = this.shared.fault(&this.limits) {
            return Poll::Ready(Some(Err(fault.into())));
        }
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        this.waits = false;
        let frame = match Pin::new(incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(ended) => {
                this.incoming = None;
                return Poll::Ready(ended.map(|ended| ended.map_err(Into::into)));
            }
            Poll::Pending => {
                if let Some(bounds) = &mut this.bounds {
                    let late = bounds.late.get_or_insert_with(|| pause(this.limits.body_time).boxed());
                    if late.poll_unpin(cx).is_ready() {
                        this.shared.fault.store(LATE, Ordering::Relaxed);
                        return Poll::Ready(Some(Err(BodyFault::Late(this.limits.body_time).into())));
                    }
                }
                return Poll::Pending;
            }
        };
        if let (Some(bounds), Some(data)) = (&mut this.bounds, frame.data_ref()) {
            match bounds.left.checked_sub(data.len() as u64) {
                Some(left) => bounds.left = left,
                None => {
                    this.shared.fault.store(TOO_LARGE, Ordering::Relaxed);
                    return Poll::Ready(Some(Err(BodyFault::TooLarge(this.limits.body).into())));
                }
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or(SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(incoming) = self.incoming.take() else { return };
        if incoming.is_end_stream() || self.waits {
            return;
        }
        let mut stage = self.shared.stage.lock().unwrap_or_else(PoisonError::into_inner);
        match &*stage {
            Stage::Handling => *stage = Stage::Left(incoming),
            Stage::Left(_) | Stage::Answered => linger(incoming, self.limits.linger),
        }
    }
}

impl Shared {
    fn fault(&self, limits: &Limits) -> Option<BodyFault> {
        match self.fault.load(Ordering::Relaxed) {
            TOO_LARGE => Some(BodyFault::TooLarge(limits.body)),
            LATE => Some(BodyFault::Late(limits.body_time)),
            _ => None,
        }
    }
}

/// What a handler may have left of a body; nothing if the request has none.
pub(crate) struct Unread(Option<(Arc<Shared>, Limits)>);

impl Unread {
    /// What is known to be wrong with the body by now: its declared length, or what the handler has met.
    pub(crate) fn fault(&self) -> Option<BodyFault> {
        let (shared, limits) = self.0.as_ref()?;
        shared.fault(limits)
    }

    /// Call when the answer is there, before it is sent: reads what the handler has left, within bounds.
    pub(crate) async fn settle(self) {
        let Some((shared, limits)) = self.0 else { return };
        let stage = {
            let mut stage = shared.stage.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *stage, Stage::Answered)
        };
        let Stage::Left(mut incoming) = stage else { return };
        if within(limits.linger, swallow(&mut incoming, limits.drain)).await != Ok(true) {
            linger(incoming, limits.linger);
        }
    }
}

/// Reads on beside the answer, so that a client that is still sending finds the answer and not a broken connection.
fn linger(mut incoming: Incoming, time: Duration) {
    // Without a runtime the connection is gone as well.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(async move { within(time, swallow(&mut incoming, u64::MAX)).await });
    }
}

/// Reads at most `most` bytes; whether the body ended.
async fn swallow(incoming: &mut Incoming, most: u64) -> bool {
    let mut read = 0_u64;
    while read <= most {
        match incoming.frame().await {
            Some(Ok(frame)) => read = read.saturating_add(frame.data_ref().map_or(0, |data| data.len() as u64)),
            Some(Err(_)) | None => return true,
        }
    }
    false
}
