//! To the later steps: variables, outputs, masks, summaries, in the way each platform has.
//!
//! All names and values are checked and formatted before the first byte is written.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

use crate::env::Env;
use crate::platform::{Platform, circleci, github, gitlab};

mod file;
mod heredoc;
mod lines;
mod shell;

/// `--export`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sink {
    /// The detected platform's own; nothing where there is none.
    #[default]
    Auto,
    /// That platform's.
    Platform(Platform),
    /// `export K='V'` lines on stdout, for `eval`.
    Shell,
    /// `K=V` lines in a file of the user's, made or replaced as a whole (0600).
    EnvFile(PathBuf),
    /// Nothing.
    None,
}

/// What to hand on. Paths and names only: never a key or a token.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    /// Environment of later steps, in order: `TELEPORT_PROXY`, …
    pub variables: Vec<(String, String)>,
    /// Step outputs (GitHub): `destination-dir`, …
    pub outputs: Vec<(String, String)>,
    /// Markdown for a step summary.
    pub summary: String,
    /// What the platform's log must never show, one line each (the identity token, each line of the private
    /// keys' bodies). Secret.
    pub masks: Vec<SecretString>,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Exported {
    /// Where it went, for people: `GITHUB_ENV`, `BASH_ENV`, …; empty: nowhere.
    pub places: Vec<String>,
    /// Lines that `main` must print on stdout (shell exports).
    pub stdout: String,
    /// Lines that `main` must print on stderr before anything else (mask commands).
    pub stderr: String,
    /// Where the platform has no way to tell later commands: what the user can do instead.
    pub advice: Option<&'static str>,
}

/// Why the later steps were not told.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum ExportError {
    /// The file cannot be written. `variable` names it, or the flag that did.
    #[error("writing `{path}` ({variable}) failed")]
    Io {
        variable: String,
        path: String,
        #[source]
        source: std::io::Error,
    },
    /// The platform did not say where.
    #[error("`{variable}` is not set, so later steps cannot be told")]
    NoPlace { variable: &'static str },
    /// A name or value that the sink's format cannot carry (a newline in a `K=V` file).
    #[error("the value of `{name}` cannot be written to {place}: {reason}")]
    Value { name: String, place: String, reason: String },
}

const EVAL: &str = "hand the variables to the commands after it: `eval \"$(jobpass login --export shell)\"`";

impl ExportError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { .. } => {
                "see that the file's folder exists and can be written, or choose another place with \
             `--export`"
                    .to_owned()
            }
            Self::NoPlace { .. } => {
                format!(
                    "{EVAL}\nor leave it out with `--export none`\n\
                     inside a container of your own, mount the platform's file and forward its variable"
                )
            }
            Self::Value { .. } => format!("choose a plain path with `--dir`, or {EVAL}"),
        })
    }
}

/// The mask commands of a platform (GitHub `::add-mask::V`, Spacelift `::add-mask V`); empty where it has
/// none. To be printed before anything else could show the values. Values shorter than 4 characters are left
/// out: they would blacken the whole log.
pub fn masks(platform: Option<Platform>, masks: &[SecretString]) -> String {
    let values = masks
        .iter()
        .flat_map(|m| m.expose_secret().split(['\r', '\n']))
        .map(str::trim)
        .filter(|v| v.len() >= 4);
    let mut out = String::new();
    match platform {
        Some(Platform::GitHubActions) => {
            for value in values {
                out.push_str(&github::mask_command(value));
                out.push('\n');
            }
        }
        // Values follow the word, separated by spaces (docs.spacelift.io, "Run", masking).
        Some(Platform::Spacelift) => {
            for word in values.flat_map(str::split_whitespace) {
                out.push_str("::add-mask ");
                out.push_str(word);
                out.push('\n');
            }
        }
        Some(Platform::GitLabCi | Platform::CircleCi) | None => {}
    }
    out
}

