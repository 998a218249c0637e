//! Which folder the credentials go to: the platform's own temp folder, never the checkout unless told so.

use std::path::{Path, PathBuf};

use crate::env::{Env, names};
use crate::platform::Platform;
use crate::text::hex;
use crate::write::WriteError;

/// The folder of outputs that name none of their own.
#[derive(Debug, Clone)]
pub struct BaseFolder {
    path: PathBuf,
    is_random: bool,
    is_in_checkout: bool,
}

impl BaseFolder {
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
        let is_random = dir.is_none() && temp_dir.is_none();
        let path = match (dir, temp_dir) {
            (Some(dir), _) => env.absolute(dir),
            (None, Some(temp)) => temp.join(name),
            (None, None) => {
                let runtime = env.var(names::XDG_RUNTIME_DIR).map(PathBuf::from).filter(|d| d.is_dir());
                let temp = runtime.or_else(|| env.var(names::TMPDIR).map(PathBuf::from));
                temp.unwrap_or_else(|| PathBuf::from("/tmp")).join(format!("{name}-{}", random()?))
            }
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

fn random() -> Result<String, WriteError> {
    let mut bytes = [0_u8; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| WriteError::Unfit {
        path: "jobpass-…".into(),
        reason: "the system gives no random bytes".into(),
    })?;
    Ok(hex(&bytes))
}
