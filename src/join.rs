//! Evidence + a key → the bot's own identity, which is good for asking for outputs and nothing else.

use std::time::Duration;

use jiff::Timestamp;
use thiserror::Error;

use crate::claims::UnverifiedClaims;
use crate::identity::Suite;
use crate::identity::keys::{KeyError, KeyPair};
use crate::identity::tls::TlsCertificate;
use crate::net::tls::ClientIdentity;
use crate::platform::Platform;
use crate::secret::Jwt;
use crate::teleport::cluster::Cluster;
use crate::teleport::join::{Answer, JoinAttempt, Joined};
use crate::teleport::ping::Ping;
use crate::teleport::wire::join::Reason;
use crate::teleport::{ClusterError, JoinMethod};
use crate::token::Evidence;

/// What the user said about it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Name of the `kind: token` resource.
    pub token: String,
    /// The method detection or the user chose; `None`: whatever the token says.
    pub method: Option<JoinMethod>,
    /// The CI system, for explaining a refusal.
    pub platform: Option<Platform>,
    /// How long the outputs shall live: the bot identity may not end before them.
    pub ttl: Duration,
}

/// The bot, joined. Lives in memory only.
#[derive(Clone)]
pub struct BotIdentity {
    /// `bot-NAME`: CN of its certificate, and the name of its role.
    pub user: String,
    /// The cluster's name, as its certificate says.
    pub cluster: String,
    /// Its certificate and key, for mutual TLS.
    pub client: ClientIdentity,
    /// CAs of the cluster's own servers, DER.
    pub authorities: Vec<Vec<u8>>,
    /// What the proxy said of the cluster.
    pub ping: Ping,
    /// The cluster's suite, by the join or by the ping.
    pub suite: Option<Suite>,
    /// The method that was used, where it is known.
    pub method: Option<JoinMethod>,
}

/// What is known when a join was refused: enough to explain it, and no secret.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Teleport's words.
    pub message: String,
    /// Name of the join token.
    pub token: String,
    /// The method, where known.
    pub method: Option<JoinMethod>,
    /// The CI system.
    pub platform: Option<Platform>,
    /// What the job's identity token says.
    pub claims: UnverifiedClaims,
    /// What the cluster says of itself, where it told before the join.
    pub ping: Option<Ping>,
}

/// Why there is no bot identity.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum JoinError {
    /// The cluster cannot be reached, or makes no sense.
    #[error("the join did not come about")]
    Cluster(#[from] ClusterError),
    /// The key could not be made or used.
    #[error("the join needs a key")]
    Key(#[from] KeyError),
    /// The token on the cluster wants another method than this job was detected, or told, to use.
    #[error("the join token `{token}` is for the method `{theirs}`, this job would use `{ours}`")]
    Method { token: String, ours: JoinMethod, theirs: String },
    /// Teleport says no.
    #[error("Teleport refused to let this job join")]
    Refused(Box<Refusal>),
    /// The token on the cluster wants a method this client does not serve.
    #[error("the join token `{token}` is for the method `{method}`, which jobpass does not serve")]
    Unserved { token: String, method: String },
}

impl crate::error::StageError for JoinError {
    fn exit(&self) -> crate::error::Exit {
        match self {
            Self::Cluster(error) => error.exit(),
            Self::Key(_) => crate::error::Exit::Internal,
            _ => crate::error::Exit::Refused,
        }
    }

    fn causes(&self) -> Vec<String> {
        match self {
            Self::Cluster(error) => error.chain(),
            _ => Vec::new(),
        }
    }
}

impl JoinError {
    /// Whether no answer came, so that joining again is safe: the join tokens of the methods served here may be used any number of times.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_transient())
    }

    /// What the user can do about it. For a refusal `report` says more.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Cluster(error) => error.hint(),
            Self::Key(_) | Self::Refused(_) => None,
            Self::Method { token, theirs, .. } => Some(format!(
                "name a join token made for this platform, or say `--join-method {theirs}` and where its token is; \
                 `tctl get token/{token}` shows the token"
            )),
            Self::Unserved { method, .. } if method == "token" => Some(
                "make a join token for this platform's own method: a shared secret is not needed in CI"
                    .into(),
            ),
            Self::Unserved { .. } => Some("make a join token for this platform's own method".into()),
        }
    }
}

/// Checks, before the identity token is waited for, that the server wants what we have. Gives up politely if not.
pub async fn agree(attempt: JoinAttempt, wanted: &Wanted) -> Result<JoinAttempt, JoinError> {
    let Some(theirs) = attempt.method().map(str::to_owned) else { return Ok(attempt) };
    let served: Option<JoinMethod> = theirs.parse().ok();
    let error = match (served, wanted.method) {
        (Some(theirs), _) if !theirs.proves_with_token() => unserved(wanted, theirs.name()),
        (None, _) => unserved(wanted, &theirs),
        (Some(method), Some(ours)) if method != ours => {
            JoinError::Method { token: wanted.token.clone(), ours, theirs }
        }
        _ => return Ok(attempt),
    };
    attempt.give_up(Reason::UnsupportedJoinMethod, &error.to_string()).await;
    Err(error)
}

