//! Neither Linux nor macOS.

use std::net::SocketAddr;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

pub(super) fn exchange(_: &Path, _: &Path) -> bool {
    false
}

pub(super) fn memory_folder() -> Option<&'static Path> {
    None
}

pub(super) fn is_in_memory(_: &Path) -> bool {
    false
}

pub(super) fn user_of_peer(_: SocketAddr, _: SocketAddr) -> Option<u32> {
    None
}

pub(super) fn ignored_signals() -> u64 {
    0
}

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
