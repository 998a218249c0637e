//! The snapshot of the process's surroundings, taken once by `main`, and every variable name we know.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// Names of environment variables, with the page that documents each.
pub mod names {
    /// `true` on GitHub Actions (docs.github.com, "Variables reference"); imitated by Gitea, Forgejo and `act`.
    pub const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";
    /// Set by Gitea Actions, which imitates GitHub's variables.
    pub const GITEA_ACTIONS: &str = "GITEA_ACTIONS";
    /// Set by Forgejo Actions, which imitates GitHub's variables.
    pub const FORGEJO_ACTIONS: &str = "FORGEJO_ACTIONS";
    /// `true` under nektos/act, which runs GitHub workflows on a laptop.
    pub const ACT: &str = "ACT";
    /// Where a GitHub job asks for its identity token; already carries a query.
    pub const ACTIONS_ID_TOKEN_REQUEST_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
    /// The bearer for that request. A secret.
    pub const ACTIONS_ID_TOKEN_REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
    /// `true` on GitLab CI (docs.gitlab.com, "Predefined CI/CD variables").
    pub const GITLAB_CI: &str = "GITLAB_CI";
    /// The name Teleport's own client uses for GitLab's identity token.
    pub const TBOT_GITLAB_JWT: &str = "TBOT_GITLAB_JWT";
    /// `true` on CircleCI (circleci.com/docs/variables).
    pub const CIRCLECI: &str = "CIRCLECI";
    /// CircleCI's identity token; audience is the organisation's UUID.
    pub const CIRCLE_OIDC_TOKEN: &str = "CIRCLE_OIDC_TOKEN";
    /// The same with a longer `sub`.
    pub const CIRCLE_OIDC_TOKEN_V2: &str = "CIRCLE_OIDC_TOKEN_V2";
    /// Spacelift's identity token (paid accounts).
    pub const SPACELIFT_OIDC_TOKEN: &str = "SPACELIFT_OIDC_TOKEN";
    /// Present in every Spacelift run.
    pub const SPACELIFT_RUN_ID: &str = "TF_VAR_spacelift_run_id";
    /// Spacelift's workspace, `/mnt/workspace`; holds `spacelift.oidc`.
    pub const SPACELIFT_WORKSPACE_ROOT: &str = "TF_VAR_spacelift_workspace_root";
    /// The proxy's address, as `tsh`, `tbot` and Teleport's GitHub actions have it.
    pub const TELEPORT_PROXY: &str = "TELEPORT_PROXY";
    /// The folder `login` wrote, as it tells later steps.
    pub const JOBPASS_DIR: &str = "JOBPASS_DIR";
    /// Name of the join token.
    pub const JOBPASS_TOKEN: &str = "JOBPASS_TOKEN";
    /// Name of the join token, as `tbot` has it.
    pub const TELEPORT_BOT_TOKEN: &str = "TELEPORT_BOT_TOKEN";
    /// Set by nearly every CI system; proves nothing but that this is no laptop.
    pub const CI: &str = "CI";
    /// The user's private runtime folder (XDG Base Directory Specification).
    pub const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
    /// Where programs are, separated by colons (POSIX).
    pub const PATH: &str = "PATH";
    /// Where temporary files go (POSIX).
    pub const TMPDIR: &str = "TMPDIR";
    /// PEM bundle that replaces the system's roots (OpenSSL's convention).
    pub const SSL_CERT_FILE: &str = "SSL_CERT_FILE";
    /// Folder(s) of PEM files that replace the system's roots.
    pub const SSL_CERT_DIR: &str = "SSL_CERT_DIR";
}

/// The largest text file we read on someone's behalf (tokens, bundles, rules): 1 MiB.
pub const MAX_FILE: u64 = 1024 * 1024;

/// What the process was given: variables, folders. Cheap to build in a test, never global.
#[derive(Clone)]
pub struct Env {
    vars: BTreeMap<String, String>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The absolute path of the running binary.
    pub exe: PathBuf,
}

impl Env {
    /// Reads the process's environment. Variables that are not UTF-8 are left out.
    #[allow(clippy::disallowed_methods)]
    pub fn snapshot() -> Self {
        let vars = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        Self {
            vars,
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            exe: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("jobpass")),
        }
    }

    /// An environment of just these variables, in this folder.
    pub fn of<K: Into<String>, V: Into<String>>(
        vars: impl IntoIterator<Item = (K, V)>,
        cwd: impl Into<PathBuf>,
    ) -> Self {
        let vars = vars.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        Self { vars, cwd: cwd.into(), exe: PathBuf::from("jobpass") }
    }

    /// The value of a variable; one that is set but empty counts as unset.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// Whether the variable exists at all, even empty.
    pub fn is_set(&self, name: &str) -> bool {
        self.vars.contains_key(name)
    }

    /// Whether the variable's value is exactly `wanted`.
    pub fn is(&self, name: &str, wanted: &str) -> bool {
        self.var(name) == Some(wanted)
    }

    /// All variables, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The same surroundings with one variable more (or replaced).
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.vars.insert(name.into(), value.into());
        self
    }

    /// `path` seen from the working directory.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.cwd.join(path)
    }
}

impl std::fmt::Debug for Env {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env").field("vars", &self.vars.keys()).field("cwd", &self.cwd).finish_non_exhaustive()
    }
}

/// Reads a text file of at most `MAX_FILE` bytes.
pub fn read_text(path: &Path) -> std::io::Result<String> {
    bounded(std::fs::File::open(path)?)
}

/// Reads standard input to its end, at most `MAX_FILE` bytes.
pub fn read_input() -> std::io::Result<String> {
    bounded(std::io::stdin().lock())
}

fn bounded(reader: impl std::io::Read) -> std::io::Result<String> {
    let mut text = String::new();
    let read = reader.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_FILE {
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, "larger than 1 MiB"));
    }
    Ok(text)
}

/// The time now, to the second's fraction the system has.
#[allow(clippy::disallowed_methods)]
pub fn now() -> Timestamp {
    Timestamp::now()
}
