//! The older streams for the methods with a challenge (`proto.JoinService`, gone in Teleport 20): the server sends a challenge, the
//! client answers once, the server sends the certificates.

use jiff::Timestamp;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::ClusterError;
use super::challenge::{self, Kind, Solution};
use super::error::ConnectionError;
use super::grpc::Channel;
use super::join_service::{CALL, Joined, SYSTEM_ROLE};
use super::wire::{
    self, Certs, RegisterUsingAzureMethodRequest, RegisterUsingIamMethodRequest, RegisterUsingTokenRequest,
    RegisterWithChallengeResponse,
};
use crate::identity::keys::KeyPair;
use crate::identity::tls::{TlsCertificate, ders_of};

const AZURE: &str = "/proto.JoinService/RegisterUsingAzureMethod";
const IAM: &str = "/proto.JoinService/RegisterUsingIAMMethod";

/// A stream on which the server has sent its challenge.
pub struct Registration {
    requests: Requests,
    answers: Streaming<RegisterWithChallengeResponse>,
}

/// The one message of ours. Secret.
enum Requests {
    Azure(mpsc::Sender<RegisterUsingAzureMethodRequest>),
    Iam(mpsc::Sender<RegisterUsingIamMethodRequest>),
}

impl Registration {
    /// Opens the stream of that method and waits for the challenge. Nothing of this client is sent yet.
    pub async fn begin(channel: &Channel, kind: Kind) -> Result<(Self, String), ClusterError> {
        let (requests, mut answers) = match kind {
            Kind::Azure => {
                let (requests, answers) = open(channel, AZURE).await?;
                (Requests::Azure(requests), answers)
            }
            Kind::Iam => {
                let (requests, answers) = open(channel, IAM).await?;
                (Requests::Iam(requests), answers)
            }
        };
        let challenge = challenge::checked(next(&mut answers).await?.challenge)?;
        Ok((Self { requests, answers }, challenge))
    }

    /// Answers the challenge, for a certificate of `key` until `expires`, and takes the certificates.
    pub async fn solve(
        mut self,
        token: &str,
        solution: Solution,
        key: &KeyPair,
        expires: Timestamp,
    ) -> Result<Joined, ClusterError> {
        let register_using_token_request = Some(RegisterUsingTokenRequest {
            role: SYSTEM_ROLE.to_owned(),
            token: token.to_owned(),
            public_tls_key: key.public_pem().into_bytes(),
            public_ssh_key: key.public_ssh_line().into_bytes(),
            id_token: String::new(),
            expires: Some(wire::Timestamp { seconds: expires.as_second(), nanos: 0 }),
        });
        // Once the server has ended the stream, nothing can be sent, but its status can be read.
        match (&self.requests, solution) {
            // These servers ask for no certificates beside the document.
            (Requests::Azure(requests), Solution::Azure { attested_data, access_token, .. }) => {
                let request = RegisterUsingAzureMethodRequest {
                    register_using_token_request,
                    attested_data,
                    access_token,
                };
                let _ = requests.send(request).await;
            }
            (Requests::Iam(requests), Solution::Iam { sts_identity_request }) => {
                let request =
                    RegisterUsingIamMethodRequest { register_using_token_request, sts_identity_request };
                let _ = requests.send(request).await;
            }
            _ => return Err(ClusterError::malformed("our own proof", "answer to this method's challenge")),
        }
        joined(&next(&mut self.answers).await?.certs.ok_or_else(|| missing("certs"))?)
    }
}

async fn open<Q: Message + Send + Sync + 'static>(
    channel: &Channel,
    path: &'static str,
) -> Result<(mpsc::Sender<Q>, Streaming<RegisterWithChallengeResponse>), ClusterError> {
    let (requests, receiver) = mpsc::channel(1);
    let answers = channel.bidirectional(CALL, path, ReceiverStream::new(receiver)).await?;
    Ok((requests, answers))
}

async fn next(
    answers: &mut Streaming<RegisterWithChallengeResponse>,
) -> Result<RegisterWithChallengeResponse, ClusterError> {
    let answer = answers.message().await.map_err(|s| ClusterError::from_status(CALL, &s))?;
    let reason = || "the server ended the stream".to_owned();
    Ok(answer.ok_or_else(|| ConnectionError::Interrupted { call: CALL, reason: reason() })?)
}

fn joined(certs: &Certs) -> Result<Joined, ClusterError> {
    let text = |pem: &[u8], field: &str| String::from_utf8(pem.to_vec()).map_err(|_| missing(field));
    let certificate = TlsCertificate::from_pem(&text(&certs.tls, "tls")?).map_err(|_| missing("tls"))?;
    let mut authorities = Vec::new();
    for ca in &certs.tls_ca_certs {
        authorities.extend(ders_of(&text(ca, "tls_ca_certs")?).map_err(|_| missing("tls_ca_certs"))?);
    }
    if authorities.is_empty() {
        return Err(missing("tls_ca_certs"));
    }
    Ok(Joined { certificate, authorities })
}

fn missing(field: &str) -> ClusterError {
    ClusterError::malformed("the join's answer", field)
}
