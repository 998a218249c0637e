//! What both join paths do: find the join token, admit the identity token, make the bot's own certificates.

use std::time::Duration;

use ssh_key::Certificate;
use ssh_key::public::KeyData;

use super::cluster::{Cluster, ROLE_TTL};
use super::policy;
use super::profile::{INTERNAL_JOIN, Profile, no_login};
use super::public_key;
use super::refusal::Refusal;
use crate::rules::{self, ProvisionToken};

/// A whole join takes no longer.
pub(super) const LIMIT: Duration = Duration::from_secs(60);
/// The role a bot joins with.
pub(super) const BOT_ROLE: &str = "Bot";

/// The certificates of the bot's own identity.
pub(super) struct BotCertificates {
    pub(super) ssh: Certificate,
    /// DER.
    pub(super) tls: Vec<u8>,
}

/// The join token of that name, if it lets a bot join.
pub(super) fn find<'a>(cluster: &'a Cluster, name: &str) -> Result<&'a ProvisionToken, Refusal> {
    let now = crate::env::now();
    let token = cluster
        .options
        .tokens
        .iter()
        .find(|token| token.name == name && token.expires.is_none_or(|end| end > now))
        // A server that does not have the method does not take the token either.
        .filter(|token| rules::unserved(token.method, Some(cluster.version), None).is_none())
        // The empty name is that of the host, which a bot has none of (recorded).
        .ok_or_else(|| {
            Refusal::denied(format!(
                "\"\" can not join the cluster with role \"{BOT_ROLE}\", token expired or not found"
            ))
        })?;
    if !token.roles.iter().any(|role| role.eq_ignore_ascii_case(BOT_ROLE)) || token.bot_name.is_none() {
        return Err(Refusal::denied("can not join the cluster, the token does not allow role Bot"));
    }
    Ok(token)
}

/// Whether the identity token may use the join token.
pub(super) fn admit(cluster: &Cluster, token: &ProvisionToken, id_token: &str) -> Result<(), Refusal> {
    if !token.method.proves_with_token() {
        let label = rules::label(token.method);
        return Err(Refusal::bad(format!("{label} join method is not supported by this call")));
    }
    if id_token.is_empty() {
        let label = rules::label(token.method);
        return Err(Refusal::bad(format!("IDToken not provided for {label} join request")));
    }
    policy::admit(cluster, token, id_token)
}

/// A bot's certificates by one of the older ways: for an `authorized_keys` line and a PKIX PEM. Recorded: a 15 server certifies
/// the SSH key for TLS too, and does not look at the other.
pub(super) fn certify_older(
    cluster: &Cluster,
    token: &ProvisionToken,
    (ssh_line, tls_pem): (&[u8], &[u8]),
    expires: Option<i64>,
    login_ip: &str,
) -> Result<BotCertificates, Refusal> {
    let ssh_key = public_key::from_line(ssh_line)?;
    let tls_key =
        if cluster.is_modern() { public_key::from_pem(tls_pem)? } else { public_key::to_der(&ssh_key)? };
    certify(cluster, token, &ssh_key, &tls_key, expires, login_ip)
}

/// Certificates for the bot of an admitted join: for an SSH key and a `SubjectPublicKeyInfo` (DER), until `expires` (Unix seconds).
pub(super) fn certify(
    cluster: &Cluster,
    token: &ProvisionToken,
    ssh_key: &KeyData,
    tls_key: &[u8],
    expires: Option<i64>,
    login_ip: &str,
) -> Result<BotCertificates, Refusal> {
    let bot = token.bot_name.as_deref().unwrap_or_default();
    let user = format!("bot-{bot}");
    let profile = Profile {
        dry_run: cluster.options.dry_run,
        roles: vec![user.clone()],
        logins: vec![no_login()?, INTERNAL_JOIN.to_owned()],
        user,
        traits: cluster.traits(),
        cluster: cluster.options.cluster.clone(),
        route_to_cluster: cluster.options.cluster.clone(),
        login_ip: login_ip.to_owned(),
        impersonator: None,
        requests: Vec::new(),
        routes: Vec::new(),
        valid: cluster.validity(expires, ROLE_TTL),
    };
    let ca = &cluster.cas.user;
    Ok(BotCertificates {
        ssh: profile.ssh_certificate(ca, ssh_key)?,
        tls: profile.tls_certificate(ca, tls_key)?,
    })
}
