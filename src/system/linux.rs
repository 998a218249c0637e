//! Linux.

use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, FsWord, RenameFlags, renameat_with, statfs};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

/// `f_type` of tmpfs (statfs(2)).
const TMPFS: FsWord = 0x0102_1994;

/// What POSIX shared memory uses (`shm_overview(7)`).
const SHARED_MEMORY: &str = "/dev/shm";

/// One table for each family; a socket of IPv6 that speaks IPv4 is in the second one (proc(5)).
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];

/// `RENAME_EXCHANGE` of renameat2(2), Linux 3.15.
pub(super) fn exchange(one: &Path, other: &Path) -> bool {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

pub(super) fn memory_folder() -> Option<&'static Path> {
    Some(Path::new(SHARED_MEMORY)).filter(|folder| is_in_memory(folder))
}

pub(super) fn is_in_memory(path: &Path) -> bool {
    statfs(path).is_ok_and(|found| found.f_type == TMPFS)
}

pub(super) fn user_of_peer(own: SocketAddr, peer: SocketAddr) -> Option<u32> {
    TABLES.iter().find_map(|table| {
        let lines = BufReader::new(std::fs::File::open(table).ok()?).lines().map_while(Result::ok);
        lines.skip(1).find_map(|line| owner(&line, own, peer))
    })
}

pub(super) fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    mask(&status, "SigIgn:").unwrap_or_default()
}

/// A mask of signals (`proc_pid_status(5)`).
fn mask(status: &str, name: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix(name))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Programs that are an init catch SIGCHLD or block it to wait for it (systemd, tini, dumb-init, shells); who ignores it needs not wait
/// (`wait(2)`). What keeps a container open (`tail -f /dev/null`, `sleep infinity`, `cat`) does none of that.
pub(super) fn orphans_are_reaped(root: &Path) -> bool {
    let Ok(status) = std::fs::read_to_string(root.join("proc/1/status")) else { return true };
    let child = u32::try_from(Signal::CHILD.as_raw() - 1).ok().and_then(|bit| 1_u64.checked_shl(bit));
    let masks = ["SigBlk:", "SigIgn:", "SigCgt:"].map(|name| mask(&status, name));
    masks.iter().any(|mask| mask.zip(child).is_none_or(|(mask, child)| mask & child != 0))
}

/// The `uid` of a line of the table, if it is the socket of the other end: its own address is our peer, its peer we. A socket that its
/// process has closed belongs to nobody any more: its line has no inode, and says user 0 whoever it was.
fn owner(line: &str, own: SocketAddr, peer: SocketAddr) -> Option<u32> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let is = |text: Option<&str>, wanted: SocketAddr| {
        text.and_then(address)
            .is_some_and(|(ip, port)| ip == wanted.ip().to_canonical() && port == wanted.port())
    };
    if !(is(fields.next(), peer) && is(fields.next(), own)) {
        return None;
    }
    // `st`, `tx:rx`, `tr:when`, `retrnsmt`, `uid`, `timeout`, `inode`.
    let user = fields.nth(4)?.parse().ok()?;
    (fields.nth(1)? != "0").then_some(user)
}

/// `0100007F:0CEA`: groups of 32 bits as the machine keeps them, each of which holds four bytes in network order.
fn address(text: &str) -> Option<(IpAddr, u16)> {
    let (ip, port) = text.split_once(':')?;
    let group = |at: usize| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip = match ip.len() {
        8 => IpAddr::from(group(0)?),
        32 => {
            let mut bytes = [0; 16];
            for (part, at) in bytes.chunks_exact_mut(4).zip((0..).step_by(8)) {
                part.copy_from_slice(&group(at)?);
            }
            IpAddr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?))
}

/// `pidfd_open(2)`, Linux 5.3; before that, and where a sandbox forbids it, the number has to do.
#[derive(Debug)]
pub(super) enum Handle {
    Descriptor(OwnedFd),
    Number(Pid),
}

impl Handle {
    pub(super) fn of(process: Pid) -> Option<Self> {
        match pidfd_open(process, PidfdFlags::empty()) {
            Ok(descriptor) => Some(Self::Descriptor(descriptor)),
            Err(Errno::SRCH) => None,
            Err(_) => Some(Self::Number(process)),
        }
    }

