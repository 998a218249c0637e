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
    /// Its id (or that of a look-alike: `gitea`, `act`, …).
    pub platform: &'static str,
    /// Whether it was chosen.
    pub taken: bool,
    /// What to do if this is what is meant; only where it was not chosen, though something of it is there: its marker
    /// with another value, its token without a marker, a machine that can prove itself below an unknown CI system.
    pub hint: Option<String>,
    /// `GITHUB_ACTIONS is true`, `GITLAB_CI is not set`, …
    pub why: String,
}

/// Of a look-alike that ends the search.
pub(super) fn of_imitator(system: LookAlike) -> Reason {
    Reason { platform: system.id(), taken: true, hint: None, why: system.evidence() }
}

/// Of each platform. `marked` are those whose marker is there.
pub(super) fn of_platforms(
    env: &Env,
    request: &Request,
    look_alike: Option<LookAlike>,
    marked: &[Platform],
    chosen: Option<Platform>,
) -> Vec<Reason> {
    let by_hand = if request.platform.is_some() { "the platform" } else { "the join method or the token" };
    let imitation = look_alike.map(|l| Reason {
        platform: l.id(),
        taken: false,
        hint: None,
        why: format!("{}, but {by_hand} is given by hand", l.evidence()),
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
        let why = format!("{}{note}", marker.why);
        let hint = format!("pass `--platform {}` if this is such a job: {why}", platform.id());
        Reason { platform: platform.id(), taken, hint: is_suspect.then_some(hint), why }
    });
    imitation.into_iter().chain(platforms).collect()
}

/// Of each machine's identity. `is_ci`: the job is one of a CI system.
pub(super) fn of_clouds(env: &Env, request: &Request, is_ci: bool, chosen: Option<Cloud>) -> Vec<Reason> {
    let reason = |cloud: Cloud| {
        let found = cloud.evidence(env);
        let taken = chosen == Some(cloud);
        let is_kept_out = found.present && is_ci && chosen.is_none() && request.given.is_none();
        let flag = format!("--join-method {}", method_of_cloud(cloud));
        let note = if taken && request.method.is_some() {
            ", asked for with `--join-method`".to_owned()
        } else if taken || !found.present {
            String::new()
        } else if let Some(chosen) = chosen {
            let cause = if request.method.is_some() { "was asked for" } else { "comes first" };
            format!(", but {} {cause}", chosen.id())
        } else if is_kept_out {
            format!(", but the identity of a CI job's machine is not the job's (`{flag}` to use it)")
        } else {
            ", but the join method or the token is given by hand".to_owned()
        };
        let hint = format!("pass `{flag}` to join as the machine that this CI job runs on: {}", found.why);
        Reason {
            platform: cloud.id(),
            taken,
            hint: is_kept_out.then_some(hint),
            why: format!("{}{note}", found.why),
        }
    };
    Cloud::ALL.into_iter().map(reason).collect()
}
