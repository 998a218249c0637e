//! Bytes in both directions.

use tokio::io::{AsyncRead, AsyncWrite};

/// Any byte stream: TCP, TLS, a tunnel in either.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}
/// A byte stream, whatever carries it.
pub type Stream = Box<dyn Io>;
