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

use rustix::process::{Pid, Signal};

/// Where temporary files go when nothing says otherwise: POSIX has no other such folder.
pub const TEMPORARY: &str = "/tmp";

/// Whether the system keeps the roots it trusts in files; else they are in a store of its own.
pub const ROOTS_IN_FILES: bool = cfg!(all(unix, not(target_vendor = "apple")));

/// Whether [`user_of_peer`] knows anyone.
pub const KNOWS_PEERS: bool = cfg!(target_os = "linux");

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

/// The signals that this process ignores, a bit for each from the lowest on; none where the system does not say.
pub fn ignored_signals() -> u64 {
    os::ignored_signals()
}

/// Whether somebody waits for processes that have lost their parent, so that nothing is left of them when they end: the first process of
/// the machine or container below `root`, as far as it shows that it hears of such ends. One that is not to be seen counts as one that does.
pub fn orphans_are_reaped(root: Option<&Path>) -> bool {
    root.is_none_or(os::orphans_are_reaped)
}

/// A process that was there when the value was made; a later one of the same number is not meant.
#[derive(Debug)]
pub struct Handle(os::Handle);

impl Handle {
    /// `None`: there is no such process.
    pub fn of(process: Pid) -> Option<Self> {
        os::Handle::of(process).map(Self)
    }

    /// Sends a signal. `false`: the process has ended, or may not be sent to.
    pub fn send(&self, signal: Signal) -> bool {
        self.0.send(signal)
    }
}

#[cfg(test)]
mod tests;
