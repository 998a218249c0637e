//! Where am I? The environment and the flags → where the proof comes from, and by which method it is shown.
//!
//! In order: the flag; a marker whose platform has a token; a marker without one (then `token` stops and
//! explains); only where nothing says CI, the identity of the pod or of the cloud's machine. The wrong value in a marker
//! is no match, but a sign of CI nevertheless, and a look-alike is told apart before GitHub is believed.

mod error;
mod reason;
mod request;

use crate::cloud::Cloud;
use crate::env::Env;
use crate::platform::Platform;
use crate::platform::look_alike::LookAlike;
use crate::rules::{cloud_of, method_of, method_of_cloud};
use crate::teleport::JoinMethod;

pub use error::DetectError;
pub use reason::Reason;
pub use request::{GivenToken, Request};

/// Where the proof comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofSource {
    /// An identity token that the user hands over.
    Given(GivenToken),
    /// The identity token that the CI platform issues to the job.
    Platform(Platform),
    /// The pod or the cloud's machine that the process runs on.
    Cloud(Cloud),
}

/// Where the job runs, and how it joins.
#[derive(Debug, Clone)]
pub struct Detected {
    /// The CI system, for its log, folders and later steps; `None` on a machine, or with a token given by the user.
    pub platform: Option<Platform>,
    /// Where the proof comes from.
    pub source: ProofSource,
    /// How to join; `None`: the server knows the method of the token.
    pub method: Option<JoinMethod>,
    /// Why each platform and machine's identity was taken or not.
    pub reasons: Vec<Reason>,
}

/// Decides. Looks at variables and at the machine's own files; nobody is asked, and no metadata address is touched.
pub fn detect(env: &Env, request: &Request) -> Result<Detected, DetectError> {
    let look_alike = LookAlike::find(env);
    let by_flag = request.given.is_some() || request.method.is_some() || request.platform.is_some();
    if let (Some(system), false) = (look_alike, by_flag) {
        let mut reasons = vec![reason::of_imitator(system)];
        reasons.extend(reason::of_platforms(env, request, None, &[], None));
        reasons.extend(reason::of_clouds(env, request, true, None));
        return Err(DetectError::LookAlike { system, reasons });
    }
    let marked: Vec<Platform> = Platform::ALL.into_iter().filter(|p| p.marker(env).present).collect();
    let platform = choose(env, request, &marked);
    let mut reasons = reason::of_platforms(env, request, look_alike, &marked, platform);
    let is_ci = look_alike.is_some()
        || env.says_ci()
        || platform.is_some()
        || reasons.iter().any(|reason| reason.hint.is_some());
    let cloud = choose_cloud(env, request, is_ci);
    reasons.extend(reason::of_clouds(env, request, is_ci, cloud));
    let source = match (&request.given, cloud, platform) {
        (Some(given), _, _) => ProofSource::Given(given.clone()),
        (None, Some(cloud), _) => ProofSource::Cloud(cloud),
        (None, None, Some(platform)) => ProofSource::Platform(platform),
        (None, None, None) => return Err(DetectError::NoPlatform { reasons, is_ci: env.says_ci() }),
    };
    // A look-alike is taken for its log and files, which work as GitHub's do; its tokens are not GitHub's.
    let imitated =
        platform == Some(Platform::GitHubActions) && request.platform.is_none() && look_alike.is_some();
    let of_source = || match source {
        ProofSource::Cloud(cloud) => Some(method_of_cloud(cloud)),
        _ => platform.filter(|_| !imitated).map(method_of),
    };
    let method = request.method.or_else(of_source);
    Ok(Detected { platform, source, method, reasons })
}

fn choose(env: &Env, request: &Request, marked: &[Platform]) -> Option<Platform> {
    let has_method = |p: &Platform| request.method == Some(method_of(*p));
    request
        .platform
        .or_else(|| marked.iter().copied().find(has_method))
        .or_else(|| marked.iter().copied().find(|p| p.has_token(env)))
        .or_else(|| marked.first().copied())
        // A container that was handed the token's variables but not the marker.
        .or_else(|| {
            Platform::ALL.into_iter().find(|p| request.given.is_none() && has_method(p) && p.has_token(env))
        })
}

/// The machine that is asked for, else the first in sight where nothing says CI: a job that lost its identity must not
/// borrow that of the runner.
fn choose_cloud(env: &Env, request: &Request, is_ci: bool) -> Option<Cloud> {
    match request.method {
        _ if request.given.is_some() => None,
        Some(method) => cloud_of(method),
        None if is_ci => None,
        None => {
            let seen = Cloud::ALL.map(|cloud| (cloud, cloud.evidence(env)));
            let present = seen.iter().find(|(_, evidence)| evidence.present);
            // A pod without a token: `token` explains.
            present.or_else(|| seen.iter().find(|(_, evidence)| evidence.is_suspect)).map(|(cloud, _)| *cloud)
        }
    }
}

#[cfg(test)]
mod tests;