/// Tells the later steps. `detected` is the platform the job runs on, for `Sink::Auto`.
///
/// Where nobody asked for a place and the platform has none (GitLab without `GITLAB_ENV`, Spacelift), nothing
/// is done and `advice` says what works there.
pub fn export(
    env: &Env,
    detected: Option<Platform>,
    sink: &Sink,
    exports: &Exports,
) -> Result<Exported, ExportError> {
    let mut done = Exported { stderr: masks(detected, &exports.masks), ..Exported::default() };
    let variables = &exports.variables;
    match (sink, detected) {
        (Sink::None, _) | (Sink::Auto, None) => {}
        (Sink::Auto, Some(Platform::GitHubActions)) | (Sink::Platform(Platform::GitHubActions), _) => {
            to_github(env, exports, &mut done)?;
        }
        (Sink::Auto, Some(Platform::GitLabCi)) if env.var(gitlab::GITLAB_ENV).is_none() => {
            done.advice = Some(EVAL);
        }
        (Sink::Auto, Some(Platform::GitLabCi)) | (Sink::Platform(Platform::GitLabCi), _) => {
            append(env, gitlab::GITLAB_ENV, &lines::gitlab(variables)?, &mut done)?;
        }
        (Sink::Auto, Some(Platform::CircleCi)) | (Sink::Platform(Platform::CircleCi), _) => {
            append(env, circleci::BASH_ENV, &shell::exports(variables, "`BASH_ENV`")?, &mut done)?;
        }
        (Sink::Auto, Some(Platform::Spacelift)) => done.advice = Some(EVAL),
        (Sink::Shell | Sink::Platform(Platform::Spacelift), _) => {
            done.stdout = shell::exports(variables, "a shell's `export`")?;
            done.places.push("standard output".to_owned());
        }
        (Sink::EnvFile(path), _) => {
            let path = env.absolute(path);
            let text = lines::env_file(variables)?;
            replace_file("`--export env-file`", &path, text.as_bytes())?;
            done.places.push(path.display().to_string());
        }
    }
    Ok(done)
}

/// Puts a new private file (0600) in the place of the user's that `flag` names, whole or not at all.
pub fn replace_file(flag: &str, path: &std::path::Path, content: &[u8]) -> Result<(), ExportError> {
    file::replace(path, content).map_err(|source| io_error(flag, path, source))
}

fn to_github(env: &Env, exports: &Exports, done: &mut Exported) -> Result<(), ExportError> {
    let variables = heredoc::variables(&exports.variables)?;
    let outputs = heredoc::outputs(&exports.outputs)?;
    append(env, github::GITHUB_ENV, &variables, done)?;
    // Old servers have neither of these two, and nothing depends on the summary.
    if env.var(github::GITHUB_OUTPUT).is_some() {
        append(env, github::GITHUB_OUTPUT, &outputs, done)?;
    }
    if summary(env, Platform::GitHubActions, &exports.summary) {
        done.places.push(github::GITHUB_STEP_SUMMARY.to_owned());
    }
    Ok(())
}

/// Appends Markdown to the page a platform shows of the step; whether it has one, and it took it. Nothing depends on it.
pub fn summary(env: &Env, platform: Platform, markdown: &str) -> bool {
    let (Platform::GitHubActions, Some(path)) = (platform, env.var(github::GITHUB_STEP_SUMMARY)) else {
        return false;
    };
    let path = env.absolute(path.as_ref());
    let there = std::fs::metadata(&path).map_or(0, |m| m.len());
    let text = heredoc::summary(markdown, there);
    !text.is_empty() && file::append(&path, text.as_bytes()).is_ok()
}

/// Appends to the file a variable names; nothing to say is nothing to do.
fn append(env: &Env, variable: &'static str, text: &str, done: &mut Exported) -> Result<(), ExportError> {
    if text.is_empty() {
        return Ok(());
    }
    let path = env.absolute(env.var(variable).ok_or(ExportError::NoPlace { variable })?.as_ref());
    file::append(&path, text.as_bytes()).map_err(|source| io_error(variable, &path, source))?;
    done.places.push(variable.to_owned());
    Ok(())
}

fn io_error(variable: &str, path: &std::path::Path, source: std::io::Error) -> ExportError {
    ExportError::Io { variable: variable.to_owned(), path: path.display().to_string(), source }
}

