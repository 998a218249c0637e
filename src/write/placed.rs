//! A folder that is in place, and the earlier one that made room for it.

use std::fs::File;
use std::path::PathBuf;

use tempfile::TempDir;

use super::wipe::wipe;

/// A folder in its final place. Dropping it makes the change final.
#[derive(Debug)]
pub struct Placed {
    pub(super) dir: PathBuf,
    pub(super) earlier: Option<Earlier>,
}

/// The folder that was there before.
#[derive(Debug)]
pub(super) struct Earlier {
    pub(super) aside: TempDir,
    pub(super) _lock: File,
}

/// The name of the earlier folder while it is aside.
pub(super) const EARLIER: &str = "old";

impl Placed {
    /// The folder, absolute.
    pub fn dir(&self) -> &std::path::Path {
        &self.dir
    }

    /// Removes the folder, and brings the earlier one back. Best effort: the failure that led here is the one to
    /// report.
    pub fn take_back(self) {
        let _ = wipe(&self.dir);
        if let Some(earlier) = self.earlier
            && std::fs::rename(earlier.aside.path().join(EARLIER), &self.dir).is_err()
        {
            // Better found under another name than lost.
            let _ = earlier.aside.keep();
        }
    }
}
