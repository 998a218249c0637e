//! The calls of the auth service that a one-shot client needs.

use jiff::Timestamp;

use super::ClusterError;
use super::grpc::Channel;
use super::ping::{Ping, from_auth};
use super::request_id::RequestId;
use super::wire::{
    self, CaKeySet, Certs, CreateAppSessionRequest, CreateAppSessionResponse, Empty,
    GetCertAuthoritiesRequest, GetCertAuthoritiesResponse, GetRoleRequest, IsMfaRequiredRequest,
    IsMfaRequiredResponse, MfaTarget, Role, RouteToApp, RouteToDatabase, UserCertsRequest,
};
use crate::identity::Authority;
use crate::identity::route::{AppRoute, DatabaseRoute, Route};
use crate::text::is_name;

/// A connection to the auth service under one identity.
#[derive(Debug, Clone)]
pub struct AuthService {
    channel: Channel,
}

/// The types of CAs that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorityKind {
    /// Signs hosts.
    Host,
    /// Signs users.
    User,
    /// Signs databases.
    Database,
}

impl AuthorityKind {
    /// Teleport's word (`api/types/authority.go`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::User => "user",
            Self::Database => "db",
        }
    }
}

/// The keys of one request, in the form that the server's version takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKeys {
    /// Servers to 16: one key for both certificates.
    One {
        /// An `authorized_keys` line.
        ssh_line: String,
    },
    /// Servers from 17: either may be absent, and its certificate is then too.
    Split {
        /// An `authorized_keys` line.
        ssh_line: Option<String>,
        /// PKIX PEM.
        tls_pem: Option<String>,
    },
}

/// One `GenerateUserCerts`.
#[derive(Debug, Clone)]
pub struct CertsWanted<'a> {
    /// The bot's user name: CN of its own certificate.
    pub user: &'a str,
    /// The keys to certify.
    pub keys: PublicKeys,
    /// End of validity; the server may shorten it.
    pub expires: Timestamp,
    /// The cluster the certificate is for: the root, or a leaf.
    pub cluster: &'a str,
    /// What it is for beside that.
    pub route: &'a Route,
    /// Where the roles come from.
    pub grant: Grant<'a>,
}

/// Where a certificate's roles come from. The server refuses both together (recorded).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant<'a> {
    /// The bot impersonates these roles.
    Roles(&'a [String]),
    /// An approved access request: its roles beside the bot's own.
    Request(&'a RequestId),
}

impl CertsWanted<'_> {
    /// The message. Routes are sent empty rather than left out, as Teleport's own client does.
    pub fn message(&self) -> UserCertsRequest {
        let mut request = UserCertsRequest {
            username: self.user.to_owned(),
            expires: Some(wire::Timestamp { seconds: self.expires.as_second(), nanos: 0 }),
            route_to_cluster: self.cluster.to_owned(),
            route_to_database: Some(RouteToDatabase::default()),
            route_to_app: Some(RouteToApp::default()),
            ..UserCertsRequest::default()
        };
        match self.grant {
            Grant::Roles(roles) => {
                request.role_requests = roles.to_vec();
                request.use_role_requests = true;
            }
            Grant::Request(id) => request.access_requests = vec![id.to_string()],
        }
        match self.route {
            Route::Cluster => {}
            Route::Kube { kube } => request.kubernetes_cluster.clone_from(kube),
            Route::Database(route) => request.route_to_database = Some(database(route)),
            Route::App(route) => request.route_to_app = Some(app(route)),
        }
        match &self.keys {
            PublicKeys::One { ssh_line } => request.public_key = ssh_line.clone().into_bytes(),
            PublicKeys::Split { ssh_line, tls_pem } => {
                request.ssh_public_key = ssh_line.clone().unwrap_or_default().into_bytes();
                request.tls_public_key = tls_pem.clone().unwrap_or_default().into_bytes();
            }
        }
        request
    }
}

/// The route to a database, as a message.
pub fn database(route: &DatabaseRoute) -> RouteToDatabase {
    RouteToDatabase {
        service_name: route.service.clone(),
        protocol: route.protocol.clone(),
        username: route.user.clone(),
        database: route.name.clone(),
        roles: Vec::new(),
    }
}

/// The route to an application, as a message. Its URI is the server's own knowledge.
pub fn app(route: &AppRoute) -> RouteToApp {
    RouteToApp {
        name: route.name.clone(),
        session_id: route.session.clone(),
        public_addr: route.public_addr.clone(),
        cluster_name: route.cluster.clone(),
        uri: String::new(),
        target_port: route.target_port.into(),
    }
}

