//! Text files that a cloud puts onto a machine or into a container: bounded in size, and in time too, as a pipe may never end.

use std::io;
use std::path::Path;

use crate::env::read_text;
use crate::net::Network;

/// Reads in a thread of its own: a read that never returns holds up neither the deadline nor the end of the process.
pub async fn text(network: &Network, path: &Path) -> io::Result<String> {
    let owned = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || read_text(&owned));
    match network.deadline().run("reading a file", reading).await {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => Err(io::Error::other("it could not be read")),
        Err(late) => Err(io::Error::new(io::ErrorKind::TimedOut, late.to_string())),
    }
}
