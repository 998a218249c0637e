//! Variables, outputs and summaries for later steps, in the way each platform has.
//!
//! All names and values are checked and formatted before the first byte is written. Only paths and names are handed
//! on, never a key or a token, so there is nothing for a log to mask.

use std::io;
use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::platform::{Channel, Platform};

pub mod blank;
mod commands;
mod current;
mod error;
mod file;
mod heredoc;
mod lines;
mod name;
mod shell;

pub use blank::{Blanked, blank};
pub use current::Current;
pub use error::ExportError;

/// The flag that names a file of the user's.
const ENV_FILE: &str = "`--export env-file`";

/// `--export`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sink {
    /// The detected platform's own; nothing where there is none.
    #[default]
    Auto,
    /// That platform's.
    Platform(Platform),
    /// `export K=V` lines on standard output, for `eval`.
    Shell,
    /// `K=V` lines in a file of the user's, created or replaced as a whole (0600).
    EnvFile(PathBuf),
    /// Nothing.
    None,
}

impl Sink {
    /// Whether a shell evaluates standard output.
    pub fn is_for_a_shell(&self) -> bool {
        match self {
            Self::Shell => true,
            Self::Platform(platform) => matches!(platform.channel(), Channel::Script { .. }),
            Self::Auto | Self::EnvFile(_) | Self::None => false,
        }
    }

    /// Whether it was asked for what goes to standard output.
    pub fn is_standard_output(&self) -> bool {
        let gives_commands =
            matches!(self, Self::Platform(platform) if matches!(platform.channel(), Channel::Commands(_)));
        gives_commands || self.is_for_a_shell()
    }
}

/// What later steps get. Paths and names only: never a key or a token.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    /// Environment of later steps, in order: `TELEPORT_PROXY`, …
    pub variables: Vec<(String, String)>,
    /// Step outputs, on platforms that have them: `destination-dir`, …
    pub outputs: Vec<(String, String)>,
    /// Markdown for a step summary.
    pub summary: String,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Exported {
    /// Where it went, for people: `GITHUB_ENV`, `BASH_ENV`, …; empty: nowhere.
    pub places: Vec<String>,
    /// Lines for a shell or the platform's log, to be printed on standard output.
    pub stdout: String,
    /// Where some commands of the job do not get the variables: what to do in those.
    pub hint: Option<&'static str>,
}

/// Finds out whether [`export`] can write where it would; writes nothing.
pub fn check(env: &Env, detected: Option<Platform>, sink: &Sink) -> Result<(), ExportError> {
    let (channel, is_asked_for) = match (sink, detected) {
        (Sink::None | Sink::Shell, _) | (Sink::Auto, None) => return Ok(()),
        (Sink::EnvFile(path), _) => {
            let path = env.absolute(path);
            return file::check_replace(&path).map_err(|source| io_error(ENV_FILE, &path, source));
        }
        (Sink::Auto, Some(platform)) => (platform.channel(), false),
        (Sink::Platform(platform), _) => (platform.channel(), true),
    };
    let (variable, optional) = match channel {
        Channel::CommandFiles { environment, outputs, .. } => (environment, Some(outputs)),
        Channel::EnvFile { variable, .. } if is_asked_for || env.var(variable).is_some() => (variable, None),
        Channel::BashFile { variable } => (variable, None),
        Channel::EnvFile { .. } | Channel::Commands(_) | Channel::Script { .. } => return Ok(()),
    };
    let optional = optional.filter(|variable| env.var(variable).is_some());
    for variable in std::iter::once(variable).chain(optional) {
        let path = file_of(env, variable)?;
        file::check_append(&path).map_err(|source| io_error(variable, &path, source))?;
    }
    Ok(())
}

