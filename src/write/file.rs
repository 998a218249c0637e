//! A file that is to be written.

use std::path::PathBuf;

/// One file to be.
pub struct FileToWrite {
    /// Relative to the folder; may have one subfolder (`NAME/key`).
    pub path: PathBuf,
    /// Content, wiped when dropped.
    pub content: zeroize::Zeroizing<Vec<u8>>,
    /// Octal; 0o600, or 0o700 for a copied binary.
    pub mode: u32,
}
