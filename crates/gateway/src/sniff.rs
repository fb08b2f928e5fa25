//! What a peer speaks, told by its first bytes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// What an HTTP/2 client sends first (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The content type of a TLS record that carries a handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// A byte stream of any kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One type for all streams, so that the protocol machines are compiled once.
pub(crate) type BoxStream = Box<dyn Stream>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    Tls,
    Http1,
    /// HTTP/2 in clear, with prior knowledge.
    Http2,
}

/// Reads until the speech is plain. Gives the stream back with nothing missing; `None` if it ended before.
pub(crate) async fn sniff(mut stream: BoxStream) -> io::Result<Option<(Speech, BoxStream)>> {
    let mut read = BytesMut::with_capacity(2048);
    let speech = loop {
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(None);
        }
        if let Some(speech) = told_by(&read) {
            break speech;
        }
    };
    Ok(Some((speech, Box::new(Prefixed { prefix: read.freeze(), stream }))))
}

fn told_by(read: &[u8]) -> Option<Speech> {
    match read.first()? {
        &TLS_HANDSHAKE => Some(Speech::Tls),
        _ if read.starts_with(PREFACE) => Some(Speech::Http2),
        _ if PREFACE.starts_with(read) => None,
        _ => Some(Speech::Http1),
    }
}

/// A stream whose first bytes have been read already.
struct Prefixed {
    prefix: Bytes,
    stream: BoxStream,
}

impl AsyncRead for Prefixed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let part = self.prefix.len().min(buf.remaining());
        buf.put_slice(self.prefix.get(..part).unwrap_or_default());
        self.prefix.advance(part);
        if self.prefix.is_empty() {
            // Gives the memory back; a connection may live long.
            self.prefix = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[rstest]
    #[case(b"\x16\x03\x01", Some(Speech::Tls))]
    #[case(b"G", Some(Speech::Http1))]
    #[case(b"P", None)]
    #[case(b"PO", Some(Speech::Http1))]
    #[case(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r", None)]
    #[case(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0", Some(Speech::Http2))]
    #[case(b"PRI * HTTP/1.1", Some(Speech::Http1))]
    fn the_first_bytes_tell_the_speech(#[case] read: &[u8], #[case] expected: Option<Speech>) {
        assert_eq!(told_by(read), expected);
    }

    #[tokio::test]
    async fn nothing_is_lost_by_sniffing() {
        let (mut client, server) = tokio::io::duplex(64);
        client.write_all(b"P").await.unwrap();
        let sniffed = tokio::spawn(sniff(Box::new(server)));
        tokio::task::yield_now().await;
        client.write_all(b"UT / HTTP/1.1\r\n").await.unwrap();
        let (speech, mut stream) = sniffed.await.unwrap().unwrap().unwrap();
        assert_eq!(speech, Speech::Http1);
        client.write_all(b"rest").await.unwrap();
        drop(client);
        let mut all = String::new();
        stream.read_to_string(&mut all).await.unwrap();
        assert_eq!(all, "PUT / HTTP/1.1\r\nrest");
    }

    #[tokio::test]
    async fn a_stream_that_ends_at_once_speaks_nothing() {
        let (client, server) = tokio::io::duplex(64);
        drop(client);
        assert!(sniff(Box::new(server)).await.unwrap().is_none());
    }
}
