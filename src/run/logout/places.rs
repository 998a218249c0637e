//! Where the logins of this job are.

use std::path::{Path, PathBuf};

use crate::cli;
use crate::env::{Env, names};
use crate::export::{Current, Sink};
use crate::output::suffixed;
use crate::platform::Platform;
use crate::run::base_folder::BaseFolder;
use crate::run::written::Written;

/// A folder to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Absolute, without `.` and a slash at its end, so that no link is followed by accident.
    pub path: PathBuf,
    /// Who names it.
    pub named_by: NamedBy,
}

/// Who names a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedBy {
    /// The command line.
    Argument,
    /// This variable.
    Variable(String),
    /// Nobody: it is where login writes by default.
    Nobody,
}

/// The folders that logins of this job may have written. Another job of the same user may run on the same machine: so nothing is
/// searched but the job's own temp folder, and the environment.
pub fn places(args: &cli::Logout, env: &Env, platform: Option<Platform>) -> Vec<Place> {
    let place =
        |path: &Path, named_by: NamedBy| Place { path: env.absolute(path).components().collect(), named_by };
    if let Some(dir) = &args.dir {
        return vec![place(dir, NamedBy::Argument)];
    }
    let current = Current::read(env, platform, &args.export_read());
    let variable = |name: &str, value: &str| place(value.as_ref(), NamedBy::Variable(name.to_owned()));
    let mut places = Vec::new();
    if args.all {
        let named = current.beginning_with(names::JOBPASS_DIR);
        let is_ours = |name: &str| name == names::JOBPASS_DIR || name.starts_with("JOBPASS_DIR_");
        places.extend(named.into_iter().filter(|(name, _)| is_ours(name)).map(|(n, v)| variable(n, v)));
    } else {
        let name = suffixed(names::JOBPASS_DIR, args.name.as_deref());
        places.extend(current.value(&name).map(|value| variable(&name, value)));
    }
    // For all logins of a job whose configuration sets it.
    if let Some(dir) = env.var(OUTPUT_DIR) {
        places.push(variable(OUTPUT_DIR, dir));
    }
    let fixed = |name: Option<&str>| BaseFolder::fixed(name, env, platform);
    if args.all {
        places.extend(
            fixed(None).iter().flat_map(|plain| siblings(plain)).map(|dir| place(&dir, NamedBy::Nobody)),
        );
    } else {
        places.extend(fixed(args.name.as_deref()).map(|dir| place(&dir, NamedBy::Nobody)));
    }
    places
}

/// The variable for `login --dir`.
const OUTPUT_DIR: &str = "JOBPASS_OUTPUT_DIR";

/// `jobpass` and `jobpass-NAME` beside it, sorted.
fn siblings(plain: &Path) -> Vec<PathBuf> {
    let entries = plain.parent().into_iter().flat_map(|temp| std::fs::read_dir(temp).into_iter().flatten());
    let is_named = |name: &str| name == "jobpass" || name.starts_with("jobpass-");
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_named))
        .map(|entry| entry.path())
        .filter(|path| Written::find(path).is_some())
        .collect();
    found.sort();
    found
}

impl cli::Logout {
    /// The place that is read for variables: a shell's are in the environment.
    fn export_read(&self) -> Sink {
        if self.export.shell().is_some() { Sink::Auto } else { self.export.clone() }
    }
}
