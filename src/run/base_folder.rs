//! Which folder the credentials go to: the platform's own temp folder, never the checkout unless told so.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::env::{Env, names};
use crate::platform::Platform;
use crate::system::{TEMPORARY, user};
use crate::text::hex;
use crate::write::WriteError;
use crate::write::ownership::risk;

/// The folder of outputs that name none of their own.
#[derive(Debug, Clone)]
pub struct BaseFolder {
    path: PathBuf,
    is_random: bool,
    is_in_checkout: bool,
}

impl BaseFolder {
    /// That folder, which somebody chose with care.
    pub fn at(path: PathBuf) -> Self {
        Self { path, is_random: false, is_in_checkout: false }
    }

    /// `--dir`; else `jobpass[-NAME]` in the platform's temp folder, unless other users could swap it for one of theirs;
    /// else a new folder with a random name in the user's runtime folder, `TMPDIR` or `/tmp`.
    pub fn choose(
        dir: Option<&Path>,
        name: Option<&str>,
        env: &Env,
        platform: Option<Platform>,
    ) -> Result<Self, WriteError> {
        let name = name.map_or_else(|| "jobpass".to_owned(), |n| format!("jobpass-{n}"));
        let temp_dir = temp_dir_of(platform, env);
        let is_random = dir.is_none() && temp_dir.is_none();
        let path = match (dir, temp_dir) {
            (Some(dir), _) => env.absolute(dir),
            (None, Some(temp)) => temp.join(name),
            (None, None) => temporary(env)?.join(format!("{name}-{}", random()?)),
        };
        let checkout = platform.and_then(|p| p.checkout(env));
        let is_in_checkout = checkout.is_some_and(|checkout| path.starts_with(checkout));
        Ok(Self { path, is_random, is_in_checkout })
    }

    /// Absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder for people; one with a random name goes by the folder it will be in.
    pub fn description(&self) -> String {
        match self.path.parent().filter(|_| self.is_random) {
            Some(parent) => format!("a new folder in `{}`", parent.display()),
            None => format!("`{}`", self.path.display()),
        }
    }

    /// Why the folder is a bad choice, though it can be written: files in a checkout get committed, cached or baked
    /// into images.
    pub fn problem(&self) -> Option<String> {
        self.is_in_checkout.then(|| format!("`{}` is inside the checkout", self.path.display()))
    }
}

/// The platform's temp folder, unless other users could swap what is in it.
pub fn temp_dir_of(platform: Option<Platform>, env: &Env) -> Option<PathBuf> {
    platform.and_then(|p| p.temp_dir(env)).filter(|temp| {
        // In a job's container its owner is the runner's user, who has the job in his hands anyway.
        let runner = temp.metadata().map_or_else(|_| user(), |meta| meta.uid());
        risk(temp, &[user(), runner]).is_none()
    })
}

/// The first of the user's own temporary folders where nobody else can interfere.
pub fn temporary(env: &Env) -> Result<PathBuf, WriteError> {
    let runtime = env.var(names::XDG_RUNTIME_DIR).map(PathBuf::from).filter(|d| d.is_dir());
    let candidates = runtime.into_iter().chain(env.var(names::TMPDIR).map(PathBuf::from));
    let mut unsafe_one = None;
    for folder in candidates.chain([PathBuf::from(TEMPORARY)]) {
        match risk(&folder, &[user()]) {
            None => return Ok(folder),
            Some(reason) => {
                let path = folder.display().to_string();
                unsafe_one.get_or_insert(WriteError::Unsafe { path, reason });
            }
        }
    }
    Err(unsafe_one.unwrap_or_else(|| WriteError::Unfit {
        path: TEMPORARY.into(),
        reason: "there is no such folder".into(),
    }))
}

/// 16 hex digits for a name that nobody can guess.
pub fn random() -> Result<String, WriteError> {
    let mut bytes = [0_u8; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| WriteError::Unfit {
        path: "jobpass-…".into(),
        reason: "the system gives no random bytes".into(),
    })?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_that_others_could_swap_is_not_chosen() {
        let base = tempfile::tempdir().unwrap();
        let [temp, runtime] = ["temp", "runtime"].map(|name| base.path().join(name));
        let mode = |dir: &Path, mode| {
            std::fs::create_dir_all(dir).unwrap();
            std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let env = Env::new(
            [
                ("RUNNER_TEMP_PROJECT_DIR", temp.display().to_string()),
                (names::XDG_RUNTIME_DIR, runtime.display().to_string()),
            ],
            base.path(),
        );
        let choose = |dir| BaseFolder::choose(dir, None, &env, Some(Platform::GitLabCi)).unwrap().path;
        mode(&runtime, 0o700);
        for (temp_mode, wanted) in [(0o700, temp.join("jobpass")), (0o777, runtime.join("jobpass-"))] {
            mode(&temp, temp_mode);
            let chosen = choose(None).display().to_string();
            assert!(chosen.starts_with(&wanted.display().to_string()), "{temp_mode:o}: {chosen}");
        }
        mode(&runtime, 0o777);
        let fallback = choose(None);
        assert!(!fallback.starts_with(&runtime), "{}", fallback.display());
        assert_eq!(choose(Some(Path::new("temp/mine"))), temp.join("mine"), "who names a folder gets it");
    }
}
