//! Whose connection it is.

use std::net::SocketAddr;

use crate::system::{user, user_of_peer};

/// Whether this system says whose a connection on loopback is. Elsewhere any user of the machine gets in.
pub const IS_CHECKED: bool = cfg!(target_os = "linux");

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Peer {
    /// On loopback.
    Port {
        /// Its end.
        client: SocketAddr,
        /// Ours.
        server: SocketAddr,
    },
    /// On a Unix socket, by the system's word (`SO_PEERCRED`, `getpeereid`).
    Socket {
        /// `None`: the system has no word on it.
        user: Option<u32>,
    },
}

impl Peer {
    /// Lets our own user in; others are an error with their number, if that is known.
    pub(super) fn check(self) -> Result<(), Option<u32>> {
        let whose = match self {
            Self::Port { .. } if !IS_CHECKED => return Ok(()),
            Self::Port { client, server } => user_of_peer(server, client),
            Self::Socket { user } => user,
        };
        if whose == Some(user()) { Ok(()) } else { Err(whose) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_connection_has_a_user_until_it_is_closed() {
        use std::net::{TcpListener, TcpStream};

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", address.port()).parse().unwrap();
        for target in [address, mapped] {
            let client = TcpStream::connect(target).unwrap();
            let (_accepted, from) = listener.accept().unwrap();
            let peer = Peer::Port { client: from, server: address };
            assert_eq!(user_of_peer(address, from), Some(user()), "{target}");
            assert_eq!(peer.check(), Ok(()));
            // The other direction is the same connection, and yet not that socket.
            assert_eq!(user_of_peer(from, from), None);
            drop(client);
            assert_eq!(peer.check(), Err(None), "{target}: whoever closed it has left");
        }
    }

    #[test]
    fn strangers_are_known_by_number() {
        let other = user() + 1;
        assert_eq!(Peer::Socket { user: Some(other) }.check(), Err(Some(other)));
        assert_eq!(Peer::Socket { user: None }.check(), Err(None));
        assert_eq!(Peer::Socket { user: Some(user()) }.check(), Ok(()));
    }
}