/// No cluster has more leaves or roles than this; a longer list is not read.
const MOST: usize = 1_000;

impl AuthService {
    /// Takes a connection that was opened with a client certificate.
    pub fn new(channel: Channel) -> Self {
        Self { channel }
    }

    /// The connection, for calls that are described elsewhere.
    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Name, version and addresses of the cluster.
    pub async fn ping(&self) -> Result<Ping, ClusterError> {
        from_auth(self.channel.unary("Ping", "/proto.AuthService/Ping", Empty {}).await?)
    }

    /// Reads a role. A bot may read its own (`bot-NAME`) only.
    pub async fn role(&self, name: &str) -> Result<Role, ClusterError> {
        let request = GetRoleRequest { name: name.to_owned() };
        self.channel.unary("GetRole", "/proto.AuthService/GetRole", request).await
    }

    /// Asks for certificates.
    pub async fn certificates(&self, wanted: &CertsWanted<'_>) -> Result<Certs, ClusterError> {
        let path = "/proto.AuthService/GenerateUserCerts";
        self.channel.unary("GenerateUserCerts", path, wanted.message()).await
    }

    /// Opens a session with an application, which servers up to 16 want in its certificate. Returns its id.
    pub async fn app_session(&self, user: &str, route: &AppRoute) -> Result<String, ClusterError> {
        let request = CreateAppSessionRequest {
            username: user.to_owned(),
            public_addr: route.public_addr.clone(),
            cluster_name: route.cluster.clone(),
        };
        let path = "/proto.AuthService/CreateAppSession";
        let answer: CreateAppSessionResponse = self.channel.unary("CreateAppSession", path, request).await?;
        let metadata = answer.session.and_then(|session| session.metadata);
        let id = metadata.map(|metadata| metadata.name).filter(|id| is_name(id));
        id.ok_or_else(|| ClusterError::malformed("the application session", "metadata.name"))
    }

    /// The CAs of one kind: the root's and, for hosts and users, every leaf's.
    pub async fn authorities(&self, kind: AuthorityKind) -> Result<Vec<Authority>, ClusterError> {
        let request = GetCertAuthoritiesRequest { r#type: kind.name().to_owned(), include_key: false };
        let path = "/teleport.trust.v1.TrustService/GetCertAuthorities";
        let answer: GetCertAuthoritiesResponse =
            self.channel.unary("GetCertAuthorities", path, request).await?;
        answer.cert_authorities_v2.into_iter().take(MOST).map(authority).collect()
    }

    /// The roles of the identity that this connection was opened with, options included.
    pub async fn current_roles(&self) -> Result<Vec<Role>, ClusterError> {
        self.channel
            .list("GetCurrentUserRoles", "/proto.AuthService/GetCurrentUserRoles", Empty {}, MOST)
            .await
    }

    /// Whether this target requires a second factor at each session; the cluster-wide setting is included.
    pub async fn is_mfa_required(&self, target: MfaTarget) -> Result<bool, ClusterError> {
        let request = IsMfaRequiredRequest { target: Some(target) };
        let answer: IsMfaRequiredResponse =
            self.channel.unary("IsMFARequired", "/proto.AuthService/IsMFARequired", request).await?;
        // 1: MFA_REQUIRED_YES (`api/proto/teleport/legacy/client/proto/authservice.proto`).
        Ok(answer.required || answer.mfa_required == 1)
    }
}

/// A CA as messages → its public halves. Keys being rotated in and out are trusted alike.
pub fn authority(ca: wire::CertAuthority) -> Result<Authority, ClusterError> {
    let missing = |field: &str| ClusterError::malformed("a certificate authority", field);
    let spec = ca.spec.ok_or_else(|| missing("spec"))?;
    if spec.cluster_name.is_empty() {
        return Err(missing("cluster_name"));
    }
    let sets: Vec<CaKeySet> = spec.active_keys.into_iter().chain(spec.additional_trusted_keys).collect();
    let text =
        |bytes: &[u8], field: &str| std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| missing(field));
    let mut authority = Authority { cluster: spec.cluster_name, ssh_keys: Vec::new(), tls_certs: Vec::new() };
    for set in &sets {
        for pair in &set.ssh {
            authority.ssh_keys.push(text(&pair.public_key, "ssh.public_key")?.trim().to_owned());
        }
        for pair in &set.tls {
            authority.tls_certs.push(format!("{}\n", text(&pair.cert, "tls.cert")?.trim()));
        }
    }
    Ok(authority)
}
