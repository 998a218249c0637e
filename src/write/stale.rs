//! What runs that were killed left beside the folders they were about to write.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Of folders under way.
pub(super) const PARTIAL: &str = ".jobpass-partial-";
/// Of earlier folders that step aside.
pub(super) const ASIDE: &str = ".jobpass-old-";

/// Marks a folder as in use as long as the file is open, also when the process is killed.
pub fn lock(dir: &Path) -> std::io::Result<File> {
    let file = File::open(dir)?;
    file.try_lock().map_err(std::io::Error::from)?;
    Ok(file)
}

/// A folder that is not older than this may be just about to be locked.
const GRACE: Duration = Duration::from_secs(60);

/// Removes this user's folders in `parent` that no run uses any more. Best effort: they are nobody's error. `now` is the
/// file system's clock.
pub(super) fn sweep(parent: &Path, user: u32, now: SystemTime) {
    sweep_named(parent, &[PARTIAL, ASIDE], user, now);
}

/// The same for folders of another name, where `parent` can be written.
pub fn sweep_beside(parent: &Path, prefix: &str) {
    let now = tempfile::tempfile_in(parent).and_then(|file| file.metadata()?.modified());
    if let Ok(now) = now {
        sweep_named(parent, &[prefix], crate::system::user(), now);
    }
}

fn sweep_named(parent: &Path, prefixes: &[&str], user: u32, now: SystemTime) {
    let is_old =
        |meta: &Metadata| meta.modified().is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > GRACE));
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = prefixes.iter().any(|prefix| name.starts_with(prefix))
            // Follows no link.
            && entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == user && is_old(&meta));
        if is_ours && let Ok(_lock) = lock(&entry.path()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
