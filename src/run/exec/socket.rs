//! A Unix socket in the private folder, for processes of our own user only.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::{UnixListener, UnixStream};

use crate::system::user;
use crate::write::WriteError;

/// Connections at once; more have to wait.
const MOST: usize = 256;

/// A listening socket.
pub struct Socket(UnixListener);

impl Socket {
    /// Listens at `path`, 0600. The folder is private, so that nobody is there before the mode is.
    pub fn listen(path: &Path) -> Result<Self, WriteError> {
        let failed = |source| WriteError::Socket { path: path.display().to_string(), source };
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self(listener))
    }

    /// Serves all connections side by side, until it is dropped.
    pub async fn serve<F: Future<Output = ()>>(self, session: impl Fn(UnixStream) -> F) {
        let mut sessions = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = self.0.accept(), if sessions.len() < MOST => match accepted {
                    Ok((stream, _)) if is_ours(&stream) => sessions.push(session(stream)),
                    Ok(_) => {}
                    // Out of descriptors, say: the sessions that end free some.
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
                },
                Some(()) = sessions.next(), if !sessions.is_empty() => {}
            }
        }
    }
}

/// Whether the process at the other end runs as our user.
fn is_ours(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == user())
}
