//! Appending to a platform's file, and replacing one of the user's: whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// Appends `text` in one write; first a newline where the file does not end with one. A partial write is
/// undone. A missing file is created (0600); anything but a file is refused.
pub(super) fn append(path: &Path, text: &[u8]) -> io::Result<()> {
    // Whatever else is wrong, opening it says so.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(not_a_file());
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let before = file.metadata()?.len();
    let whole =
        if before == 0 || ends_with_newline(&mut file)? { text.to_vec() } else { [b"\n", text].concat() };
    let written = file.write(&whole).and_then(|n| {
        if n == whole.len() {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::WriteZero, "only a part was written"))
        }
    });
    if written.is_err() {
        file.set_len(before)?;
    }
    written
}

/// Whether [`append`] would find a file that it can write, or a folder to create it in.
pub(super) fn check_append(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(not_a_file()),
        Ok(_) => OpenOptions::new().read(true).append(true).open(path).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => check_replace(path),
        Err(error) => Err(error),
    }
}

/// Whether [`replace`] could create a file there.
pub(super) fn check_replace(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(not_a_file());
    }
    tempfile::tempfile_in(parent(path)?).map(drop)
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::Error::other("it has no parent folder"))
}

fn not_a_file() -> io::Error {
    io::Error::other("it is not a regular file")
}

/// Puts a new file (0600) with `text` in the place of `path`.
pub(super) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".jobpass-").tempfile_in(parent(path)?)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn ends_with_newline(file: &mut File) -> io::Result<bool> {
    let mut last = [0u8; 1];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn appends_whole_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        append(&path, b"A=1\n").unwrap();
        assert_eq!(mode(&path), 0o600);
        append(&path, b"B=2").unwrap();
        append(&path, b"C=3\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"A=1\nB=2\nC=3\n");
        assert!(append(&dir.path().join("no/f"), b"x").is_err());
        // A pipe would keep what is written to it until someone reads.
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [dir.path(), Path::new("/dev/full"), &pipe] {
            let error = append(path, b"x").unwrap_err();
            assert!(error.to_string().contains("not a regular file"), "{}: {error}", path.display());
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn what_cannot_be_written_is_found_beforehand() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("there"), "A=1").unwrap();
        std::os::unix::fs::symlink("loop", path("loop")).unwrap();
        for (name, can_append, can_replace) in [
            ("there", true, true),
            ("new", true, true),
            ("", false, false),
            ("no/f", false, false),
            ("there/f", false, false),
            // A link that leads nowhere can be replaced, not followed.
            ("loop", false, true),
        ] {
            assert_eq!(check_append(&path(name)).is_ok(), can_append, "{name}");
            assert_eq!(check_replace(&path(name)).is_ok(), can_replace, "{name}");
        }
        // Nothing is written, nothing created.
        assert_eq!(std::fs::read(path("there")).unwrap(), b"A=1");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    /// Runs itself again where files cannot grow beyond 1 KiB.
    #[test]
    #[allow(clippy::disallowed_methods)]
    fn takes_a_partial_write_back() {
        if rustix::process::getrlimit(rustix::process::Resource::Fsize).current != Some(1024) {
            let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" --exact \"$1\"";
            let exe = std::env::current_exe().unwrap();
            let child = std::process::Command::new("bash")
                .args(["-c", script])
                .arg(exe)
                .arg("export::file::tests::takes_a_partial_write_back")
                .output()
                .unwrap();
            assert!(child.status.success(), "{child:?}");
            assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"), "{child:?}");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let before = [&[b'a'; 999][..], b"\n"].concat();
        append(&path, &before).unwrap();
        assert!(append(&path, &[b'x'; 500]).is_err());
        assert!(std::fs::read(&path).unwrap() == before, "a part was left");
    }

    #[test]
    fn replaces_a_file_and_a_link_but_nothing_it_points_to() {
        let dir = tempfile::tempdir().unwrap();
        let (path, target) = (dir.path().join("f"), dir.path().join("target"));
        append(&target, b"keep").unwrap();
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        replace(&path, b"A=1\n").unwrap();
        replace(&path, b"B=2\n").unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), mode(&path)), (b"B=2\n".to_vec(), 0o600));
        assert_eq!(std::fs::read(&target).unwrap(), b"keep");
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 2, "no temporary file is left");
        assert!(replace(dir.path(), b"x").is_err());
    }
}
