//! `proto.AuthService`, as far as a one-shot client asks. Refusals are the recorded ones.

use std::collections::HashMap;

use hyper::body::Incoming;
use tonic::Status;
use tonic::body::Body;

use super::cluster::{Cluster, ROLE_TTL};
use super::options::SandboxRole;
use super::peer::{Caller, Peer};
use super::random::random;
use super::refusal::Refusal;
use super::reply::unknown;
use super::{access_requests, grpc, issuing, resources, trust_service};
use crate::identity::Suite;
use crate::teleport::wire::{
    CreateAppSessionRequest, CreateAppSessionResponse, Empty, GetClusterCaCertResponse, GetRoleRequest,
    ImpersonateConditions, IsMfaRequiredRequest, IsMfaRequiredResponse, Metadata, MfaTarget, PingResponse,
    Role, RoleConditions, RoleOptions, RoleSpec, UserCertsRequest, WebSession,
};
use crate::text::hex;

pub(super) async fn answer(
    cluster: &Cluster,
    peer: &Peer,
    request: http::Request<Incoming>,
) -> http::Response<Body> {
    let Some(caller) = &peer.caller else {
        return Status::unauthenticated("access denied: no client certificate").into_http();
    };
    let newer = cluster.options.inject.newer;
    let ip = peer.ip.to_string();
    match request.uri().path() {
        "/proto.AuthService/Ping" => grpc::unary(newer, request, |_: Empty| Ok(ping(cluster, &ip))).await,
        "/proto.AuthService/GetClusterCACert" => {
            let answer = || GetClusterCaCertResponse { tls_ca: cluster.cas.host.pem().into_bytes() };
            grpc::unary(newer, request, |_: Empty| Ok(answer())).await
        }
        "/proto.AuthService/GetRole" => {
            grpc::unary(newer, request, |role: GetRoleRequest| Ok(get_role(cluster, caller, &role.name)?))
                .await
        }
        "/proto.AuthService/GetCurrentUserRoles" => {
            grpc::server_stream(newer, request, |_: Empty| Ok(own_roles(cluster, caller))).await
        }
        "/proto.AuthService/GenerateUserCerts" => {
            let answer = |request: UserCertsRequest| Ok(issuing::issue(cluster, caller, &ip, &request)?);
            grpc::unary(newer, request, answer).await
        }
        "/proto.AuthService/IsMFARequired" => {
            grpc::unary(newer, request, |target| Ok(is_mfa_required(cluster, caller, &target)?)).await
        }
        "/proto.AuthService/CreateAppSession" => {
            grpc::unary(newer, request, |wanted| Ok(app_session(cluster, &wanted)?)).await
        }
        access_requests::FILE | access_requests::LIST => {
            access_requests::answer(cluster, peer, caller, request).await
        }
        "/proto.AuthService/ListResources" => resources::answer(cluster, caller, request).await,
        path if path.starts_with("/teleport.trust.v1.TrustService/") => {
            trust_service::answer(cluster, request).await
        }
        path => unknown(path),
    }
}

fn ping(cluster: &Cluster, ip: &str) -> PingResponse {
    let suite = match Suite::parse(&cluster.options.suite) {
        Some(Suite::Legacy) => 1,
        Some(Suite::BalancedV1) => 2,
        Some(Suite::FipsV1) => 3,
        Some(Suite::HsmV1) => 4,
        None => 0,
    };
    PingResponse {
        cluster_name: cluster.options.cluster.clone(),
        server_version: cluster.options.version.clone(),
        proxy_public_addr: cluster.public_addr(),
        remote_addr: format!("{ip}:0"),
        signature_algorithm_suite: if cluster.is_modern() { suite } else { 0 },
    }
}

/// A bot reads its own role and no other; an issued identity reads the roles it has.
fn get_role(cluster: &Cluster, caller: &Caller, name: &str) -> Result<Role, Refusal> {
    if caller.roles.iter().any(|role| role == name)
        && let Some(role) = role_of(cluster, name)
    {
        return Ok(role);
    }
    Err(Refusal::denied("access denied to perform action \"read\" on \"role\""))
}

fn own_roles(cluster: &Cluster, caller: &Caller) -> Vec<Role> {
    caller.roles.iter().filter_map(|name| role_of(cluster, name)).collect()
}

