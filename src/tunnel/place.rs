//! Where a tunnel listens.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where a tunnel is to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// That port of 127.0.0.1; 0: a free one.
    Port(u16),
    /// A Unix socket of that path, absolute.
    Socket(PathBuf),
}

/// Where a tunnel listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A port of loopback.
    Port(u16),
    /// A Unix socket, absolute.
    Socket(PathBuf),
}

/// The only address of tunnels.
pub(super) const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;

impl Listen {
    pub(super) fn place(&self) -> Place {
        match self {
            Self::Port(port) => Place::Port(*port),
            Self::Socket(path) => Place::Socket(path.clone()),
        }
    }
}

impl Place {
    pub(super) fn of(address: SocketAddr) -> Self {
        Self::Port(address.port())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "{HOST}:{port}"),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}
