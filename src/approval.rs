//! The bot's identity → a person's approval: an access request is filed, and asked about until somebody answers.
//!
//! An approved request gives a certificate with the bot's own roles and those that were asked for (recorded with 15).

mod asker;
mod error;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::error::StageError as _;
use crate::join::BotIdentity;
use crate::log::Log;
use crate::net::retry;
use crate::teleport::access_requests::{AccessRequest, State, message};
use crate::teleport::auth_service::AuthService;
use crate::teleport::{Cluster, ClusterError, RequestId};
use crate::text::duration;
pub use asker::reason;
pub use error::ApprovalError;

/// What is wanted of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// A new request, or one that an earlier job filed.
    pub ask: Ask,
    /// How long an answer may take; no time counts against the deadline of the run.
    pub wait: Duration,
    /// The request is filed and nothing more.
    pub only_file: bool,
}

/// Which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A new one.
    New {
        /// The roles to ask for; at least one.
        roles: Vec<String>,
        /// The user's words; the job's claims are added.
        reason: Option<String>,
        /// Users who are told, where the cluster tells them.
        reviewers: Vec<String>,
    },
    /// One that was filed before.
    Known(RequestId),
}

/// How often a question is asked, and how often a line says so.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The first pause between two questions; each is longer than the one before by a half.
    first: Duration,
    /// The longest.
    longest: Duration,
    /// CI systems end jobs that say nothing (`CircleCI` after ten minutes).
    sign_of_life: Duration,
}

const PACE: Pace = Pace {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(10),
    sign_of_life: Duration::from_secs(4 * 60),
};
/// How often the cluster may not know a request that it knew before: its caches are not all filled at once.
const MISSES: u32 = 3;
/// How often filing is tried when no answer comes.
const ATTEMPTS: u32 = 4;
/// How much older than the question a request may be that is found in its place, by clocks that differ.
const RECENT: SignedDuration = SignedDuration::from_mins(2);

/// Files a request. One whose answer was lost is looked for before it is filed again.
pub async fn file(
    cluster: &Cluster,
    bot: &BotIdentity,
    roles: &[String],
    reason: &str,
    reviewers: &[String],
    now: Timestamp,
) -> Result<AccessRequest, ApprovalError> {
    let network = cluster.network();
    let user = &bot.user;
    let attempt = |number: u32| async move {
        let auth = cluster.auth(&bot.cluster, &bot.authorities, bot.client.clone()).await?;
        if number > 1
            && let Some(filed) = filed(&auth, user, roles, reason, now).await?
        {
            return Ok(filed);
        }
        let id = RequestId::random()?;
        auth.file_access_request(message(&id, user, roles, reason, reviewers)).await
    };
    let (deadline, log, doing) = (network.deadline(), network.log(), "filing the access request");
    let filed = retry(deadline, log, doing, ATTEMPTS, attempt, ClusterError::is_transient).await;
    filed.map_err(|error| refused(error, user, roles))
}

/// What an attempt without an answer has filed nevertheless.
async fn filed(
    auth: &AuthService,
    user: &str,
    roles: &[String],
    reason: &str,
    now: Timestamp,
) -> Result<Option<AccessRequest>, ClusterError> {
    let pending = auth.pending_access_requests(user).await?;
    Ok(pending.into_iter().find(|request| is_the_same(request, user, roles, reason, now)))
}

/// Whether a request asks for the same, and was filed since.
fn is_the_same(request: &AccessRequest, user: &str, roles: &[String], reason: &str, now: Timestamp) -> bool {
    let since = now.saturating_sub(RECENT).unwrap_or(now);
    let is_recent = request.created.is_some_and(|created| created >= since);
    is_recent && request.user == user && request.roles == roles && request.reason == reason
}

fn refused(error: ClusterError, user: &str, roles: &[String]) -> ApprovalError {
    match error {
        ClusterError::Refused { code, message, .. } if code != tonic::Code::Unimplemented => {
            ApprovalError::Refused { user: user.to_owned(), roles: roles.to_vec(), message }
        }
        other => other.into(),
    }
}

/// Looks a request up that an earlier job filed.
pub async fn known(
    cluster: &Cluster,
    bot: &BotIdentity,
    id: &RequestId,
) -> Result<AccessRequest, ApprovalError> {
    let network = cluster.network();
    let attempt = |_| async move {
        let auth = cluster.auth(&bot.cluster, &bot.authorities, bot.client.clone()).await?;
        auth.access_request(id).await
    };
    let (deadline, log, doing) = (network.deadline(), network.log(), "looking for the access request");
    let found = retry(deadline, log, doing, ATTEMPTS, attempt, ClusterError::is_transient).await;
    let found = found.map_err(|error| refused(error, &bot.user, &[]))?;
    // Whoever may see the requests of others may not use them.
    let own = found.filter(|request| request.user == bot.user);
    own.ok_or_else(|| ApprovalError::None { id: id.clone(), user: bot.user.clone() })
}

