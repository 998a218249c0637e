//! The access requests of one cluster, and what becomes of them.

use std::sync::Mutex;

use tokio::time::Instant;

use super::options::{SandboxOptions, Verdict};
use super::peer::Caller;
use super::refusal::Refusal;
use crate::teleport::RequestId;
use crate::teleport::access_requests::{self, AccessRequest};
use crate::teleport::wire::access_requests::{
    AccessRequest as Message, AccessRequestFilter, AccessRequestSpec, RequestState,
};
use crate::teleport::wire::{Metadata, Timestamp};

/// No more are kept.
const MOST: usize = 1_000;
/// As `lib/services/access_request.go` has it.
const LONGEST_REASON: usize = 4_096;

/// The requests of one cluster.
#[derive(Default)]
pub(super) struct Requests(Mutex<Vec<Filed>>);

/// One request, and how often it was asked for.
struct Filed {
    message: Message,
    asked: u32,
    at: Instant,
}

impl Requests {
    fn change<T>(&self, change: impl FnOnce(&mut Vec<Filed>) -> T) -> Option<T> {
        self.0.lock().ok().map(|mut all| change(&mut all))
    }

    pub(super) fn count(&self) -> usize {
        self.change(|all| all.len()).unwrap_or_default()
    }

    pub(super) fn asked(&self) -> u32 {
        self.change(|all| all.iter().map(|filed| filed.asked).sum()).unwrap_or_default()
    }

    pub(super) fn file(
        &self,
        options: &SandboxOptions,
        caller: &Caller,
        wanted: Message,
    ) -> Result<Message, Refusal> {
        let spec = wanted.spec.unwrap_or_default();
        if caller.issued || spec.user != caller.user {
            return Err(Refusal::denied("access denied to perform action \"create\" on \"access_request\""));
        }
        if spec.state() != RequestState::Pending || spec.roles.is_empty() {
            return Err(Refusal::bad("the access request is not pending, or asks for no role"));
        }
        if spec.request_reason.len() > LONGEST_REASON {
            return Err(Refusal::bad("access request reason is too long"));
        }
        let may_be_requested = |name: &String| options.requests.roles.iter().any(|r| r.name == *name);
        if let Some(role) = spec.roles.iter().find(|name| !may_be_requested(name)) {
            return Err(Refusal::bad(format!("user {:?} can not request role {role:?}", spec.user)));
        }
        let id = RequestId::random().map_err(|error| Refusal::bad(error.to_string()))?;
        let message = filed(&id, spec, caller.expires);
        let copy = message.clone();
        let kept = self.change(|all| {
            let fits = all.len() < MOST;
            if fits {
                all.push(Filed { message, asked: 0, at: Instant::now() });
            }
            fits
        });
        if kept == Some(true) { Ok(copy) } else { Err(Refusal::denied("there are too many access requests")) }
    }

    /// Only the caller's own. The policy answers as often as it is asked for one by its id.
    pub(super) fn list(
        &self,
        options: &SandboxOptions,
        caller: &Caller,
        filter: &AccessRequestFilter,
    ) -> Vec<Message> {
        let vanishes = options.inject.request_vanishes;
        let now = crate::env::now().as_second();
        let list = |all: &mut Vec<Filed>| {
            let mut found = Vec::new();
            for filed in all.iter_mut() {
                let spec = filed.message.spec.clone().unwrap_or_default();
                let is_asked_for = filter.id.is_empty() || filter.id == filed.name();
                let fits_user = filter.user.is_empty() || filter.user == spec.user;
                let fits_state = filter.state == 0 || filter.state == spec.state;
                let has_ended = spec.expires.is_some_and(|end| end.seconds <= now);
                if !is_asked_for || !fits_user || !fits_state || spec.user != caller.user || has_ended {
                    continue;
                }
                if !filter.id.is_empty() {
                    filed.asked += 1;
                    if vanishes && filed.asked > 1 {
                        continue;
                    }
                    filed.answer_by_policy(options);
                }
                found.push(filed.message.clone());
            }
            found
        };
        self.change(list).unwrap_or_default()
    }

    /// Answers the request of that id, if nobody has yet.
    pub(super) fn answer(
        &self,
        options: &SandboxOptions,
        id: &str,
        verdict: Verdict,
        reason: &str,
    ) -> Result<(), Refusal> {
        let answer = |all: &mut Vec<Filed>| {
            let filed = all.iter_mut().find(|filed| filed.name() == id);
            let filed =
                filed.ok_or_else(|| Refusal::not_found(format!("access request {id:?} not found")))?;
            if filed.message.spec.as_ref().is_none_or(|spec| spec.state() != RequestState::Pending) {
                return Err(Refusal::bad(format!("access request {id:?} is not pending")));
            }
            filed.resolve(options, verdict, reason);
            Ok(())
        };
        self.change(answer).unwrap_or_else(|| Err(Refusal::bad("the access requests are gone")))
    }

