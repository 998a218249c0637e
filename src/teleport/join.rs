//! One attempt to join: by the stream of newer servers, or, as all others take it, by the POST for a token and by an older stream
//! for the answer to a challenge.

use std::fmt::Display;
use std::time::Duration;

use jiff::Timestamp;
use tonic::Code;

use super::challenge::{Kind, Question, Solution};
use super::dial::{Dialer, Service};
use super::error::ConnectionError;
use super::grpc::Channel;
use super::join_service::Session;
use super::ping::Ping;
use super::registration::Registration;
use super::wire::join::Reason;
use super::{ClusterError, host_credentials};
use crate::error::StageError as _;
use crate::identity::Suite;
use crate::identity::keys::KeyPair;
use crate::net::http::Connection;
use crate::net::{HostPort, NetError, Network};
use crate::secret::Jwt;

pub use super::join_service::{Joined, Opening};

/// What convinces the server. Secret: no `Debug`.
#[derive(Clone)]
pub enum Answer {
    /// The job's identity token, which needs no challenge.
    IdToken(Jwt),
    /// The answer to a challenge.
    Solution(Solution),
}

/// A join that has begun and waits for what convinces the server: what [`super::Cluster::begin_join`] returns.
pub struct JoinAttempt {
    /// What the proxy says of the cluster; `None` at an auth service, which answers only those who have joined.
    pub ping: Option<Ping>,
    pub(super) link: Link,
    pub(super) channel: JoinChannel,
    /// The connection of the ping, still open; `None` at an auth service.
    pub(super) web: Option<Connection>,
}

/// The way to the server, and what is asked there.
pub(super) struct Link {
    pub(super) network: Network,
    pub(super) address: HostPort,
    pub(super) dialer: Dialer,
    /// The connection of the stream, once there is one.
    pub(super) grpc: Option<Channel>,
    /// Name of the join token.
    pub(super) token: String,
    /// The cluster's name, where the ping told it.
    pub(super) cluster: String,
}

/// How a join goes on.
pub(super) enum JoinChannel {
    /// By the stream; the server has named the method.
    Stream(Box<Session>),
    /// By the POST or an older stream, as the stream failed with this.
    Older(ClusterError),
    /// The server refused before it saw a proof. Kept until that is there, as its claims explain the refusal.
    Refused(ClusterError),
    /// The server has asked.
    Asked(Asked),
}

/// A challenge that waits for its answer.
pub(super) struct Asked {
    kind: Kind,
    challenge: String,
    by: AskedBy,
}

enum AskedBy {
    Stream(Box<Session>),
    Older(Box<Registration>),
}

