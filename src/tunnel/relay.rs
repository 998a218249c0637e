//! Bytes both ways.

use tokio::io::copy_bidirectional_with_sizes;

use super::upstream::Upstream;
use crate::net::Stream;
use crate::text::io_reason;

/// Bytes that wait in each direction. Who reads slowly is waited for; nothing else is kept.
const BUFFER: usize = 16 * 1024;

/// Connects a client with the server until both have ended. The end of one direction is passed on, and the other goes on.
pub(super) async fn relay(mut client: Stream, upstream: &Upstream) -> Result<(), String> {
    let mut server = upstream.open().await?;
    between(&mut client, &mut server).await
}

/// The same, once both are there.
pub(super) async fn between(client: &mut Stream, server: &mut Stream) -> Result<(), String> {
    let copied = copy_bidirectional_with_sizes(client, server, BUFFER, BUFFER).await;
    copied.map(|_| ()).map_err(|error| io_reason(&error))
}
