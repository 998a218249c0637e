//! A new private folder, whole or not at all.

pub mod contents;
mod error;
mod file;
pub mod folders;
pub mod manifest;
pub mod ownership;
pub mod pending;
pub mod placed;
pub mod stale;
pub mod wipe;

pub use error::WriteError;
pub use file::FileToWrite;
pub use folders::Folders;
pub use manifest::MANIFEST;
pub use pending::Pending;
pub use placed::Placed;
pub use stale::sweep_leftovers;
pub use wipe::wipe;

use error::io;

/// Mode of folders.
const FOLDER_MODE: u32 = 0o700;

#[cfg(test)]
mod tests;