/// How long a server may take to send a challenge. After that the stream gives way to the older one.
const ASK_LIMIT: Duration = Duration::from_secs(8);

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
            JoinChannel::Older(error) => Err(error),
            channel => {
                self.web = None;
                Ok(Self { channel, ..self })
            }
        }
    }

    /// How far the server's clock is ahead of ours, in seconds, where the ping tells.
    pub fn clock_skew(&self) -> Option<i64> {
        self.ping.as_ref().and_then(|ping| ping.clock_skew)
    }

    /// Lets the server know that we cannot go on, and why. Best effort.
    pub async fn give_up(self, reason: Reason, message: &str) {
        if let JoinChannel::Stream(session) | JoinChannel::Asked(Asked { by: AskedBy::Stream(session), .. }) =
            self.channel
        {
            session.give_up(reason, message).await;
        }
    }

    /// Asks for the challenge of a method that has one, so that it is there when the proof is. The certificate will be for
    /// `key`, until `expires`, which the server may shorten.
    pub async fn ask(self, kind: Kind, key: &KeyPair, expires: Timestamp) -> Result<Self, ClusterError> {
        let Self { ping, link, channel, web } = self;
        let channel = match channel {
            JoinChannel::Stream(session) => ask(&link, session, kind, key, expires).await?,
            JoinChannel::Older(error) => ask_older(&link, kind, error).await?,
            other => other,
        };
        Ok(Self { ping, link, channel, web })
    }

    /// Joins with what `prove` answers: to the challenge, if the server was asked for one. It may be asked a second time, as an
    /// older stream has a challenge of its own. For a certificate of `key` until `expires`, which the server may shorten.
    pub async fn join<E: From<ClusterError> + Display>(
        self,
        prove: impl AsyncFn(Option<Question<'_>>) -> Result<Answer, E>,
        key: &KeyPair,
        expires: Timestamp,
    ) -> Result<Joined, E> {
        let Self { link, mut channel, web, .. } = self;
        loop {
            if !matches!(channel, JoinChannel::Refused(_)) {
                // The answer is a round trip away, and the certificate in it is for the auth service.
                link.dialer.park(&link.cluster, false);
            }
            channel = match channel {
                JoinChannel::Refused(error) => return Err(error.into()),
                JoinChannel::Older(error) => {
                    let jwt = id_token(prove(None).await?)?;
                    return Ok(post(&link, web, error, &jwt, key, expires).await?);
                }
                JoinChannel::Stream(session) => {
                    let jwt = id_token(prove(None).await?)?;
                    match within(&link, session.prove(key, &jwt, expires)).await {
                        // Servers 18.3 to 18.5 name methods that their stream does not serve yet.
                        Err(error) if is_not_served(&error) || is_interrupted(&error) => {
                            return Ok(post(&link, web, error, &jwt, key, expires).await?);
                        }
                        other => return Ok(other?),
                    }
                }
                JoinChannel::Asked(Asked { kind, challenge, by }) => {
                    let by_older_stream = matches!(by, AskedBy::Older(_));
                    let question = Question { text: &challenge, by_older_stream };
                    let answer = match (prove(Some(question)).await, by) {
                        (Ok(answer), by) => (solution(answer)?, by),
                        (Err(error), AskedBy::Stream(session)) => {
                            session.give_up(Reason::ChallengeSolutionFailed, &error.to_string()).await;
                            return Err(error);
                        }
                        (Err(error), AskedBy::Older(_)) => return Err(error),
                    };
                    match answer {
                        (solution, AskedBy::Older(registration)) => {
                            let solved = registration.solve(&link.token, solution, key, expires);
                            return Ok(within(&link, solved).await?);
                        }
                        (solution, AskedBy::Stream(session)) => {
                            match within(&link, session.solve(solution)).await {
                                Err(error) if is_not_served(&error) || is_interrupted(&error) => {
                                    ask_older(&link, kind, error).await?
                                }
                                other => return Ok(other?),
                            }
                        }
                    }
                }
            }
        }
    }

    fn session(&self) -> Option<&Session> {
        match &self.channel {
            JoinChannel::Stream(session) | JoinChannel::Asked(Asked { by: AskedBy::Stream(session), .. }) => {
                Some(session)
            }
            _ => None,
        }
    }
}

async fn within(
    link: &Link,
    joining: impl Future<Output = Result<Joined, ClusterError>>,
) -> Result<Joined, ClusterError> {
    link.network.deadline().run("joining", joining).await?
}

/// By the stream. A refusal is kept, any other failure leads to the older stream.
async fn ask(
    link: &Link,
    mut session: Box<Session>,
    kind: Kind,
    key: &KeyPair,
    expires: Timestamp,
) -> Result<JoinChannel, ClusterError> {
    let peer = link.address.to_string();
    let (deadline, asked) = (link.network.deadline(), session.ask(kind, key, expires));
    let asked = deadline.try_within(ASK_LIMIT, &peer, "waiting for the challenge", asked).await;
    match asked.map_err(ClusterError::from).flatten() {
        Ok(challenge) => Ok(JoinChannel::Asked(Asked { kind, challenge, by: AskedBy::Stream(session) })),
        Err(error) if is_final(&error) => Ok(JoinChannel::Refused(error)),
        Err(error) if is_hopeless(&error) || is_malformed(&error) => Err(error),
        Err(error) => ask_older(link, kind, error).await,
    }
}

