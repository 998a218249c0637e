//! The new join path: `teleport.join.v1.JoinService/Join`, one bidirectional stream.

use std::sync::Arc;

use hyper::body::Incoming;
use tokio::sync::Notify;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::Streaming;

use super::ca::Ca;
use super::cluster::Cluster;
use super::error::SandboxError;
use super::fault_injection::{JoinEnd, StreamEnd};
use super::grpc::{self, Sender};
use super::joining::{self, BOT_ROLE};
use super::peer::Peer;
use super::refusal::Refusal;
use super::reply::unknown;
use super::{challenge, public_key};
use crate::rules::ProvisionToken;
use crate::teleport::JoinMethod;
use crate::teleport::challenge::Kind as ChallengeKind;
use crate::teleport::wire::join::{
    BotResult, Certificates, Challenge, ClientInit, ClientParams, JoinRequest, JoinResponse, JoinResult,
    OidcInit, ParamsOnly, Question, Request, Response, ServerInit, TextChallenge,
};

pub(super) async fn answer(
    cluster: Arc<Cluster>,
    peer: &Peer,
    request: http::Request<Incoming>,
) -> http::Response<Body> {
    if request.uri().path() != "/teleport.join.v1.JoinService/Join" || !cluster.serves_new_join() {
        return unknown(request.uri().path());
    }
    let newer = cluster.options.inject.newer;
    let client = Client { ip: peer.ip.to_string(), number: peer.number, cut: Arc::clone(&peer.cut) };
    grpc::bidirectional(newer, request, |requests, answers| async move {
        // Out of time: the stream ends without a status of ours.
        let _ = tokio::time::timeout(joining::LIMIT, join(&cluster, &client, requests, answers)).await;
    })
    .await
}

/// What a join knows of its client.
struct Client {
    ip: String,
    number: usize,
    cut: Arc<Notify>,
}

/// `ClientInit` → `ServerInit` → `OidcInit` → `Result`, with a challenge and its solution before the last for some methods; a failure to send means that the client left.
async fn join(
    cluster: &Cluster,
    client: &Client,
    mut requests: Streaming<JoinRequest>,
    answers: Sender<JoinResponse>,
) {
    let Some(Request::ClientInit(init)) = next(&mut requests).await else {
        return refuse(&answers, Refusal::bad("expected ClientInit as the first message")).await;
    };
    let early_end = |after_init: bool| {
        cluster.options.inject.join_end.as_ref().filter(|end| end.after_init == after_init)
    };
    if let Some(end) = early_end(false) {
        return end_early(end, client, &answers).await;
    }
    let token = match start(cluster, &init) {
        Ok(token) => token,
        Err(refusal) => return refuse(&answers, refusal).await,
    };
    let first = if cluster.options.inject.join_unknown_message {
        JoinResponse { payload: None }
    } else {
        let signature_algorithm_suite =
            if cluster.is_modern() { cluster.options.suite.clone() } else { String::new() };
        let init = ServerInit { join_method: token.method.name().to_owned(), signature_algorithm_suite };
        JoinResponse { payload: Some(Response::Init(init)) }
    };
    if answers.send(Ok(first)).await.is_err() {
        return;
    }
    if let Some(end) = early_end(true) {
        return end_early(end, client, &answers).await;
    }
    let result = match next(&mut requests).await {
        Some(Request::OidcInit(init)) => {
            cluster.records.proved(client.number);
            finish(cluster, token, &client.ip, &init)
        }
        Some(Request::IamInit(init)) if token.method == JoinMethod::Iam => {
            challenge(cluster, token, client, ChallengeKind::Iam, &init, &mut requests, &answers).await
        }
        Some(Request::AzureInit(init)) if token.method == JoinMethod::Azure => {
            challenge(cluster, token, client, ChallengeKind::Azure, &init, &mut requests, &answers).await
        }
        Some(Request::GivingUp(reason)) => return cluster.records.gave_up(client.number, &reason.msg),
        None => return,
        Some(_) => Err(Refusal::bad("expected the first message of the token's join method")),
    };
    match result {
        Ok(None) => {}
        Ok(Some(certificates)) => {
            let result = JoinResult { bot_result: Some(BotResult { certificates: Some(certificates) }) };
            let _ = answers.send(Ok(JoinResponse { payload: Some(Response::Result(result)) })).await;
        }
        Err(refusal) => refuse(&answers, refusal).await,
    }
}

