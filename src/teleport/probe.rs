//! Two handshakes that send nothing: which way leads to the services behind the proxy, and whether the auth service is there.

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

use super::ClusterError;
use super::dial::{CLUSTER_SERVER_NAME, H2, Path, alpn_auth};
use super::upgrade::upgrade;
use crate::net::tls::{TlsSpec, TlsStream, Trust};
use crate::net::{HostPort, NetError, Network};

/// What Teleport's clients offer to find out whether something before the proxy ends TLS: only a proxy of Teleport's agrees on it
/// (`api/client/alpn_conn_upgrade.go`, v18).
const ALPN_PROBE: &[u8] = b"teleport-reversetunnel";

/// Finds the way: `Direct`, or `Upgrade` where it is needed and works. The proxy's web certificate must be trusted.
pub async fn path(network: &Network, proxy: &HostPort) -> Result<Path, ClusterError> {
    let spec = TlsSpec { alpn: vec![ALPN_PROBE.to_vec()], ..TlsSpec::web(proxy) };
    let doing = || format!("probing {proxy} by ALPN");
    let net = |source| ClusterError::Net { doing: doing(), source };
    let tcp = network.tcp(proxy).await.map_err(net)?;
    match network.tls(tcp, &spec).await {
        Ok(TlsStream { alpn: Some(agreed), .. }) if agreed == ALPN_PROBE => return Ok(Path::Direct),
        Ok(_) | Err(NetError::Tls { .. } | NetError::Closed { .. }) => {}
        Err(other) => return Err(net(other)),
    }
    let tcp = network.tcp(proxy).await.map_err(net)?;
    upgrade(network, tcp, proxy).await.map(|_| Path::Upgrade)
}

/// A handshake with the auth service of `cluster`, without a client certificate, that only looks: `h2` must be agreed on and the certificate
/// must name the cluster's servers. That CA is known after the join only, so who signed it is not checked.
pub async fn auth_service(
    network: &Network,
    proxy: &HostPort,
    path: Path,
    cluster: &str,
) -> Result<(), ClusterError> {
    let net = |source| ClusterError::Net { doing: format!("reaching the auth service at {proxy}"), source };
    let odd = |reason: String| net(NetError::Tls { peer: proxy.to_string(), reason });
    let mut stream = network.tcp(proxy).await.map_err(net)?;
    if path == Path::Upgrade {
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
    if !peer_chain.first().is_some_and(|leaf| is_of_cluster(leaf)) {
        return Err(odd(format!(
            "another server answers, whose certificate is not for `{CLUSTER_SERVER_NAME}`"
        )));
    }
    Ok(())
}

fn is_of_cluster(leaf: &[u8]) -> bool {
    let der = CertificateDer::from(leaf);
    let (Ok(leaf), Ok(name)) = (ParsedCertificate::try_from(&der), ServerName::try_from(CLUSTER_SERVER_NAME))
    else {
        return false;
    };
    verify_server_name(&leaf, &name).is_ok()
}
