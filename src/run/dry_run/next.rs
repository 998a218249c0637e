//! What a dry run did, and what can be tried next.

use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::sandbox::Simulated;
use crate::text::fold::fold_to;
use crate::text::safe_lines;

/// A dry run that went well.
pub(super) struct Done<'a> {
    /// The simulated job.
    pub(super) job: Simulated,
    /// The branch of the simulated job.
    pub(super) branch: &'a str,
    /// The join token.
    pub(super) token: &'a str,
    /// Whether per-session MFA and Device Trust were looked at.
    pub(super) policies: bool,
    /// The folders that were written.
    pub(super) folders: Vec<PathBuf>,
    /// On a person's machine, not in a CI job.
    pub(super) by_hand: bool,
}

impl Done<'_> {
    /// Lines for people, without a newline at the end. Each command stands on a line of its own, behind two columns and
    /// a word on what it is for, and works as it is.
    pub(super) fn text(&self, env: &Env) -> String {
        let mut lines = vec![
            fold_to(&self.account(), 0, env.columns),
            "the certificates live for 15 minutes at most; their cluster is gone, so that ssh cannot connect"
                .to_owned(),
        ];
        let mut commands = Vec::new();
        let folders = self.folders.iter().map(|folder| quoted(folder)).collect::<Option<Vec<_>>>();
        let folders = folders.filter(|all| !all.is_empty()).map(|all| all.join(" "));
        if self.by_hand {
            lines.push("try next:".to_owned());
            let id = self.job.id();
            commands
                .extend(folders.as_ref().map(|dirs| ("what was written", format!("jobpass inspect {dirs}"))));
            commands.extend([
                (
                    "a refusal, exit code 4",
                    format!("jobpass login --dry-run --simulate {} --as-branch other", self.refusing()),
                ),
                ("what a rule can look at", format!("jobpass sandbox --simulate {id} -- jobpass explain")),
                ("a shell with a cluster", format!("jobpass sandbox --simulate {id} -- bash")),
            ]);
        }
        commands.extend(folders.map(|dirs| (self.end_of_keys(env), format!("rm -r {dirs}"))));
        let column = commands.iter().map(|(what_for, _)| what_for.len() + 1).max().unwrap_or_default();
        lines.extend(commands.iter().map(|(what_for, command)| {
            let what_for = format!("{what_for}:");
            format!("  {what_for:column$}  {command}")
        }));
        lines.join("\n")
    }

    fn account(&self) -> String {
        let Self { branch, token, .. } = self;
        let of_branch = if self.job.simulation().admits_one_branch {
            format!(" of branch `{branch}`")
        } else {
            String::new()
        };
        let policies = if self.policies { ", per-session MFA and Device Trust" } else { "" };
        format!(
            "a simulated {} job{of_branch} proved itself to join token `{token}`; checked: keys, dates, roles{policies}",
            self.job.title()
        )
    }

    /// A platform whose jobs are refused on another branch: this one where possible.
    fn refusing(&self) -> &'static str {
        let tells = |job: &Simulated| job.simulation().admits_one_branch;
        let job = [self.job].into_iter().chain(Simulated::all()).find(tells);
        job.unwrap_or(self.job).id()
    }

    /// Who removes the private keys if the user does not.
    fn end_of_keys(&self, env: &Env) -> &'static str {
        let is_below = |top: Option<PathBuf>| {
            top.is_some_and(|top| self.folders.iter().all(|folder| folder.starts_with(&top)))
        };
        if is_below(env.runtime_dir.clone()) {
            "the keys stay until you log out, or"
        } else if !self.by_hand && is_below(self.job.platform().and_then(|platform| platform.temp_dir(env))) {
            "the keys stay as long as the job's temporary folder, or until"
        } else {
            "the keys stay until"
        }
    }
}

/// As a shell takes it; `None` where the path cannot be shown as it is.
fn quoted(path: &Path) -> Option<String> {
    let path = path.to_str().filter(|path| safe_lines(path).eq([*path]))?;
    shlex::try_quote(path).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(folders: &[&str], by_hand: bool) -> Done<'static> {
        Done {
            job: crate::platform::Platform::CircleCi.into(),
            branch: "main",
            token: "ci",
            policies: true,
            folders: folders.iter().map(PathBuf::from).collect(),
            by_hand,
        }
    }

    #[test]
    fn says_who_removes_the_keys() {
        let env = Env::new([(crate::env::names::XDG_RUNTIME_DIR, "/run/user/7")], "/");
        for (folders, want) in [
            (
                &["/run/user/7/jobpass-1"][..],
                "the keys stay until you log out, or:  rm -r /run/user/7/jobpass-1",
            ),
            (&["/run/user/7/a", "/srv/b"], "the keys stay until:      rm -r /run/user/7/a /srv/b"),
            (&["/run/user/77/a  b'c"], "the keys stay until:      rm -r \"/run/user/77/a  b'c\""),
        ] {
            let text = done(folders, true).text(&env);
            assert_eq!(text.lines().last().unwrap().trim(), want, "{text}");
        }
    }

    #[test]
    fn a_path_that_cannot_be_shown_is_in_no_command() {
        for odd in ["/x/a\nb", "/x/\u{1b}[1m", "/x/##[error]"] {
            let text = done(&[odd], true).text(&Env::new([("A", "b")], "/"));
            assert!(!text.contains("/x/") && text.contains("--as-branch other"), "{text}");
        }
    }

    #[test]
    fn a_job_has_no_next_commands() {
        let text = done(&["/x"], false).text(&Env::new([("A", "b")], "/"));
        assert!(!text.contains("try next") && text.ends_with("  the keys stay until:  rm -r /x"), "{text}");
    }
}
