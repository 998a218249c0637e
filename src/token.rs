//! What proves it? Where the proof comes from → the proof.
//!
//! A token that is known to be useless (masked, cut, expired, with another audience) is an error here, before
//! anything is sent.

use crate::claims::UnverifiedClaims;
use crate::cloud::{Cloud, CloudError, aws, azure};
use crate::detect::{Detected, GivenToken, ProofSource};
use crate::env::{Env, now};
use crate::net::Network;
use crate::platform::{Platform, TokenPlace};
use crate::rules::{self, Audience, Flaw};
use crate::secret::Jwt;
use crate::teleport::JoinMethod;
use crate::teleport::challenge::{IAM_HEADER, Question, Solution};
use crate::teleport::join::Answer;

mod checks;
mod command;
mod endpoint;
mod error;
mod file;
mod found;
mod machine;
mod variable;

pub use checks::{audience_problem, expired_since};
pub use command::words as command_words;
pub use error::TokenError;

use found::Found;

/// The audience of Google's tokens for Teleport, whatever the cluster (Teleport `lib/join/gcp`).
const GCP_AUDIENCE: &str = "teleport.cluster.local";

/// What the user said about it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--audience`; `None`: what the join method asks for. A token that the user hands over must carry it.
    pub audience: Option<String>,
    /// `--azure-client-id`; `None`: that of `AZURE_CLIENT_ID`, else the machine's own identity.
    pub azure_client_id: Option<String>,
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
    /// Signs a request to AWS STS.
    Aws {
        /// Whose keys sign.
        identity: aws::Identity,
        /// None: only AWS knows.
        claims: UnverifiedClaims,
    },
    /// A machine of Azure's, and the claims of its access token.
    Azure {
        /// Asked for its attested document once there is a challenge.
        machine: azure::Machine,
        /// For the certificates that belong to that.
        network: Network,
        /// Unverified, for explaining a refusal.
        claims: UnverifiedClaims,
    },
}

impl Proof {
    /// The answer to the server's challenge. An identity token answers with itself, whether there is one or not.
    pub async fn answer(&self, question: Option<Question<'_>>) -> Result<Answer, TokenError> {
        match self {
            Self::Azure { machine, network, .. } => machine::attested(machine, network, question).await,
            Self::IdentityToken { jwt, .. } => Ok(Answer::IdToken(jwt.clone())),
            Self::Aws { identity, .. } => {
                let sts_identity_request =
                    identity.request((IAM_HEADER, question.map_or("", |question| question.text)));
                Ok(Answer::Solution(Solution::Iam { sts_identity_request }))
            }
        }
    }

    /// What this job is, as far as the proof itself says it.
    pub fn claims(&self) -> &UnverifiedClaims {
        match self {
            Self::IdentityToken { claims, .. } | Self::Aws { claims, .. } | Self::Azure { claims, .. } => {
                claims
            }
        }
    }

    /// What this job is. A machine asks its cloud where its proof does not say it.
    pub async fn asked_claims(&self) -> Result<UnverifiedClaims, TokenError> {
        match self {
            Self::IdentityToken { claims, .. } | Self::Azure { claims, .. } => Ok(claims.clone()),
            Self::Aws { identity, .. } => {
                let aws::Caller { account, arn } = identity.caller().await.map_err(CloudError::from)?;
                // By the names of AWS's own answer.
                let claims =
                    [("Account", account), ("Arn", arn)].map(|(name, text)| (name.to_owned(), text.into()));
                Ok(UnverifiedClaims::new(claims))
            }
        }
    }

    /// Where a machine's proof is from, for people.
    pub fn machine(&self) -> Option<String> {
        match self {
            Self::IdentityToken { .. } | Self::Azure { .. } => None,
            Self::Aws { identity, .. } => Some(format!("{}, for {}", identity.place(), identity.region())),
        }
    }
}

