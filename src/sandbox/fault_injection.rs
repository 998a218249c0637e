//! What a sandbox does wrong on purpose, so that tests see how a client takes it.

use std::time::Duration;

/// Nothing by default.
#[derive(Debug, Clone, Default)]
pub struct FaultInjection {
    /// Answer `/webapi/ping` and `/webapi/find` with an HTML page.
    pub html: bool,
    /// Answer every web path with an HTML page (the CI token endpoint excepted), as a login portal in front would.
    pub html_everywhere: bool,
    /// Issue these certificates of an output wrong; each other one stays right.
    pub wrong_certificates: Vec<(CertificateKind, Flaw)>,
    /// Answer this many requests for a CI token with 503 first.
    pub token_503: u32,
    /// Never answer requests whose path ends like this (`/_ci/github/token`, `GenerateUserCerts`, …).
    pub hang_on: Vec<String>,
    /// Groups of requests, by the end of their paths: none is answered before all of its group have come. A request belongs to the
    /// first group that still misses one like it.
    pub answer_together: Vec<Vec<String>>,
    /// Refuse these gRPC calls.
    pub refuse_calls: Vec<RefusedCall>,
    /// File the first access request and close the connection without an answer.
    pub lose_filing: bool,
    /// Close the connection at this many questions for an access request.
    pub lose_requests: u32,
    /// Know no access request any more when it is asked for again.
    pub request_vanishes: bool,
    /// Close each connection once this many bytes were sent on it, TLS included.
    pub close_after_bytes: Option<u64>,
    /// Wait before each answer.
    pub delay: Duration,
    /// Leave `cluster_name` out of ping.
    pub ping_without_cluster_name: bool,
    /// Say `tls_routing_enabled: false` in ping.
    pub no_tls_routing: bool,
    /// Unknown fields in JSON and protobuf answers, as a newer server has.
    pub newer: bool,
    /// Answer `ClientInit` with a message of an unknown kind.
    pub join_unknown_message: bool,
    /// End the join stream before its result.
    pub join_end: Option<JoinEnd>,
    /// End the join stream, without a status, when the answer to its challenge has come.
    pub end_after_solution: bool,
    /// Ask this in place of a challenge, by both ways.
    pub challenge: Option<String>,
    /// How the auth service's handshakes are odd.
    pub auth_handshakes: Option<OddHandshake>,
    /// Close this many handshakes with the auth service when the server's flight is out, as a server does that has waited too long for the
    /// client's.
    pub impatient_handshakes: u32,
    /// Leave the intermediates out of attested documents, as Azure does: they are to be fetched.
    pub attests_without_intermediates: bool,
}

/// What a server's handshakes may be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddHandshake {
    /// It shows a certificate of a CA that goes by the cluster's name and is none of the cluster's.
    ForeignCa,
    /// It takes another key share than those that clients offer first (P-384): `HelloRetryRequest`.
    OtherKeyShare,
    /// It never answers.
    Stalls,
    /// It speaks TLS 1.2 at most.
    Tls12,
    /// It agrees on no protocol.
    WithoutProtocol,
}

/// When and how the join stream ends early.
#[derive(Debug, Clone)]
pub struct JoinEnd {
    /// Right behind `ServerInit`, as servers 18.3 to 18.5 do for methods that their stream does not serve yet; else before it.
    pub after_init: bool,
    /// Wait this long first. Without a wait the end travels in one flight with `ServerInit`.
    pub delay: Duration,
    /// What the client sees.
    pub how: StreamEnd,
}

/// How a gRPC stream ends.
#[derive(Debug, Clone)]
pub enum StreamEnd {
    /// The whole connection is closed.
    Cut,
    /// With status OK, as if all were said.
    Ok,
    /// With this status code and message.
    Status(i32, String),
}

/// One of the certificates of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateKind {
    /// X.509.
    Tls,
    /// SSH, issued beside an X.509 certificate.
    Ssh,
    /// SSH, issued alone: the one for the TLS key, which goes into the `identity` file (servers from 17).
    Bundle,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// For another key than the one asked for.
    ForeignKey,
    /// Signed by a key that the cluster does not list, under the name of its CA.
    UnknownCa,
    /// For the user `bot-other`: CN of X.509, key id of SSH.
    ForeignUser,
    /// Without the last of the roles asked for.
    MissingRole,
    /// With the role `editor` more than asked for.
    ExtraRole,
    /// Ends an hour later than the right one.
    LateEnd,
    /// Begins in an hour.
    FutureStart,
    /// Ended an hour ago.
    Ended,
    /// For another kubernetes cluster, database or application; without a route, for a kubernetes cluster.
    ForeignRoute,
}

/// A gRPC call to refuse.
#[derive(Debug, Clone)]
pub struct RefusedCall {
    /// The method without its service: `GenerateUserCerts`.
    pub method: String,
    /// The gRPC status code, e.g. 7 for `PERMISSION_DENIED`.
    pub code: i32,
    /// The status message.
    pub message: String,
}