/// Gives later steps the variables. `detected` is the platform the job runs on, for `Sink::Auto`.
///
/// Where nobody asked for a place and the platform has none (GitLab without `GITLAB_ENV`, Spacelift), nothing is written.
pub fn export(
    env: &Env,
    detected: Option<Platform>,
    sink: &Sink,
    exports: &Exports,
) -> Result<Exported, ExportError> {
    let mut done = Exported::default();
    let variables = &exports.variables;
    let (channel, is_asked_for) = match (sink, detected) {
        (Sink::None, _) | (Sink::Auto, None) => return Ok(done),
        (Sink::Shell, _) => {
            to_standard_output(variables, &mut done)?;
            return Ok(done);
        }
        (Sink::EnvFile(path), _) => {
            let path = env.absolute(path);
            replace_file(ENV_FILE, &path, lines::env_file(variables)?.as_bytes())?;
            done.places.push(path.display().to_string());
            return Ok(done);
        }
        (Sink::Auto, Some(platform)) => (platform.channel(), false),
        (Sink::Platform(platform), _) => (platform.channel(), true),
    };
    match channel {
        Channel::CommandFiles { environment, outputs, .. } => {
            let lines = heredoc::variables(&exports.variables, environment)?;
            let step = heredoc::outputs(&exports.outputs, outputs)?;
            append(env, environment, &lines, &mut done)?;
            // Old servers have neither outputs nor summaries, and nothing depends on the summary.
            if env.var(outputs).is_some() {
                append(env, outputs, &step, &mut done)?;
            }
            if let Some(variable) = append_summary(env, channel, &exports.summary) {
                done.places.push(variable.to_owned());
            }
        }
        Channel::EnvFile { variable, hint } => {
            if is_asked_for || env.var(variable).is_some() {
                append(env, variable, &lines::gitlab(variables, variable)?, &mut done)?;
            }
            done.hint = Some(hint);
        }
        Channel::BashFile { variable } => {
            append(env, variable, &shell::exports(variables, &format!("`{variable}`"))?, &mut done)?;
        }
        Channel::Commands(dialect) => {
            done.stdout = commands::lines(variables, dialect)?;
            done.places.push("standard output".to_owned());
        }
        Channel::Script { .. } if is_asked_for => to_standard_output(variables, &mut done)?,
        Channel::Script { hint } => done.hint = Some(hint),
    }
    Ok(done)
}

/// Appends Markdown to the page that the platform shows of the step, unless the user wants nothing to be written.
/// Nothing depends on it.
pub fn summary(env: &Env, platform: Platform, sink: &Sink, markdown: &str) {
    if *sink != Sink::None {
        append_summary(env, platform.channel(), markdown);
    }
}

/// Replaces the file of the user's that `flag` names, whole or not at all, by a private one (0600).
pub fn replace_file(flag: &str, path: &Path, content: &[u8]) -> Result<(), ExportError> {
    file::replace(path, content).map_err(|source| io_error(flag, path, source))
}

/// `export K=V` lines that a POSIX shell reads.
pub fn shell_lines(variables: &[(String, String)]) -> Result<String, ExportError> {
    shell::exports(variables, "a shell's `export`")
}

fn to_standard_output(variables: &[(String, String)], done: &mut Exported) -> Result<(), ExportError> {
    done.stdout = shell_lines(variables)?;
    done.places.push("standard output".to_owned());
    Ok(())
}

/// The variable that names the summary's file, if the platform has one and it was written.
fn append_summary(env: &Env, channel: Channel, markdown: &str) -> Option<&'static str> {
    let Channel::CommandFiles { summary, .. } = channel else { return None };
    let path = env.absolute(env.var(summary)?.as_ref());
    let length = std::fs::metadata(&path).map_or(0, |m| m.len());
    let text = heredoc::summary(markdown, length);
    (!text.is_empty() && file::append(&path, text.as_bytes()).is_ok()).then_some(summary)
}

/// Appends to the file a variable names; an empty text needs no file.
fn append(env: &Env, variable: &'static str, text: &str, done: &mut Exported) -> Result<(), ExportError> {
    if text.is_empty() {
        return Ok(());
    }
    let path = file_of(env, variable)?;
    file::append(&path, text.as_bytes()).map_err(|source| io_error(variable, &path, source))?;
    done.places.push(variable.to_owned());
    Ok(())
}

fn file_of(env: &Env, variable: &'static str) -> Result<PathBuf, ExportError> {
    Ok(env.absolute(env.var(variable).ok_or(ExportError::NoFile { variable })?.as_ref()))
}

