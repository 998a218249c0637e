//! Issued → checked: the right keys, dates, principals, roles; and what the user expects of it.

pub mod policy;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use crate::error::{Exit, StageError};
use crate::issue::{Batch, Issued};
use crate::join::BotIdentity;
use crate::text::{clocks, duration};

/// What must be true, or nothing is written.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    /// `--expect-cluster`.
    pub cluster: Option<String>,
    /// `--expect-bot`, with or without `bot-`.
    pub bot: Option<String>,
    /// `--expect-role`, each.
    pub roles: Vec<String>,
    /// `--require-login`, each.
    pub logins: Vec<String>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The batch, now trusted to be what was asked for.
    pub batch: Batch,
    /// The earliest end of all certificates.
    pub ends: Timestamp,
    /// What the user should know: a shorter life than asked, …
    pub notes: Vec<String>,
}

/// A guard of the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Guard {
    Cluster,
    Bot,
    Role,
    Login,
}

impl std::fmt::Display for Guard {
    /// The flag.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cluster => "--expect-cluster",
            Self::Bot => "--expect-bot",
            Self::Role => "--expect-role",
            Self::Login => "--require-login",
        })
    }
}

/// Why what was issued is not good.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum VerifyError {
    /// Something other than what was asked for: the cluster (or someone between) misbehaves.
    #[error("the {what} of output `{output}` is not what was asked for: {found}")]
    Wrong { output: String, what: &'static str, found: String },
    /// A policy of the cluster's that keeps every bot out.
    #[error(
        "{place} requires {setting}, which no bot can provide: output `{output}` would be refused at every use"
    )]
    Policy { output: String, place: String, setting: String, hint: String },
    /// A guard of the user's.
    #[error("`{guard} {expected}` is not met: {found}")]
    Unexpected { guard: Guard, expected: String, found: String },
}

impl StageError for VerifyError {
    fn exit(&self) -> Exit {
        Exit::Refused
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Wrong { .. } => {
                "check the clocks, and what stands between this job and the cluster; nothing was written"
            }
            Self::Policy { hint, .. } => {
                return vec![
                    hint.clone(),
                    "pass `--no-verify` to skip this check; nothing was written".to_owned(),
                ];
            }
            Self::Unexpected { guard: Guard::Login, .. } => {
                "add the login to a role that the bot may impersonate (`allow.logins`), or ask for another role"
            }
            Self::Unexpected { guard: Guard::Role, .. } => "allow the bot this role, or name it in `--roles`",
            Self::Unexpected { guard: Guard::Cluster | Guard::Bot, .. } => {
                "check `--proxy` and `--token`; nothing was written"
            }
        };
        vec![hint.to_owned()]
    }
}

/// Identity tokens and certificates have a leeway of a minute at most: more seconds than these between the clocks are worth a note.
const MAX_SKEW: i64 = 30;

/// Checks all outputs. `asked` is the end that was asked for, `now` our clock, `clock_skew` the cluster's clock minus ours in seconds.
pub fn verify(
    batch: Batch,
    bot: &BotIdentity,
    clock_skew: Option<i64>,
    expected: &Expectations,
    asked: Timestamp,
    now: Timestamp,
) -> Result<Checked, VerifyError> {
    if let Some(want) = &expected.cluster
        && *want != bot.cluster
    {
        return Err(unexpected(Guard::Cluster, want, format!("the cluster is `{}`", bot.cluster)));
    }
    if let Some(want) = &expected.bot
        && want.strip_prefix("bot-").unwrap_or(want) != bot.user.strip_prefix("bot-").unwrap_or(&bot.user)
    {
        return Err(unexpected(Guard::Bot, want, format!("the bot is `{}`", bot.user)));
    }
    let skew = clock_skew.unwrap_or(0);
    let server_now = now.saturating_add(SignedDuration::from_secs(skew)).unwrap_or(now);
    let mut ends = Timestamp::MAX;
    for issued in &batch.issued {
        keys(issued)?;
        authority(issued, &batch)?;
        ends = ends.min(dates(issued, server_now)?);
        subject(issued, bot)?;
        guards(issued, expected)?;
    }
    let mut notes = Vec::new();
    // Less than the minute by which Teleport's own dates differ is no news.
    if ends < asked && asked.duration_since(ends) > SignedDuration::from_mins(2) {
        let short = asked.duration_since(ends);
        notes.push(format!(
            "the certificates expire {} earlier than asked: a role's `max_session_ttl` or the cluster limits them",
            duration(short)
        ));
    }
    if skew.abs() > MAX_SKEW {
        notes.push(clocks(skew, MAX_SKEW));
    }
    Ok(Checked { batch, ends, notes })
}

