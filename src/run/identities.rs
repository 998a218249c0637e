//! Several identities in one job stand side by side: none may take the variables of another.

use std::path::Path;

use jiff::Timestamp;

use crate::env::{Env, names};
use crate::export::{Current, Sink};
use crate::output::{Output, suffix, suffixed};
use crate::platform::Platform;
use crate::run::base_folder::BaseFolder;
use crate::run::error::RunError;
use crate::run::written::Written;

/// What tells the variables of a login from those of others: its `--name`, and the names of all outputs but the first.
fn labels<'a>(name: Option<&'a str>, outputs: &'a [Output]) -> Vec<(Option<&'a str>, String)> {
    let first = (name, name.map_or_else(|| "the login".to_owned(), |name| format!("`--name {name}`")));
    let others = outputs.iter().skip(1);
    let others = others.map(|output| (Some(output.name.as_str()), format!("the output `{}`", output.name)));
    std::iter::once(first).chain(others).collect()
}

/// Names that differ in capitals or in `-` and `_` alone have the same variables.
pub fn check_own(name: Option<&str>, outputs: &[Output]) -> Result<(), RunError> {
    let labels = labels(name, outputs);
    for (index, (label, shown)) in labels.iter().enumerate() {
        let mut others = labels.iter().skip(index + 1);
        if let Some((_, other)) = others.find(|(other, _)| label.map(suffix) == other.map(suffix)) {
            let label = label.map(suffix).unwrap_or_default();
            return Err(RunError::usage(
                format!("{shown} and {other} have the same variables (`JOBPASS_DIR_{label}`)"),
                "choose names that differ in more than capitals, `-` and `_`",
            ));
        }
    }
    Ok(())
}

/// The same for the logins that this job has made already. Those whose certificates have ended are nobody's.
pub fn check_others(
    name: Option<&str>,
    outputs: &[Output],
    (env, platform, sink): (&Env, Option<Platform>, &Sink),
    now: Timestamp,
) -> Result<(), RunError> {
    let is_other = |login: &Written| {
        let is_replaced = outputs.iter().any(|output| output.destination.folder == login.dir);
        login.name() != name && !is_replaced && login.valid_until().is_some_and(|end| end > now)
    };
    let refuse = |shown: &str, login: &Written| {
        let (other, by) = match login.name() {
            Some(other) => (format!("`--name {other}`"), format!("jobpass logout --name {other}")),
            None => ("the login without a `--name`".to_owned(), "jobpass logout".to_owned()),
        };
        RunError::usage(
            format!("{shown} has the same variables as {other} in `{}`", login.dir.display()),
            format!("choose another name, or run `{by}` first"),
        )
    };
    let current = Current::read(env, platform, sink);
    let beside = siblings(env, platform);
    for (label, shown) in labels(name, outputs) {
        let named = current.value(&suffixed(names::JOBPASS_DIR, label));
        let named = named.and_then(|dir| Written::find(Path::new(dir)));
        if let Some(login) = named.iter().find(|login| is_other(login)) {
            return Err(refuse(&shown, login));
        }
        // Where nothing shows yet what an earlier command of this step exported.
        let same = |login: &&Written| label.is_some() && login.name().map(suffix) == label.map(suffix);
        if let Some(login) = beside.iter().filter(same).find(|login| is_other(login)) {
            return Err(refuse(&shown, login));
        }
    }
    Ok(())
}

/// The logins in the platform's temp folder.
fn siblings(env: &Env, platform: Option<Platform>) -> Vec<Written> {
    let plain = BaseFolder::fixed(None, env, platform);
    let entries =
        plain.iter().filter_map(|plain| std::fs::read_dir(plain.parent()?).ok()).flatten().flatten();
    let named =
        entries.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with("jobpass-")));
    named.filter_map(|entry| Written::find(&entry.path())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::OutputSpec;
    use crate::output::Destination;

    #[test]
    fn names_that_make_the_same_variables_are_refused() {
        let output = |name: &&str| Output {
            name: (*name).to_owned(),
            kind: OutputSpec::default().kind,
            roles: None,
            destination: Destination::whole("/d".into()),
        };
        for (name, names, wanted) in [
            (None, &["ssh"][..], None),
            (Some("a"), &["a"], None),
            (Some("a"), &["a", "b"], None),
            (None, &["a-b", "a-c"], None),
            (Some("a"), &["x", "A"], Some("`--name a` and the output `A`")),
            (Some("a-b"), &["x", "y", "a_b"], Some("`--name a-b` and the output `a_b`")),
            (None, &["x", "a-b", "a_b"], Some("the output `a-b` and the output `a_b`")),
            (None, &["x", "ci", "CI"], Some("(`JOBPASS_DIR_CI`)")),
        ] {
            let outputs: Vec<Output> = names.iter().map(output).collect();
            let said = check_own(name, &outputs).err().map(|error| error.to_string());
            assert_eq!(said.is_some(), wanted.is_some(), "{name:?} {names:?}: {said:?}");
            assert!(said.unwrap_or_default().contains(wanted.unwrap_or_default()), "{name:?} {names:?}");
        }
    }
}
