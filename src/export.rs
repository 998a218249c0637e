//! Variables, outputs and summaries for later steps, in the way each platform has.
//!
//! All names and values are checked and formatted before the first byte is written. Only paths and names are handed
//! on, never a key or a token, so there is nothing for a log to mask.

use std::path::Path;

use crate::env::Env;
use crate::platform::Platform;

mod commands;
mod error;
mod exports;
mod file;
mod heredoc;
mod lines;
mod name;
mod page;
mod shell;
mod sink;
mod target;
mod tool;

pub use error::ExportError;
pub use exports::{Exported, Exports};
pub use shell::Shell;
pub use sink::Sink;

use error::io_error;
use target::Target;

/// Finds out whether [`export`] can write where it would; writes nothing.
pub fn check(env: &Env, detected: Option<Platform>, sink: &Sink) -> Result<(), ExportError> {
    Target::new(env, detected, sink)?.check()
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
    let mut done = Target::new(env, detected, sink)?.write(env, exports)?;
    let platform = match sink {
        Sink::Auto => detected,
        Sink::Platform(platform) => Some(*platform),
        _ => None,
    };
    if let Some(platform) = platform {
        let page = page::show(env, platform, &exports.summary);
        done.places.extend(page.place.map(str::to_owned));
        done.stdout.push_str(&page.stdout);
    }
    Ok(done)
}

/// Puts Markdown about a failure on the page that the platform shows of the step, unless the user wants nothing to be
/// written. Nothing depends on it.
pub fn summary(env: &Env, platform: Platform, sink: &Sink, markdown: &str) {
    if *sink != Sink::None {
        page::show_failure(env, platform, markdown);
    }
}

/// Replaces the file of the user's that `flag` names, whole or not at all, by a private one (0600).
pub fn replace_file(flag: &str, path: &Path, content: &[u8]) -> Result<(), ExportError> {
    file::replace(path, content).map_err(|source| io_error(flag, path, source))
}

/// `export K=V` lines that a POSIX shell reads.
pub fn shell_lines(variables: &[(String, String)]) -> Result<String, ExportError> {
    shell::lines(Shell::Posix, variables, Shell::Posix.place())
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
        assert_eq!(heredoc::parse(&all.read("GITHUB_ENV")), exports().variables);
        assert_eq!(heredoc::parse(&all.read("GITHUB_OUTPUT")), exports().outputs);
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
