//! Which folder, or folders: the platform's own temp folder, never the checkout unless told so.

use std::path::{Path, PathBuf};

use crate::env::{Env, names};
use crate::issue::Output;
use crate::platform::Platform;
use crate::report::{Report, inside};
use crate::write::contents::{fits, manifest};
use crate::write::{FileToWrite, Pending, WriteError, wipe};

/// The base folder that was chosen.
#[derive(Debug, Clone)]
pub struct Place {
    base: PathBuf,
    cwd: PathBuf,
    new: bool,
    in_checkout: bool,
}

/// Folders under way: each is one rename away from being there.
pub struct Folders {
    base: PathBuf,
    pending: Vec<Pending>,
    members: Vec<Vec<(usize, PathBuf)>>,
    of: Vec<PathBuf>,
}

impl Place {
    /// `--dir`; else `jobpass[-NAME]` in the platform's temp folder; else a new folder in the user's runtime folder or `TMPDIR`, with a random name, as
    /// others can write there.
    pub fn choose(
        dir: Option<&Path>,
        name: Option<&str>,
        env: &Env,
        platform: Option<Platform>,
    ) -> Result<Self, WriteError> {
        let name = name.map_or_else(|| "jobpass".to_owned(), |n| format!("jobpass-{n}"));
        let temp_dir = platform.and_then(|p| p.temp_dir(env));
        let new = dir.is_none() && temp_dir.is_none();
        let base = match (dir, temp_dir) {
            (Some(dir), _) => env.absolute(dir),
            (None, Some(temp)) => temp.join(name),
            (None, None) => {
                let runtime = env.var(names::XDG_RUNTIME_DIR).map(PathBuf::from).filter(|d| d.is_dir());
                let temp = runtime.or_else(|| env.var(names::TMPDIR).map(PathBuf::from));
                temp.unwrap_or_else(|| PathBuf::from("/tmp")).join(format!("{name}-{}", random()?))
            }
        };
        let checkout = platform.and_then(|p| p.checkout(env));
        let in_checkout = checkout.is_some_and(|checkout| inside(&base, &checkout));
        Ok(Self { base, cwd: env.cwd.clone(), new, in_checkout })
    }

    /// The folder, absolute.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The folder for people; one with a random name goes by the folder it will be in.
    pub fn description(&self) -> String {
        match self.base.parent().filter(|_| self.new) {
            Some(parent) => format!("a new folder in `{}`", parent.display()),
            None => format!("`{}`", self.base.display()),
        }
    }

    /// Why the folder is a bad choice, though it can be written.
    pub fn warning(&self) -> Option<String> {
        self.in_checkout.then(|| {
            format!(
                "`{}` is inside the checkout, where credentials get committed, cached or baked into images: \
                 choose another `--dir`",
                self.base.display()
            )
        })
    }

    /// Makes sure, before anything is asked for, that the folders can be written. Outputs without a folder of their own share the base; several have a
    /// subfolder each.
    pub fn prepare(&self, outputs: &[Output]) -> Result<Folders, WriteError> {
        let mut folders =
            Folders { base: self.base.clone(), pending: Vec::new(), members: Vec::new(), of: Vec::new() };
        let shared = outputs.iter().filter(|o| o.dir.is_none()).count();
        for (index, output) in outputs.iter().enumerate() {
            let (dir, prefix) = match &output.dir {
                Some(dir) => (self.cwd.join(dir), PathBuf::new()),
                None if shared > 1 => (self.base.clone(), PathBuf::from(&output.name)),
                None => (self.base.clone(), PathBuf::new()),
            };
            fits(&dir)?;
            folders.of.push(below(&dir, &prefix));
            if let Some(known) = folders.pending.iter().position(|p| p.dir() == dir) {
                if let Some(members) = folders.members.get_mut(known) {
                    members.push((index, prefix));
                }
                continue;
            }
            folders.pending.push(Pending::prepare(&dir)?);
            folders.members.push(vec![(index, prefix)]);
        }
        if let Some(first) = folders.pending.first()
            && shared == 0
        {
            folders.base = first.dir().to_owned();
        }
        Ok(folders)
    }
}

impl Folders {
    /// The main folder.
    pub fn base(&self) -> PathBuf {
        self.base.clone()
    }

    /// The folder of an output.
    pub fn of(&self, index: usize) -> PathBuf {
        self.of.get(index).cloned().unwrap_or_else(|| self.base.clone())
    }

    /// Puts all in place, or nothing. `contents` makes a folder's files from its path and its outputs (by index, with their subfolders). All files are
    /// written before the first folder takes its place. Fills in the report's files; gives the folders.
    pub fn commit(
        &mut self,
        contents: impl Fn(&Path, &[(usize, PathBuf)]) -> Result<Vec<FileToWrite>, WriteError>,
        report: &mut Report,
    ) -> Result<Vec<PathBuf>, WriteError> {
        for (pending, members) in self.pending.iter().zip(&self.members) {
            let mut files = contents(pending.dir(), members)?;
            let mut names: Vec<PathBuf> = files.iter().map(|f| f.path.clone()).collect();
            names.push(PathBuf::from(crate::write::MANIFEST));
            names.sort();
            let manifest_of =
                Report { dir: pending.dir().to_owned(), files: names.clone(), ..report.clone() };
            files.push(manifest(&manifest_of.json()));
            pending.fill(&files)?;
            if pending.dir() == self.base {
                report.files = names;
            }
        }
        let mut done: Vec<PathBuf> = Vec::new();
        for pending in std::mem::take(&mut self.pending) {
            let dir = pending.dir().to_owned();
            if let Err(error) = pending.place() {
                for earlier in &done {
                    let _ = wipe(earlier);
                }
                return Err(error);
            }
            done.push(dir);
        }
        Ok(done)
    }
}

/// `join` would end the path of an empty prefix with a slash.
fn below(dir: &Path, prefix: &Path) -> PathBuf {
    if prefix.as_os_str().is_empty() { dir.to_owned() } else { dir.join(prefix) }
}

fn random() -> Result<String, WriteError> {
    let mut bytes = [0_u8; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| WriteError::Unfit {
        path: "jobpass-…".into(),
        reason: "the system gives no randomness".into(),
    })?;
    Ok(crate::span::hex(&bytes))
}
