//! Whose connection it is.

use std::net::SocketAddr;

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
        let user = match self {
            Self::Port { .. } if !IS_CHECKED => return Ok(()),
            Self::Port { client, server } => user_of(client, server),
            Self::Socket { user } => user,
        };
        if user == Some(own_user()) { Ok(()) } else { Err(user) }
    }
}

/// The number of the user that this process acts for.
pub(super) fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The user whose socket the other end is: a row of the tables that the kernel keeps (`proc_pid_net(5)`). A socket that its process has
/// closed belongs to nobody any more, though its row says user 0.
#[cfg(target_os = "linux")]
fn user_of(client: SocketAddr, server: SocketAddr) -> Option<u32> {
    let (client, server) = (canonical(client), canonical(server));
    let tables = [procfs::net::tcp, procfs::net::tcp6];
    let mut rows = tables.into_iter().filter_map(|table| table().ok()).flatten();
    let row = rows.find(|row| {
        row.inode != 0 && canonical(row.local_address) == client && canonical(row.remote_address) == server
    });
    row.map(|row| row.uid)
}

#[cfg(not(target_os = "linux"))]
fn user_of(_: SocketAddr, _: SocketAddr) -> Option<u32> {
    None
}

/// `::ffff:127.0.0.1` is 127.0.0.1.
#[cfg(target_os = "linux")]
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
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
            assert_eq!(user_of(from, address), Some(own_user()), "{target}");
            assert_eq!(peer.check(), Ok(()));
            // The other direction is the same connection, and yet not that socket.
            assert_eq!(user_of(from, from), None);
            drop(client);
            assert_eq!(peer.check(), Err(None), "{target}: whoever closed it has left");
        }
    }

    #[test]
    fn strangers_are_known_by_number() {
        let other = own_user() + 1;
        assert_eq!(Peer::Socket { user: Some(other) }.check(), Err(Some(other)));
        assert_eq!(Peer::Socket { user: None }.check(), Err(None));
        assert_eq!(Peer::Socket { user: Some(own_user()) }.check(), Ok(()));
    }
}
