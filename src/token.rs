//! What proves it? The platform → its identity token.
//!
//! A source the user names beats the platform's. What is known to be useless (masked, cut, expired, for
//! another audience) is told here, before anything is sent.

use std::path::PathBuf;

use jiff::Timestamp;
use thiserror::Error;

use crate::detect::Detected;
use crate::env::{Env, now};
use crate::net::{NetError, Network};
use crate::platform::{Platform, TokenPlace};
use crate::secret::{Jwt, NotAJwt};
use crate::teleport::JoinMethod;

mod checks;
mod command;
mod endpoint;
mod file;
mod given;

pub use checks::{audience_problem, expired_since};
pub use command::words as command_words;

/// Where the user says the token is; `Platform`: where the platform has it.
#[derive(Debug, Clone, Default)]
pub enum Source {
    /// As the platform documents.
    #[default]
    Platform,
    /// `--id-token-env NAME`.
    Env(String),
    /// `--id-token-file PATH` (`-`: standard input).
    File(PathBuf),
    /// `--id-token-command WORDS…`: run without a shell, its stdout taken.
    Command(Vec<String>),
}

/// What the user said about it.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Where the token is.
    pub source: Source,
    /// `--audience`; `None`: what Teleport's method wants. A token given by hand must carry it.
    pub audience: Option<String>,
}

/// What will be shown to Teleport.
#[derive(Debug, Clone)]
pub enum Evidence {
    /// An identity token.
    Jwt(Jwt),
}

/// The audience Teleport's `github` method insists on (`lib/join/githubactions/token_validator.go`, v18).
pub const GITHUB_AUDIENCE: &str = "teleport.cluster.local";

/// Why there is none.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum TokenError {
    /// The platform fixes the audience; asking for one is a usage error, before anything is sent.
    #[error("{platform} fixes the token's audience in its own configuration, `--audience` cannot change it")]
    AudienceFixed { platform: &'static str, cure: String },
    /// The join method has no audience of its own; a usage error, before anything is sent.
    #[error("{platform} makes a token for one audience, and none was named")]
    AudienceMissing { platform: &'static str },
    /// The token given by hand is for another audience than `--audience` says.
    #[error("{place} holds an identity token for someone else: {problem}")]
    Audience { place: String, problem: String },
    /// The token's time is over. `since` is its `exp`.
    #[error("{place} holds an identity token that expired at {since}")]
    Expired { place: String, since: Timestamp, cures: Vec<String> },
    /// The platform gave no token, for the reason named.
    #[error("{platform} gave this job no identity token: {why}")]
    Missing { platform: &'static str, why: String, cures: Vec<String> },
    /// What was found is no token.
    #[error("{place} holds no identity token: {problem}")]
    NotAJwt { place: String, problem: NotAJwt, cures: Vec<String> },
    /// The variable, file or command of the user's gave nothing.
    #[error("{place} gave no identity token: {reason}")]
    Source { place: String, reason: String },
    /// The platform's endpoint answered with a refusal. `detail` is empty or begins with `: `.
    #[error("{platform} refused to issue an identity token: HTTP {status}{detail}")]
    Refused { platform: &'static str, status: u16, detail: String },
    /// The platform's endpoint could not be reached, also after retries.
    #[error("the token endpoint of {platform} could not be asked")]
    Endpoint {
        platform: &'static str,
        #[source]
        source: NetError,
    },
    /// It answered, but not in the documented form.
    #[error("the token endpoint of {platform} gave an answer of an unknown form: {detail}")]
    Form { platform: &'static str, detail: String },
}

impl TokenError {
    /// What the user can do about it; more lines than one are separate advice.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::AudienceFixed { cure, .. } => cure.clone(),
            Self::AudienceMissing { .. } => {
                "name the audience that the cluster's `kind: token` has, with `--audience`".to_owned()
            }
            Self::Audience { .. } => {
                "give the token that was made for this audience, or leave `--audience` out".to_owned()
            }
            Self::Expired { cures, .. } | Self::Missing { cures, .. } | Self::NotAJwt { cures, .. } => {
                cures.join("\n")
            }
            Self::Source { .. } => {
                "see that `--id-token-env`, `--id-token-file` or `--id-token-command` gives the \
                 identity token and nothing else"
                    .to_owned()
            }
            Self::Refused { status: 401, .. } => {
                "run jobpass in the job itself while it runs: the variables of its token request \
                 are good for nothing afterwards"
                    .to_owned()
            }
            Self::Refused { status: 403, .. } => {
                "see that the job may ask: `permissions: { id-token: write, contents: read }`".to_owned()
            }
            Self::Refused { status: 429 | 500.., platform, .. } => {
                format!("run the job again, or see the status page of {platform}")
            }
            Self::Refused { .. } | Self::Form { .. } => {
                "see that `ACTIONS_ID_TOKEN_REQUEST_URL` is as the runner set it, and that no \
                 HTTP proxy answers in its place"
                    .to_owned()
            }
            Self::Endpoint { source, .. } => return source.hint(),
        };
        Some(hint).filter(|h| !h.is_empty())
    }

    /// The part of the text that says why, where there is one: it stands at the text's end, after `: `.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Audience { problem, .. } => Some(problem.clone()),
            Self::Missing { why, .. } => Some(why.clone()),
            Self::NotAJwt { problem, .. } => Some(problem.to_string()),
            Self::Source { reason, .. } => Some(reason.clone()),
            Self::Refused { status, detail, .. } => Some(format!("HTTP {status}{detail}")),
            Self::Form { detail, .. } => Some(detail.clone()),
            Self::AudienceFixed { .. }
            | Self::AudienceMissing { .. }
            | Self::Expired { .. }
            | Self::Endpoint { .. } => None,
        }
    }

    /// Whether the command line is at fault.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::AudienceFixed { .. } | Self::AudienceMissing { .. })
    }

    /// Whether the network or a service is at fault, so that another run may do.
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Endpoint { .. } | Self::Refused { status: 429 | 500.., .. })
    }
}

