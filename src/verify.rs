//! Issued → checked: the right keys, dates, principals, roles; and what the user expects of it.

mod certificates;
mod logins;
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
#[derive(Debug)]
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

/// Checks all outputs. `asked` is the end that was asked for, `now` our clock, `clock_skew` the cluster's clock minus
/// ours in seconds.
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
    let now = now.saturating_add(SignedDuration::from_secs(skew)).unwrap_or(now);
    let mut ends = Timestamp::MAX;
    for issued in &batch.issued {
        for credential in issued.credentials() {
            let (user, roles, route) = (&bot.user, &issued.roles, &credential.route);
            let is_approved = issued.by_request;
            let request = certificates::Request { user, route, is_approved, roles, asked, now };
            certificates::check(&credential.identity, &batch.authorities, &request).map_err(
                |(what, found)| VerifyError::Wrong { output: issued.output.name.clone(), what, found },
            )?;
        }
        guards(issued, expected)?;
        ends = ends.min(issued.expires());
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
    notes.extend(logins::shared(&batch.issued));
    Ok(Checked { batch, ends, notes })
}

fn guards(issued: &Issued, expected: &Expectations) -> Result<(), VerifyError> {
    let tls = &issued.first.identity.tls.cert;
    for role in &expected.roles {
        if !tls.organizations.contains(role) {
            let found = format!("output `{}` has {}", issued.output.name, tls.organizations.join(", "));
            return Err(unexpected(Guard::Role, role, found));
        }
    }
    // What is not for ssh has no logins to look at.
    let Some(ssh) = &issued.first.identity.ssh else { return Ok(()) };
    let logins = ssh.cert.logins();
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

fn unexpected(guard: Guard, expected: &str, found: String) -> VerifyError {
    VerifyError::Unexpected { guard, expected: expected.to_owned(), found }
}

#[cfg(test)]
mod tests;
