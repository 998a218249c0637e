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
        for folder in outputs.iter().map(|o| &o.destination.folder) {
            check_folder(folder)?;
            if folders.iter().all(|known| known.dir() != folder) {
                folders.push(Pending::prepare(folder)?);
            }
        }
        Ok(Self(folders))
    }

    /// Writes the files of each folder, then puts all folders in place, or none.
    pub fn commit(self, files: &BTreeMap<PathBuf, Vec<FileToWrite>>) -> Result<Vec<Placed>, WriteError> {
        for folder in &self.0 {
            let nothing = || WriteError::Unfit {
                path: folder.dir().display().to_string(),
                reason: "there is nothing to write to it".to_owned(),
            };
            folder.fill(files.get(folder.dir()).ok_or_else(nothing)?)?;
        }
        let mut done: Vec<Placed> = Vec::new();
        for folder in self.0 {
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