    pub(super) fn send(&self, signal: Signal) -> bool {
        match self {
            Self::Descriptor(descriptor) => pidfd_send_signal(descriptor, signal),
            Self::Number(process) => kill_process(*process, signal),
        }
        .is_ok()
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn finds_the_socket_of_the_other_end() {
        let socket = |text: &str| text.parse::<SocketAddr>().unwrap();
        // What proc(5) shows; taken from a machine, shortened.
        let v4 =
            "  12: 0100007F:8A1C 0100007F:0CEA 01 00000000:00000000 00:00000000 00000000  1000        0 5 1";
        let v6 = "   3: 0000000000000000FFFF00000100007F:8A1C 0000000000000000FFFF00000100007F:0CEA 01 \
                  00000000:00000000 00:00000000 00000000  1001        0 5 1";
        let (own, peer) = (socket("127.0.0.1:3306"), socket("127.0.0.1:35356"));
        assert_eq!((owner(v4, own, peer), owner(v6, own, peer)), (Some(1000), Some(1001)));
        assert_eq!(owner(v6, socket("[::ffff:127.0.0.1]:3306"), peer), Some(1001));
        for (own, peer) in [
            (peer, own),
            (own, socket("127.0.0.2:35356")),
            (own, socket("127.0.0.1:35357")),
            (socket("127.0.0.1:3307"), peer),
            (socket("127.0.0.2:3306"), peer),
        ] {
            assert_eq!((owner(v4, own, peer), owner(v6, own, peer)), (None, None), "{own} {peer}");
        }
        let other =
            "0: 00000000000000000000000001000000:0001 00000000000000000000000002000000:FFFF 1 0 0 0 7 0 9";
        assert_eq!(owner(other, socket("[::2]:65535"), socket("[::1]:1")), Some(7));
        // Closed by its process.
        let closed = v4.replace("1000        0 5 1", "0        0 0 1");
        assert_eq!(owner(&closed, own, peer), None);
        for cut in 0..v4.len() - " 5 1".len() {
            let _ = owner(&v4[..cut], own, peer);
        }
        for bad in
            ["", "1:", "1: x y", "1: 0100007F 0100007F:0CEA", "1: 01é0007F:8A1C 0100007F:0CEA 1 0 0 0 7 0 9"]
        {
            assert_eq!(owner(bad, own, peer), None, "{bad}");
        }
    }

    #[test]
    fn the_first_process_shows_whether_it_waits_for_orphans() {
        let root = tempfile::tempdir().unwrap();
        assert!(orphans_are_reaped(root.path()), "nothing is to be seen");
        let file = root.path().join("proc/1/status");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        // SIGCHLD is 17 on all but old architectures; what else there is says nothing.
        let (with, without) = ("0000000000010000", "fffffffffffeffff");
        for (blocked, ignored, caught, reaps) in [
            (without, without, without, false),
            (with, without, without, true),
            (without, with, without, true),
            (without, without, with, true),
            (without, without, "x", true),
        ] {
            let text = format!("Name:\tcat\nSigBlk:\t{blocked}\nSigIgn:\t{ignored}\nSigCgt:\t{caught}\n");
            std::fs::write(&file, text).unwrap();
            assert_eq!(orphans_are_reaped(root.path()), reaps, "{blocked} {ignored} {caught}");
        }
        std::fs::write(&file, "SigBlk:\t0\n").unwrap();
        assert!(orphans_are_reaped(root.path()), "not all is told");
    }

    #[test]
    fn tells_memory_from_disk() {
        assert!(!is_in_memory(Path::new("/proc")));
        assert!(!is_in_memory(Path::new("/nowhere")));
        assert_eq!(memory_folder().is_some(), is_in_memory(Path::new(SHARED_MEMORY)));
        // The kernel keeps its list of file systems beside: the last line of a mount point counts.
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
        let shared = mounts.lines().rfind(|line| line.split(' ').nth(1) == Some(SHARED_MEMORY));
        if let Some(line) = shared {
            assert_eq!(
                is_in_memory(Path::new(SHARED_MEMORY)),
                line.split(' ').nth(2) == Some("tmpfs"),
                "{line}"
            );
        }
    }
}
