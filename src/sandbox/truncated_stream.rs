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
