//! Whose connection it is.

use tokio::net::{TcpStream, UnixStream};

use crate::net::Stream;
use crate::system::{KNOWS_PEERS, user, user_of_peer};

/// Whether this system says whose a connection on loopback is. Elsewhere any user of the machine gets in.
pub const IS_CHECKED: bool = KNOWS_PEERS;

/// Who has connected.
pub(super) enum Client {
    /// On loopback.
    Port(TcpStream),
    /// On a Unix socket.
    Socket(UnixStream),
}

impl Client {
    /// Lets our own user in; others are an error with their number, if that is known.
    pub(super) fn check(&self) -> Result<(), Option<u32>> {
        match self {
            Self::Port(_) if !IS_CHECKED => Ok(()),
            Self::Port(tcp) => ours(user_of(tcp)),
            // By the system's word (`SO_PEERCRED`, `getpeereid`).
            Self::Socket(unix) => ours(unix.peer_cred().ok().map(|credentials| credentials.uid())),
        }
    }

    /// The bytes.
    pub(super) fn into_stream(self) -> Stream {
        match self {
            Self::Port(tcp) => Box::new(tcp),
            Self::Socket(unix) => Box::new(unix),
        }
    }
}

fn ours(whose: Option<u32>) -> Result<(), Option<u32>> {
    if whose == Some(user()) { Ok(()) } else { Err(whose) }
}

/// The system tells whose the socket is that has the client's port. Whoever has reset the connection has no port any more: the next
/// one to get it may be of another user, while what the first has sent still waits to be read. So the connection must be there
/// when its user is known.
fn user_of(tcp: &TcpStream) -> Option<u32> {
    let user = user_of_peer(tcp.local_addr().ok()?, tcp.peer_addr().ok()?)?;
    tcp.peer_addr().is_ok().then_some(user)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::AsyncWriteExt as _;
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn a_connection_has_a_user_until_it_is_closed() {
        if !IS_CHECKED {
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", address.port()).parse().unwrap();
        for target in [address, mapped] {
            let client = TcpStream::connect(target).await.unwrap();
            let (accepted, from) = listener.accept().await.unwrap();
            let accepted = Client::Port(accepted);
            assert_eq!(user_of_peer(address, from), Some(user()), "{target}");
            assert_eq!(accepted.check(), Ok(()));
            // The other direction is the same connection, and yet not that socket.
            assert_eq!(user_of_peer(from, from), None);
            drop(client);
            assert_eq!(accepted.check(), Err(None), "{target}: whoever closed it has left");
        }
    }

    #[tokio::test]
    async fn a_port_that_changed_hands_says_nothing_of_who_had_it_before() {
        if !IS_CHECKED {
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let socket = |port: u16| {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.bind(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
            socket
        };
        let first = socket(0);
        // Nobody else gets the port meanwhile.
        let next = socket(first.local_addr().unwrap().port());
        let mut gone = first.connect(address).await.unwrap();
        gone.write_all(b"x").await.unwrap();
        gone.set_zero_linger().unwrap();
        drop(gone);
        let _next = next.connect(address).await.unwrap();
        let (first, from) = listener.accept().await.unwrap();
        assert_eq!(user_of_peer(address, from), Some(user()), "somebody has that port");
        assert_eq!(Client::Port(first).check(), Err(None));
        let (second, again) = listener.accept().await.unwrap();
        assert_eq!((Client::Port(second).check(), again), (Ok(()), from));
    }

    #[test]
    fn strangers_are_known_by_number() {
        let other = user() + 1;
        assert_eq!(ours(Some(other)), Err(Some(other)));
        assert_eq!(ours(None), Err(None));
        assert_eq!(ours(Some(user())), Ok(()));
    }
}