fn role_of(cluster: &Cluster, name: &str) -> Option<Role> {
    if let Some(role) = cluster.any_role(name) {
        return Some(issued_role(role));
    }
    let bot = cluster.bot_of_role(name)?;
    let labels = HashMap::from([("teleport.internal/bot".to_owned(), bot.to_owned())]);
    let roles = cluster.options.roles.iter().map(|role| role.name.clone()).collect();
    let allow = RoleConditions {
        impersonate: Some(ImpersonateConditions { users: Vec::new(), roles }),
        ..RoleConditions::default()
    };
    let options = RoleOptions { max_session_ttl: nanoseconds(ROLE_TTL), ..RoleOptions::default() };
    Some(role_message(name, labels, options, allow))
}

fn issued_role(role: &SandboxRole) -> Role {
    let ttl = if role.max_session_ttl == 0 { ROLE_TTL } else { role.max_session_ttl };
    let options = RoleOptions {
        max_session_ttl: nanoseconds(ttl),
        require_mfa_type: role.require_mfa_type,
        device_trust_mode: role.device_trust_mode.clone(),
    };
    let allow = RoleConditions { logins: role.logins.clone(), ..RoleConditions::default() };
    role_message(&role.name, HashMap::new(), options, allow)
}

fn role_message(
    name: &str,
    labels: HashMap<String, String>,
    options: RoleOptions,
    allow: RoleConditions,
) -> Role {
    Role {
        kind: "role".to_owned(),
        version: "v7".to_owned(),
        metadata: Some(Metadata { name: name.to_owned(), namespace: "default".to_owned(), labels }),
        spec: Some(RoleSpec { options: Some(options), allow: Some(allow) }),
    }
}

fn nanoseconds(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1_000_000_000)).unwrap_or(i64::MAX)
}

/// Required when a role of the caller that applies asks for it; for a node those with the login. Nodes are not looked for.
fn is_mfa_required(
    cluster: &Cluster,
    caller: &Caller,
    request: &IsMfaRequiredRequest,
) -> Result<IsMfaRequiredResponse, Refusal> {
    let options = &cluster.options;
    let missing = match &request.target {
        Some(MfaTarget::KubernetesCluster(name)) => {
            (!options.kube_clusters.iter().any(|kube| kube.name == *name))
                .then_some(("kubernetes cluster", name))
        }
        Some(MfaTarget::Database(route)) => {
            let name = &route.service_name;
            (!options.databases.iter().any(|db| db.name == *name)).then_some(("database service", name))
        }
        Some(MfaTarget::App(route)) => {
            (!options.apps.iter().any(|app| app.name == route.name)).then_some(("app", &route.name))
        }
        Some(MfaTarget::Node(_)) | None => None,
    };
    if let Some((what, name)) = missing {
        return Err(Refusal::not_found(format!("{what} {name:?} not found")));
    }
    let applies = |role: &&SandboxRole| match &request.target {
        Some(MfaTarget::Node(node)) => cluster.logins(role).contains(&node.login),
        _ => true,
    };
    let of_roles = caller
        .roles
        .iter()
        .filter_map(|name| cluster.any_role(name))
        .filter(applies)
        .any(|r| r.require_mfa_type != 0);
    let required = of_roles || cluster.options.require_session_mfa;
    // `MFA_REQUIRED_YES` is 1, `MFA_REQUIRED_NO` 2 (api/proto authservice.proto).
    Ok(IsMfaRequiredResponse { required, mfa_required: if required { 1 } else { 2 } })
}

fn app_session(
    cluster: &Cluster,
    wanted: &CreateAppSessionRequest,
) -> Result<CreateAppSessionResponse, Refusal> {
    if !cluster.options.apps.iter().any(|app| app.public_addr == wanted.public_addr) {
        return Err(Refusal::not_found(format!("application at {:?} is not found", wanted.public_addr)));
    }
    let id = random::<32>()?;
    let metadata = Metadata { name: hex(&id), namespace: "default".to_owned(), ..Metadata::default() };
    let session = WebSession { kind: "web_session".to_owned(), metadata: Some(metadata) };
    Ok(CreateAppSessionResponse { session: Some(session) })
}