/// Checks what can be checked before anything is sent.
pub fn check(detected: &Detected, wanted: &Wanted) -> Result<(), TokenError> {
    let Some(platform) = detected.platform else { return Ok(()) };
    let title = platform.title();
    match &wanted.audience {
        Some(audience) => match platform.audience_hint(audience) {
            Some(cure) => Err(TokenError::AudienceFixed { platform: title, cure }),
            None => Ok(()),
        },
        None if platform == Platform::GitHubActions
            && matches!(wanted.source, Source::Platform)
            && detected.method != Some(JoinMethod::GitHub) =>
        {
            Err(TokenError::AudienceMissing { platform: title })
        }
        None => Ok(()),
    }
}

/// Gets the token. For GitHub's own method the audience is `teleport.cluster.local` unless one is named.
pub async fn token(
    env: &Env,
    network: &Network,
    detected: &Detected,
    wanted: &Wanted,
) -> Result<Evidence, TokenError> {
    check(detected, wanted)?;
    let found = match &wanted.source {
        Source::Env(name) => given::variable(env, detected.platform, name),
        Source::File(path) => file::given(env, network, path).await,
        Source::Command(words) => command::given(network, env, words).await,
        Source::Platform => return from_platform(env, network, detected, wanted).await.map(Evidence::Jwt),
    }?;
    network.log().detail(format!("identity token from {}", found.place));
    let claims = checks::claims(&found)?;
    checks::not_expired(&found, &claims, now(), || {
        given::expired_cures(env, detected.platform, &wanted.source)
    })?;
    if let Some(problem) =
        wanted.audience.as_ref().and_then(|a| audience_problem(&claims, std::slice::from_ref(a)))
    {
        return Err(TokenError::Audience { place: found.place, problem });
    }
    Ok(Evidence::Jwt(found.jwt))
}

/// A token and where it was, for people.
struct Found {
    jwt: Jwt,
    place: String,
}

async fn from_platform(
    env: &Env,
    network: &Network,
    detected: &Detected,
    wanted: &Wanted,
) -> Result<Jwt, TokenError> {
    let Some(platform) = detected.platform else {
        let reason = "no CI platform was found and no token was given by hand".to_owned();
        return Err(TokenError::Source { place: "this machine".to_owned(), reason });
    };
    let missing = || {
        let absent = platform.absent(env);
        TokenError::Missing { platform: platform.title(), why: absent.why, cures: absent.hints }
    };
    let found = match platform.token_place(env).ok_or_else(missing)? {
        TokenPlace::Endpoint { url, bearer } => {
            let audience = wanted.audience.as_deref().unwrap_or(GITHUB_AUDIENCE);
            let endpoint = endpoint::Endpoint { platform: platform.title(), url: &url, bearer: &bearer };
            let jwt = endpoint.ask(network, audience).await?;
            let found = Found { jwt, place: format!("{}' token endpoint", platform.title()) };
            let claims = checks::claims(&found)?;
            if checks::not_expired(&found, &claims, now(), Vec::new).is_err() {
                network
                    .log()
                    .warn("the new identity token is over already by this machine's clock: set the clock");
            }
            return Ok(found.jwt);
        }
        TokenPlace::Variable(name) => given::variable(env, Some(platform), name)?,
        TokenPlace::File(path) => file::of_platform(network, &path).await?.ok_or_else(missing)?,
    };
    network.log().detail(format!("identity token from {}", found.place));
    let claims = checks::claims(&found)?;
    checks::not_expired(&found, &claims, now(), || platform.expired_hints(env))?;
    Ok(found.jwt)
}

#[cfg(test)]
mod tests;