/// `Challenge` → `ChallengeSolution`. Nothing: the client left, or gave up.
async fn challenge(
    cluster: &Cluster,
    token: &ProvisionToken,
    client: &Client,
    kind: ChallengeKind,
    init: &ParamsOnly,
    requests: &mut Streaming<JoinRequest>,
    answers: &Sender<JoinResponse>,
) -> Result<Option<Certificates>, Refusal> {
    let text = TextChallenge { challenge: challenge::new(cluster, kind)? };
    let question = match kind {
        ChallengeKind::Azure => Question::Azure(text.clone()),
        ChallengeKind::Iam => Question::Iam(text.clone()),
    };
    let payload = Some(Response::Challenge(Challenge { payload: Some(question) }));
    if answers.send(Ok(JoinResponse { payload })).await.is_err() {
        return Ok(None);
    }
    let solution = match next(requests).await {
        Some(Request::Solution(solution)) => solution.payload,
        Some(Request::GivingUp(reason)) => {
            cluster.records.gave_up(client.number, &reason.msg);
            return Ok(None);
        }
        Some(_) => None,
        None => return Ok(None),
    };
    if cluster.options.inject.end_after_solution {
        return Ok(None);
    }
    let solution = solution.ok_or_else(|| Refusal::bad("expected a challenge solution"))?;
    challenge::admit(cluster, token, &text.challenge, &solution, false)?;
    certificates(cluster, token, &client.ip, init.client_params.as_ref()).map(Some)
}

async fn next(requests: &mut Streaming<JoinRequest>) -> Option<Request> {
    requests.message().await.ok().flatten()?.payload
}

async fn end_early(end: &JoinEnd, client: &Client, answers: &Sender<JoinResponse>) {
    if !end.delay.is_zero() {
        tokio::time::sleep(end.delay).await;
    }
    match &end.how {
        StreamEnd::Cut => client.cut.notify_one(),
        StreamEnd::Ok => {}
        StreamEnd::Status(code, message) => {
            let _ = answers.send(Err(Status::new((*code).into(), message.clone()))).await;
        }
    }
}

async fn refuse(answers: &Sender<JoinResponse>, refusal: Refusal) {
    let _ = answers.send(Err(refusal.into())).await;
}

fn start<'a>(cluster: &'a Cluster, init: &ClientInit) -> Result<&'a ProvisionToken, Refusal> {
    if init.system_role != BOT_ROLE {
        let role = &init.system_role;
        return Err(Refusal::denied(format!(
            "can not join the cluster, the token does not allow role {role}"
        )));
    }
    let token = joining::find(cluster, &init.token_name)?;
    match init.join_method.as_deref() {
        None | Some("") => Ok(token),
        Some(method) if method == token.method.name() => Ok(token),
        Some(method) => Err(Refusal::bad(format!(
            "client requested join method {method}, provision token only supports method {}",
            token.method
        ))),
    }
}

fn finish(
    cluster: &Cluster,
    token: &ProvisionToken,
    ip: &str,
    init: &OidcInit,
) -> Result<Option<Certificates>, Refusal> {
    let id_token = std::str::from_utf8(&init.id_token).unwrap_or_default();
    joining::admit(cluster, token, id_token)?;
    certificates(cluster, token, ip, init.client_params.as_ref()).map(Some)
}

fn certificates(
    cluster: &Cluster,
    token: &ProvisionToken,
    ip: &str,
    params: Option<&ClientParams>,
) -> Result<Certificates, Refusal> {
    let params = params.and_then(|params| params.bot_params.as_ref());
    let keys = params
        .and_then(|params| params.public_keys.as_ref())
        .ok_or_else(|| Refusal::bad("public keys must be set"))?;
    let ssh_key = public_key::from_wire(&keys.public_ssh_key)?;
    let tls_key = public_key::from_der(&keys.public_tls_key)?;
    let expires = params.and_then(|params| params.expires).map(|end| end.seconds);
    let issued = joining::certify(cluster, token, &ssh_key, &tls_key, expires, ip)?;
    let cas = || cluster.cas.users().chain(cluster.cas.hosts());
    Ok(Certificates {
        tls_cert: issued.tls,
        tls_ca_certs: cas().map(|ca| ca.der.clone()).collect(),
        ssh_cert: issued.ssh.to_bytes().map_err(|e| SandboxError::create("SSH certificate", e))?,
        ssh_ca_keys: cas().map(Ca::ssh_wire).collect::<Result<_, _>>()?,
    })
}
