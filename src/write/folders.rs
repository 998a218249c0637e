//! The folders of a run: all are there, or none.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::contents::ssh::check_folder;
use super::{FileToWrite, Pending, Placed, WriteError};
use crate::output::Output;

/// Folders that are one rename away from being there.
pub struct Folders(Vec<Pending>);

impl Folders {
    /// Makes sure, before anything is asked of Teleport, that the folders of all outputs can be written.
    pub fn prepare(outputs: &[Output]) -> Result<Self, WriteError> {
        let mut folders: Vec<Pending> = Vec::new();
        let written = outputs.iter().filter(|o| !o.destination.is_in_memory());
        for folder in written.map(|o| &o.destination.folder) {
            check_folder(folder)?;
            if folders.iter().all(|known| known.dir() != folder) {
                folders.push(Pending::prepare(folder)?);
            }
        }
        Ok(Self(folders))
    }

    /// Writes the files of each folder, then puts all folders in place, or none. A folder for which there are no files is left as it was.
    pub fn commit(self, files: &BTreeMap<PathBuf, Vec<FileToWrite>>) -> Result<Vec<Placed>, WriteError> {
        let mut filled = Vec::new();
        for folder in self.0 {
            if let Some(files) = files.get(folder.dir()) {
                folder.fill(files)?;
                filled.push(folder);
            }
        }
        let mut done: Vec<Placed> = Vec::new();
        for folder in filled {
            match folder.put_in_place() {
                Ok(placed) => done.push(placed),
                Err(error) => {
                    done.into_iter().for_each(Placed::take_back);
                    return Err(error);
                }
            }
        }
        Ok(done)
    }
}
