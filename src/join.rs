//! Proof → the bot's own identity, which is good for asking for outputs and nothing else.

mod error;

use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;

use crate::env::now;
use crate::identity::Suite;
use crate::identity::keys::{KeyError, KeyKind, KeyPair};
use crate::identity::tls::TlsCertificate;
use crate::net::retry;
use crate::net::tls::ClientIdentity;
use crate::platform::Platform;
use crate::rules::{self, ServerVersion, Unserved};
use crate::teleport::challenge;
use crate::teleport::join::{JoinAttempt, Joined, Opening};
use crate::teleport::ping::Ping;
use crate::teleport::wire::join::Reason;
use crate::teleport::{Cluster, ClusterError, JoinMethod};
use crate::text::{is_name, safe};
use crate::token::{Proof, TokenError};
pub use error::{JoinError, Refusal};

/// How the job joins.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name of the `kind: token` resource.
    pub token: String,
    /// The method that detection or the user chose; `None`: whatever the token says.
    pub method: Option<JoinMethod>,
    /// The CI system, for explaining a refusal.
    pub platform: Option<Platform>,
    /// `--expect-cluster`: no other cluster sees the proof.
    pub cluster: Option<String>,
    /// How long the outputs shall live: the bot identity may not end before them.
    pub ttl: Duration,
    /// Connections for the calls after the join, dialled meanwhile.
    pub connections: usize,
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
    /// The suite that the join or the ping names.
    pub suite: Option<Suite>,
    /// The method that was used, where it is known.
    pub method: Option<JoinMethod>,
}

/// How often a join that got no answer is tried.
const ATTEMPTS: u32 = 4;

/// How long a refusal is held up to learn who it is about.
const CLAIMS: Duration = Duration::from_secs(3);

/// Joins. The connections are opened, and the server is asked for its method, while the proof is still on its way;
/// proof and key survive an attempt that got no answer.
pub async fn join(
    cluster: &Cluster,
    request: &Request,
    proof: impl Future<Output = Result<Proof, TokenError>>,
) -> Result<(BotIdentity, Ping), JoinError> {
    let key = tokio::task::spawn_blocking(|| KeyPair::generate(KeyKind::P256));
    let key = async move { key.await.unwrap_or(Err(KeyError::Generate(KeyKind::P256))) }.shared();
    let proof = proof.shared();
    let network = cluster.network();
    let attempt = |_| attempt(cluster, request, proof.clone(), key.clone());
    let (deadline, log) = (network.deadline(), network.log());
    retry(deadline, log, "", ATTEMPTS, attempt, JoinError::is_transient).await
}

async fn attempt(
    cluster: &Cluster,
    request: &Request,
    proof: impl Future<Output = Result<Proof, TokenError>> + Clone,
    key: impl Future<Output = Result<KeyPair, KeyError>> + Clone,
) -> Result<(BotIdentity, Ping), JoinError> {
    let begin = begin(cluster, request, proof.clone(), key.clone());
    let (proof, attempt) = tokio::try_join!(async { Ok(proof.await?) }, begin)?;
    finish(cluster, attempt, &proof, &key.await?, request).await
}

/// All of a join up to the server's word on the method, and the challenge of one that has it.
async fn begin(
    cluster: &Cluster,
    request: &Request,
    proof: impl Future<Output = Result<Proof, TokenError>>,
    key: impl Future<Output = Result<KeyPair, KeyError>> + Clone,
) -> Result<JoinAttempt, JoinError> {
    let opening = opening(request, proof, key.clone());
    let attempt = cluster.begin_join(&request.token, request.connections, opening).await?;
    check_cluster(&attempt, request)?;
    check_server(&attempt, request)?;
    let attempt = check_method(attempt, request).await?;
    let Some(kind) = request.method.and_then(challenge::Kind::of) else { return Ok(attempt) };
    let expires = expiry(now(), attempt.clock_skew(), request.ttl);
    Ok(attempt.ask(kind, &key.await?, expires).await?)
}

/// By how much our clock may be off before the server has told its own: a machine may take its local time for UTC.
const UNKNOWN_SKEW: Duration = Duration::from_secs(14 * 60 * 60);

/// What goes out before the server has said anything. Which method the join token is for comes back in the same round trip as the certificate; the
/// POST, too, shows the proof to that server without asking. Nothing where the user has named the cluster: the ping is to say that this is it.
async fn opening(
    request: &Request,
    proof: impl Future<Output = Result<Proof, TokenError>>,
    key: impl Future<Output = Result<KeyPair, KeyError>>,
) -> Option<Opening> {
    // The server shortens what is too long, and the bot's identity is gone with this run.
    let expires = expiry(now(), None, request.ttl.saturating_add(UNKNOWN_SKEW));
    if request.cluster.is_some() {
        return None;
    }
    if let Some(kind) = request.method.and_then(challenge::Kind::of) {
        return Some(Opening::Challenge(kind, key.await.ok()?, expires));
    }
    match proof.await.ok()? {
        Proof::IdentityToken { jwt, .. } => Some(Opening::Proof(jwt, key.await.ok()?, expires)),
        Proof::Aws { .. } | Proof::Azure { .. } => None,
    }
}