/// Joins. `key` survives whatever happens, so that a second try asks for the same.
pub async fn join(
    cluster: &Cluster,
    attempt: JoinAttempt,
    evidence: &Evidence,
    key: &KeyPair,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<BotIdentity, JoinError> {
    let Evidence::Jwt(jwt) = evidence;
    let ping = attempt.ping.clone();
    let expires = expiry(now, ping.as_ref().and_then(|p| p.clock_skew), wanted.ttl);
    let named = attempt.method().and_then(|method| method.parse().ok());
    let (method, suite) = (named.or(wanted.method), attempt.suite());
    match attempt.join(Answer::IdToken(jwt), key, expires).await {
        Ok(joined) => bot(cluster, joined, key, ping, suite, method).await,
        Err(ClusterError::Refused { message, .. }) => Err(refused(message, jwt, wanted, method, ping)),
        Err(error) => Err(error.into()),
    }
}

/// When what is asked for now shall end, by the server's clock where ours is off.
pub fn expiry(now: Timestamp, clock_skew: Option<i64>, ttl: Duration) -> Timestamp {
    let skew = jiff::SignedDuration::from_secs(clock_skew.unwrap_or(0));
    let ttl = jiff::SignedDuration::try_from(ttl).unwrap_or(jiff::SignedDuration::from_hours(1));
    now.saturating_add(skew).and_then(|t| t.saturating_add(ttl)).unwrap_or(now)
}

async fn bot(
    cluster: &Cluster,
    joined: Joined,
    key: &KeyPair,
    ping: Option<Ping>,
    suite: Option<Suite>,
    method: Option<JoinMethod>,
) -> Result<BotIdentity, JoinError> {
    let certificate = joined.certificate;
    ours(&certificate, key)?;
    let name = certificate.attribute("1.7").unwrap_or(&certificate.issuer_common_name).to_owned();
    let client = ClientIdentity { chain: vec![certificate.der], key: key.private().clone() };
    let authorities = joined.authorities;
    let ping = match ping {
        Some(ping) => ping,
        None => cluster.auth(&name, &authorities, client.clone()).await?.ping().await?,
    };
    Ok(BotIdentity { user: certificate.common_name, cluster: name, client, authorities, ping, suite, method })
}

fn refused(
    message: String,
    jwt: &Jwt,
    wanted: &Wanted,
    method: Option<JoinMethod>,
    ping: Option<Ping>,
) -> JoinError {
    let claims = UnverifiedClaims::decode(jwt).unwrap_or_default();
    let (token, platform) = (wanted.token.clone(), wanted.platform);
    JoinError::Refused(Box::new(Refusal { message, token, method, platform, claims, ping }))
}

/// A certificate for someone else's key would be of no use, and a sign of worse.
fn ours(certificate: &TlsCertificate, key: &KeyPair) -> Result<(), ClusterError> {
    if certificate.public_key == key.public_der() {
        return Ok(());
    }
    Err(ClusterError::malformed("the join's answer", "certificate for the key we sent"))
}

fn unserved(wanted: &Wanted, method: &str) -> JoinError {
    let method = crate::text::safe(method, 2_000);
    JoinError::Unserved { token: wanted.token.clone(), method }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::keys::KeyKind;

    #[test]
    fn a_certificate_for_another_key_is_not_taken() {
        let text = include_str!("../tests/data/teleport/tbot_output/identity.txt");
        let pem = &text[text.find("-----BEGIN CERTIFICATE").unwrap()..];
        let mut certificate = TlsCertificate::from_pem(pem).unwrap();
        let key = KeyPair::generate(KeyKind::P256).unwrap();
        assert!(
            ours(&certificate, &key).unwrap_err().to_string().contains("certificate for the key we sent")
        );
        certificate.public_key = key.public_der().to_vec();
        assert!(ours(&certificate, &key).is_ok());
    }

    #[test]
    fn ends_by_the_servers_clock() {
        let now = "2026-11-21T05:00:00Z".parse().unwrap();
        for (skew, want) in
            [(None, "06:00:00"), (Some(0), "06:00:00"), (Some(-600), "05:50:00"), (Some(90), "06:01:30")]
        {
            let end = expiry(now, skew, Duration::from_secs(3_600));
            assert_eq!(end.to_string(), format!("2026-11-21T{want}Z"));
        }
        assert!(expiry(now, Some(i64::MAX), Duration::MAX) >= now, "nothing panics");
    }
}
