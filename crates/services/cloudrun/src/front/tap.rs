//! A request's body on its way to the workload: bounded, and copied in part.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// The start of a body, filled while it passes. A clone is the same one. Of a request without a body there is nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Copy(Option<Arc<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    bytes: Mutex<Vec<u8>>,
    too_long: AtomicBool,
}

impl Copy {
    /// What has passed by now, as far as it is kept.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let bytes = |inner: &Arc<Inner>| inner.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.0.as_ref().map(bytes).unwrap_or_default()
    }

    /// Whether the body was cut off because it is too long.
    pub(crate) fn too_long(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.too_long.load(Ordering::Relaxed))
    }
}

impl Inner {
    fn add(&self, data: &[u8], most: usize) {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let room = most.saturating_sub(bytes.len()).min(data.len());
        bytes.extend_from_slice(data.get(..room).unwrap_or_default());
    }
}

/// A body that is longer than the front end takes.
#[derive(Debug, thiserror::Error)]
#[error("the body is longer than the front end takes")]
pub(crate) struct TooLong;

/// Passes a body on, frame by frame, trailers too.
pub(crate) struct Tap {
    body: Body,
    copy: Arc<Inner>,
    kept: usize,
    /// How many bytes more may pass; `None` for a stream, which may be endless.
    left: Option<usize>,
}

impl Tap {
    /// A body of which at most `kept` bytes are copied, and at most `most` may pass.
    pub(crate) fn on(body: Body, kept: usize, most: Option<usize>) -> (Body, Copy) {
        if body.is_end_stream() {
            return (body, Copy::default());
        }
        let copy = Arc::<Inner>::default();
        (Body::new(Self { body, copy: Arc::clone(&copy), kept, left: most }), Copy(Some(copy)))
    }
}

impl HttpBody for Tap {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = &mut *self;
        let frame = match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            other => return other.map_err(Into::into),
        };
        if let Some(data) = frame.data_ref() {
            if let Some(left) = &mut this.left {
                match left.checked_sub(data.len()) {
                    Some(less) => *left = less,
                    None => {
                        this.copy.too_long.store(true, Ordering::Relaxed);
                        return Poll::Ready(Some(Err(TooLong.into())));
                    }
                }
            }
            this.copy.add(data, this.kept);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    fn body(chunks: &'static [&'static str]) -> Body {
        Body::from_stream(stream::iter(chunks.iter().map(|chunk| Ok::<_, std::convert::Infallible>(*chunk))))
    }

    #[tokio::test]
    async fn the_whole_body_passes_and_its_start_is_kept() {
        let (tapped, copy) = Tap::on(body(&["abc", "def"]), 4, Some(6));
        assert_eq!(tapped.collect().await.unwrap().to_bytes(), "abcdef");
        assert_eq!((copy.bytes(), copy.too_long()), (b"abcd".to_vec(), false));
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_ends_in_an_error() {
        let (tapped, copy) = Tap::on(body(&["abc", "def"]), 100, Some(5));
        assert!(tapped.collect().await.is_err());
        assert_eq!((copy.bytes(), copy.too_long()), (b"abc".to_vec(), true));
    }
}
