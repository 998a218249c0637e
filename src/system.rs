//! What differs between operating systems. Linux and macOS have a file each with the same functions; on others nothing of it can be done,
//! and callers go the way they have for that.

#[cfg(target_os = "linux")]
#[path = "system/linux.rs"]
mod os;
#[cfg(target_vendor = "apple")]
#[path = "system/macos.rs"]
mod os;
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
#[path = "system/other.rs"]
mod os;

use std::net::SocketAddr;
use std::path::Path;

/// Where temporary files go when nothing says otherwise: POSIX has no other such folder.
pub const TEMPORARY: &str = "/tmp";

/// The user that owns what this process creates.
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Swaps two folders of one file system. `false`: it cannot be done here (network file systems, other systems than Linux
/// and macOS), and nothing has changed.
pub fn exchange(one: &Path, other: &Path) -> bool {
    os::exchange(one, other)
}

/// A folder that every user may create files in and that no disk is behind (swap aside). `None`: the system has none.
pub fn memory_folder() -> Option<&'static Path> {
    os::memory_folder()
}

/// Whether the file system of `path` is in memory, as far as can be seen.
pub fn is_in_memory(path: &Path) -> bool {
    os::is_in_memory(path)
}

/// The user at the other end of a TCP connection of this machine: `peer` is the other end's address, `own` that of this
/// end. `None`: the system does not say, or the connection is closed or comes from elsewhere.
pub fn user_of_peer(own: SocketAddr, peer: SocketAddr) -> Option<u32> {
    os::user_of_peer(own, peer)
}

#[cfg(test)]
mod tests;
