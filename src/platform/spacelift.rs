//! Spacelift: its markers (it documents no flag of its own), its token's variable and file, its workspace.
//!
//! Names from docs.spacelift.io, "Environment" and "OIDC".

use std::path::PathBuf;

use super::{Absent, Marker, Place, how_missing};
use crate::env::{Env, names};

const DEFAULT_WORKSPACE: &str = "/mnt/workspace";
const TOKEN_FILE: &str = "spacelift.oidc";

pub(super) const AUDIENCE_CURE: &str =
    "leave `--audience` out: the audience is always the account's host name";

pub(super) const EXPIRED_CURE: &str =
    "run jobpass in the phase that needs it (`before_plan`, `before_apply`): a token lives for an hour";

pub(super) fn marker(env: &Env) -> Marker {
    let found =
        [names::SPACELIFT_OIDC_TOKEN, names::SPACELIFT_RUN_ID].into_iter().find(|n| env.var(n).is_some());
    match found {
        Some(name) => Marker { present: true, has_other_value: false, why: format!("{name} is set") },
        None => Marker {
            present: false,
            has_other_value: false,
            why: format!("neither {} nor {} is set", names::SPACELIFT_OIDC_TOKEN, names::SPACELIFT_RUN_ID),
        },
    }
}

pub(super) fn place(env: &Env) -> Place {
    match env.var(names::SPACELIFT_OIDC_TOKEN) {
        Some(_) => Place::Variable(names::SPACELIFT_OIDC_TOKEN),
        None => Place::File(workspace(env).join(TOKEN_FILE)),
    }
}

pub(super) fn absent(env: &Env) -> Absent {
    let file = workspace(env).join(TOKEN_FILE);
    Absent {
        why: format!(
            "{}, and there is no file `{}`",
            how_missing(env, names::SPACELIFT_OIDC_TOKEN),
            file.display()
        ),
        cures: vec![
            "use an account with OIDC: Spacelift's free plan has none".to_owned(),
            format!(
                "inside a container of your own, forward the variable: `docker run -e {}`",
                names::SPACELIFT_OIDC_TOKEN
            ),
        ],
    }
}

pub(super) fn workspace(env: &Env) -> PathBuf {
    env.absolute(env.var(names::SPACELIFT_WORKSPACE_ROOT).unwrap_or(DEFAULT_WORKSPACE).as_ref())
}

pub(super) fn job(env: &Env) -> Option<String> {
    let run = env.var(names::SPACELIFT_RUN_ID)?;
    Some(match env.var("TF_VAR_spacelift_stack_id") {
        Some(stack) => format!("run {run} of {stack}"),
        None => format!("run {run}"),
    })
}