/// Checks, before the proof is shown, that this is the cluster the user means, where the ping says which it is.
fn check_cluster(attempt: &JoinAttempt, request: &Request) -> Result<(), JoinError> {
    match (&attempt.ping, &request.cluster) {
        (Some(ping), Some(expected)) if ping.cluster_name != *expected => {
            Err(JoinError::OtherCluster { expected: expected.clone(), found: safe(&ping.cluster_name, 200) })
        }
        _ => Ok(()),
    }
}

/// Checks that the server has the method. One that has named it on the stream has it.
fn check_server(attempt: &JoinAttempt, request: &Request) -> Result<(), JoinError> {
    let (Some(ping), Some(method), None) = (&attempt.ping, request.method, attempt.method()) else {
        return Ok(());
    };
    let version = ServerVersion::parse(&ping.server_version);
    match rules::unserved(method, version, ping.edition.as_deref()) {
        Some(Unserved { problem, hint }) => {
            let server = format!("Teleport {}", safe(&ping.server_version, 50));
            Err(JoinError::Unserved { problem, hint, server })
        }
        None => Ok(()),
    }
}

/// Checks that the server wants what we have. Gives up politely if not.
async fn check_method(attempt: JoinAttempt, request: &Request) -> Result<JoinAttempt, JoinError> {
    let Some(theirs) = attempt.method().map(str::to_owned) else {
        return stream_only(attempt, request.method);
    };
    let token = || request.token.clone();
    let error = match (theirs.parse::<JoinMethod>(), request.method) {
        (Err(()), _) => JoinError::Unsupported { token: token(), method: safe(&theirs, 100) },
        (Ok(method), Some(ours)) if method != ours => JoinError::Method { token: token(), ours, theirs },
        // A token that the user handed over, without a word of the method.
        (Ok(method), None) if !method.proves_with_token() => {
            JoinError::NoTokenMethod { token: token(), method }
        }
        (method, _) => return stream_only(attempt, method.ok()),
    };
    attempt.give_up(Reason::UnsupportedJoinMethod, &error.to_string()).await;
    Err(error)
}

/// Keeps a proof from the POST where that does not serve the method.
fn stream_only(attempt: JoinAttempt, method: Option<JoinMethod>) -> Result<JoinAttempt, JoinError> {
    match method.filter(|method| rules::is_stream_only(*method)) {
        Some(method) => attempt.by_stream_only().map_err(|source| JoinError::StreamOnly { method, source }),
        None => Ok(attempt),
    }
}

async fn finish(
    cluster: &Cluster,
    attempt: JoinAttempt,
    proof: &Proof,
    key: &KeyPair,
    request: &Request,
) -> Result<(BotIdentity, Ping), JoinError> {
    let ping = attempt.ping.clone();
    let expires = expiry(now(), attempt.clock_skew(), request.ttl);
    let named = attempt.method().and_then(|method| method.parse().ok());
    let (method, suite) = (named.or(request.method), attempt.suite());
    let prove = async |question: Option<challenge::Question<'_>>| Ok(proof.answer(question).await?);
    match attempt.join(prove, key, expires).await {
        Ok(joined) => bot(cluster, joined, key, ping, suite, method).await,
        Err(JoinError::Cluster(ClusterError::Refused { message, .. })) => {
            let (token, platform) = (request.token.clone(), request.platform);
            let deadline = cluster.network().deadline();
            let claims =
                deadline.try_within(CLAIMS, "the machine", "asking who it is", proof.asked_claims()).await;
            let claims = claims.ok().and_then(Result::ok).unwrap_or_default();
            Err(JoinError::Refused(Box::new(Refusal { message, token, method, platform, claims, ping })))
        }
        Err(error) => Err(error),
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
) -> Result<(BotIdentity, Ping), JoinError> {
    let certificate = joined.certificate;
    check_key(&certificate, key)?;
    let name = certificate.attribute("1.7").unwrap_or(&certificate.issuer_common_name).to_owned();
    for (field, name) in [("CN", &certificate.common_name), ("the cluster's name", &name)] {
        if !is_name(name) {
            return Err(ClusterError::malformed("the bot's certificate", field).into());
        }
    }
    let client = ClientIdentity { chain: vec![certificate.der], key: key.private().clone() };
    let authorities = joined.authorities;
    let ping = match ping {
        Some(ping) => ping,
        None => cluster.auth(&name, &authorities, client.clone()).await?.ping().await?,
    };
    let bot =
        BotIdentity { user: certificate.common_name, cluster: name, client, authorities, suite, method };
    Ok((bot, ping))
}

/// A certificate for someone else's key would be of no use, and a sign of worse.
fn check_key(certificate: &TlsCertificate, key: &KeyPair) -> Result<(), ClusterError> {
    if certificate.public_key == key.public_der() {
        return Ok(());
    }
    Err(ClusterError::malformed("the join's answer", "certificate for the key we sent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_for_another_key_is_not_taken() {
        let text = include_str!("../tests/data/teleport/tbot_output/identity.txt");
        let pem = &text[text.find("-----BEGIN CERTIFICATE").unwrap()..];
        let mut certificate = TlsCertificate::from_pem(pem).unwrap();
        let key = KeyPair::generate(KeyKind::P256).unwrap();
        assert!(
            check_key(&certificate, &key)
                .unwrap_err()
                .to_string()
                .contains("certificate for the key we sent")
        );
        certificate.public_key = key.public_der().to_vec();
        assert!(check_key(&certificate, &key).is_ok());
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
