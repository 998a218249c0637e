//! Why a platform or a machine's identity was taken or not.

use super::request::Request;
use crate::cloud::Cloud;
use crate::env::Env;
use crate::platform::Platform;
use crate::platform::look_alike::LookAlike;
use crate::rules::method_of_cloud;

/// Why a platform or a machine's identity was taken or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Its id (or that of a look-alike: `gitea`, `forgejo`, `act`).
    pub platform: &'static str,
    /// The flag that asks for it, e.g. `--platform github`.
    pub flag: String,
    /// Whether it was chosen.
    pub taken: bool,
    /// Not chosen, though something of it is there: its marker with another value, its token without a marker, a pod
    /// without a token.
    pub is_suspect: bool,
    /// `GITHUB_ACTIONS is true`, `GITLAB_CI is not set`, …
    pub why: String,
}

/// Of a look-alike that ends the search.
pub(super) fn of_imitator(system: LookAlike) -> Reason {
    let why = format!("{} is set", system.marker());
    Reason { platform: system.id(), flag: String::new(), taken: true, is_suspect: false, why }
}

/// Of each platform. `marked` are those whose marker is there.
pub(super) fn of_platforms(
    env: &Env,
    request: &Request,
    look_alike: Option<LookAlike>,
    marked: &[Platform],
    chosen: Option<Platform>,
) -> Vec<Reason> {
    let imitation = look_alike.map(|l| Reason {
        platform: l.id(),
        flag: String::new(),
        taken: false,
        is_suspect: false,
        why: format!("{} is set, but the join method or the token is given by hand", l.marker()),
    });
    let platforms = Platform::ALL.into_iter().map(|platform| {
        let marker = platform.marker(env);
        let taken = chosen == Some(platform);
        let note = if taken && request.platform.is_some() {
            ", asked for with `--platform`".to_owned()
        } else if taken && !marker.present {
            ", but `--join-method` names it and its token is here".to_owned()
        } else if let (true, false, Some(chosen)) = (marker.present, taken, chosen) {
            let first = marked.iter().position(|p| *p == platform) < marked.iter().position(|p| *p == chosen);
            let cause = if request.platform.is_some() {
                "was asked for"
            } else if first {
                "is the one with a token"
            } else {
                "comes first"
            };
            format!(", but {} {cause}", chosen.id())
        } else if !marker.present && platform.has_token(env) {
            ", though its token's variables are".to_owned()
        } else {
            String::new()
        };
        let is_suspect = !taken && !marker.present && (marker.has_other_value || platform.has_token(env));
        let flag = format!("--platform {}", platform.id());
        Reason { platform: platform.id(), flag, taken, is_suspect, why: format!("{}{note}", marker.why) }
    });
    imitation.into_iter().chain(platforms).collect()
}

/// Of each machine's identity. `ci`: this is a CI job.
pub(super) fn of_clouds(env: &Env, request: &Request, ci: bool, chosen: Option<Cloud>) -> Vec<Reason> {
    let reason = |cloud: Cloud| {
        let found = cloud.evidence(env);
        let flag = format!("--join-method {}", method_of_cloud(cloud));
        let taken = chosen == Some(cloud);
        let is_kept_out = found.present && chosen.is_none() && ci && request.given.is_none();
        let note = if taken && request.method.is_some() {
            ", asked for with `--join-method`".to_owned()
        } else if taken || !found.present {
            String::new()
        } else if let Some(chosen) = chosen {
            let cause = if request.method.is_some() { "was asked for" } else { "comes first" };
            format!(", but {} {cause}", chosen.id())
        } else if is_kept_out {
            format!(", but this is a CI job: pass `{flag}` to join as the machine it runs on")
        } else {
            ", but the join method or the token is given by hand".to_owned()
        };
        let is_suspect = !taken && (found.is_suspect || is_kept_out);
        Reason { platform: cloud.id(), flag, taken, is_suspect, why: format!("{}{note}", found.why) }
    };
    Cloud::ALL.into_iter().map(reason).collect()
}