fn io_error(variable: &str, path: &Path, source: io::Error) -> ExportError {
    ExportError::Io { variable: variable.to_owned(), path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StageError as _;
    use Platform::{CircleCi, GitHubActions, GitLabCi, Spacelift};

    struct Job {
        dir: tempfile::TempDir,
        env: Env,
    }

    fn job(names: &[&str]) -> Job {
        let dir = tempfile::tempdir().unwrap();
        let vars: Vec<(String, String)> =
            names.iter().map(|n| ((*n).to_owned(), dir.path().join(n).display().to_string())).collect();
        let env = Env::new(vars, dir.path());
        Job { dir, env }
    }

    impl Job {
        fn read(&self, name: &str) -> String {
            std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
        }
    }

    fn exports() -> Exports {
        Exports {
            variables: vec![
                ("TELEPORT_PROXY".into(), "p:443".into()),
                ("KUBECONFIG".into(), "/d/it's".into()),
            ],
            outputs: vec![("destination-dir".into(), "/d".into())],
            summary: "## jobpass".into(),
        }
    }

    #[test]
    fn each_sink_has_its_place_and_form() {
        let shell = "export TELEPORT_PROXY=p:443\nexport KUBECONFIG=\"/d/it's\"\n";
        for (detected, sink, want) in [
            (Some(CircleCi), Sink::Auto, ("BASH_ENV", shell, "")),
            (None, Sink::Platform(CircleCi), ("BASH_ENV", shell, "")),
            (Some(GitLabCi), Sink::Auto, ("GITLAB_ENV", "TELEPORT_PROXY=p:443\nKUBECONFIG=/d/it's\n", "")),
            (Some(GitHubActions), Sink::Shell, ("standard output", "", shell)),
            (Some(Spacelift), Sink::Platform(Spacelift), ("standard output", "", shell)),
        ] {
            let job = job(&["BASH_ENV", "GITLAB_ENV"]);
            let done = export(&job.env, detected, &sink, &exports()).unwrap();
            assert_eq!(done.places, [want.0], "{sink:?}");
            assert_eq!((job.read(want.0).as_str(), done.stdout.as_str()), (want.1, want.2), "{sink:?}");
            // The next lines of the same script do not see it.
            assert_eq!(done.hint.is_some_and(|h| h.contains("eval")), want.0 == "GITLAB_ENV", "{sink:?}");
        }
        for (detected, sink, hinted) in [
            (None, Sink::Auto, false),
            (Some(GitHubActions), Sink::None, false),
            (Some(Spacelift), Sink::Auto, true),
            (Some(GitLabCi), Sink::Auto, true),
        ] {
            let done = export(&job(&["GITHUB_ENV"]).env, detected, &sink, &exports()).unwrap();
            assert!(done.places.is_empty() && done.stdout.is_empty(), "{done:?}");
            assert_eq!(done.hint.is_some_and(|h| h.contains("eval")), hinted);
        }
    }

    #[test]
    fn github_gets_variables_outputs_and_a_summary() {
        let all = job(&["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"]);
        let done = export(&all.env, Some(GitHubActions), &Sink::Auto, &exports()).unwrap();
        assert_eq!(done.places, ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"]);
        assert_eq!(heredoc::assigned(&all.read("GITHUB_ENV")), exports().variables);
        assert_eq!(heredoc::assigned(&all.read("GITHUB_OUTPUT")), exports().outputs);
        assert_eq!(all.read("GITHUB_STEP_SUMMARY"), "## jobpass\n");

        let old = job(&["GITHUB_ENV"]);
        assert_eq!(
            export(&old.env, Some(GitHubActions), &Sink::Auto, &exports()).unwrap().places,
            ["GITHUB_ENV"]
        );
    }

    #[test]
    fn errors_say_what_could_not_be_written() {
        for (sink, variable) in [
            (Sink::Platform(GitHubActions), "GITHUB_ENV"),
            (Sink::Platform(GitLabCi), "GITLAB_ENV"),
            (Sink::Platform(CircleCi), "BASH_ENV"),
        ] {
            let error = export(&job(&[]).env, None, &sink, &exports()).unwrap_err();
            assert!(matches!(error, ExportError::NoFile { variable: v } if v == variable), "{error:?}");
            assert!(error.hints().join(" ").contains("--export"));

            let blocked = job(&[variable]);
            std::fs::create_dir(blocked.dir.path().join(variable)).unwrap();
            let error = export(&blocked.env, None, &sink, &exports()).unwrap_err();
            assert!(
                matches!(error, ExportError::Io { .. }) && error.to_string().contains(variable),
                "{error:?}"
            );
        }
        let into_nothing = Sink::EnvFile("none/such.env".into());
        assert!(matches!(
            export(&job(&[]).env, None, &into_nothing, &Exports::default()),
            Err(ExportError::Io { .. })
        ));
        // Nothing is written when one of several values cannot be.
        let all = job(&["GITHUB_ENV", "GITHUB_OUTPUT"]);
        let mut bad = exports();
        bad.outputs.push(("two words".into(), "x".into()));
        assert!(matches!(
            export(&all.env, Some(GitHubActions), &Sink::Auto, &bad),
            Err(ExportError::Value { .. })
        ));
        assert_eq!(all.read("GITHUB_ENV"), "");
    }
}
