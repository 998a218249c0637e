//! The folder of one command: private, in memory where possible, and gone with the command.

use std::fs::{DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::env::{Env, names};
use crate::platform::Platform;
use crate::run::base_folder::{random, temp_dir_of, temporary};
use crate::system::{is_in_memory, memory_folder, user};
use crate::write::ownership::risk;
use crate::write::{WriteError, stale};

/// Of its name.
const PREFIX: &str = "jobpass-exec-";
/// What is in it: the folder that the outputs share.
const CREDENTIALS: &str = "credentials";

/// Where a folder may be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder to be, absolute; nobody has one of that name.
    pub path: PathBuf,
    /// Whether it is on a file system that has no disk below it.
    pub in_memory: bool,
}

/// The places to try, the best first: the user's runtime folder and `/dev/shm` if they are in memory, then where `login` would
/// write. Those where other users could interfere are left out.
pub fn places(name: Option<&str>, env: &Env, platform: Option<Platform>) -> Result<Vec<Place>, WriteError> {
    let name = name.map_or_else(|| PREFIX.to_owned(), |name| format!("{PREFIX}{name}-")) + &random()?;
    let runtime = env.var(names::XDG_RUNTIME_DIR).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let shared = memory_folder().filter(|folder| {
        let of_machine = folder.strip_prefix("/").ok().and_then(|path| env.machine_file(path));
        of_machine.is_some_and(|path| path == *folder)
    });
    let shared = shared.map(Path::to_owned);
    let in_memory =
        runtime.into_iter().chain(shared).filter(|folder| folder.is_dir() && is_in_memory(folder));
    let safe = in_memory.filter(|folder| risk(folder, &[user()]).is_none());
    let mut places: Vec<Place> =
        safe.map(|folder| Place { path: folder.join(&name), in_memory: true }).collect();
    let usual = match temp_dir_of(platform, env) {
        Some(folder) => Ok(folder),
        None => temporary(env),
    };
    match usual {
        Ok(folder) => places.push(Place { in_memory: is_in_memory(&folder), path: folder.join(name) }),
        Err(error) if places.is_empty() => return Err(error),
        Err(_) => {}
    }
    Ok(places)
}

/// A folder that is removed with all that is in it when the value goes.
#[derive(Debug)]
pub struct PrivateFolder {
    place: Place,
    _lock: File,
}

impl PrivateFolder {
    /// Creates it, empty, 0700.
    pub fn create(place: &Place) -> Result<Self, WriteError> {
        let failed =
            |source| WriteError::Io { action: "create", path: place.path.display().to_string(), source };
        if let Some(parent) = place.path.parent() {
            stale::sweep_beside(parent, PREFIX);
        }
        DirBuilder::new().mode(0o700).create(&place.path).map_err(failed)?;
        // While it is locked it is in use.
        let lock = stale::lock(&place.path).map_err(failed)?;
        Ok(Self { place: place.clone(), _lock: lock })
    }

    /// Absolute.
    pub fn path(&self) -> &Path {
        &self.place.path
    }

    /// For the outputs that name no folder, absolute; not there yet.
    pub fn credentials(&self) -> PathBuf {
        self.place.path.join(CREDENTIALS)
    }

    /// For `-v`.
    pub fn description(&self) -> String {
        let path = self.place.path.display();
        let kind =
            if self.place.in_memory { "in memory" } else { "on disk: there is no memory file system here" };
        format!("private folder `{path}`, {kind}")
    }

    /// Removes it.
    pub fn wipe(self) -> Result<(), WriteError> {
        remove(&self.place.path)
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        let _ = remove(&self.place.path);
    }
}

/// How often a folder is removed in which somebody else still writes.
const TRIES: u32 = 10;

/// Removes a folder of that kind with all that is in it; one that is gone is no error. Links are not followed.
pub fn remove(path: &Path) -> Result<(), WriteError> {
    let mut result = Ok(());
    for _ in 0..TRIES {
        result = match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        };
        match &result {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            _ => break,
        }
    }
    result.map_err(|source| WriteError::Io { action: "remove", path: path.display().to_string(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn env(runtime: &Path, temp: &Path) -> Env {
        let variables =
            [(names::XDG_RUNTIME_DIR, runtime), (names::TMPDIR, temp)].map(|(n, p)| (n, p.to_str().unwrap()));
        Env::new(variables, "/")
    }

    fn parents(env: &Env) -> Vec<(String, bool)> {
        let places = places(None, env, None).unwrap();
        places.iter().map(|p| (p.path.parent().unwrap().display().to_string(), p.in_memory)).collect()
    }

    #[test]
    fn memory_comes_first() {
        let memory = tempfile::tempdir_in("/dev/shm").unwrap();
        let disk = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let shown = |path: &Path| path.display().to_string();
        let (of_memory, of_disk) = ((shown(memory.path()), true), (shown(disk.path()), false));
        let env = |runtime: &Path| env(runtime, disk.path());
        assert_eq!(parents(&env(memory.path()))[0], of_memory);
        // A runtime folder on a disk is no better than the usual one, which login would take as well.
        assert_eq!(parents(&env(disk.path())), std::slice::from_ref(&of_disk));
        let on_machine = env(disk.path()).on_machine("/");
        assert_eq!(parents(&on_machine), [("/dev/shm".to_owned(), true), of_disk]);
        // Nor is one that others could tamper with, or that is not there.
        std::fs::set_permissions(memory.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        for unfit in [memory.path(), Path::new("/dev/shm/not-there"), Path::new("/proc")] {
            let places = parents(&env(unfit));
            assert_eq!(places.len(), 1, "{unfit:?}: {places:?}");
            assert!(!places[0].1, "{places:?}");
        }
    }

    #[allow(clippy::disallowed_methods)]
    #[test]
    fn what_cannot_be_removed_is_an_error() {
        let base = tempfile::tempdir().unwrap();
        let place = Place { path: base.path().join("jobpass-exec-x"), in_memory: false };
        let folder = PrivateFolder::create(&place).unwrap();
        std::fs::remove_dir(&place.path).unwrap();
        drop(File::create(&place.path).unwrap());
        assert!(matches!(folder.wipe(), Err(WriteError::Io { action: "remove", .. })));
        assert!(place.path.exists(), "it is not ours");
    }

    #[test]
    fn it_goes_with_all_that_is_in_it_and_follows_no_link() {
        let base = tempfile::tempdir().unwrap();
        let place = Place { path: base.path().join("jobpass-exec-x"), in_memory: false };
        let other = base.path().join("other");
        std::fs::create_dir(&other).unwrap();
        for by_hand in [true, false] {
            let folder = PrivateFolder::create(&place).unwrap();
            assert_eq!(folder.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
            assert!(PrivateFolder::create(&place).is_err(), "there is one already");
            std::fs::create_dir_all(folder.credentials().join("sub/sub")).unwrap();
            std::os::unix::fs::symlink(&other, folder.path().join("link")).unwrap();
            if by_hand {
                folder.wipe().unwrap();
            } else {
                drop(folder);
            }
            assert!(!place.path.exists() && other.exists());
        }
        remove(&place.path).unwrap();
    }
}