fn keys(issued: &Issued) -> Result<(), VerifyError> {
    let identity = &issued.identity;
    let mismatch = |what| wrong(issued, what, "it is for a different key".into());
    if identity.ssh.as_ref().is_some_and(|ssh| &ssh.cert.public_key != ssh.key.public_ssh()) {
        return Err(mismatch("SSH certificate"));
    }
    if identity.tls.cert.public_key != identity.key_of_tls().public_der() {
        return Err(mismatch("TLS certificate"));
    }
    match &identity.bundle_ssh_cert {
        Some(cert) if &cert.public_key != identity.key_of_tls().public_ssh() => {
            Err(mismatch("SSH certificate of the `identity` file"))
        }
        _ => Ok(()),
    }
}

/// The SSH certificate must come from one of the user CAs the cluster lists.
fn authority(issued: &Issued, batch: &Batch) -> Result<(), VerifyError> {
    let Some(ssh) = &issued.identity.ssh else { return Ok(()) };
    let signer = &ssh.cert.signed_by;
    let known = batch
        .authorities
        .user
        .iter()
        .flat_map(|ca| &ca.ssh_keys)
        .any(|line| ssh_key::PublicKey::from_openssh(line).is_ok_and(|key| key.key_data() == signer));
    if known {
        return Ok(());
    }
    Err(wrong(issued, "SSH certificate", "none of the cluster's user CAs signed it".into()))
}

fn dates(issued: &Issued, now: Timestamp) -> Result<Timestamp, VerifyError> {
    let identity = &issued.identity;
    let ssh = identity.ssh.as_ref().map(|s| ("SSH certificate", s.cert.valid_after, s.cert.valid_before));
    let tls = ("TLS certificate", identity.tls.cert.not_before, identity.tls.cert.not_after);
    // Two minutes cover a clock we could not read exactly.
    let soon = now.saturating_add(SignedDuration::from_mins(2)).unwrap_or(now);
    for (what, from, to) in ssh.into_iter().chain([tls]) {
        if to <= now {
            return Err(wrong(issued, what, format!("it expired at {to}")));
        }
        if from > soon {
            return Err(wrong(issued, what, format!("it is not valid before {from}")));
        }
    }
    Ok(identity.valid_until())
}

fn subject(issued: &Issued, bot: &BotIdentity) -> Result<(), VerifyError> {
    let tls = &issued.identity.tls.cert;
    if tls.common_name != bot.user {
        return Err(wrong(issued, "TLS certificate", format!("it is for the user `{}`", tls.common_name)));
    }
    for role in &issued.roles {
        if !tls.organizations.contains(role) {
            return Err(wrong(issued, "TLS certificate", format!("it lacks the role `{role}`")));
        }
    }
    Ok(())
}

fn guards(issued: &Issued, expected: &Expectations) -> Result<(), VerifyError> {
    let tls = &issued.identity.tls.cert;
    for role in &expected.roles {
        if !tls.organizations.contains(role) {
            let found = format!("output `{}` has {}", issued.output.name, tls.organizations.join(", "));
            return Err(unexpected(Guard::Role, role, found));
        }
    }
    let logins = issued.identity.logins();
    for login in &expected.logins {
        if !logins.contains(&login.as_str()) {
            let has = if logins.is_empty() { "no login".to_owned() } else { logins.join(", ") };
            return Err(unexpected(
                Guard::Login,
                login,
                format!("output `{}` has {has}", issued.output.name),
            ));
        }
    }
    Ok(())
}

