//! The join stream (`teleport.join.v1`, servers since 18.3): the server names the join method, the client proves.

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::challenge::{self, Kind, Solution};
use super::error::ConnectionError;
use super::grpc::Channel;
use super::wire::join::{
    AzureChallengeSolution, BotParams, ChallengeSolution, ClientInit, ClientParams, GivingUp,
    IamChallengeSolution, JoinRequest, JoinResponse, JoinResult, OidcInit, ParamsOnly, PublicKeys, Question,
    Reason, Request, Response, ServerInit, Solution as WireSolution,
};
use super::{ClusterError, wire};
use crate::identity::keys::KeyPair;
use crate::identity::tls::TlsCertificate;
use crate::secret::Jwt;

/// What a join gives, as far as it is used: the bot's own client certificate and the CAs to trust in the cluster.
#[derive(Debug, Clone)]
pub struct Joined {
    /// Good for asking for outputs, nothing else.
    pub certificate: TlsCertificate,
    /// DER; the host CA is among them.
    pub authorities: Vec<Vec<u8>>,
}

/// The name of the join in errors.
pub(super) const CALL: &str = "the join";
const PATH: &str = "/teleport.join.v1.JoinService/Join";
/// The only role that a bot joins with.
pub(super) const SYSTEM_ROLE: &str = "Bot";

/// What goes out right behind `ClientInit`, in one flight with it: servers read it next (`lib/join`, v18). Secret: no `Debug`.
pub enum Opening {
    /// The identity token, for a certificate of that key until that time, which the server may shorten.
    Proof(Jwt, KeyPair, Timestamp),
    /// The request for a challenge, for the same.
    Challenge(Kind, KeyPair, Timestamp),
}

/// What of it has gone out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    Nothing,
    Proof,
    Challenge(Kind),
}

/// A stream on which the server has named the method.
pub struct Session {
    requests: mpsc::Sender<JoinRequest>,
    answers: Streaming<JoinResponse>,
    opened: Opened,
    /// The token's join method and the cluster's suite.
    pub(super) init: ServerInit,
}

impl Session {
    /// Sends `ClientInit` without a method, so that the server names the token's own, and waits for `ServerInit`. What `opening` gives until then
    /// goes out too, and `opened` is told. No version is stated: a client that states none is let through.
    pub async fn begin(
        channel: &Channel,
        token: &str,
        opening: impl Future<Output = Option<Opening>>,
        opened: impl Fn(),
    ) -> Result<Self, ClusterError> {
        let (requests, receiver) = mpsc::channel(4);
        let init = ClientInit {
            join_method: None,
            token_name: token.to_owned(),
            system_role: SYSTEM_ROLE.to_owned(),
        };
        send(&requests, Request::ClientInit(init)).await;
        let named = async {
            let mut answers = channel.bidirectional(CALL, PATH, ReceiverStream::new(receiver)).await?;
            match next(&mut answers).await? {
                Response::Init(init) => Ok((answers, init)),
                _ => Err(unexpected("ServerInit")),
            }
        };
        let opens = async {
            let (request, what) = match opening.await {
                None => return Ok(Opened::Nothing),
                Some(Opening::Proof(jwt, key, expires)) => (oidc(&key, &jwt, expires)?, Opened::Proof),
                Some(Opening::Challenge(kind, key, expires)) => {
                    (asking(kind, &key, expires)?, Opened::Challenge(kind))
                }
            };
            send(&requests, request).await;
            if what == Opened::Proof {
                opened();
            }
            Ok::<_, ClusterError>(what)
        };
        tokio::pin!(named, opens);
        let mut sent = None;
        loop {
            tokio::select! {
                // What is at hand goes out with the first message.
                biased;
                what = &mut opens, if sent.is_none() => sent = Some(what?),
                named = &mut named => {
                    let (answers, init) = named?;
                    return Ok(Self { answers, init, opened: sent.unwrap_or(Opened::Nothing), requests: requests.clone() });
                }
            }
        }
    }

    /// Proves the job by its identity token, unless that has gone out already, and takes the certificates.
    pub async fn prove(self, key: &KeyPair, jwt: &Jwt, expires: Timestamp) -> Result<Joined, ClusterError> {
        if self.opened != Opened::Proof {
            send(&self.requests, oidc(key, jwt, expires)?).await;
        }
        self.result("this client answers no challenge for a token method").await
    }

    /// Asks for the challenge of a method that has one, unless that has gone out already, and waits for it.
    pub async fn ask(
        &mut self,
        kind: Kind,
        key: &KeyPair,
        expires: Timestamp,
    ) -> Result<String, ClusterError> {
        if self.opened != Opened::Challenge(kind) {
            send(&self.requests, asking(kind, key, expires)?).await;
        }
        let Response::Challenge(challenge) = next(&mut self.answers).await? else {
            return Err(unexpected("Challenge"));
        };
        match (kind, challenge.payload) {
            (Kind::Azure, Some(Question::Azure(text))) | (Kind::Iam, Some(Question::Iam(text))) => {
                challenge::checked(text.challenge)
            }
            _ => Err(unexpected("challenge of the method asked for")),
        }
    }

