//! What proves it? Where the proof comes from → the proof.
//!
//! A token that is known to be useless (masked, cut, expired, with another audience) is an error here, before
//! anything is sent.

use jiff::Timestamp;
use thiserror::Error;

use crate::claims::UnverifiedClaims;
use crate::detect::{Detected, GivenToken, ProofSource};
use crate::env::{Env, now};
use crate::error::{Exit, StageError};
use crate::net::{NetError, Network};
use crate::platform::{Platform, TokenPlace};
use crate::rules::{self, Audience};
use crate::secret::{Jwt, NotAJwt};
use crate::teleport::JoinMethod;
use crate::teleport::join::Answer;
use crate::teleport::wire::join::Challenge;

mod checks;
mod command;
mod endpoint;
mod file;
mod variable;

pub use checks::{audience_problem, expired_since};
pub use command::words as command_words;

/// What the user said about it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--audience`; `None`: what the join method asks for. A token that the user hands over must carry it.
    pub audience: Option<String>,
}

/// What convinces the cluster: it answers the server's challenge.
#[derive(Debug, Clone)]
pub enum Proof {
    /// An identity token and its claims.
    IdentityToken {
        /// Secret.
        jwt: Jwt,
        /// Unverified, for explaining a refusal.
        claims: UnverifiedClaims,
    },
}

impl Proof {
    /// The answer to the server's challenge. An identity token answers with itself, whether there is one or not.
    pub fn answer(&self, _challenge: Option<&Challenge>) -> Answer<'_> {
        match self {
            Self::IdentityToken { jwt, .. } => Answer::IdToken(jwt),
        }
    }

    /// What this job is, as far as the proof says it.
    pub fn claims(&self) -> &UnverifiedClaims {
        match self {
            Self::IdentityToken { claims, .. } => claims,
        }
    }
}

