//! Access requests of a bot: filed under its own identity, answered by people (recorded with 15).

use jiff::Timestamp;

use super::ClusterError;
use super::auth_service::AuthService;
use super::request_id::RequestId;
use super::wire;
use super::wire::access_requests::{
    AccessRequest as Message, AccessRequestFilter, AccessRequestSpec, RequestState,
};
use crate::text::{is_name, safe};

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum State {
    Pending,
    Approved,
    Denied,
    /// Made a lasting membership of an access list: no certificate comes of it.
    Promoted,
}

impl State {
    /// For scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Promoted => "promoted",
        }
    }
}

/// One, as the cluster has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest {
    /// Its name.
    pub id: RequestId,
    /// Who asks: `bot-NAME`.
    pub user: String,
    /// The roles asked for; once it is approved, those that were given.
    pub roles: Vec<String>,
    /// What became of it.
    pub state: State,
    /// Why, in the asker's words, safe to show.
    pub reason: String,
    /// Why, in the words of whoever answered, safe to show.
    pub resolve_reason: String,
    /// When it was filed.
    pub created: Option<Timestamp>,
    /// The end of what it gives.
    pub expires: Option<Timestamp>,
    /// The begin of what it gives, where that is not at once.
    pub begins: Option<Timestamp>,
}

/// The longest reason that the server takes, in bytes (`lib/services/access_request.go`), less a little.
pub const LONGEST_REASON: usize = 4_000;

/// As many pending requests of one bot as are looked through.
const MOST: usize = 1_000;

/// Go's zero time, 0001-01-01T00:00:00Z: nothing is said.
const NO_TIME: wire::Timestamp = wire::Timestamp { seconds: -62_135_596_800, nanos: 0 };

/// A request to be filed. The server chooses its id, its end and whose approval it needs.
pub fn message(id: &RequestId, user: &str, roles: &[String], reason: &str, reviewers: &[String]) -> Message {
    let metadata =
        wire::Metadata { name: id.to_string(), namespace: "default".to_owned(), ..wire::Metadata::default() };
    let spec = AccessRequestSpec {
        user: user.to_owned(),
        roles: roles.to_vec(),
        state: RequestState::Pending.into(),
        created: Some(NO_TIME),
        expires: Some(NO_TIME),
        request_reason: reason.to_owned(),
        resolve_reason: String::new(),
        resolve_annotations: Some(wire::Empty {}),
        system_annotations: Some(wire::Empty {}),
        suggested_reviewers: reviewers.to_vec(),
        max_duration: Some(NO_TIME),
        session_ttl: Some(NO_TIME),
        assume_start_time: None,
    };
    Message {
        kind: "access_request".to_owned(),
        version: "v3".to_owned(),
        metadata: Some(metadata),
        spec: Some(spec),
    }
}

/// A message → what it says.
pub fn read(message: Message) -> Result<AccessRequest, ClusterError> {
    let missing = |field: &str| ClusterError::malformed("the access request", field);
    let name = message.metadata.map(|metadata| metadata.name).unwrap_or_default();
    let spec = message.spec.ok_or_else(|| missing("spec"))?;
    if !is_name(&spec.user) {
        return Err(missing("user"));
    }
    if spec.roles.is_empty() || !spec.roles.iter().all(|role| is_name(role)) {
        return Err(missing("roles"));
    }
    let state = match spec.state() {
        RequestState::Pending => State::Pending,
        RequestState::Approved => State::Approved,
        RequestState::Denied => State::Denied,
        RequestState::Promoted => State::Promoted,
        RequestState::None => return Err(missing("state")),
    };
    let time = |time: Option<wire::Timestamp>| {
        let time = time.filter(|time| time.seconds > 0)?;
        Timestamp::from_second(time.seconds).ok()
    };
    Ok(AccessRequest {
        id: name.parse().map_err(|_| missing("name"))?,
        user: spec.user,
        roles: spec.roles,
        state,
        reason: safe(&spec.request_reason, LONGEST_REASON),
        resolve_reason: safe(&spec.resolve_reason, LONGEST_REASON),
        created: time(spec.created),
        expires: time(spec.expires),
        begins: time(spec.assume_start_time),
    })
}

impl AuthService {
    /// Files a request. Asking twice files two.
    pub async fn file_access_request(&self, request: Message) -> Result<AccessRequest, ClusterError> {
        let path = "/proto.AuthService/CreateAccessRequestV2";
        read(self.channel().unary("CreateAccessRequestV2", path, request).await?)
    }

    /// The request of that id; `None`: there is none, or none of this user's.
    pub async fn access_request(&self, id: &RequestId) -> Result<Option<AccessRequest>, ClusterError> {
        let filter = AccessRequestFilter { id: id.to_string(), ..AccessRequestFilter::default() };
        let all = self.access_requests(filter, 1).await?;
        Ok(all.into_iter().find(|request| request.id == *id))
    }

    /// The user's requests that nobody has answered yet.
    pub async fn pending_access_requests(&self, user: &str) -> Result<Vec<AccessRequest>, ClusterError> {
        let filter = AccessRequestFilter {
            user: user.to_owned(),
            state: RequestState::Pending.into(),
            ..AccessRequestFilter::default()
        };
        self.access_requests(filter, MOST).await
    }

    async fn access_requests(
        &self,
        filter: AccessRequestFilter,
        most: usize,
    ) -> Result<Vec<AccessRequest>, ClusterError> {
        let path = "/proto.AuthService/GetAccessRequestsV2";
        let all = self.channel().list("GetAccessRequestsV2", path, filter, most).await?;
        all.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_odd_is_not_taken() {
        let id = RequestId::random().unwrap();
        let good = message(&id, "bot-ci", &["ci-prod".to_owned()], "why", &[]);
        let read_back = read(good.clone()).unwrap();
        assert_eq!((&read_back.id, read_back.state), (&id, State::Pending));
        assert_eq!((read_back.created, read_back.expires, read_back.begins), (None, None, None));
        let bent = |bend: fn(&mut Message)| {
            let mut bent = good.clone();
            bend(&mut bent);
            read(bent).map_err(|error| error.to_string())
        };
        for (bend, field) in [
            ((|m| m.spec = None) as fn(&mut Message), "spec"),
            (|m| m.metadata = None, "name"),
            (|m| m.metadata.as_mut().unwrap().name = "../x".into(), "name"),
            (|m| m.spec.as_mut().unwrap().user = "a\nb".into(), "user"),
            (|m| m.spec.as_mut().unwrap().user.clear(), "user"),
            (|m| m.spec.as_mut().unwrap().roles.clear(), "roles"),
            (|m| m.spec.as_mut().unwrap().roles.push("::error::".into()), "roles"),
            (|m| m.spec.as_mut().unwrap().state = 0, "state"),
            (|m| m.spec.as_mut().unwrap().state = 77, "state"),
        ] {
            assert_eq!(bent(bend), Err(format!("the access request has no usable `{field}`")));
        }
        let cleaned = bent(|m| m.spec.as_mut().unwrap().resolve_reason = "ok\u{1b}[2J\n::error::x".into());
        assert_eq!(cleaned.unwrap().resolve_reason, "ok[2J ::error::x");
    }
}
