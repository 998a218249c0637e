//! Keys that are in no file: a running `jobpass exec --agent` has those of the folder that it wrote.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::identity::agent::{LIST, LONGEST, lists};
use crate::system::user;
use crate::write::contents::Sockets;

/// How long an agent may take for each part of its answer.
const LIMIT: Duration = Duration::from_secs(5);

/// The socket of the agent that has the key of this certificate (`ALGORITHM BASE64`). `exec` puts it beside the folder of its output, or
/// beside the folder that has one for each.
pub fn with_key(dir: &Path, certificate: &str) -> Option<PathBuf> {
    let dir = dir.canonicalize().ok()?;
    let sockets = dir.ancestors().skip(1).take(2).map(|folder| Sockets::of(folder, 0).agent);
    let mut ours = sockets.filter(|path| {
        path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket() && found.uid() == user())
    });
    ours.find(|path| listed(path).is_ok_and(|answer| lists(&answer, certificate)))
}

/// What an agent answers when it is asked for its keys.
fn listed(path: &Path) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.write_all(&[&[0, 0, 0, 1], &LIST[..]].concat())?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok().filter(|length| *length <= LONGEST);
    let mut answer = vec![0; length.ok_or(io::ErrorKind::FileTooLarge)?];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}
