//! A TCP stream that breaks after a number of bytes: the `close_after_bytes` fault.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Writes at most `left` bytes; `None`: without limit.
pub(super) struct TruncatedStream {
    tcp: TcpStream,
    left: Option<u64>,
}

impl TruncatedStream {
    pub(super) fn new(tcp: TcpStream, left: Option<u64>) -> Self {
        Self { tcp, left }
    }
}

impl AsyncRead for TruncatedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for TruncatedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(left) = self.left else { return Pin::new(&mut self.tcp).poll_write(cx, bytes) };
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let polled = Pin::new(&mut self.tcp).poll_write(cx, bytes.get(..most).unwrap_or_default());
        if let Poll::Ready(Ok(sent)) = polled {
            self.left = Some(left.saturating_sub(sent as u64));
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn ends_after_as_many_bytes_as_it_may_write() {
        for (left, want) in [(Some(0), ""), (Some(4), "abcd"), (Some(6), "abcdef"), (None, "abcdef")] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let mut peer = listener.accept().await.unwrap().0;
            let mut stream = TruncatedStream::new(tcp, left);
            let written = stream.write_all(b"abcdef").await;
            assert_eq!(written.is_ok(), want == "abcdef", "{left:?}: {written:?}");
            drop(stream);
            let mut received = String::new();
            peer.read_to_string(&mut received).await.unwrap();
            assert_eq!(received, want, "{left:?}");
        }
    }
}
