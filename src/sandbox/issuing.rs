//! `GenerateUserCerts`: which roles and routes a bot may have, and the certificates that carry them.

use ssh_key::public::KeyData;

use super::cluster::{BOT_TTL, Cluster, ROLE_TTL};
use super::error::SandboxError;
use super::fault_injection::CertificateKind;
use super::peer::Caller;
use super::profile::{INTERNAL_JOIN, Profile, no_login};
use super::public_key;
use super::random::random;
use super::refusal::Refusal;
use super::template::Template;
use crate::identity::tls::pem_of;
use crate::teleport::wire::{Certs, UserCertsRequest};
use crate::text::hex;

pub(super) fn issue(
    cluster: &Cluster,
    caller: &Caller,
    login_ip: &str,
    request: &UserCertsRequest,
) -> Result<Certs, Refusal> {
    if caller.issued {
        return Err(Refusal::denied("access denied: identity is not allowed to reissue certificates"));
    }
    if request.username != caller.user {
        return Err(Refusal::denied(format!(
            "access denied: user {:?} is not {:?}",
            request.username, caller.user
        )));
    }
    let by_request = !request.access_requests.is_empty();
    let Granted { roles, end } = granted(cluster, caller, request)?;
    let route_to_cluster = route_to_cluster(cluster, request)?;
    let mut routes = routes(cluster, request)?;
    if let (true, [kube, ..]) = (routes.is_empty() && by_request, &cluster.options.kube_clusters[..]) {
        // Recorded.
        routes.push(("1.3", kube.name.clone()));
    }
    let (ssh_key, tls_key) = keys(cluster, request)?;
    let mut logins = Vec::new();
    for role in roles.iter().filter_map(|name| cluster.any_role(name)) {
        for login in cluster.logins(role) {
            if !logins.contains(&login) {
                logins.push(login);
            }
        }
    }
    if !request.use_role_requests && !by_request {
        logins.push(no_login()?);
    }
    logins.push(INTERNAL_JOIN.to_owned());
    let cap = roles
        .iter()
        .filter_map(|name| cluster.any_role(name))
        .map(|role| if role.max_session_ttl == 0 { ROLE_TTL } else { role.max_session_ttl })
        .fold(if request.use_role_requests { BOT_TTL } else { ROLE_TTL }, u64::min);
    let (begin, until) = cluster.validity(request.expires.map(|t| t.seconds), cap);
    let profile = Profile {
        dry_run: cluster.options.dry_run,
        user: caller.user.clone(),
        roles,
        logins,
        traits: cluster.traits(),
        cluster: cluster.options.cluster.clone(),
        route_to_cluster,
        login_ip: login_ip.to_owned(),
        impersonator: request.use_role_requests.then(|| caller.user.clone()),
        routes,
        requests: request.access_requests.clone(),
        valid: (begin, until.min(end)),
    };
    let template = |kind| Template::new(cluster, kind, &profile);
    let kind = if tls_key.is_some() { CertificateKind::Ssh } else { CertificateKind::Bundle };
    let line = |key: &KeyData| -> Result<Vec<u8>, Refusal> {
        let line = template(kind)?.ssh_certificate(key)?.to_openssh();
        let line = line.map_err(|e| SandboxError::create("SSH certificate", e))?;
        Ok(format!("{line}\n").into_bytes())
    };
    let pem = |key: &[u8]| -> Result<Vec<u8>, Refusal> {
        Ok(pem_of(&template(CertificateKind::Tls)?.tls_certificate(key)?).into_bytes())
    };
    Ok(Certs {
        ssh: ssh_key.as_ref().map(line).transpose()?.unwrap_or_default(),
        tls: tls_key.as_deref().map(pem).transpose()?.unwrap_or_default(),
        // Recorded: the user CA alone, unlike a join, which returns user and host CA.
        tls_ca_certs: cluster.cas.users().map(|ca| ca.pem().into_bytes()).collect(),
        ssh_ca_certs: cluster.cas.users().map(|ca| ca.ssh_line().into_bytes()).collect(),
    })
}

/// What a certificate gives.
struct Granted {
    roles: Vec<String>,
    /// Unix seconds.
    end: i64,
}

