//! Taking variables back from later steps, in the way each platform has. None can be unset for good but in a shell: elsewhere they
//! become empty.

use std::io::ErrorKind;
use std::path::Path;

use super::current::Current;
use super::exports::{Exported, Exports};
use super::sink::Sink;
use super::target::{ENV_FILE, Target};
use super::{ExportError, io_error, lines, replace_file, shell};
use crate::env::{self, Env};
use crate::platform::Platform;

/// What was taken back.
#[derive(Debug, Clone, Default)]
pub struct Blanked {
    /// The variables, in their order.
    pub names: Vec<String>,
    /// Where, for people; empty: nowhere.
    pub places: Vec<String>,
    /// Lines for a shell or the platform's log, to be printed on standard output.
    pub stdout: String,
    /// Variables that this shell has, and keeps.
    pub kept: Vec<String>,
}

/// Takes back those of the variables that still have the value they were exported with; what others have set since stays.
/// `detected` is the platform the job runs on, for `Sink::Auto`.
pub fn blank(
    env: &Env,
    detected: Option<Platform>,
    sink: &Sink,
    exported: &[(String, String)],
) -> Result<Blanked, ExportError> {
    let current = Current::read(env, detected, sink);
    let ours = exported.iter().filter(|(name, value)| current.has(name, value));
    let names: Vec<String> = ours.map(|(name, _)| name.clone()).collect();
    if names.is_empty() {
        return Ok(Blanked::default());
    }
    let done = match (sink, sink.shell()) {
        (_, Some(shell)) => {
            let stdout = shell::unset(shell, &names, shell.place())?;
            Exported { stdout, places: vec!["standard output".to_owned()], ..Exported::default() }
        }
        (Sink::EnvFile(path), _) => in_file(&env.absolute(path), &names)?,
        _ => in_place(env, detected, sink, &names)?,
    };
    // What is only in the environment is of the shell that ran this.
    let in_shell = || {
        let ours = exported.iter().filter(|(name, value)| env.is(name, value));
        ours.map(|(name, _)| name.clone()).collect()
    };
    let is_nowhere = done.places.is_empty();
    let kept = if is_nowhere || done.hint.is_some() { in_shell() } else { Vec::new() };
    let names = if is_nowhere { Vec::new() } else { names };
    Ok(Blanked { names, places: done.places, stdout: done.stdout, kept })
}