/// Waits until the request is answered, and for `limit` at most. A cluster that is lost meanwhile is dialled again. `clock` is the
/// cluster's.
pub async fn wait(
    cluster: &Cluster,
    bot: &BotIdentity,
    request: AccessRequest,
    limit: Duration,
    clock: impl Fn() -> Timestamp,
) -> Result<AccessRequest, ApprovalError> {
    let id = request.id.clone();
    let connection = tokio::sync::Mutex::new(None::<AuthService>);
    let ask = || async {
        let mut connection = connection.lock().await;
        let auth = match connection.take() {
            Some(auth) => auth,
            None => cluster.auth(&bot.cluster, &bot.authorities, bot.client.clone()).await?,
        };
        let found = auth.access_request(&id).await?;
        // One that failed is not asked again.
        *connection = Some(auth);
        Ok(found)
    };
    follow(request, limit, PACE, cluster.network().log(), ask, clock).await
}

/// Asks until there is an answer.
async fn follow<F>(
    mut request: AccessRequest,
    limit: Duration,
    pace: Pace,
    log: &Log,
    mut ask: impl FnMut() -> F,
    clock: impl Fn() -> Timestamp,
) -> Result<AccessRequest, ApprovalError>
where
    F: Future<Output = Result<Option<AccessRequest>, ClusterError>>,
{
    let begin = Instant::now();
    let end = begin + limit;
    let (mut pause, mut misses, mut spoke) = (pace.first, 0, begin);
    let mut is_lost = false;
    let asked_for = request.roles.clone();
    loop {
        if let Some(answer) = answer(&request, clock())? {
            return narrow(answer, &asked_for);
        }
        if Instant::now() >= end {
            return Err(given_up(request, begin.elapsed()));
        }
        // The last question is asked when the time is over.
        tokio::time::sleep_until((Instant::now() + pause).min(end)).await;
        pause = pause.mul_f64(1.5).min(pace.longest);
        match ask().await {
            Ok(Some(found)) if found.user == request.user => {
                (misses, is_lost) = (0, false);
                request = found;
            }
            Ok(_) => {
                (misses, is_lost) = (misses + 1, false);
                if misses >= MISSES {
                    return Err(ApprovalError::Expired { id: request.id });
                }
            }
            Err(error) if error.is_transient() => {
                if !is_lost {
                    log.note(format!("asking again: access request {}: {}", request.id, error.in_one_line()));
                }
                is_lost = true;
            }
            Err(error) => return Err(refused(error, &request.user, &request.roles)),
        }
        if spoke.elapsed() >= pace.sign_of_life {
            spoke = Instant::now();
            let left = SignedDuration::try_from(end.saturating_duration_since(spoke)).unwrap_or_default();
            log.note(format!(
                "still waiting for access request {}, for {} at most",
                request.id,
                duration(left)
            ));
        }
    }
}

/// The request, if it is approved and counts; `None`: there is no answer yet.
fn answer(request: &AccessRequest, now: Timestamp) -> Result<Option<AccessRequest>, ApprovalError> {
    let id = || request.id.clone();
    if request.expires.is_some_and(|end| end <= now) {
        return Err(ApprovalError::Expired { id: id() });
    }
    match request.state {
        State::Pending => Ok(None),
        State::Approved if request.begins.is_some_and(|begin| begin > now) => Ok(None),
        State::Approved => Ok(Some(request.clone())),
        State::Denied => Err(ApprovalError::Denied { id: id(), reason: request.resolve_reason.clone() }),
        State::Promoted => Err(ApprovalError::Promoted { id: id() }),
    }
}

/// Whoever approves may take roles away, and not add any.
fn narrow(approved: AccessRequest, asked_for: &[String]) -> Result<AccessRequest, ApprovalError> {
    match approved.roles.iter().find(|role| !asked_for.contains(role)) {
        Some(role) => Err(ApprovalError::Wider { role: role.clone(), id: approved.id }),
        None => Ok(approved),
    }
}

fn given_up(request: AccessRequest, waited: Duration) -> ApprovalError {
    let id = request.id;
    if let Some(begins) = request.begins.filter(|_| request.state == State::Approved) {
        return ApprovalError::NotYet { id, begins };
    }
    let waited = SignedDuration::try_from(waited).unwrap_or_default();
    ApprovalError::Unanswered { id, waited, until: request.expires }
}

#[cfg(test)]
mod tests;
