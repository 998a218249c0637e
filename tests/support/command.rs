//! The built binary as a job would run it: an environment given in full, nothing inherited.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::schema;

/// What a run left.
#[derive(Debug)]
pub struct Ran {
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// No run shows an identity token or a private key, on any stream. What is JSON has the form it should.
    #[track_caller]
    pub fn of(output: &Output) -> Self {
        let ran = Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        let all = ran.all();
        let token = all
            .split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))
            .find(|word| word.contains("eyJ") && word.split('.').filter(|part| part.len() > 8).count() >= 3);
        assert!(token.is_none(), "an identity token is shown:\n{all}");
        schema::check_output(&ran.stdout);
        assert!(!all.contains("PRIVATE KEY--"), "a private key is shown:\n{all}");
        ran
    }

    /// Everything a person or a log could see.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.all());
        self
    }
}

pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_jobpass"))
}

/// `jobpass` with these arguments and variables, in that folder.
pub fn jobpass<'a>(
    cwd: &Path,
    arguments: &[&str],
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Command {
    let mut command = Command::new(binary());
    // What the machine that runs the tests is must not show.
    command.args(arguments).env_clear().env("JOBPASS_ROOT", "/nonexistent").envs(variables);
    command.current_dir(cwd).stdin(Stdio::null());
    command
}

/// Runs a program to its end with nothing inherited but a path.
#[track_caller]
pub fn run(program: &str, arguments: &[&str]) -> Ran {
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    Ran::of(&output)
}

/// Writes a private file.
pub fn put(path: &Path, content: impl AsRef<[u8]>) {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(content.as_ref()).unwrap();
}

/// Puts an executable script of that name into a folder.
pub fn program(folder: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(name);
    put(&path, script);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
}