    /// Puts in the request that an earlier job has filed, of the first bot: good for so many seconds.
    pub(super) fn put_known(&self, options: &SandboxOptions, ttl: u64) {
        let Some((id, roles)) = &options.requests.known else { return };
        let bot = options.tokens.iter().find_map(|token| token.bot_name.as_deref());
        let user = format!("bot-{}", bot.unwrap_or_default());
        let expires = crate::env::now().as_second().saturating_add_unsigned(ttl);
        let spec = access_requests::message(id, &user, roles, "filed by an earlier job", &[]).spec;
        let message = filed(id, spec.unwrap_or_default(), expires);
        self.change(|all| all.push(Filed { message, asked: 0, at: Instant::now() }));
    }

    /// All of them, as a client sees them.
    pub(super) fn to_vec(&self) -> Vec<AccessRequest> {
        let all = self.change(|all| all.iter().map(|filed| filed.message.clone()).collect::<Vec<_>>());
        all.unwrap_or_default()
            .into_iter()
            .filter_map(|message| access_requests::read(message).ok())
            .collect()
    }

    /// The suggested reviewers of a request.
    pub(super) fn reviewers(&self, id: &str) -> Vec<String> {
        let of = |all: &mut Vec<Filed>| {
            let found = all.iter().find(|filed| filed.name() == id);
            found.and_then(|filed| Some(filed.message.spec.as_ref()?.suggested_reviewers.clone()))
        };
        self.change(of).flatten().unwrap_or_default()
    }

    /// What the approved requests of these ids give: their roles, and their end (Unix seconds).
    pub(super) fn granted(&self, caller: &Caller, ids: &[String]) -> Result<(Vec<String>, i64), Refusal> {
        let (mut roles, mut end) = (Vec::new(), i64::MAX);
        for id in ids {
            let find = |all: &mut Vec<Filed>| {
                let found = all.iter().find(|filed| filed.name() == id);
                found.and_then(|filed| filed.message.spec.clone())
            };
            let spec = self.change(find).flatten().filter(|spec| spec.user == caller.user);
            let spec = spec.ok_or_else(|| Refusal::not_found(format!("access request {id:?} not found")))?;
            match spec.state() {
                RequestState::Approved => {}
                RequestState::Denied => {
                    return Err(Refusal::denied(format!("access request {id:?} has been denied")));
                }
                _ => return Err(Refusal::denied(format!("access request {id:?} is awaiting approval"))),
            }
            let expires = spec.expires.map_or(0, |end| end.seconds);
            if expires <= crate::env::now().as_second() {
                return Err(Refusal::bad(format!("access request {id:?} has expired")));
            }
            roles.extend(spec.roles);
            end = end.min(expires);
        }
        Ok((roles, end))
    }
}

/// What the server makes of a request: a name, dates.
fn filed(id: &RequestId, spec: AccessRequestSpec, expires: i64) -> Message {
    let time = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let spec = AccessRequestSpec {
        created: time(crate::env::now().as_second()),
        expires: time(expires),
        max_duration: time(expires),
        session_ttl: time(expires),
        ..spec
    };
    let metadata = Metadata { name: id.to_string(), namespace: "default".to_owned(), ..Metadata::default() };
    Message {
        kind: "access_request".to_owned(),
        version: "v3".to_owned(),
        metadata: Some(metadata),
        spec: Some(spec),
    }
}

impl Filed {
    fn name(&self) -> &str {
        self.message.metadata.as_ref().map_or("", |metadata| metadata.name.as_str())
    }

    fn answer_by_policy(&mut self, options: &SandboxOptions) {
        let policy = &options.requests;
        let is_pending = self.message.spec.as_ref().is_some_and(|s| s.state() == RequestState::Pending);
        let is_time = self.asked > policy.after_questions && self.at.elapsed() >= policy.after;
        if let (true, true, Some(verdict)) = (is_pending, is_time, policy.verdict) {
            self.resolve(options, verdict, &policy.reason);
        }
    }

    fn resolve(&mut self, options: &SandboxOptions, verdict: Verdict, reason: &str) {
        let Some(spec) = &mut self.message.spec else { return };
        let state = match verdict {
            Verdict::Approve => RequestState::Approved,
            Verdict::Deny => RequestState::Denied,
            Verdict::Promote => RequestState::Promoted,
        };
        spec.set_state(state);
        reason.clone_into(&mut spec.resolve_reason);
        let policy = &options.requests;
        if let Some(roles) = policy.gives.as_ref().filter(|_| verdict == Verdict::Approve) {
            spec.roles.clone_from(roles);
        }
        if !policy.begins_after.is_zero() {
            let begin = crate::env::now().as_second().saturating_add_unsigned(policy.begins_after.as_secs());
            spec.assume_start_time = Some(Timestamp { seconds: begin, nanos: 0 });
        }
    }
}
