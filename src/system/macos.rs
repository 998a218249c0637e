//! macOS. Reviewed by reading: no test has run there.

use std::net::SocketAddr;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::process::{Pid, Signal, kill_process};

/// `RENAME_SWAP` of renameatx_np(2): APFS has it, HFS+ and network file systems have not.
pub(super) fn exchange(one: &Path, other: &Path) -> bool {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

/// There is none: a disk in memory (`hdiutil`) has to be made, and the runner's user may not be allowed to mount it. The
/// user's own temporary folder, `TMPDIR`, is private to the user already.
pub(super) fn memory_folder() -> Option<&'static Path> {
    None
}

pub(super) fn is_in_memory(_: &Path) -> bool {
    false
}

/// Only `libproc` knows (`proc_pidfdinfo`), for processes of our own user, and it has no safe interface.
pub(super) fn user_of_peer(_: SocketAddr, _: SocketAddr) -> Option<u32> {
    None
}

/// `sigaction` would say, and has no safe interface.
pub(super) fn ignored_signals() -> u64 {
    0
}

/// launchd does.
pub(super) fn orphans_are_reaped(_: &Path) -> bool {
    true
}

/// A number is all that there is.
#[derive(Debug)]
pub(super) struct Handle(Pid);

impl Handle {
    pub(super) fn of(process: Pid) -> Option<Self> {
        Some(Self(process))
    }

    pub(super) fn send(&self, signal: Signal) -> bool {
        kill_process(self.0, signal).is_ok()
    }
}
