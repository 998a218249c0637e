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

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Only root can be somebody else: whoever runs the tests otherwise is told.
    #[allow(clippy::print_stdout)]
    #[tokio::test]
    async fn it_serves_our_user_alone() {
        // The temporary folder of the tests may be theirs alone.
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let path = folder.path().join("socket");
        let socket = Socket::listen(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        // Even where the file system would let others in.
        for (path, mode) in [(folder.path(), 0o755), (&path, 0o666)] {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
        let sessions = AtomicUsize::new(0);
        let served = socket.serve(async |mut stream: UnixStream| {
            sessions.fetch_add(1, Ordering::Relaxed);
            drop(stream.write_all(b"hello").await);
        });
        let asked = async {
            if user() == 0 {
                let script = "test -w $0 && { curl -s --http0.9 --unix-socket $0 http://x/; true; }";
                let mut command = Command::new("runuser");
                command.args(["-u", "nobody", "--", "sh", "-c", script]).arg(&path).current_dir("/");
                let ran = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
                // It gets as far as to us, and no further.
                assert!(ran.status.success() && ran.stdout.is_empty(), "{ran:?}");
                assert_eq!(sessions.load(Ordering::Relaxed), 0);
            } else {
                println!("not root: no other user tries to get in");
            }
            let mut text = String::new();
            UnixStream::connect(&path).await.unwrap().read_to_string(&mut text).await.unwrap();
            text
        };
        let text = tokio::select! {
            text = asked => text,
            () = served => unreachable!("it serves for ever"),
        };
        assert_eq!((text.as_str(), sessions.load(Ordering::Relaxed)), ("hello", 1));
    }
}
