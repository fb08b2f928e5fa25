//! Watches one connection: requests in flight, heads that do not end, answers that are not read.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokenrig_clock::real::{Stopwatch, pause};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{Limits, sniff::BoxStream};

/// Why a connection should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expired {
    /// No request for a while: to be closed in good order.
    Idle,
    /// A head was begun and not ended.
    Head,
    /// The peer does not read its answer.
    Unread,
}

#[derive(Debug)]
pub(crate) struct Watch {
    since: Stopwatch,
    /// HTTP/2 has frames without a request, and bounds of its own for them.
    heads: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    in_flight: usize,
    quiet_since: Duration,
    head_since: Option<Duration>,
    blocked_since: Option<Duration>,
}

impl Watch {
    /// A connection from now on; `heads` says that its first head is awaited and that each must come in time.
    pub(crate) fn new(heads: bool) -> Arc<Self> {
        let head_since = heads.then_some(Duration::ZERO);
        let state = State { in_flight: 0, quiet_since: Duration::ZERO, head_since, blocked_since: None };
        Arc::new(Self { since: Stopwatch::start(), heads, state: Mutex::new(state) })
    }

    /// A request has arrived; it is in flight as long as the answer lives.
    pub(crate) fn enter(self: &Arc<Self>) -> InFlight {
        let mut state = self.state();
        state.in_flight += 1;
        state.head_since = None;
        InFlight(Arc::clone(self))
    }

    /// Returns when the connection should end.
    pub(crate) async fn expired(&self, limits: &Limits) -> Expired {
        loop {
            let left = self.state().at(self.since.elapsed(), limits);
            match left {
                // A head may begin during the pause, so that its end is due sooner.
                Ok(left) => pause(left.min(limits.header_time / 4).max(Duration::from_millis(1))).await,
                Err(expired) => return expired,
            }
        }
    }

    /// Returns when no request has been in flight for `time`, counted from now at the earliest.
    pub(crate) async fn quiet(&self, time: Duration) {
        let asked = self.since.elapsed();
        loop {
            let left = {
                let state = self.state();
                let since = asked.max(state.quiet_since);
                if state.in_flight > 0 { time } else { (since + time).saturating_sub(self.since.elapsed()) }
            };
            if left.is_zero() {
                return;
            }
            pause(left).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_some(&self) {
        if self.heads {
            let mut state = self.state();
            if state.in_flight == 0 && state.head_since.is_none() {
                state.head_since = Some(self.since.elapsed());
            }
        }
    }

    fn wrote<T>(&self, outcome: &Poll<T>) {
        let mut state = self.state();
        if outcome.is_ready() {
            state.blocked_since = None;
        } else if state.blocked_since.is_none() {
            state.blocked_since = Some(self.since.elapsed());
        }
    }
}

impl State {
    /// How long nothing can expire, or what has expired.
    fn at(&self, now: Duration, limits: &Limits) -> Result<Duration, Expired> {
        let idle_since = (self.in_flight == 0 && self.head_since.is_none()).then_some(self.quiet_since);
        let due = [
            (self.head_since, limits.header_time, Expired::Head),
            (self.blocked_since, limits.idle, Expired::Unread),
            (idle_since, limits.idle, Expired::Idle),
        ];
        let mut soonest = Duration::MAX;
        for (since, limit, expired) in due {
            let Some(since) = since else { continue };
            let left = since.saturating_add(limit).saturating_sub(now);
            if left.is_zero() {
                return Err(expired);
            }
            soonest = soonest.min(left);
        }
        Ok(soonest)
    }
}

/// Counts one request for as long as it lives.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Watch>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        state.quiet_since = self.0.since.elapsed();
    }
}

/// The body of an answer; the request is in flight until it has gone.
#[derive(Debug)]
pub(crate) struct Answer {
    body: Body,
    _in_flight: InFlight,
}

impl Answer {
    pub(crate) fn new(body: Body, in_flight: InFlight) -> Self {
        Self { body, _in_flight: in_flight }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream whose reads and writes are seen by a [`Watch`].
pub(crate) struct Watched {
    pub(crate) stream: BoxStream,
    pub(crate) watch: Arc<Watch>,
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.watch.read_some();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch.wrote(&outcome);
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch.wrote(&outcome);
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch.wrote(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch.wrote(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: fn() -> Limits = Limits::default;

    fn state(watch: &Watch, change: impl FnOnce(&mut State)) -> Result<Duration, Expired> {
        let mut state = watch.state();
        change(&mut state);
        state.at(Duration::from_secs(200), &LIMITS())
    }

    #[test]
    fn the_first_head_is_awaited_for_the_header_time() {
        let watch = Watch::new(true);
        assert_eq!(watch.state().at(Duration::from_secs(4), &LIMITS()), Ok(Duration::from_secs(6)));
        assert_eq!(watch.state().at(Duration::from_secs(10), &LIMITS()), Err(Expired::Head));
    }

    #[test]
    fn a_connection_between_requests_has_the_idle_time() {
        let watch = Watch::new(true);
        drop(watch.enter());
        assert_eq!(state(&watch, |s| s.quiet_since = Duration::from_secs(100)), Ok(Duration::from_secs(20)));
        assert_eq!(state(&watch, |s| s.quiet_since = Duration::from_secs(80)), Err(Expired::Idle));
    }

    #[test]
    fn a_later_head_has_the_header_time_from_its_first_byte() {
        let watch = Watch::new(true);
        drop(watch.enter());
        watch.read_some();
        assert_eq!(state(&watch, |s| s.head_since = Some(Duration::from_secs(195))), Ok(Duration::from_secs(5)));
        assert_eq!(state(&watch, |s| s.head_since = Some(Duration::from_secs(190))), Err(Expired::Head));
    }

    #[test]
    fn a_request_in_flight_never_expires_but_an_unread_answer_does() {
        let watch = Watch::new(true);
        let _request = watch.enter();
        watch.read_some();
        assert_eq!(state(&watch, |_| ()), Ok(Duration::MAX));
        watch.wrote::<()>(&Poll::Pending);
        assert_eq!(state(&watch, |s| s.blocked_since = Some(Duration::from_secs(80))), Err(Expired::Unread));
        watch.wrote(&Poll::Ready(()));
        assert_eq!(state(&watch, |_| ()), Ok(Duration::MAX));
    }

    #[test]
    fn frames_of_http2_between_requests_begin_no_head() {
        let watch = Watch::new(false);
        watch.read_some();
        assert_eq!(watch.state().at(Duration::from_secs(20), &LIMITS()), Ok(Duration::from_secs(100)));
    }
}
