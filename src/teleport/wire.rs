//! The protobuf messages we send and read, by hand: about 40 of a schema with thousands.
//!
//! Names, numbers and encodings are those of gravitational/teleport `api/proto` (Apache-2.0); fields a one-shot
//! client neither sends nor reads are left out and skipped when they come. `tests/recorded.rs` holds each message
//! against bytes of a real cluster. Timestamps are `google.protobuf.Timestamp`: seconds and nanoseconds, UTC.

// One line a field: the names are the documentation, and upstream's.
#![allow(missing_docs, clippy::doc_markdown)]

use std::collections::HashMap;

use prost::{Message, Oneof};

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `google.protobuf.Empty`, and the request of `Ping`.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct Empty {}

pub mod access_requests;
pub mod join;
pub mod resources;

/// `types.RegisterUsingTokenRequest`. `id_token` is secret.
#[derive(Clone, PartialEq, Message)]
pub struct RegisterUsingTokenRequest {
    #[prost(string, tag = "3")]
    pub role: String,
    #[prost(string, tag = "4")]
    pub token: String,
    /// PKIX PEM.
    #[prost(bytes = "vec", tag = "7")]
    pub public_tls_key: Vec<u8>,
    /// An `authorized_keys` line.
    #[prost(bytes = "vec", tag = "8")]
    pub public_ssh_key: Vec<u8>,
    #[prost(string, tag = "11")]
    pub id_token: String,
    #[prost(message, optional, tag = "12")]
    pub expires: Option<Timestamp>,
}
#[derive(Clone, PartialEq, Message)]
pub struct RegisterUsingIamMethodRequest {
    #[prost(message, optional, tag = "1")]
    pub register_using_token_request: Option<RegisterUsingTokenRequest>,
    #[prost(bytes = "vec", tag = "2")]
    pub sts_identity_request: Vec<u8>,
}
#[derive(Clone, PartialEq, Message)]
pub struct RegisterUsingAzureMethodRequest {
    #[prost(message, optional, tag = "1")]
    pub register_using_token_request: Option<RegisterUsingTokenRequest>,
    #[prost(bytes = "vec", tag = "2")]
    pub attested_data: Vec<u8>,
    #[prost(string, tag = "3")]
    pub access_token: String,
}
/// The answer of both older streams: a challenge, then certificates.
#[derive(Clone, PartialEq, Message)]
pub struct RegisterWithChallengeResponse {
    #[prost(string, tag = "1")]
    pub challenge: String,
    #[prost(message, optional, tag = "2")]
    pub certs: Option<Certs>,
}
/// `proto.Certs`: one SSH line, PEM, PEM each, `authorized_keys` lines.
#[derive(Clone, PartialEq, Message)]
pub struct Certs {
    #[prost(bytes = "vec", tag = "1")]
    pub ssh: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub tls: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub tls_ca_certs: Vec<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub ssh_ca_certs: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PingResponse {
    #[prost(string, tag = "1")]
    pub cluster_name: String,
    #[prost(string, tag = "2")]
    pub server_version: String,
    #[prost(string, tag = "4")]
    pub proxy_public_addr: String,
    #[prost(string, tag = "7")]
    pub remote_addr: String,
    #[prost(int32, tag = "9")]
    pub signature_algorithm_suite: i32,
}
#[derive(Clone, PartialEq, Message)]
pub struct GetClusterCaCertResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub tls_ca: Vec<u8>,
}
#[derive(Clone, PartialEq, Message)]
pub struct GetRoleRequest {
    #[prost(string, tag = "1")]
    pub name: String,
}
/// One key for both certificates: `public_key` (servers to 16). Two: `ssh_public_key`, `tls_public_key` (from 17).
#[derive(Clone, PartialEq, Message)]
pub struct UserCertsRequest {
    /// An `authorized_keys` line.
    #[prost(bytes = "vec", tag = "1")]
    pub public_key: Vec<u8>,
    /// The bot's user: CN of its own certificate.
    #[prost(string, tag = "2")]
    pub username: String,
    #[prost(message, optional, tag = "3")]
    pub expires: Option<Timestamp>,
    #[prost(string, tag = "5")]
    pub route_to_cluster: String,
    /// Ids of approved access requests; then no role requests.
    #[prost(string, repeated, tag = "6")]
    pub access_requests: Vec<String>,
    #[prost(string, tag = "7")]
    pub kubernetes_cluster: String,
    #[prost(message, optional, tag = "8")]
    pub route_to_database: Option<RouteToDatabase>,
    #[prost(message, optional, tag = "11")]
    pub route_to_app: Option<RouteToApp>,
    #[prost(string, repeated, tag = "12")]
    pub role_requests: Vec<String>,
    #[prost(bool, tag = "14")]
    pub use_role_requests: bool,
    /// An `authorized_keys` line; absent: no SSH certificate.
    #[prost(bytes = "vec", tag = "22")]
    pub ssh_public_key: Vec<u8>,
    /// PKIX PEM; absent: no TLS certificate.
    #[prost(bytes = "vec", tag = "23")]
    pub tls_public_key: Vec<u8>,
}
#[derive(Clone, PartialEq, Message)]
pub struct RouteToDatabase {
    #[prost(string, tag = "1")]
    pub service_name: String,
    #[prost(string, tag = "2")]
    pub protocol: String,
    #[prost(string, tag = "3")]
    pub username: String,
    #[prost(string, tag = "4")]
    pub database: String,
    #[prost(string, repeated, tag = "5")]
    pub roles: Vec<String>,
}
#[derive(Clone, PartialEq, Message)]
pub struct RouteToApp {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub session_id: String,
    #[prost(string, tag = "3")]
    pub public_addr: String,
    #[prost(string, tag = "4")]
    pub cluster_name: String,
    #[prost(string, tag = "8")]
    pub uri: String,
    #[prost(uint32, tag = "9")]
    pub target_port: u32,
}
#[derive(Clone, PartialEq, Message)]
pub struct CreateAppSessionRequest {
    #[prost(string, tag = "1")]
    pub username: String,
    #[prost(string, tag = "3")]
    pub public_addr: String,
    #[prost(string, tag = "4")]
    pub cluster_name: String,
}
#[derive(Clone, PartialEq, Message)]
pub struct CreateAppSessionResponse {
    #[prost(message, optional, tag = "1")]
    pub session: Option<WebSession>,
}
#[derive(Clone, PartialEq, Message)]
pub struct WebSession {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Metadata>,
}
#[derive(Clone, PartialEq, Message)]
pub struct Metadata {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub namespace: String,
    #[prost(map = "string, string", tag = "5")]
    pub labels: HashMap<String, String>,
}