fn wrong(issued: &Issued, what: &'static str, found: String) -> VerifyError {
    VerifyError::Wrong { output: issued.output.name.clone(), what, found }
}

fn unexpected(guard: Guard, expected: &str, found: String) -> VerifyError {
    VerifyError::Unexpected { guard, expected: expected.to_owned(), found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::keys::{KeyKind, KeyPair};
    use crate::identity::ssh::SshCertificate;
    use crate::identity::tls::TlsCertificate;
    use crate::identity::{Authorities, Authority, Identity, SshIdentity, TlsIdentity};
    use crate::output::{Destination, Kind, Output};

    /// A recorded output of 2026-11-21, 04:53:59 to 05:54:59.
    fn recorded() -> Issued {
        let text = include_str!("../tests/data/teleport/tbot_output/identity.txt");
        let line = text.lines().find(|l| l.starts_with("ssh-rsa-cert")).unwrap();
        let pem = &text[text.find("-----BEGIN CERTIFICATE").unwrap()..];
        let key = || KeyPair::generate(KeyKind::Ed25519).unwrap();
        Issued {
            output: Output {
                name: "ssh".into(),
                kind: Kind::Ssh { cluster: None },
                roles: None,
                destination: Destination::whole("/nowhere".into()),
            },
            roles: vec!["ci-deploy".into(), "ci-read".into()],
            identity: Identity {
                ssh: Some(SshIdentity { key: key(), cert: SshCertificate::from_line(line).unwrap() }),
                tls: TlsIdentity { key: key(), cert: TlsCertificate::from_pem(pem).unwrap() },
                bundle_ssh_cert: None,
            },
        }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-11-21T{time}Z").parse().unwrap()
    }

    #[test]
    fn dates_hold_now() {
        let issued = recorded();
        assert_eq!(dates(&issued, at("05:00:00")).unwrap(), at("05:54:59"));
        // A clock that is a little slow is no reason to refuse.
        assert!(dates(&issued, at("04:52:30")).is_ok());
        for (now, wanted) in [
            ("05:54:59", "it expired at"),
            ("23:00:00", "it expired at"),
            ("04:00:00", "it is not valid before"),
        ] {
            let error = dates(&issued, at(now)).unwrap_err().to_string();
            assert!(error.contains(wanted), "{now}: {error}");
        }
    }

    #[test]
    fn a_user_ca_of_the_cluster_signed_it() {
        let issued = recorded();
        let signer = ssh_key::PublicKey::from(issued.identity.ssh.as_ref().unwrap().cert.signed_by.clone())
            .to_openssh()
            .unwrap();
        let other = KeyPair::generate(KeyKind::P256).unwrap().public_ssh_line();
        let batch = |keys: &[&str]| {
            let ssh_keys = keys.iter().map(|k| (*k).to_owned()).collect();
            let user = vec![Authority { cluster: "lab.example".into(), ssh_keys, tls_certs: Vec::new() }];
            Batch { issued: Vec::new(), authorities: Authorities { user, ..Authorities::default() } }
        };
        assert!(authority(&issued, &batch(&[&other, &signer])).is_ok());
        for keys in [&[][..], &[other.as_str()], &["no key"]] {
            let error = authority(&issued, &batch(keys)).unwrap_err().to_string();
            assert!(error.contains("none of the cluster's user CAs signed it"), "{error}");
        }
    }

    #[test]
    fn keys_belong_to_certificates() {
        let error = keys(&recorded()).unwrap_err().to_string();
        assert!(error.contains("SSH certificate") && error.contains("different key"), "{error}");
    }
}