/// A name every POSIX shell takes.
fn posix_name(name: &str) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn refused(name: &str, place: &str, reason: &str) -> ExportError {
    ExportError::Value {
        name: name.escape_debug().to_string(),
        place: place.to_owned(),
        reason: reason.to_owned(),
    }
}

impl crate::error::StageError for ExportError {
    fn exit(&self) -> crate::error::Exit {
        crate::error::Exit::Files
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Io { source, .. } => vec![crate::text::io_reason(source)],
            _ => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        self.hint().iter().flat_map(|h| h.lines()).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Platform::{CircleCi, GitHubActions, GitLabCi, Spacelift};

    struct Job {
        dir: tempfile::TempDir,
        env: Env,
    }

    fn job(names: &[&str]) -> Job {
        let dir = tempfile::tempdir().unwrap();
        let vars: Vec<(String, String)> =
            names.iter().map(|n| ((*n).to_owned(), dir.path().join(n).display().to_string())).collect();
        let env = Env::of(vars, dir.path());
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
            masks: vec!["s3cr3t%line".into(), "two\nlines-here".into(), "a=".into()],
        }
    }

    #[test]
    fn each_sink_has_its_place_and_form() {
        let shell = "export TELEPORT_PROXY='p:443'\nexport KUBECONFIG='/d/it'\\''s'\n";
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
        }
        for (detected, sink, advice) in [
            (None, Sink::Auto, false),
            (Some(GitHubActions), Sink::None, false),
            (Some(Spacelift), Sink::Auto, true),
            (Some(GitLabCi), Sink::Auto, true),
        ] {
            let done = export(&job(&["GITHUB_ENV"]).env, detected, &sink, &exports()).unwrap();
            assert!(done.places.is_empty() && done.stdout.is_empty(), "{done:?}");
            assert_eq!(done.advice.is_some_and(|a| a.contains("eval")), advice);
        }
    }

    #[test]
    fn github_gets_variables_outputs_and_a_summary() {
        let all = job(&["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"]);
        let done = export(&all.env, Some(GitHubActions), &Sink::Auto, &exports()).unwrap();
        assert_eq!(done.places, ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"]);
        assert_eq!(heredoc::parse(&all.read("GITHUB_ENV")), exports().variables);
        assert_eq!(heredoc::parse(&all.read("GITHUB_OUTPUT")), exports().outputs);
        assert_eq!(all.read("GITHUB_STEP_SUMMARY"), "## jobpass\n");
        assert_eq!(done.stderr, "::add-mask::s3cr3t%25line\n::add-mask::lines-here\n");

        let old = job(&["GITHUB_ENV"]);
        assert_eq!(
            export(&old.env, Some(GitHubActions), &Sink::Auto, &exports()).unwrap().places,
            ["GITHUB_ENV"]
        );
    }

    #[test]
    fn says_what_keeps_it_from_telling() {
        for (sink, variable) in [
            (Sink::Platform(GitHubActions), "GITHUB_ENV"),
            (Sink::Platform(GitLabCi), "GITLAB_ENV"),
            (Sink::Platform(CircleCi), "BASH_ENV"),
        ] {
            let error = export(&job(&[]).env, None, &sink, &exports()).unwrap_err();
            assert!(matches!(error, ExportError::NoPlace { variable: v } if v == variable), "{error:?}");
            assert!(error.hint().unwrap().contains("--export"));

            let blocked = job(&[variable]);
            std::fs::create_dir(blocked.dir.path().join(variable)).unwrap();
            let error = export(&blocked.env, None, &sink, &exports()).unwrap_err();
            assert!(
                matches!(error, ExportError::Io { .. }) && error.to_string().contains(variable),
                "{error:?}"
            );
            assert!(!format!("{error:?}").contains("s3cr3t"));
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

    #[test]
    fn masks_as_each_platform_does() {
        let secrets = exports().masks;
        assert_eq!(masks(Some(Spacelift), &secrets), "::add-mask s3cr3t%line\n::add-mask lines-here\n");
        for platform in [Some(GitLabCi), Some(CircleCi), None] {
            assert_eq!(masks(platform, &secrets), "");
        }
    }
}
