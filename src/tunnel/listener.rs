//! A port of loopback or a Unix socket, for this user alone.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener};

use super::error::TunnelError;
use super::peer::Client;
use super::place::{HOST, Listen, Place};
use crate::system::user;

/// It listens; a socket is removed when it is dropped.
#[derive(Debug)]
pub struct Listener {
    on: On,
    place: Place,
}

#[derive(Debug)]
enum On {
    Port(TcpListener),
    Socket { listener: UnixListener, _file: SocketFile },
}

/// A socket that we made.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and number, by which it is known again.
    id: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_same = std::fs::symlink_metadata(&self.path).is_ok_and(|m| (m.dev(), m.ino()) == self.id);
        if is_same {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Listener {
    /// Listens there for the tunnel of that name. A socket that nobody listens on any more makes room.
    pub async fn bind(name: &str, listen: &Listen) -> Result<Self, TunnelError> {
        let (name, place) = (|| name.to_owned(), || format!("`{}`", listen.place()));
        match listen {
            Listen::Port(port) => {
                let failed = |source| TunnelError::Port { name: name(), place: place(), source };
                let listener = TcpListener::bind((HOST, *port)).await.map_err(failed)?;
                // listen(2) may be called again.
                rustix::net::listen(&listener, WAITING).map_err(|error| failed(error.into()))?;
                let place = Place::of(listener.local_addr().map_err(failed)?);
                Ok(Self { on: On::Port(listener), place })
            }
            Listen::Socket(path) => {
                let failed = |source| TunnelError::Socket { name: name(), place: place(), source };
                if let Some(what) = occupied(path).map_err(failed)? {
                    let place = format!("`{}`", path.display());
                    return Err(TunnelError::Occupied { name: name(), place, what });
                }
                let (listener, file) = socket(path).map_err(failed)?;
                Ok(Self { on: On::Socket { listener, _file: file }, place: listen.place() })
            }
        }
    }

    /// Where it listens.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The next client. Whose it is has yet to be checked.
    pub(super) async fn accept(&self) -> io::Result<Client> {
        match &self.on {
            On::Port(listener) => {
                let (tcp, _) = listener.accept().await?;
                // Small messages go back and forth.
                let _ = tcp.set_nodelay(true);
                Ok(Client::Port(tcp))
            }
            On::Socket { listener, .. } => Ok(Client::Socket(listener.accept().await?.0)),
        }
    }
}

/// Clients that may wait to be looked at, where the library says 128. The system's own limit (`net.core.somaxconn`) may be lower.
const WAITING: i32 = 1024;

/// What is in the way, unless it is a socket of this user's that nobody listens on.
fn occupied(path: &Path) -> io::Result<Option<&'static str>> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !found.file_type().is_socket() {
        return Ok(Some("something else"));
    }
    if found.uid() != user() {
        return Ok(Some("a socket of another user"));
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Ok(Some("a socket that somebody listens on"));
    }
    Ok(None)
}

/// Made in a private folder beside its place and renamed: nobody connects before its mode is set.
fn socket(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    // A client could not name a longer one.
    std::os::unix::net::SocketAddr::from_pathname(path)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let private = std::fs::Permissions::from_mode(0o700);
    let folder =
        tempfile::Builder::new().prefix(".j").rand_bytes(5).permissions(private).tempdir_in(parent)?;
    let made = folder.path().join("s");
    let listener = UnixListener::bind(&made)?;
    std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o600))?;
    let found = std::fs::symlink_metadata(&made)?;
    std::fs::rename(&made, path)?;
    let file = SocketFile { path: path.to_owned(), id: (found.dev(), found.ino()) };
    Ok((listener, file))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;
    use crate::error::StageError as _;

    #[tokio::test]
    async fn a_socket_is_private_and_goes_with_its_listener() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listen = Listen::Socket(path.clone());
        // What an earlier run left.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listener = Listener::bind("pg", &listen).await.unwrap();
        let mode = std::fs::symlink_metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        let mut client = tokio::net::UnixStream::connect(&path).await.unwrap();
        client.write_all(b"x").await.unwrap();
        assert_eq!(listener.accept().await.unwrap().check(), Ok(()));

        let error = Listener::bind("other", &listen).await.unwrap_err();
        assert!(error.to_string().contains("a socket that somebody listens on is there"), "{error}");
        drop(listener);
        assert!(!path.exists());
        std::fs::create_dir(&path).unwrap();
        let error = Listener::bind("pg", &listen).await.unwrap_err();
        assert!(error.to_string().contains("something else is there"), "{error}");
        let long = Listen::Socket(folder.path().join("x".repeat(200)));
        assert!(Listener::bind("pg", &long).await.unwrap_err().in_one_line().contains("cannot listen"));
    }

    #[tokio::test]
    async fn a_socket_of_another_listener_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = Listener::bind("pg", &Listen::Socket(path.clone())).await.unwrap();
        std::fs::remove_file(&path).unwrap();
        let _other = std::os::unix::net::UnixListener::bind(&path).unwrap();
        drop(listener);
        assert!(path.exists());
    }

    /// Many at once are not kept waiting for a second try of theirs; systems have had room for 4096 since Linux 5.4.
    #[tokio::test]
    async fn clients_wait_in_the_queue_until_they_are_looked_at() {
        use std::time::Duration;

        let listener = Listener::bind("pg", &Listen::Port(0)).await.unwrap();
        let Place::Port(port) = *listener.place() else { panic!("{listener:?}") };
        let clients: Vec<_> = (0..300)
            .map(|_| {
                let address = (HOST, port).into();
                std::net::TcpStream::connect_timeout(&address, Duration::from_secs(10)).unwrap()
            })
            .collect();
        for _ in &clients {
            assert_eq!(listener.accept().await.unwrap().check(), Ok(()));
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_told() {
        let first = Listener::bind("pg", &Listen::Port(0)).await.unwrap();
        let Place::Port(port) = *first.place() else { panic!("{first:?}") };
        let error = Listener::bind("other", &Listen::Port(port)).await.unwrap_err();
        let text = format!("tunnel `other` cannot listen at `127.0.0.1:{port}`: address already in use");
        assert_eq!(error.in_one_line(), text);
        assert_eq!(error.hints(), ["choose another port, or leave it out to take a free one"]);
    }
}
