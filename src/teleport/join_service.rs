//! The new way to join (`teleport.join.v1`, servers since about 18): one stream, the server says what it wants.

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};

use super::grpc::Channel;
use super::wire::join::{
    BotParams, ClientInit, ClientParams, GivingUp, JoinRequest, JoinResponse, OidcInit, PublicKeys, Reason,
    Request, Response, ServerInit,
};
use super::{ClusterError, wire};
use crate::identity::keys::KeyPair;
use crate::identity::tls::TlsCertificate;
use crate::secret::Jwt;

/// What a join gives, as far as we use it: the bot's own client certificate and the CAs to trust in the cluster.
#[derive(Debug, Clone)]
pub struct Joined {
    /// Good for asking for outputs, nothing else.
    pub certificate: TlsCertificate,
    /// DER; the host CA is among them.
    pub authorities: Vec<Vec<u8>>,
}

const CALL: &str = "the join";
const PATH: &str = "/teleport.join.v1.JoinService/Join";
/// The only role a bot joins with.
const SYSTEM_ROLE: &str = "Bot";

/// A stream on which the server has said which method it wants.
pub struct Session {
    requests: mpsc::Sender<JoinRequest>,
    answers: Streaming<JoinResponse>,
    /// The token's join method and the cluster's suite.
    pub init: ServerInit,
}

/// How it began.
pub enum Begun {
    /// The server serves this path.
    Session(Box<Session>),
    /// It does not: take the old one.
    NotServed,
}

/// Sends `ClientInit` without a method, so that the server tells the token's own, and waits for `ServerInit`. No version is stated: a client
/// that states none is let through.
pub async fn begin(channel: &Channel, token: &str) -> Result<Begun, ClusterError> {
    let (requests, receiver) = mpsc::channel(4);
    let init =
        ClientInit { join_method: None, token_name: token.to_owned(), system_role: SYSTEM_ROLE.to_owned() };
    send(&requests, Request::ClientInit(init)).await?;
    let begun = async {
        let mut answers = channel.both(CALL, PATH, ReceiverStream::new(receiver)).await?;
        match next(&mut answers).await? {
            Response::Init(init) => Ok((answers, init)),
            _ => Err(unexpected("ServerInit")),
        }
    };
    match begun.await {
        Ok((answers, init)) => Ok(Begun::Session(Box::new(Session { requests, answers, init }))),
        // Without these words it is a web server's 404, not Teleport's word.
        Err(ClusterError::Refused { code: Code::Unimplemented, message, .. })
            if message.contains("unknown service") || message.contains("unknown method") =>
        {
            Ok(Begun::NotServed)
        }
        Err(error) => Err(error),
    }
}

impl Session {
    /// Proves the job with its identity token and takes the certificates.
    pub async fn prove(
        mut self,
        key: &KeyPair,
        jwt: &Jwt,
        expires: Timestamp,
    ) -> Result<Joined, ClusterError> {
        let init = OidcInit {
            client_params: Some(params(key.public_der().to_vec(), ssh_wire(key)?, expires)),
            id_token: jwt.expose().as_bytes().to_vec(),
        };
        send(&self.requests, Request::OidcInit(init)).await?;
        let Response::Result(result) = next(&mut self.answers).await? else {
            let why = "this client answers no challenge for a token method";
            self.give_up(Reason::UnsupportedMessageType, why).await;
            return Err(unexpected("Result"));
        };
        let certificates = result.bot_result.and_then(|bot| bot.certificates);
        let certificates = certificates.ok_or_else(|| unexpected("bot_result.certificates"))?;
        let certificate =
            TlsCertificate::from_der(&certificates.tls_cert).map_err(|_| unexpected("tls_cert"))?;
        if certificates.tls_ca_certs.is_empty() {
            return Err(unexpected("tls_ca_certs"));
        }
        Ok(Joined { certificate, authorities: certificates.tls_ca_certs })
    }

    /// Tells the server that we cannot go on, and why. Best effort.
    pub async fn give_up(self, reason: Reason, message: &str) {
        let giving_up = GivingUp { reason: reason as i32, msg: message.to_owned() };
        let _ = send(&self.requests, Request::GivingUp(giving_up)).await;
        drop(self.requests);
        // The message is on its way when the server ends the stream; do not wait long for that.
        let mut answers = self.answers;
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), answers.message()).await;
    }
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
        .map_err(|_| ClusterError::Field { what: "our own key", field: "ssh form".into() })
}

async fn send(requests: &mpsc::Sender<JoinRequest>, payload: Request) -> Result<(), ClusterError> {
    let sent = requests.send(JoinRequest { payload: Some(payload) }).await;
    sent.map_err(|_| ClusterError::Unanswered { call: CALL, reason: "the server ended the stream".into() })
}

/// The next answer. A message of a kind we do not know decodes to nothing.
async fn next(answers: &mut Streaming<JoinResponse>) -> Result<Response, ClusterError> {
    let answer = answers.message().await.map_err(|s| ClusterError::from_status(CALL, &s))?;
    let answer = answer.ok_or_else(|| ClusterError::Unanswered {
        call: CALL,
        reason: "the server ended the stream".into(),
    })?;
    answer.payload.ok_or_else(|| unexpected("message this client knows"))
}

fn unexpected(field: &str) -> ClusterError {
    ClusterError::Field { what: "the join's answer", field: field.to_owned() }
}
