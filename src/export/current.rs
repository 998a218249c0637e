//! What later steps have by now: the last assignment in the platform's file, else the environment of this step.

use std::collections::BTreeMap;

use super::{Sink, heredoc, lines, shell};
use crate::env::{self, Env};
use crate::platform::{Channel, Platform};

/// Values of variables as later steps have them.
#[derive(Debug, Clone)]
pub struct Current<'a> {
    env: &'a Env,
    in_file: BTreeMap<String, String>,
    is_silent: bool,
}

impl<'a> Current<'a> {
    /// Reads the file, if the place has one. What cannot be read has no variables.
    pub fn read(env: &'a Env, detected: Option<Platform>, sink: &Sink) -> Self {
        let channel = match (sink, detected) {
            (Sink::Auto, detected) => detected.map(Platform::channel),
            (Sink::Platform(platform), _) => Some(platform.channel()),
            _ => None,
        };
        let text = |path: &str| env::read_text(&env.absolute(path.as_ref())).unwrap_or_default();
        let named = |variable: &str| env.var(variable).map(text).unwrap_or_default();
        let in_file = match (sink, channel) {
            (Sink::EnvFile(path), _) => {
                env::read_text(&env.absolute(path)).map(|text| lines::assigned(&text)).unwrap_or_default()
            }
            (_, Some(Channel::CommandFiles { environment, .. })) => heredoc::assigned(&named(environment)),
            (_, Some(Channel::EnvFile { variable, .. })) => lines::assigned(&named(variable)),
            (_, Some(Channel::BashFile { variable })) => shell::assigned(&named(variable)),
            _ => Vec::new(),
        };
        // Commands in the log and programs leave no trace in the step that gives them.
        let is_silent = matches!(channel, Some(Channel::Commands(_) | Channel::Program { .. }));
        Self { env, in_file: in_file.into_iter().collect(), is_silent }
    }

    /// The value of a variable; an empty one counts as none.
    pub fn value(&self, name: &str) -> Option<&str> {
        match self.in_file.get(name) {
            Some(value) => Some(value.as_str()).filter(|value| !value.is_empty()),
            None => self.env.var(name),
        }
    }

    /// All that begin with `prefix`: names and values.
    pub fn beginning_with(&self, prefix: &str) -> BTreeMap<&str, &str> {
        let names = self.in_file.keys().map(String::as_str).chain(self.env.iter().map(|(name, _)| name));
        let named = names.filter(|name| name.starts_with(prefix));
        named.filter_map(|name| Some((name, self.value(name)?))).collect()
    }

    /// Whether a variable has this value, or may have it for all that can be seen here.
    pub fn has(&self, name: &str, value: &str) -> bool {
        match self.value(name) {
            Some(found) => found == value,
            None => self.is_silent && !self.in_file.contains_key(name) && !self.env.is_set(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Exports, export};
    use Platform::{AzureDevOps, CircleCi, GitHubActions, GitLabCi, Spacelift};

    fn exports(value: &str) -> Exports {
        Exports {
            variables: vec![("A".into(), value.into()), ("B".into(), "b".into())],
            ..Exports::default()
        }
    }

    #[test]
    fn the_last_assignment_in_the_file_counts() {
        for (platform, variable) in
            [(GitHubActions, "GITHUB_ENV"), (GitLabCi, "GITLAB_ENV"), (CircleCi, "BASH_ENV")]
        {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("file").display().to_string();
            let env = Env::new([(variable, path.as_str()), ("A", "of the step"), ("C", "c")], "/");
            let value =
                |name: &str| Current::read(&env, Some(platform), &Sink::Auto).value(name).map(str::to_owned);
            assert_eq!((value("A").as_deref(), value("B")), (Some("of the step"), None), "{variable}");
            for text in ["x y", "it's", ""] {
                export(&env, Some(platform), &Sink::Auto, &exports(text)).unwrap();
                assert_eq!(value("A"), Some(text.to_owned()).filter(|t| !t.is_empty()), "{variable}: {text}");
                assert_eq!((value("B").as_deref(), value("C").as_deref()), (Some("b"), Some("c")));
            }
            // Another place has other variables.
            let current = Current::read(&env, Some(platform), &Sink::None);
            assert_eq!(current.value("A"), Some("of the step"));
            let current = Current::read(&env, Some(platform), &Sink::Auto);
            let all: Vec<&str> = current.beginning_with("").into_keys().collect();
            assert!(["B", "C", variable].iter().all(|name| all.contains(name)), "{all:?}");
            assert_eq!(all.len(), 3, "A is empty");
            assert_eq!(current.beginning_with("C"), [("C", "c")].into());
        }
    }

    #[test]
    fn an_env_file_is_read_too() {
        let dir = tempfile::tempdir().unwrap();
        let env = Env::new([("A", "of the step")], dir.path());
        let sink = Sink::EnvFile("vars".into());
        export(&env, None, &sink, &exports("of-the-file")).unwrap();
        assert_eq!(Current::read(&env, None, &sink).value("A"), Some("of-the-file"));
    }

    #[test]
    fn what_a_log_took_may_still_be_there() {
        let env = Env::new([("A", "a"), ("EMPTY", "")], "/");
        for (platform, unseen) in [(AzureDevOps, true), (Spacelift, false), (GitHubActions, false)] {
            let current = Current::read(&env, Some(platform), &Sink::Auto);
            assert!(current.has("A", "a") && !current.has("A", "b"), "{platform:?}");
            assert_eq!(current.has("B", "b"), unseen, "{platform:?}");
            assert!(!current.has("EMPTY", "x"), "{platform:?}: it was blanked");
        }
    }
}