fn granted(cluster: &Cluster, caller: &Caller, request: &UserCertsRequest) -> Result<Granted, Refusal> {
    if request.access_requests.is_empty() {
        return Ok(Granted { roles: roles(cluster, caller, request)?, end: i64::MAX });
    }
    if request.use_role_requests || !request.role_requests.is_empty() {
        return Err(Refusal::denied(format!(
            "User {} tried to issue a cert with both role and access requests. This is not supported.",
            caller.user
        )));
    }
    let (given, end) = cluster.requests.granted(caller, &request.access_requests)?;
    let mut roles = caller.roles.clone();
    for role in given {
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    Ok(Granted { roles, end })
}

fn roles(cluster: &Cluster, caller: &Caller, request: &UserCertsRequest) -> Result<Vec<String>, Refusal> {
    if !request.use_role_requests {
        return Ok(caller.roles.clone());
    }
    if request.role_requests.is_empty() {
        return Err(Refusal::bad("at least one role request is required"));
    }
    if let Some(unknown) = request.role_requests.iter().find(|name| !cluster.has_role(name)) {
        return Err(Refusal::not_found(format!("role {unknown} is not found")));
    }
    if request.role_requests.iter().any(|name| cluster.role(name).is_none()) {
        let list = request.role_requests.iter().map(|r| format!("{r:?}")).collect::<Vec<_>>().join(" ");
        return Err(Refusal::denied(format!(
            "user {:?} has requested role impersonation for [{list}]",
            caller.user
        )));
    }
    Ok(request.role_requests.clone())
}

fn route_to_cluster(cluster: &Cluster, request: &UserCertsRequest) -> Result<String, Refusal> {
    let root = &cluster.options.cluster;
    match request.route_to_cluster.as_str() {
        "" => Ok(root.clone()),
        name if name == root || cluster.options.leaves.iter().any(|leaf| leaf == name) => Ok(name.to_owned()),
        name => Err(Refusal::not_found(format!("remote cluster {name:?} is not found"))),
    }
}

/// Routes as attributes. Recorded: a database is not looked up, not even in a leaf cluster; a kubernetes cluster is.
fn routes(cluster: &Cluster, request: &UserCertsRequest) -> Result<Vec<(&'static str, String)>, Refusal> {
    let mut routes = Vec::new();
    let kube = &request.kubernetes_cluster;
    if !kube.is_empty() {
        if !cluster.options.kube_clusters.iter().any(|known| known.name == *kube) {
            return Err(Refusal::bad(format!(
                "kubernetes cluster {kube:?} is not registered in this teleport cluster; you can list registered \
                 kubernetes clusters using 'tsh kube ls'"
            )));
        }
        routes.push(("1.3", kube.clone()));
    }
    if let Some(app) = request.route_to_app.as_ref().filter(|app| !app.name.is_empty()) {
        // From 17 on the server creates the session itself.
        let session = match app.session_id.as_str() {
            "" if cluster.is_modern() => hex(&random::<32>()?),
            id => id.to_owned(),
        };
        routes.push(("1.4", session));
        routes.push(("1.6", app.public_addr.clone()));
        routes.push(("1.5", app.cluster_name.clone()));
        routes.push(("1.10", app.name.clone()));
    }
    if let Some(db) = request.route_to_database.as_ref().filter(|db| !db.service_name.is_empty()) {
        routes.push(("2.1", db.service_name.clone()));
        routes.push(("2.2", db.protocol.clone()));
        routes.push(("2.3", db.username.clone()));
        routes.push(("2.4", db.database.clone()));
    }
    routes.retain(|(_, value)| !value.is_empty());
    Ok(routes)
}

/// The SSH key and the `SubjectPublicKeyInfo` (DER) to certify. Before 17 one key serves both and the newer fields are unknown.
fn keys(
    cluster: &Cluster,
    request: &UserCertsRequest,
) -> Result<(Option<KeyData>, Option<Vec<u8>>), Refusal> {
    let split =
        cluster.is_modern() && !(request.ssh_public_key.is_empty() && request.tls_public_key.is_empty());
    if split && !request.public_key.is_empty() {
        return Err(Refusal::bad("public_key must not be set beside ssh_public_key or tls_public_key"));
    }
    if split {
        let ssh = Some(&request.ssh_public_key)
            .filter(|k| !k.is_empty())
            .map(|k| public_key::from_line(k))
            .transpose()?;
        let tls = Some(&request.tls_public_key)
            .filter(|k| !k.is_empty())
            .map(|k| public_key::from_pem(k))
            .transpose()?;
        Ok((ssh, tls))
    } else {
        let key = public_key::from_line(&request.public_key)?;
        let tls = public_key::to_der(&key)?;
        Ok((Some(key), Some(tls)))
    }
}
