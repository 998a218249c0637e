//! Programs of a platform's that take variables and pages: Bitrise's and Buildkite's.

use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::error::{ExportError, refused};
use super::name::is_posix;
use crate::env::Env;
use crate::platform::Program;
use crate::text::{io_reason, safe};

/// How long one run of it is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(5);

/// A program that is there.
#[derive(Debug)]
pub(super) struct Tool {
    program: Program,
    path: PathBuf,
}

/// The program, if it is in `PATH`, and the socket by which it talks to the job, if it needs one, is there.
pub(super) fn tool(env: &Env, program: Program, socket: Option<&str>) -> Option<Tool> {
    let has_socket = |name: &str| env.var(name).is_some_and(|path| env.absolute(path.as_ref()).exists());
    let path = env.program(program.name()).filter(|_| socket.is_none_or(has_socket))?;
    Some(Tool { program, path })
}

impl Tool {
    pub(super) fn name(&self) -> &'static str {
        self.program.name()
    }

    /// Gives later steps the variables. They are paths and names: the program's arguments may be seen by others.
    pub(super) fn hand_over(&self, env: &Env, variables: &[(String, String)]) -> Result<(), ExportError> {
        for (name, value) in variables {
            if !is_posix(name) {
                return Err(refused(name, self.name(), "it is not a valid variable name"));
            }
            if value.contains('\0') {
                return Err(refused(name, self.name(), "it contains a NUL byte"));
            }
        }
        match self.program {
            // `--no-expand`: it would replace `$NAME` in the value (bitrise-io/envman `cli/flags.go`).
            Program::Envman => variables.iter().try_for_each(|(name, value)| {
                self.run(env, &["add", "--key", name, "--no-expand", "--value", value], "")
            }),
            // One line of JSON (buildkite/agent `clicommand/env_set.go`).
            Program::BuildkiteAgent => {
                let all: Map<String, Value> =
                    variables.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
                let words = ["env", "set", "--input-format=json", "--output-format=quiet", "-"];
                self.run(env, &words, &Value::Object(all).to_string())
            }
        }
    }

    /// Runs it to its end with `input`.
    pub(super) fn run(&self, env: &Env, arguments: &[&str], input: &str) -> Result<(), ExportError> {
        ended(env, &self.path, arguments, input)
            .map_err(|reason| ExportError::Program { program: self.name(), reason })
    }
}

fn ended(env: &Env, path: &Path, arguments: &[&str], input: &str) -> Result<(), String> {
    let reason = |error: std::io::Error| format!("it cannot be run: {}", io_reason(&error));
    let mut said = tempfile::tempfile().map_err(reason)?;
    let mut child = Command::new(path)
        .args(arguments)
        .env_clear()
        .envs(env.iter())
        .current_dir(&env.cwd)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(said.try_clone().map_err(reason)?)
        .spawn()
        .map_err(reason)?;
    if let Some(mut pipe) = child.stdin.take() {
        let input = input.to_owned();
        // On a thread of its own: it may read late, or not at all.
        std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    }
    let end = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().map_err(reason)? {
            Some(status) => break status,
            None if Instant::now() < end => std::thread::sleep(PAUSE),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it took longer than {} s", PATIENCE.as_secs()));
            }
        }
    };
    if status.success() {
        return Ok(());
    }
    let mut words = Vec::new();
    let _ = said.rewind().and_then(|()| said.take(4096).read_to_end(&mut words));
    let words = String::from_utf8_lossy(&words);
    let last = words.lines().rev().map(|line| safe(line, 200)).find(|line| !line.is_empty());
    Err(format!("it ended with {status}{}", last.map(|l| format!(", saying `{l}`")).unwrap_or_default()))
}