/// Checks what can be checked before anything is sent.
pub fn check(env: &Env, detected: &Detected, request: &Request) -> Result<(), TokenError> {
    if let Some(method) = detected.method.filter(|method| !method.proves_with_token()) {
        if matches!(detected.source, ProofSource::Given(_)) {
            return Err(TokenError::NoTokenMethod { method });
        }
        return match request.audience {
            Some(_) => Err(TokenError::NoAudience { method }),
            None => Ok(()),
        };
    }
    let Some(platform) = detected.platform.filter(|_| !matches!(detected.source, ProofSource::Cloud(_)))
    else {
        return Ok(());
    };
    let (title, asked) = (platform.title(), request.audience.as_deref());
    if let (Some(audience), false) = (asked, platform.takes_any_audience(env))
        && let Some(hint) = platform.audience_hint(audience)
    {
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
    check(env, detected, request)?;
    let found = match &detected.source {
        ProofSource::Platform(platform) => from_platform(env, network, *platform, detected, request).await?,
        ProofSource::Cloud(Cloud::Kubernetes) => machine::pod_token(env, network).await?,
        ProofSource::Cloud(Cloud::Aws) => {
            let identity = aws::identity(env, network).await.map_err(CloudError::from)?;
            let (place, region) = (identity.place(), identity.region());
            network.log().detail(format!("AWS credentials from {place}, for {region}"));
            return Ok(Proof::Aws { identity, claims: UnverifiedClaims::default() });
        }
        ProofSource::Cloud(Cloud::Gcp) => {
            let audience = request.audience.as_deref().unwrap_or(GCP_AUDIENCE);
            machine::gcp_token(env, network, audience).await?
        }
        ProofSource::Cloud(Cloud::Azure) => {
            let machine = azure::machine(env, network, request.azure_client_id.as_deref()).await?;
            let found = machine::access_token(&machine);
            let claims = machine::claims(&found, Cloud::Azure, azure::RESOURCE)?;
            return Ok(Proof::Azure { machine, network: network.clone(), claims });
        }
        ProofSource::Given(GivenToken::Variable(name)) => {
            variable::user_variable(env, detected.platform, name)?
        }
        ProofSource::Given(GivenToken::File(path)) => file::user_file(env, network, path).await?,
        ProofSource::Given(GivenToken::Command(words)) => command::output_of(network, env, words).await?,
    };
    if !found.is_new {
        network.log().detail(format!("identity token from {}", found.place));
    }
    let claims = checks::claims(&found)?;
    match checks::not_expired(&found, &claims, now(), expired_hints(env, detected)) {
        Err(_) if found.is_new => network
            .log()
            .warn("the new identity token has already expired by this machine's clock: set the clock"),
        other => other?,
    }
    let asked = request.audience.as_ref().filter(|_| !found.is_new);
    if let Some(problem) = asked.and_then(|a| audience_problem(&claims, std::slice::from_ref(a))) {
        return Err(TokenError::Audience { place: found.place, problem });
    }
    let fatal = flaws(detected, &claims).into_iter().find(|flaw| flaw.is_certain);
    if let (Some(Flaw { problem, hint, .. }), Some(method)) = (fatal, detected.method) {
        return Err(TokenError::Unfit { place: found.place, method, problem, hint });
    }
    Ok(Proof::IdentityToken { jwt: found.jwt, claims })
}

/// What the claims show that a server may refuse, by the method that was detected. What no server accepts is an error of
/// [`token`] already.
pub fn flaws(detected: &Detected, claims: &UnverifiedClaims) -> Vec<Flaw> {
    detected.method.map(|method| rules::flaws(method, claims)).unwrap_or_default()
}

/// The audience that a method insists on whatever the cluster, where it is one.
fn fixed_audience(method: JoinMethod) -> Option<&'static str> {
    match rules::audience(method) {
        Audience::Literal(audience) => Some(audience),
        _ => None,
    }
}

async fn from_platform(
    env: &Env,
    network: &Network,
    platform: Platform,
    detected: &Detected,
    request: &Request,
) -> Result<Found, TokenError> {
    let title = platform.title();
    let missing = || {
        let absent = platform.absent(env);
        TokenError::Missing { platform: title, why: absent.why, hints: absent.hints }
    };
    let audience = request.audience.as_deref().or_else(|| detected.method.and_then(fixed_audience));
    let program = platform.program(env, audience);
    let place = platform.token_place(env);
    // A new token has the audience that is asked for; what is in a variable has the platform's own.
    if let Some(words) = program.as_ref().filter(|_| request.audience.is_some() || place.is_none()) {
        return from_program(env, network, platform, words).await;
    }
    match place.ok_or_else(missing)? {
        TokenPlace::Endpoint(endpoint) => {
            let jwt = endpoint::Asked { platform: title, endpoint: &endpoint }.ask(network, audience).await?;
            Ok(Found { jwt, place: format!("the answer of {title}"), is_new: true })
        }
        TokenPlace::Variable(name) => {
            let found = variable::platform_variable(env, &name)?;
            match program.filter(|_| checks::has_expired(&found, now())) {
                Some(words) => {
                    network.log().detail(format!("the identity token from {} has expired", found.place));
                    from_program(env, network, platform, &words).await
                }
                None => Ok(found),
            }
        }
        TokenPlace::File(path) => file::platform_file(network, &path).await?.ok_or_else(missing),
    }
}

/// A new token of the platform's own program.
async fn from_program(
    env: &Env,
    network: &Network,
    platform: Platform,
    words: &[String],
) -> Result<Found, TokenError> {
    match command::output_of(network, env, words).await {
        Ok(found) => {
            network.log().detail(format!("new identity token from {}", found.place));
            Ok(Found { is_new: true, ..found })
        }
        Err(TokenError::Source { place, reason }) => {
            let hints = platform.absent(env).hints;
            Err(TokenError::Missing { platform: platform.title(), why: format!("{place}: {reason}"), hints })
        }
        Err(other) => Err(other),
    }
}

/// What to do about a token that has expired, or soon will.
pub fn expired_hints(env: &Env, detected: &Detected) -> Vec<String> {
    match (&detected.source, detected.platform) {
        (ProofSource::Platform(platform), _) => platform.expired_hints(env),
        (ProofSource::Given(GivenToken::Variable(_)), Some(platform)) => platform.expired_hints(env),
        (ProofSource::Cloud(_), _) => vec![machine::EXPIRED.to_owned()],
        (ProofSource::Given(GivenToken::Command(_)), _) => {
            vec!["let the command request a new token instead of printing a stored one".to_owned()]
        }
        (ProofSource::Given(_), _) => {
            vec!["get a new identity token in the step that runs jobpass".to_owned()]
        }
    }
}

#[cfg(test)]
mod tests;
