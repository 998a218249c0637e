//! `GenerateUserCerts`: which roles and routes a bot may have, and the certificates that carry them.

use ssh_key::PublicKey;
use ssh_key::public::KeyData;
use x509_cert::der::{Decode as _, DecodePem as _, Encode as _};
use x509_cert::spki::SubjectPublicKeyInfoOwned;

use super::SandboxError;
use super::cluster::{BOT_TTL, Cluster, ROLE_TTL};
use super::joining::no_login;
use super::profile::{INTERNAL_JOIN, Profile};
use super::refusal::{Kind, Refusal};
use super::ssh_cert::{random, spki};
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::tls::{TlsCertificate, pem_of};
use crate::span::hex;
use crate::teleport::wire::{Certs, UserCertsRequest};

/// Who calls, by its verified client certificate.
#[derive(Clone)]
pub(super) struct Caller {
    /// CN.
    pub(super) user: String,
    /// O.
    pub(super) roles: Vec<String>,
    /// Issued with impersonated roles, and so not to ask for more.
    pub(super) issued: bool,
}

impl Caller {
    /// Reads a certificate that TLS has verified.
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let cert = TlsCertificate::from_der(der).ok()?;
        let issued = cert.attribute("2.9") == Some("true");
        Some(Self { user: cert.common_name, roles: cert.organizations, issued })
    }
}

/// Answers one request.
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
    let roles = roles(cluster, caller, request)?;
    let route_to_cluster = route_to_cluster(cluster, request)?;
    let routes = routes(cluster, request)?;
    let (ssh_key, tls_key) = keys(cluster, request)?;
    let mut logins = Vec::new();
    for role in roles.iter().filter_map(|name| cluster.role(name)) {
        for login in &role.logins {
            if !logins.contains(login) {
                logins.push(login.clone());
            }
        }
    }
    if !request.use_role_requests {
        logins.push(no_login()?);
    }
    logins.push(INTERNAL_JOIN.to_owned());
    let cap = roles
        .iter()
        .filter_map(|name| cluster.role(name))
        .map(|role| if role.max_session_ttl == 0 { ROLE_TTL } else { role.max_session_ttl })
        .fold(if request.use_role_requests { BOT_TTL } else { ROLE_TTL }, u64::min);
    let profile = Profile {
        key_id: cluster.key_id(&caller.user),
        user: caller.user.clone(),
        roles,
        logins,
        cluster: cluster.options.cluster.clone(),
        route_to_cluster,
        login_ip: login_ip.to_owned(),
        impersonator: request.use_role_requests.then(|| caller.user.clone()),
        routes,
        valid: cluster.validity(request.expires.map(|t| t.seconds), cap),
    };
    let ca = &cluster.cas.user;
    let line = |key: &KeyData| -> Result<Vec<u8>, Refusal> {
        let certificate = profile.ssh_certificate(ca, key)?;
        let line = certificate.to_openssh().map_err(|e| SandboxError::make("SSH certificate", e))?;
        Ok(format!("{line}\n").into_bytes())
    };
    let pem = |key: &[u8]| -> Result<Vec<u8>, Refusal> {
        Ok(pem_of(&profile.tls_certificate(ca, key)?).into_bytes())
    };
    Ok(Certs {
        ssh: ssh_key.as_ref().map(line).transpose()?.unwrap_or_default(),
        tls: tls_key.as_deref().map(pem).transpose()?.unwrap_or_default(),
        // Recorded: the user CA, where a join gives user and host CA.
        tls_ca_certs: vec![ca.pem().into_bytes()],
        ssh_ca_certs: vec![ca.ssh_line().into_bytes()],
    })
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
        if !cluster.options.kube_clusters.contains(kube) {
            return Err(Refusal::bad(format!(
                "kubernetes cluster {kube:?} is not registered in this teleport cluster; you can list registered \
                 kubernetes clusters using 'tsh kube ls'"
            )));
        }
        routes.push(("1.3", kube.clone()));
    }
    if let Some(app) = request.route_to_app.as_ref().filter(|app| !app.name.is_empty()) {
        // From 17 the server makes the session itself.
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
    let (ssh, tls) = if split {
        let ssh = Some(&request.ssh_public_key).filter(|k| !k.is_empty()).map(|k| ssh_line(k)).transpose()?;
        let tls = Some(&request.tls_public_key).filter(|k| !k.is_empty()).map(|k| pem_key(k)).transpose()?;
        (ssh, tls)
    } else {
        let key = ssh_line(&request.public_key)?;
        let tls = tls_form(&key)?;
        (Some(key), Some(tls))
    };
    if !cluster.options.faults.wrong_key {
        return Ok((ssh, tls));
    }
    let other = KeyPair::generate(KeyKind::P256).map_err(|e| SandboxError::make("key", e))?;
    Ok((ssh.map(|_| other.public_ssh().clone()), tls.map(|_| other.public_der().to_vec())))
}

/// Reads an `authorized_keys` line.
pub(super) fn ssh_line(line: &[u8]) -> Result<KeyData, Refusal> {
    let text = std::str::from_utf8(line).unwrap_or_default().trim();
    PublicKey::from_openssh(text)
        .map(|key| key.key_data().clone())
        .map_err(|_| Refusal::new(Kind::Other, "ssh: no key found"))
}

/// The same key for X.509.
pub(super) fn tls_form(key: &KeyData) -> Result<Vec<u8>, Refusal> {
    spki(key).ok_or_else(|| Refusal::bad("unsupported key type"))
}

/// Reads PKIX PEM into DER.
pub(super) fn pem_key(pem: &[u8]) -> Result<Vec<u8>, Refusal> {
    SubjectPublicKeyInfoOwned::from_pem(pem)
        .and_then(|key| key.to_der())
        .map_err(|_| Refusal::bad("expected PEM encoded public key"))
}

/// Checks PKIX DER.
pub(super) fn der_key(der: &[u8]) -> Result<Vec<u8>, Refusal> {
    SubjectPublicKeyInfoOwned::from_der(der)
        .and_then(|key| key.to_der())
        .map_err(|_| Refusal::bad("failed to parse public key"))
}