    /// Answers the challenge and takes the certificates.
    pub async fn solve(self, solution: Solution) -> Result<Joined, ClusterError> {
        let payload = Some(match solution {
            Solution::Azure { attested_data, intermediate, access_token } => {
                WireSolution::Azure(AzureChallengeSolution { attested_data, intermediate, access_token })
            }
            Solution::Iam { sts_identity_request } => {
                WireSolution::Iam(IamChallengeSolution { sts_identity_request })
            }
        });
        send(&self.requests, Request::Solution(ChallengeSolution { payload })).await;
        self.result("this client answers one challenge only").await
    }

    /// Waits for the certificates; gives up, for the reason `otherwise`, when another message comes.
    async fn result(mut self, otherwise: &str) -> Result<Joined, ClusterError> {
        let Response::Result(result) = next(&mut self.answers).await? else {
            self.give_up(Reason::UnsupportedMessageType, otherwise).await;
            return Err(unexpected("Result"));
        };
        joined(result)
    }

    /// Lets the server know that we cannot go on, and why. Best effort.
    pub async fn give_up(self, reason: Reason, message: &str) {
        let giving_up = GivingUp { reason: reason as i32, msg: message.to_owned() };
        send(&self.requests, Request::GivingUp(giving_up)).await;
        drop(self.requests);
        // The message has arrived when the server ends the stream; do not wait long for that.
        let mut answers = self.answers;
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), answers.message()).await;
    }
}

fn oidc(key: &KeyPair, jwt: &Jwt, expires: Timestamp) -> Result<Request, ClusterError> {
    let client_params = Some(params(key.public_der().to_vec(), ssh_wire(key)?, expires));
    let id_token = jwt.expose().as_bytes().to_vec();
    Ok(Request::OidcInit(OidcInit { client_params, id_token }))
}

fn asking(kind: Kind, key: &KeyPair, expires: Timestamp) -> Result<Request, ClusterError> {
    let client_params = Some(params(key.public_der().to_vec(), ssh_wire(key)?, expires));
    let init = ParamsOnly { client_params };
    Ok(match kind {
        Kind::Azure => Request::AzureInit(init),
        Kind::Iam => Request::IamInit(init),
    })
}

fn joined(result: JoinResult) -> Result<Joined, ClusterError> {
    let certificates = result.bot_result.and_then(|bot| bot.certificates);
    let certificates = certificates.ok_or_else(|| unexpected("bot_result.certificates"))?;
    let certificate = TlsCertificate::from_der(&certificates.tls_cert).map_err(|_| unexpected("tls_cert"))?;
    if certificates.tls_ca_certs.is_empty() {
        return Err(unexpected("tls_ca_certs"));
    }
    Ok(Joined { certificate, authorities: certificates.tls_ca_certs })
}

/// The parameters of a bot: PKIX DER and SSH wire form of its keys, and how long it wants to live.
pub fn params(public_tls_key: Vec<u8>, public_ssh_key: Vec<u8>, expires: Timestamp) -> ClientParams {
    let keys = PublicKeys { public_tls_key, public_ssh_key };
    let expires = wire::Timestamp { seconds: expires.as_second(), nanos: 0 };
    ClientParams { bot_params: Some(BotParams { public_keys: Some(keys), expires: Some(expires) }) }
}

fn ssh_wire(key: &KeyPair) -> Result<Vec<u8>, ClusterError> {
    ssh_key::PublicKey::from(key.public_ssh().clone())
        .to_bytes()
        .map_err(|_| ClusterError::malformed("our own key", "ssh form"))
}

/// Once the server has ended the stream, nothing can be sent: that is no failure of its own, as its status may wait to be read.
async fn send(requests: &mpsc::Sender<JoinRequest>, payload: Request) {
    let _ = requests.send(JoinRequest { payload: Some(payload) }).await;
}

/// The next answer. A message of an unknown kind decodes to nothing.
async fn next(answers: &mut Streaming<JoinResponse>) -> Result<Response, ClusterError> {
    let answer = answers.message().await.map_err(|s| ClusterError::from_status(CALL, &s))?;
    let answer = answer.ok_or_else(|| ConnectionError::Interrupted {
        call: CALL,
        reason: "the server ended the stream".into(),
    })?;
    answer.payload.ok_or_else(|| unexpected("message this client knows"))
}

fn unexpected(field: &str) -> ClusterError {
    ClusterError::malformed("the join's answer", field)
}