/// Why there is none.
#[derive(Debug, Clone, Error)]
#[allow(missing_docs)]
pub enum TokenError {
    /// The platform fixes the audience; asking for one is a usage error, before anything is sent.
    #[error("{platform} fixes the token's audience in its own configuration, `--audience` cannot change it")]
    AudienceFixed { platform: &'static str, hint: String },
    /// The join method has no audience of its own; a usage error, before anything is sent.
    #[error("{platform} makes a token for one audience, and none was named")]
    AudienceMissing { platform: &'static str },
    /// The token given by hand is for another audience than `--audience` says.
    #[error("the identity token from {place} has the wrong audience")]
    Audience { place: String, problem: String },
    /// The token's time is over. `since` is its `exp`.
    #[error("the identity token from {place} has expired")]
    Expired { place: String, since: Timestamp, hints: Vec<String> },
    /// The platform gave no token, for the reason named.
    #[error("{platform} gave this job no identity token")]
    Missing { platform: &'static str, why: String, hints: Vec<String> },
    /// What was found is no token.
    #[error("the text from {place} is not an identity token")]
    NotAJwt { place: String, problem: NotAJwt, hints: Vec<String> },
    /// The variable, file or command of the user's gave nothing.
    #[error("could not get an identity token from {place}")]
    Source { place: String, reason: String },
    /// The platform's endpoint answered with a refusal; `detail` is empty where it gave no reason.
    #[error("{platform} refused to issue an identity token")]
    Refused { platform: &'static str, status: u16, detail: String },
    /// The platform's endpoint could not be reached, also after retries.
    #[error("could not reach the token endpoint of {platform}")]
    Endpoint {
        platform: &'static str,
        #[source]
        source: NetError,
    },
    /// It answered, but not in the documented form.
    #[error("unexpected answer from the token endpoint of {platform}")]
    Form { platform: &'static str, detail: String },
}

impl StageError for TokenError {
    fn exit(&self) -> Exit {
        match self {
            Self::AudienceFixed { .. } | Self::AudienceMissing { .. } => Exit::Usage,
            Self::Endpoint { source, .. } => source.exit(),
            Self::Refused { status: 429 | 500.., .. } => Exit::Network,
            _ => Exit::NoIdentity,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Audience { problem, .. } => vec![problem.clone()],
            Self::Expired { since, .. } => vec![format!("it expired at {since}")],
            Self::Missing { why, .. } => vec![why.clone()],
            Self::NotAJwt { problem, .. } => vec![problem.to_string()],
            Self::Source { reason, .. } => vec![reason.clone()],
            Self::Refused { status, detail, .. } if detail.is_empty() => vec![format!("HTTP {status}")],
            Self::Refused { status, detail, .. } => vec![format!("HTTP {status}: {detail}")],
            Self::Endpoint { source, .. } => source.chain(),
            Self::Form { detail, .. } => vec![detail.clone()],
            Self::AudienceFixed { .. } | Self::AudienceMissing { .. } => Vec::new(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::AudienceFixed { hint, .. } => hint,
            Self::AudienceMissing { .. } => {
                "pass `--audience` with the audience that the cluster's `kind: token` has"
            }
            Self::Audience { .. } => "pass the token that has this audience, or leave out `--audience`",
            Self::Expired { hints, .. } | Self::Missing { hints, .. } | Self::NotAJwt { hints, .. } => {
                return hints.clone();
            }
            Self::Source { .. } => {
                "check that `--id-token-env`, `--id-token-file` or `--id-token-command` gives the identity token \
                 and nothing else"
            }
            Self::Refused { status: 401, .. } => {
                "run jobpass in the job itself while it runs: the variables of its token request do not work later"
            }
            Self::Refused { status: 403, .. } => {
                "allow the job to request a token: `permissions: { id-token: write, contents: read }`"
            }
            Self::Refused { status: 429 | 500.., platform, .. } => {
                return vec![format!("run the job again, or check the status page of {platform}")];
            }
            Self::Refused { .. } | Self::Form { .. } => {
                "check that `ACTIONS_ID_TOKEN_REQUEST_URL` is as the runner set it, and that no HTTP proxy answers \
                 in its place"
            }
            Self::Endpoint { source, .. } => return source.hints(),
        };
        vec![hint.to_owned()]
    }
}

/// Checks what can be checked before anything is sent.
pub fn check(detected: &Detected, request: &Request) -> Result<(), TokenError> {
    let Some(platform) = detected.platform else { return Ok(()) };
    let (title, asked) = (platform.title(), request.audience.as_deref());
    if let Some(hint) = asked.and_then(|audience| platform.audience_hint(audience)) {
        return Err(TokenError::AudienceFixed { platform: title, hint });
    }
    // Where the platform takes any audience, it must be known before the token is asked for.
    let is_chosen = platform.audience_hint("").is_none();
    let is_known = asked.is_some() || detected.method.and_then(fixed_audience).is_some();
    match detected.source {
        ProofSource::Platform(_) if is_chosen && !is_known => {
            Err(TokenError::AudienceMissing { platform: title })
        }
        _ => Ok(()),
    }
}

/// Gets the proof. A token minted for this run has the audience that is asked for, else that of the join method.
pub async fn token(
    env: &Env,
    network: &Network,
    detected: &Detected,
    request: &Request,
) -> Result<Proof, TokenError> {
    check(detected, request)?;
    let (found, expired_hints) = match &detected.source {
        ProofSource::Platform(platform) => {
            let found = from_platform(env, network, *platform, detected, request).await?;
            (found, platform.expired_hints(env))
        }
        ProofSource::Given(given) => {
            let found = match given {
                GivenToken::Variable(name) => variable::user_variable(env, detected.platform, name)?,
                GivenToken::File(path) => file::user_file(env, network, path).await?,
                GivenToken::Command(words) => command::output_of(network, env, words).await?,
            };
            (found, expired_hints(env, detected.platform, given))
        }
    };
    if !found.is_new {
        network.log().detail(format!("identity token from {}", found.place));
    }
    let claims = checks::claims(&found)?;
    match checks::not_expired(&found, &claims, now(), expired_hints) {
        Err(_) if found.is_new => network
            .log()
            .warn("the new identity token has already expired by this machine's clock: set the clock"),
        other => other?,
    }
    let asked = request.audience.as_ref().filter(|_| matches!(detected.source, ProofSource::Given(_)));
    if let Some(problem) = asked.and_then(|a| audience_problem(&claims, std::slice::from_ref(a))) {
        return Err(TokenError::Audience { place: found.place, problem });
    }
    Ok(Proof::IdentityToken { jwt: found.jwt, claims })
}

/// The audience that a method insists on whatever the cluster, where it is one.
fn fixed_audience(method: JoinMethod) -> Option<&'static str> {
    match rules::audience(method) {
        Audience::Literal(audience) => Some(audience),
        _ => None,
    }
}

/// A token and where it was, for people.
struct Found {
    jwt: Jwt,
    place: String,
    /// Minted for this run: it cannot be stale.
    is_new: bool,
}

async fn from_platform(
    env: &Env,
    network: &Network,
    platform: Platform,
    detected: &Detected,
    request: &Request,
) -> Result<Found, TokenError> {
    let missing = || {
        let absent = platform.absent(env);
        TokenError::Missing { platform: platform.title(), why: absent.why, hints: absent.hints }
    };
    match platform.token_place(env).ok_or_else(missing)? {
        TokenPlace::Endpoint { url, bearer } => {
            let title = platform.title();
            let audience = request.audience.as_deref().or_else(|| detected.method.and_then(fixed_audience));
            let audience = audience.ok_or(TokenError::AudienceMissing { platform: title })?;
            let endpoint = endpoint::Endpoint { platform: title, url: &url, bearer: &bearer };
            let jwt = endpoint.ask(network, audience).await?;
            Ok(Found { jwt, place: format!("the answer of {title}"), is_new: true })
        }
        TokenPlace::Variable(name) => variable::platform_variable(env, name),
        TokenPlace::File(path) => file::platform_file(network, &path).await?.ok_or_else(missing),
    }
}

/// What to do about an expired token that the user handed over.
fn expired_hints(env: &Env, platform: Option<Platform>, given: &GivenToken) -> Vec<String> {
    match (given, platform) {
        (GivenToken::Variable(_), Some(platform)) => platform.expired_hints(env),
        (GivenToken::Command(_), _) => {
            vec!["let the command request a new token instead of printing a stored one".to_owned()]
        }
        _ => vec!["get a new identity token in the step that runs jobpass".to_owned()],
    }
}

#[cfg(test)]
mod tests;
