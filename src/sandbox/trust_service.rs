//! `teleport.trust.v1.TrustService`: the CAs.

use hyper::body::Incoming;
use tonic::body::Body;

use super::cluster::Cluster;
use super::grpc;
use super::refusal::Refusal;
use super::reply::unknown;
use crate::teleport::wire::{
    CertAuthority, GetCertAuthoritiesRequest, GetCertAuthoritiesResponse, GetCertAuthorityRequest,
};

pub(super) async fn answer(cluster: &Cluster, request: http::Request<Incoming>) -> http::Response<Body> {
    let newer = cluster.options.inject.newer;
    match request.uri().path() {
        "/teleport.trust.v1.TrustService/GetCertAuthorities" => {
            let answer = |wanted: GetCertAuthoritiesRequest| {
                Ok(GetCertAuthoritiesResponse { cert_authorities_v2: authorities(cluster, &wanted.r#type)? })
            };
            grpc::unary(newer, request, answer).await
        }
        "/teleport.trust.v1.TrustService/GetCertAuthority" => {
            let answer = |wanted: GetCertAuthorityRequest| Ok(authority(cluster, &wanted)?);
            grpc::unary(newer, request, answer).await
        }
        path => unknown(path),
    }
}

/// Recorded: `host` lists the root and every leaf, the others the root alone.
fn authorities(cluster: &Cluster, kind: &str) -> Result<Vec<CertAuthority>, Refusal> {
    let (root, cas) = (&cluster.options.cluster, &cluster.cas);
    let old = cas.old.as_ref();
    match kind {
        "user" => Ok(vec![cas.user.to_message(kind, root, old.map(|old| &old.user))]),
        "db" => Ok(vec![cas.db.to_message(kind, root, old.map(|old| &old.db))]),
        "host" => {
            let leaves = cas.leaves.iter().map(|(name, ca)| ca.to_message(kind, name, None));
            let own = cas.host.to_message(kind, root, old.map(|old| &old.host));
            Ok(std::iter::once(own).chain(leaves).collect())
        }
        "db_client" | "openssh" => Ok(Vec::new()),
        _ => Err(Refusal::bad(format!("authority type {kind:?} is not supported"))),
    }
}

fn authority(cluster: &Cluster, wanted: &GetCertAuthorityRequest) -> Result<CertAuthority, Refusal> {
    let of_domain = |ca: &CertAuthority| ca.spec.as_ref().is_some_and(|s| s.cluster_name == wanted.domain);
    authorities(cluster, &wanted.r#type)?.into_iter().find(of_domain).ok_or_else(|| {
        let key = format!("/authorities/{}/{}", wanted.r#type, wanted.domain);
        Refusal::not_found(format!("key {key:?} is not found"))
    })
}
