//! Two handshakes that send nothing: which route leads to the services behind the proxy, and whether the auth service is there.

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

use super::ClusterError;
use super::dial::{CLUSTER_SERVER_NAME, H2, Route, alpn_auth};
use super::error::ConnectionError;
use super::upgrade::upgrade;
use crate::net::tls::{TlsSpec, TlsStream, Trust};
use crate::net::{HostPort, NetError, Network};

/// What Teleport's clients offer to find out whether something before the proxy terminates TLS: only a proxy of Teleport's agrees on it
/// (`api/client/alpn_conn_upgrade.go`, v18).
const ALPN_PROBE: &[u8] = b"teleport-reversetunnel";

/// Finds the route: `Direct`, or `Upgraded` where that is needed and works. The proxy's web certificate must be trusted.
pub async fn route(network: &Network, proxy: &HostPort) -> Result<Route, ClusterError> {
    let spec = TlsSpec { alpn: vec![ALPN_PROBE.to_vec()], ..TlsSpec::web(proxy) };
    let tcp = network.tcp(proxy).await?;
    match network.tls(tcp, &spec).await {
        Ok(TlsStream { alpn: Some(agreed), .. }) if agreed == ALPN_PROBE => return Ok(Route::Direct),
        Ok(_) | Err(NetError::Tls { .. } | NetError::Closed { .. }) => {}
        Err(other) => return Err(other.into()),
    }
    let tcp = network.tcp(proxy).await?;
    upgrade(network, tcp, proxy).await.map(|_| Route::Upgraded)
}

/// A handshake with the auth service of `cluster`, without a client certificate, that only looks: `h2` must be agreed on and the certificate
/// must name the cluster's servers. Their CA is known only after the join, so who signed it is not checked.
pub async fn auth_service(
    network: &Network,
    proxy: &HostPort,
    route: Route,
    cluster: &str,
) -> Result<(), ClusterError> {
    let net = |source| ConnectionError::Net { service: Some("the auth service"), source };
    let odd = |reason: String| net(NetError::Tls { peer: proxy.to_string(), reason }).into();
    let mut stream = network.tcp(proxy).await.map_err(net)?;
    if route == Route::Upgraded {
        stream = upgrade(network, stream, proxy).await?;
    }
    let spec = TlsSpec {
        peer: proxy.to_string(),
        server_name: CLUSTER_SERVER_NAME.to_owned(),
        alpn: vec![alpn_auth(cluster).into_bytes(), H2.to_vec()],
        trust: Trust::Blindly,
        client: None,
    };
    let TlsStream { alpn, peer_chain, .. } = network.tls(stream, &spec).await.map_err(net)?;
    if alpn.as_deref() != Some(H2) {
        return Err(odd("the auth service's protocol is not agreed on".to_owned()));
    }
    if !peer_chain.first().is_some_and(|leaf| names_cluster(leaf)) {
        return Err(odd(format!(
            "another server answers, whose certificate is not for `{CLUSTER_SERVER_NAME}`"
        )));
    }
    Ok(())
}

fn names_cluster(leaf: &[u8]) -> bool {
    let der = CertificateDer::from(leaf);
    let (Ok(leaf), Ok(name)) = (ParsedCertificate::try_from(&der), ServerName::try_from(CLUSTER_SERVER_NAME))
    else {
        return false;
    };
    verify_server_name(&leaf, &name).is_ok()
}