/// A file of the user's keeps its other lines.
fn in_file(path: &Path, names: &[String]) -> Result<Exported, ExportError> {
    let mut done = Exported::default();
    match env::read_text(path) {
        Ok(text) => {
            replace_file(ENV_FILE, path, lines::blanked(&text, names).as_bytes())?;
            done.places.push(path.display().to_string());
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(io_error(ENV_FILE, path, error)),
    }
    Ok(done)
}

/// The platform's own place takes empty values like any other. Where nobody asked for it and it is not there, nothing was written
/// to it either.
fn in_place(
    env: &Env,
    detected: Option<Platform>,
    sink: &Sink,
    names: &[String],
) -> Result<Exported, ExportError> {
    let target = match Target::new(env, detected, sink) {
        Err(ExportError::NoFile { .. }) if *sink == Sink::Auto => return Ok(Exported::default()),
        target => target?,
    };
    let variables = names.iter().map(|name| (name.clone(), String::new())).collect();
    target.write(env, &Exports { variables, ..Exports::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{export, heredoc};
    use Platform::{AzureDevOps, Bitbucket, CircleCi, GitHubActions, GitLabCi, TeamCity};

    struct Job {
        dir: tempfile::TempDir,
        env: Env,
    }

    impl Job {
        fn new(variables: &[(&str, &str)]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let files = ["GITHUB_ENV", "GITLAB_ENV", "BASH_ENV"];
            let files = files.map(|name| (name.to_owned(), dir.path().join(name).display().to_string()));
            let own = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let env = Env::new(files.into_iter().chain(own), dir.path());
            Self { dir, env }
        }

        fn read(&self, name: &str) -> String {
            std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
        }
    }

    fn exported() -> Vec<(String, String)> {
        [("OURS", "/d/x"), ("THEIRS", "/d/y"), ("GONE", "/d/z")].map(|(n, v)| (n.into(), v.into())).to_vec()
    }

    /// A later step: the runner has put the variables into its environment.
    #[test]
    fn each_place_has_its_form() {
        let later = [("OURS", "/d/x"), ("THEIRS", "of the user"), ("GONE", "")];
        for (platform, sink, file, want) in [
            (Some(GitLabCi), Sink::Auto, "GITLAB_ENV", "OURS=\n"),
            (Some(CircleCi), Sink::Auto, "BASH_ENV", "export OURS=''\n"),
            (None, Sink::Platform(CircleCi), "BASH_ENV", "export OURS=''\n"),
            (Some(GitHubActions), Sink::Shell, "", "unset OURS\n"),
            (Some(GitHubActions), Sink::Fish, "", "set -ge OURS\n"),
            (Some(GitHubActions), Sink::PowerShell, "", "$env:OURS = $null\n"),
            (Some(Bitbucket), Sink::Platform(Bitbucket), "", "unset OURS\n"),
            (Some(AzureDevOps), Sink::Auto, "", "##vso[task.setvariable variable=OURS]\n"),
            (Some(TeamCity), Sink::Auto, "", "##teamcity[setParameter name='env.OURS' value='']\n"),
        ] {
            let job = Job::new(&later);
            let done = blank(&job.env, platform, &sink, &exported()).unwrap();
            let seen = if file.is_empty() { done.stdout.clone() } else { job.read(file) };
            assert_eq!(seen, want, "{sink:?}");
            assert_eq!(done.names, ["OURS"], "{sink:?}");
            assert_eq!(done.places, [if file.is_empty() { "standard output" } else { file }]);
            // The shell that runs the script of a GitLab job goes on with what it loaded.
            let stays = platform == Some(GitLabCi);
            assert_eq!(done.kept, if stays { vec!["OURS"] } else { vec![] }, "{sink:?}");
        }
        let job = Job::new(&later);
        let done = blank(&job.env, Some(GitHubActions), &Sink::Auto, &exported()).unwrap();
        assert_eq!(heredoc::assigned(&job.read("GITHUB_ENV")), [("OURS".to_owned(), String::new())]);
        assert_eq!(done.places, ["GITHUB_ENV"]);
        for (platform, sink) in
            [(None, Sink::Auto), (Some(GitHubActions), Sink::None), (Some(Bitbucket), Sink::Auto)]
        {
            let job = Job::new(&later);
            let done = blank(&job.env, platform, &sink, &exported()).unwrap();
            assert!(done.places.is_empty() && done.names.is_empty() && done.stdout.is_empty(), "{done:?}");
            assert_eq!(done.kept, ["OURS"]);
            assert_eq!(std::fs::read_dir(&job.dir).unwrap().count(), 0);
        }
    }

    /// The step that logged in: only the platform's file has them.
    #[test]
    fn what_the_file_says_counts_before_the_environment() {
        for platform in [GitHubActions, GitLabCi, CircleCi] {
            let job = Job::new(&[("OURS", "before the login")]);
            let exports = |variables| Exports { variables, ..Exports::default() };
            export(&job.env, Some(platform), &Sink::Auto, &exports(exported())).unwrap();
            let theirs = [("THEIRS".to_owned(), "of the user".to_owned())].to_vec();
            export(&job.env, Some(platform), &Sink::Auto, &exports(theirs)).unwrap();
            let done = blank(&job.env, Some(platform), &Sink::Auto, &exported()).unwrap();
            assert_eq!(done.names, ["OURS", "GONE"], "{platform:?}");
            let current = Current::read(&job.env, Some(platform), &Sink::Auto);
            let now = ["OURS", "THEIRS", "GONE"].map(|name| current.value(name));
            assert_eq!(now, [None, Some("of the user"), None], "{platform:?}");
            // Nothing is left to be blanked.
            let done = blank(&job.env, Some(platform), &Sink::Auto, &exported()).unwrap();
            assert!(done.names.is_empty() && done.places.is_empty(), "{platform:?}: {done:?}");
        }
    }

    #[test]
    fn a_shell_and_an_env_file_have_them_no_more() {
        let job = Job::new(&[]);
        let sink = Sink::EnvFile("vars".into());
        let done = blank(&job.env, None, &sink, &exported()).unwrap();
        assert!(done.places.is_empty(), "there is no file: {done:?}");
        assert!(!job.dir.path().join("vars").exists());
        export(&job.env, None, &sink, &Exports { variables: exported(), ..Exports::default() }).unwrap();
        let text = job.read("vars").replace("/d/y", "/mine") + "MORE=1\n";
        replace_file("x", &job.dir.path().join("vars"), text.as_bytes()).unwrap();
        let done = blank(&job.env, None, &sink, &exported()).unwrap();
        assert_eq!(done.names, ["OURS", "GONE"]);
        assert_eq!(job.read("vars"), "OURS=\nTHEIRS=/mine\nGONE=\nMORE=1\n");

        let lines = shell::lines(shell::Shell::Posix, &exported(), "x").unwrap() + "THEIRS=mine\n";
        let env = Env::new([("OURS", "/d/x"), ("THEIRS", "mine"), ("GONE", "/d/z")], "/");
        let unset = blank(&env, None, &Sink::Shell, &exported()).unwrap().stdout;
        let script = format!("{lines}{unset}echo \"${{OURS-none}} ${{THEIRS-none}} ${{GONE-none}}\"");
        let out = std::process::Command::new("sh").args(["-ec", &script]).output().unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), "none mine none\n");
    }

    #[test]
    fn says_what_cannot_be_written() {
        let job = Job::new(&[("OURS", "/d/x")]);
        std::fs::create_dir(job.dir.path().join("GITHUB_ENV")).unwrap();
        let failed = blank(&job.env, Some(GitHubActions), &Sink::Auto, &exported()).unwrap_err();
        assert!(matches!(failed, ExportError::Io { .. }), "{failed:?}");
        let none = Env::new([("OURS", "/d/x")], "/");
        let failed = blank(&none, None, &Sink::Platform(GitHubActions), &exported()).unwrap_err();
        assert!(matches!(failed, ExportError::NoFile { variable: "GITHUB_ENV" }), "{failed:?}");
        assert!(blank(&none, Some(GitHubActions), &Sink::Auto, &exported()).unwrap().places.is_empty());
        let bad = [("A B".to_owned(), "x".to_owned())];
        let env = Env::new([("A B", "x")], "/");
        assert!(matches!(blank(&env, None, &Sink::Shell, &bad), Err(ExportError::Value { .. })));
    }
}
