//! The environment of the process, read once by `main`: variables and folders.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// Names of the environment variables that no platform owns. Those of a platform are in its own file.
pub mod names {
    /// The proxy's address, as `tsh`, `tbot` and Teleport's GitHub actions have it.
    pub const TELEPORT_PROXY: &str = "TELEPORT_PROXY";
    /// The folder that `login` wrote, as later steps get it.
    pub const JOBPASS_DIR: &str = "JOBPASS_DIR";
    /// Name of the join token.
    pub const JOBPASS_TOKEN: &str = "JOBPASS_TOKEN";
    /// The access request that `login --request-nowait` filed, as later steps get it.
    pub const JOBPASS_REQUEST_ID: &str = "JOBPASS_REQUEST_ID";
    /// The join method, in place of `--join-method`.
    pub const JOBPASS_JOIN_METHOD: &str = "JOBPASS_JOIN_METHOD";
    /// The file with what `jobpass sandbox approve` must show.
    pub const JOBPASS_SANDBOX_CONTROL: &str = "JOBPASS_SANDBOX_CONTROL";
    /// The audience to ask the platform for.
    pub const JOBPASS_AUDIENCE: &str = "JOBPASS_AUDIENCE";
    /// Name of the join token, as `tbot` has it.
    pub const TELEPORT_BOT_TOKEN: &str = "TELEPORT_BOT_TOKEN";
    /// The path of a tbot.yaml, as `tbot` has it.
    pub const TBOT_CONFIG_PATH: &str = "TBOT_CONFIG_PATH";
    /// A tbot.yaml itself, in base64 (gravitational/teleport pull request 52305).
    pub const TBOT_CONFIG: &str = "TBOT_CONFIG";
    /// Set by nearly every CI system; proves only that this is not a laptop.
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
    /// The folder below which the files are that the machine itself has (`sys/class/dmi/id/…`, a pod's token); `/` if it
    /// is not set.
    pub const JOBPASS_ROOT: &str = "JOBPASS_ROOT";
}

/// The largest text file we read on someone's behalf (tokens, bundles, rules): 1 MiB.
pub const MAX_FILE: u64 = 1024 * 1024;

/// Variables and folders. Cheap to build in a test, never global.
#[derive(Clone)]
pub struct Env {
    vars: BTreeMap<String, String>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The absolute path of the running binary.
    pub exe: PathBuf,
    /// The folder below which the machine's own files are looked for; `None`: they are not looked for.
    pub root: Option<PathBuf>,
    /// The user's private folder for as long as the user is logged in, where the system has one.
    pub runtime_dir: Option<PathBuf>,
    /// The width of lines for people: that of the terminal at standard error, 100 at most and where there is none.
    pub columns: usize,
}

/// The widest line for people.
const COLUMNS: usize = 100;

impl Env {
    /// Reads the process's environment. Variables that are not UTF-8 are left out.
    #[allow(clippy::disallowed_methods)]
    pub fn snapshot() -> Self {
        let vars =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let mut env = Self::new(vars, cwd);
        env.exe = std::env::current_exe().unwrap_or(env.exe);
        env.root = Some(PathBuf::from(env.var(names::JOBPASS_ROOT).unwrap_or("/")));
        // There is no `BaseDirs` for a user without a home; the variable itself still counts.
        if let Some(folders) = directories::BaseDirs::new() {
            env.runtime_dir = folders.runtime_dir().map(Path::to_owned);
        }
        if let Some((width, _)) = terminal_size::terminal_size_of(std::io::stderr()) {
            env.columns = usize::from(width.0).clamp(20, COLUMNS);
        }
        env
    }

    /// An environment of just these variables, in this folder.
    pub fn new<K: Into<String>, V: Into<String>>(
        vars: impl IntoIterator<Item = (K, V)>,
        cwd: impl Into<PathBuf>,
    ) -> Self {
        let vars: BTreeMap<String, String> = vars.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        let runtime_dir = vars.get(names::XDG_RUNTIME_DIR).map(PathBuf::from).filter(|d| d.is_absolute());
        Self {
            vars,
            cwd: cwd.into(),
            exe: PathBuf::from("jobpass"),
            root: None,
            runtime_dir,
            columns: COLUMNS,
        }
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

    /// The same environment with one more variable (or another value of it).
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.vars.insert(name.into(), value.into());
        self
    }

    /// The first program of that name in the folders of `PATH`.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        use std::os::unix::fs::PermissionsExt as _;
        let runs = |path: &PathBuf| {
            path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
        };
        let folders = self.var(names::PATH)?.split(':').filter(|folder| !folder.is_empty());
        folders.map(|folder| self.absolute(Path::new(folder)).join(name)).find(runs)
    }

    /// The same environment on a machine whose own files are below `root`.
    #[must_use]
    pub fn on_machine(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// A file of the machine's own; `path` is relative to its root.
    pub fn machine_file(&self, path: impl AsRef<Path>) -> Option<PathBuf> {
        Some(self.root.as_ref()?.join(path))
    }

    /// Whether a variable says that this is a CI job, without saying of which system.
    pub fn says_ci(&self) -> bool {
        self.var(names::CI).is_some_and(|value| value != "false" && value != "0")
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

/// The system's clock.
#[allow(clippy::disallowed_methods)]
pub fn now() -> Timestamp {
    Timestamp::now()
}