/// By the older stream, as the stream failed with `stream_error`: on its connection, or, where that is gone, on a new one.
async fn ask_older(link: &Link, kind: Kind, stream_error: ClusterError) -> Result<JoinChannel, ClusterError> {
    let why = stream_error.in_one_line();
    link.network.log().detail(format!("no join by stream ({why}): joining by the older one"));
    let peer = link.address.to_string();
    let begin = async |channel: &Channel| {
        let begun = Registration::begin(channel, kind);
        let deadline = link.network.deadline();
        deadline.try_within(ASK_LIMIT, &peer, "waiting for the challenge", begun).await?
    };
    let dial = async || link.dialer.connect(&Service::ProxyGrpc).await;
    let begun = match &link.grpc {
        Some(channel) => match begin(channel).await {
            Err(error) if is_interrupted(&error) => begin(&dial().await?).await,
            other => other,
        },
        None => begin(&dial().await?).await,
    };
    match begun {
        Ok((registration, challenge)) => {
            Ok(JoinChannel::Asked(Asked { kind, challenge, by: AskedBy::Older(Box::new(registration)) }))
        }
        Err(ClusterError::Refused { code: Code::Unimplemented, message, .. }) => {
            Err(neither_way(stream_error, &message, &link.address))
        }
        Err(error) if is_final(&error) => Ok(JoinChannel::Refused(error)),
        Err(error) => Err(error),
    }
}

/// By the POST, as the stream failed with `stream_error`: on the ping's connection, or, where that is gone, on a new one.
async fn post(
    link: &Link,
    web: Option<Connection>,
    stream_error: ClusterError,
    jwt: &Jwt,
    key: &KeyPair,
    expires: Timestamp,
) -> Result<Joined, ClusterError> {
    let Link { network, address, token, .. } = link;
    let Some(web) = web else {
        return Err(if is_not_served(&stream_error) { old_auth(address) } else { stream_error });
    };
    let why = stream_error.in_one_line();
    network.log().detail(format!("no join by stream ({why}): joining by HTTPS POST"));
    let request = host_credentials::Request::new(token, key, jwt, expires);
    let posted = match host_credentials::join(web, &request).await {
        // It was closed in the meantime, as idle.
        Err(ClusterError::Connection(ConnectionError::Net { source: NetError::Closed { .. }, .. })) => {
            host_credentials::join(Connection::open(network, address).await?, &request).await
        }
        other => other,
    };
    match posted {
        Err(ClusterError::Refused { code: Code::Unimplemented, message, .. }) => {
            Err(neither_way(stream_error, &message, address))
        }
        other => other,
    }
}

fn id_token(answer: Answer) -> Result<Jwt, ClusterError> {
    match answer {
        Answer::IdToken(jwt) => Ok(jwt),
        Answer::Solution(_) => Err(ClusterError::malformed("our own proof", "identity token")),
    }
}

fn solution(answer: Answer) -> Result<Solution, ClusterError> {
    match answer {
        Answer::Solution(solution) => Ok(solution),
        Answer::IdToken(_) => Err(ClusterError::malformed("our own proof", "answer to the challenge")),
    }
}

/// Whether Teleport itself said no, so that no older way is tried. What tbot counts (`lib/join/joinclient`, v18) and the codes
/// of refusals that it asks for a second time.
pub(super) fn is_final(error: &ClusterError) -> bool {
    use Code::{AlreadyExists, InvalidArgument, NotFound, PermissionDenied, Unknown};
    let ClusterError::Refused { code, .. } = error else { return false };
    matches!(code, PermissionDenied | InvalidArgument | NotFound | AlreadyExists | Unknown)
}

/// Nothing of the cluster's, but nothing that an older way would mend either.
pub(super) fn is_hopeless(error: &ClusterError) -> bool {
    use NetError::{Address, Deadline, Roots};
    let ClusterError::Connection(ConnectionError::Net { source, .. }) = error else { return false };
    matches!(source, Deadline { .. } | Roots { .. } | Address { .. })
}

/// The server has no such service, or does not serve this method by it. Says nothing about what stands between.
fn is_not_served(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Refused { code: Code::Unimplemented, .. })
}

fn is_interrupted(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Connection(ConnectionError::Interrupted { .. }))
}

fn is_malformed(error: &ClusterError) -> bool {
    matches!(error, ClusterError::Connection(ConnectionError::Malformed { .. }))
}

/// The auth service itself has no POST since 18.
fn old_auth(address: &HostPort) -> ClusterError {
    ConnectionError::OldAuth { peer: address.to_string() }.into()
}

/// The older way is not there either. The stream's words count where they are about the method.
fn neither_way(stream_error: ClusterError, older: &str, address: &HostPort) -> ClusterError {
    match stream_error {
        ClusterError::Refused { ref message, .. } if message.contains("join method") => stream_error,
        _ => {
            let found = format!("it has no service to join by: {older}");
            ConnectionError::NotTeleport { peer: address.to_string(), found }.into()
        }
    }
}
