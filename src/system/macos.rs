//! macOS. Reviewed by reading: no test has run there.

use std::net::SocketAddr;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};

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