/// `types.RoleV6`, all role versions.
#[derive(Clone, PartialEq, Message)]
pub struct Role {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(string, tag = "3")]
    pub version: String,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Metadata>,
    #[prost(message, optional, tag = "5")]
    pub spec: Option<RoleSpec>,
}
#[derive(Clone, PartialEq, Message)]
pub struct RoleSpec {
    #[prost(message, optional, tag = "1")]
    pub options: Option<RoleOptions>,
    #[prost(message, optional, tag = "2")]
    pub allow: Option<RoleConditions>,
}
#[derive(Clone, PartialEq, Message)]
pub struct RoleOptions {
    /// Nanoseconds.
    #[prost(int64, tag = "2")]
    pub max_session_ttl: i64,
    /// 0 off, 1 session, 2 session and hardware key, others hardware-key policies.
    #[prost(int32, tag = "23")]
    pub require_mfa_type: i32,
    /// Empty, `off`, `optional`, `required`, `required-for-humans`.
    #[prost(string, tag = "24")]
    pub device_trust_mode: String,
}
#[derive(Clone, PartialEq, Message)]
pub struct RoleConditions {
    #[prost(string, repeated, tag = "1")]
    pub logins: Vec<String>,
    #[prost(string, repeated, tag = "5")]
    pub kube_groups: Vec<String>,
    #[prost(string, repeated, tag = "7")]
    pub kube_users: Vec<String>,
    #[prost(message, optional, tag = "14")]
    pub impersonate: Option<ImpersonateConditions>,
}
#[derive(Clone, PartialEq, Message)]
pub struct ImpersonateConditions {
    #[prost(string, repeated, tag = "1")]
    pub users: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub roles: Vec<String>,
}
#[derive(Clone, PartialEq, Message)]
pub struct IsMfaRequiredRequest {
    #[prost(oneof = "MfaTarget", tags = "1, 2, 3, 6")]
    pub target: Option<MfaTarget>,
}
#[derive(Clone, PartialEq, Oneof)]
pub enum MfaTarget {
    #[prost(string, tag = "1")]
    KubernetesCluster(String),
    #[prost(message, tag = "2")]
    Database(RouteToDatabase),
    #[prost(message, tag = "3")]
    Node(NodeLogin),
    #[prost(message, tag = "6")]
    App(RouteToApp),
}
#[derive(Clone, PartialEq, Message)]
pub struct NodeLogin {
    #[prost(string, tag = "1")]
    pub node: String,
    #[prost(string, tag = "2")]
    pub login: String,
}
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct IsMfaRequiredResponse {
    #[prost(bool, tag = "1")]
    pub required: bool,
    #[prost(int32, tag = "2")]
    pub mfa_required: i32,
}

