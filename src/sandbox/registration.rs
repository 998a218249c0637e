//! The older streams of the methods with a challenge: `proto.JoinService/RegisterUsingIAMMethod` and `RegisterUsingAzureMethod`.

use std::sync::Arc;

use hyper::body::Incoming;
use prost::Message;
use tonic::body::Body;
use tonic::codec::Streaming;

use super::challenge;
use super::cluster::Cluster;
use super::error::SandboxError;
use super::grpc::{self, Sender};
use super::joining::{self, BOT_ROLE};
use super::peer::Peer;
use super::refusal::Refusal;
use super::reply::unknown;
use crate::rules;
use crate::teleport::JoinMethod;
use crate::teleport::challenge::Kind;
use crate::teleport::wire::join::{AzureChallengeSolution, IamChallengeSolution, Solution};
use crate::teleport::wire::{
    Certs, RegisterUsingAzureMethodRequest, RegisterUsingIamMethodRequest, RegisterUsingTokenRequest,
    RegisterWithChallengeResponse,
};

/// The paths of this service begin like this.
pub(super) const SERVICE: &str = "/proto.JoinService/";
pub(super) async fn answer(
    cluster: Arc<Cluster>,
    peer: &Peer,
    request: http::Request<Incoming>,
) -> http::Response<Body> {
    let path = request.uri().path();
    if !cluster.options.join_old {
        return unknown(path);
    }
    match path.strip_prefix(SERVICE) {
        Some("RegisterUsingAzureMethod") => {
            stream::<RegisterUsingAzureMethodRequest>(cluster, peer, request, Kind::Azure).await
        }
        Some("RegisterUsingIAMMethod") => {
            stream::<RegisterUsingIamMethodRequest>(cluster, peer, request, Kind::Iam).await
        }
        _ => unknown(path),
    }
}

/// The one message of a client.
trait Registering: Message + Default + 'static {
    fn into_parts(self) -> (Option<RegisterUsingTokenRequest>, Solution);
}

impl Registering for RegisterUsingAzureMethodRequest {
    fn into_parts(self) -> (Option<RegisterUsingTokenRequest>, Solution) {
        let (attested_data, access_token) = (self.attested_data, self.access_token);
        let solution = AzureChallengeSolution { attested_data, intermediate: Vec::new(), access_token };
        (self.register_using_token_request, Solution::Azure(solution))
    }
}

impl Registering for RegisterUsingIamMethodRequest {
    fn into_parts(self) -> (Option<RegisterUsingTokenRequest>, Solution) {
        let solution = IamChallengeSolution { sts_identity_request: self.sts_identity_request };
        (self.register_using_token_request, Solution::Iam(solution))
    }
}

async fn stream<Q: Registering>(
    cluster: Arc<Cluster>,
    peer: &Peer,
    request: http::Request<Incoming>,
    kind: Kind,
) -> http::Response<Body> {
    let (newer, ip) = (cluster.options.inject.newer, peer.ip.to_string());
    grpc::bidirectional(newer, request, move |requests: Streaming<Q>, answers| async move {
        // Out of time: the stream ends without a status of ours.
        let _ = tokio::time::timeout(joining::LIMIT, register(&cluster, &ip, kind, requests, answers)).await;
    })
    .await
}

async fn register<Q: Registering>(
    cluster: &Cluster,
    ip: &str,
    kind: Kind,
    mut requests: Streaming<Q>,
    answers: Sender<RegisterWithChallengeResponse>,
) {
    let challenge = match challenge::new(cluster, kind) {
        Ok(challenge) => challenge,
        Err(error) => return refuse(&answers, error.into()).await,
    };
    let question = RegisterWithChallengeResponse { challenge: challenge.clone(), certs: None };
    if answers.send(Ok(question)).await.is_err() {
        return;
    }
    let Ok(Some(request)) = requests.message().await else { return };
    let (parameters, solution) = request.into_parts();
    match certs(cluster, ip, kind, &challenge, parameters.unwrap_or_default(), &solution) {
        Ok(certs) => {
            let answer = RegisterWithChallengeResponse { challenge: String::new(), certs: Some(certs) };
            let _ = answers.send(Ok(answer)).await;
        }
        Err(refusal) => refuse(&answers, refusal).await,
    }
}

async fn refuse(answers: &Sender<RegisterWithChallengeResponse>, refusal: Refusal) {
    let _ = answers.send(Err(refusal.into())).await;
}

fn certs(
    cluster: &Cluster,
    ip: &str,
    kind: Kind,
    challenge: &str,
    parameters: RegisterUsingTokenRequest,
    solution: &Solution,
) -> Result<Certs, Refusal> {
    let RegisterUsingTokenRequest { role, token, public_tls_key, public_ssh_key, expires, .. } = parameters;
    if role != BOT_ROLE {
        return Err(Refusal::denied("only bots join here"));
    }
    let token = joining::find(cluster, &token)?;
    let method = match kind {
        Kind::Azure => JoinMethod::Azure,
        Kind::Iam => JoinMethod::Iam,
    };
    if token.method != method {
        let label = rules::label(method);
        return Err(Refusal::denied(format!("this token does not support the {label} join method")));
    }
    challenge::admit(cluster, token, challenge, solution, true)?;
    let keys = (&public_ssh_key[..], &public_tls_key[..]);
    let expires = expires.map(|end| end.seconds);
    let issued = joining::certify_older(cluster, token, keys, expires, ip)?;
    let line = issued.ssh.to_openssh().map_err(|e| SandboxError::create("SSH certificate", e))?;
    let cas = || cluster.cas.users().chain(cluster.cas.hosts());
    Ok(Certs {
        ssh: format!("{line}\n").into_bytes(),
        tls: crate::identity::tls::pem_of(&issued.tls).into_bytes(),
        tls_ca_certs: cas().map(|ca| ca.pem().into_bytes()).collect(),
        ssh_ca_certs: cas().map(|ca| ca.ssh_line().into_bytes()).collect(),
    })
}
