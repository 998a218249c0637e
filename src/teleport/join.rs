//! One attempt to join: by the stream of newer servers, or by the POST of all proxies.

use jiff::Timestamp;
use tonic::Code;

use super::error::ConnectionError;
use super::join_service::Session;
use super::ping::Ping;
use super::wire::join::{Challenge, Reason};
use super::{ClusterError, host_credentials};
use crate::error::StageError as _;
use crate::identity::Suite;
use crate::identity::keys::KeyPair;
use crate::net::http::Connection;
use crate::net::{HostPort, NetError, Network};
use crate::secret::Jwt;

pub use super::join_service::Joined;

/// What convinces the server.
#[derive(Clone, Copy)]
pub enum Answer<'a> {
    /// The job's identity token, which needs no challenge.
    IdToken(&'a Jwt),
}

/// A join that has begun and waits for what convinces the server: what [`super::Cluster::begin_join`] returns.
pub struct JoinAttempt {
    /// What the proxy says of the cluster; `None` at an auth service, which answers only those who have joined.
    pub ping: Option<Ping>,
    pub(super) network: Network,
    pub(super) address: HostPort,
    pub(super) token: String,
    pub(super) channel: JoinChannel,
    /// The connection of the ping, still open; `None` at an auth service.
    pub(super) web: Option<Connection>,
}

/// How a join goes on.
pub(super) enum JoinChannel {
    /// By the stream; the server has named the method.
    Stream(Box<Session>),
    /// By the POST, as the stream failed with this.
    Post(ClusterError),
    /// The server refused before it saw a proof. Kept until that is there, as its claims explain the refusal.
    Refused(ClusterError),
}

impl JoinAttempt {
    /// The join token's method in the server's words, where it has named it: on the stream.
    pub fn method(&self) -> Option<&str> {
        self.session().map(|session| session.init.join_method.as_str())
    }

    /// The cluster's suite, by the stream or by the ping.
    pub fn suite(&self) -> Option<Suite> {
        let named = self.session().map_or("", |session| &session.init.signature_algorithm_suite);
        let suite = if named.is_empty() { None } else { Suite::parse(named) };
        suite.or(self.ping.as_ref().and_then(|ping| ping.suite))
    }

    /// For a method that only the stream serves: the POST will not be tried. `Err` where it would have to be.
    pub fn by_stream_only(mut self) -> Result<Self, ClusterError> {
        match self.channel {
            JoinChannel::Post(error) => Err(error),
            channel @ (JoinChannel::Stream(_) | JoinChannel::Refused(_)) => {
                self.web = None;
                Ok(Self { channel, ..self })
            }
        }
    }

    /// What the proof must answer; `None` for the methods whose proof is a token.
    pub fn challenge(&self) -> Option<&Challenge> {
        self.session().and_then(|session| session.challenge.as_ref())
    }

    /// Lets the server know that we cannot go on, and why. Best effort.
    pub async fn give_up(self, reason: Reason, message: &str) {
        if let JoinChannel::Stream(session) = self.channel {
            session.give_up(reason, message).await;
        }
    }

    /// Joins with `answer`, for a certificate of `key` until `expires`, which the server may shorten.
    pub async fn join(
        self,
        answer: Answer<'_>,
        key: &KeyPair,
        expires: Timestamp,
    ) -> Result<Joined, ClusterError> {
        let Self { network, address, token, channel, web, .. } = self;
        let Answer::IdToken(jwt) = answer;
        let stream_error = match channel {
            JoinChannel::Refused(error) => return Err(error),
            JoinChannel::Post(error) => error,
            JoinChannel::Stream(session) => {
                let proven = network.deadline().run("joining", session.prove(key, jwt, expires)).await?;
                match proven {
                    // Servers 18.3 to 18.5 name methods that their stream does not serve yet.
                    Err(error) if is_not_served(&error) || is_interrupted(&error) => error,
                    other => return other,
                }
            }
        };
        let Some(web) = web else {
            return Err(if is_not_served(&stream_error) { old_auth(&address) } else { stream_error });
        };
        let why = stream_error.in_one_line();
        network.log().detail(format!("no join by stream ({why}): joining by HTTPS POST"));
        let request = host_credentials::Request::new(&token, key, jwt, expires);
        let posted = match host_credentials::join(web, &request).await {
            // It was closed in the meantime, as idle.
            Err(ClusterError::Connection(ConnectionError::Net {
                source: NetError::Closed { .. }, ..
            })) => host_credentials::join(Connection::open(&network, &address).await?, &request).await,
            other => other,
        };
        match posted {
            Err(ClusterError::Refused { code: Code::Unimplemented, message, .. }) => {
                Err(neither_way(stream_error, &message, &address))
            }
            other => other,
        }
    }

    fn session(&self) -> Option<&Session> {
        match &self.channel {
            JoinChannel::Stream(session) => Some(session),
            JoinChannel::Post(_) | JoinChannel::Refused(_) => None,
        }
    }
}

/// The server has no such service, or does not serve this method by it. Says nothing about what stands between.
pub(super) fn is_not_served(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Refused { code: Code::Unimplemented, .. })
}

fn is_interrupted(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Connection(ConnectionError::Interrupted { .. }))
}

/// The auth service itself has no POST since 18.
pub(super) fn old_auth(address: &HostPort) -> ClusterError {
    ConnectionError::OldAuth { peer: address.to_string() }.into()
}

/// The POST is not there either. The stream's words count where they are about the method.
fn neither_way(stream_error: ClusterError, posted: &str, address: &HostPort) -> ClusterError {
    match stream_error {
        ClusterError::Refused { ref message, .. } if message.contains("join method") => stream_error,
        _ => {
            let found = format!("it has no service to join by: {posted}");
            ConnectionError::NotTeleport { peer: address.to_string(), found }.into()
        }
    }
}