/// `teleport.trust.v1`.
#[derive(Clone, PartialEq, Message)]
pub struct GetCertAuthoritiesRequest {
    /// `user`, `host`, `db`, `db_client`, `openssh`.
    #[prost(string, tag = "1")]
    pub r#type: String,
    #[prost(bool, tag = "2")]
    pub include_key: bool,
}
#[derive(Clone, PartialEq, Message)]
pub struct GetCertAuthoritiesResponse {
    #[prost(message, repeated, tag = "1")]
    pub cert_authorities_v2: Vec<CertAuthority>,
}
#[derive(Clone, PartialEq, Message)]
pub struct GetCertAuthorityRequest {
    #[prost(string, tag = "1")]
    pub r#type: String,
    #[prost(string, tag = "2")]
    pub domain: String,
    #[prost(bool, tag = "3")]
    pub include_key: bool,
}
#[derive(Clone, PartialEq, Message)]
pub struct CertAuthority {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(string, tag = "2")]
    pub sub_kind: String,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Metadata>,
    #[prost(message, optional, tag = "5")]
    pub spec: Option<CertAuthoritySpec>,
}
#[derive(Clone, PartialEq, Message)]
pub struct CertAuthoritySpec {
    #[prost(string, tag = "1")]
    pub r#type: String,
    #[prost(string, tag = "2")]
    pub cluster_name: String,
    #[prost(message, optional, tag = "11")]
    pub active_keys: Option<CaKeySet>,
    #[prost(message, optional, tag = "12")]
    pub additional_trusted_keys: Option<CaKeySet>,
}
#[derive(Clone, PartialEq, Message)]
pub struct CaKeySet {
    #[prost(message, repeated, tag = "1")]
    pub ssh: Vec<SshKeyPair>,
    #[prost(message, repeated, tag = "2")]
    pub tls: Vec<TlsKeyPair>,
}
/// The public half: an `authorized_keys` line.
#[derive(Clone, PartialEq, Message)]
pub struct SshKeyPair {
    #[prost(bytes = "vec", tag = "1")]
    pub public_key: Vec<u8>,
}
/// The public half: PEM.
#[derive(Clone, PartialEq, Message)]
pub struct TlsKeyPair {
    #[prost(bytes = "vec", tag = "1")]
    pub cert: Vec<u8>,
}

/// `teleport.transport.v1`.
#[derive(Clone, PartialEq, Message)]
pub struct ProxySshRequest {
    #[prost(message, optional, tag = "1")]
    pub dial_target: Option<TargetHost>,
    #[prost(oneof = "SshFrame", tags = "2, 3")]
    pub frame: Option<SshFrame>,
}
#[derive(Clone, PartialEq, Message)]
pub struct ProxySshResponse {
    #[prost(message, optional, tag = "1")]
    pub details: Option<ClusterDetails>,
    #[prost(oneof = "SshFrame", tags = "2, 3")]
    pub frame: Option<SshFrame>,
}
#[derive(Clone, PartialEq, Oneof)]
pub enum SshFrame {
    #[prost(message, tag = "2")]
    Ssh(Frame),
    #[prost(message, tag = "3")]
    Agent(Frame),
}
#[derive(Clone, PartialEq, Message)]
pub struct Frame {
    #[prost(bytes = "bytes", tag = "1")]
    pub payload: bytes::Bytes,
}
#[derive(Clone, PartialEq, Message)]
pub struct TargetHost {
    #[prost(string, tag = "1")]
    pub host_port: String,
    #[prost(string, tag = "2")]
    pub cluster: String,
}
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub struct ClusterDetails {
    #[prost(bool, tag = "1")]
    pub fips_enabled: bool,
}
