//! A private folder for what is no credential, such as the sockets of tunnels: gone with its value, and if the run is killed, with the next
//! one that makes such a folder there.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

use crate::write::stale;

/// A folder that is in use.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    /// As long as it is locked, nobody else removes it.
    _lock: File,
}

impl Scratch {
    /// Creates one in `parent`, 0700, with a name that begins with `prefix`. Those of this user that killed runs left there go first.
    pub fn create(parent: &Path, prefix: &str) -> std::io::Result<Self> {
        stale::sweep_beside(parent, prefix);
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix(prefix).permissions(private).tempdir_in(parent)?;
        let lock = stale::lock(folder.path())?;
        Ok(Self { folder, _lock: lock })
    }

    /// Absolute, if `parent` was.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    /// As if nothing had been put into it for ten minutes.
    fn age(folder: &Path) {
        let opened = File::open(folder).unwrap();
        let then = opened.metadata().unwrap().modified().unwrap() - Duration::from_secs(600);
        opened.set_modified(then).unwrap();
    }

    #[test]
    fn what_a_killed_run_left_goes_with_the_next_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let folder = base.path().join(name);
            std::fs::create_dir_all(folder.join("sub")).unwrap();
            folder
        };
        let used = Scratch::create(base.path(), "of-tunnels-").unwrap();
        let [old, new, other] = ["of-tunnels-old", "of-tunnels-new", "of-others-old"].map(make);
        for folder in [used.path(), &old, &other] {
            age(folder);
        }
        let next = Scratch::create(base.path(), "of-tunnels-").unwrap();
        let is_there = |folders: &[&PathBuf]| folders.iter().map(|f| f.exists()).collect::<Vec<_>>();
        // The new one may be about to be locked.
        assert_eq!(is_there(&[&old, &new, &other]), [false, true, true]);
        assert!(used.path().exists());
        assert_eq!(next.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let paths = [&used, &next].map(|scratch| scratch.path().to_owned());
        drop((used, next));
        assert!(paths.iter().all(|path| !path.exists()));
    }
}
