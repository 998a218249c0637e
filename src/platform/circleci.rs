//! `CircleCI`: its marker, its token variables, and `circleci run oidc get`.
//!
//! Names from circleci.com/docs, "Project values and variables" and the page on OIDC tokens.

use std::path::PathBuf;

use super::{Absent, Marker, Place, how_missing, text};
use crate::env::{Env, names};

/// The checkout, as written in the configuration: may begin with `~/`.
pub const CIRCLE_WORKING_DIRECTORY: &str = "CIRCLE_WORKING_DIRECTORY";
/// The job's page.
pub const CIRCLE_BUILD_URL: &str = "CIRCLE_BUILD_URL";
/// The file bash reads before each later step.
pub const BASH_ENV: &str = "BASH_ENV";
/// A UUID, and the audience of the token in the variable.
const CIRCLE_ORGANIZATION_ID: &str = "CIRCLE_ORGANIZATION_ID";

pub(super) fn marker(env: &Env) -> Marker {
    super::exactly_true(env, names::CIRCLECI)
}

/// Both variables have the same issuer and audience; only `sub` differs, which Teleport's rules do not use.
pub(super) fn place(env: &Env) -> Option<Place> {
    [names::CIRCLE_OIDC_TOKEN, names::CIRCLE_OIDC_TOKEN_V2]
        .into_iter()
        .find(|name| env.var(name).is_some())
        .map(Place::Variable)
}

pub(super) fn absent(env: &Env) -> Absent {
    let mut cures = vec![fresh_token_cure(env)];
    if env.var("CIRCLE_PR_NUMBER").is_some() || env.var("CIRCLE_PR_REPONAME").is_some() {
        cures.insert(
            0,
            "run the step for your own branches only: this pull request is from a fork, which gets a token \
             only where the project passes secrets to builds from forked pull requests"
                .to_owned(),
        );
    } else {
        cures.push(
            "for pull requests from forks, see \"Pass secrets to builds from forked pull requests\" in the \
             project's settings"
                .to_owned(),
        );
    }
    cures.push(
        "on a self-hosted runner, make the temp folder writable and not `noexec`: what makes the tokens is \
         unpacked there"
            .to_owned(),
    );
    Absent { why: how_missing(env, names::CIRCLE_OIDC_TOKEN), cures }
}

pub(super) fn audience_cure(wanted: &str) -> String {
    let wanted = text::one_line(wanted, 200);
    format!("get a token for it: `{}`", command(&wanted))
}

/// How to get a token that is not as old as the job.
pub(super) fn fresh_token_cure(env: &Env) -> String {
    let organization = env.var(CIRCLE_ORGANIZATION_ID).map(|id| text::one_line(id, 60));
    format!("have a fresh token made: `{}`", command(organization.as_deref().unwrap_or("<organization id>")))
}

pub(super) fn checkout(env: &Env) -> Option<PathBuf> {
    let written = env.var(CIRCLE_WORKING_DIRECTORY)?;
    let path = match written.strip_prefix('~') {
        Some("") => PathBuf::from(env.var("HOME")?),
        Some(rest) if rest.starts_with('/') => {
            PathBuf::from(env.var("HOME")?).join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(written),
    };
    Some(env.absolute(&path))
}

/// Without `--root-issuer`: Teleport expects the organisation's issuer.
fn command(audience: &str) -> String {
    format!(r#"--id-token-command "circleci run oidc get --claims '{{\"aud\":\"{audience}\"}}'""#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_first_variable_else_the_second() {
        for (vars, want) in [
            (&[("CIRCLE_OIDC_TOKEN", "a"), ("CIRCLE_OIDC_TOKEN_V2", "b")][..], Some("CIRCLE_OIDC_TOKEN")),
            (&[("CIRCLE_OIDC_TOKEN", ""), ("CIRCLE_OIDC_TOKEN_V2", "b")], Some("CIRCLE_OIDC_TOKEN_V2")),
            (&[], None),
        ] {
            let found = place(&Env::of(vars.iter().copied(), "/"));
            assert_eq!(
                found.map(|p| match p {
                    Place::Variable(name) => name,
                    other => panic!("{other:?}"),
                }),
                want
            );
        }
    }

    #[test]
    fn cures_name_the_organization_and_forks() {
        let plain = absent(&Env::of([("CIRCLE_ORGANIZATION_ID", "d1a3")], "/"));
        assert!(
            plain.cures[0].contains(r#"circleci run oidc get --claims '{\"aud\":\"d1a3\"}'"#),
            "{plain:?}"
        );
        assert!(
            plain.cures.iter().any(|c| c.contains("noexec"))
                && plain.cures.iter().any(|c| c.contains("forks"))
        );
        let fork = absent(&Env::of([("CIRCLE_PR_NUMBER", "7")], "/"));
        assert!(fork.cures[0].contains("from a fork"), "{fork:?}");
    }
}
