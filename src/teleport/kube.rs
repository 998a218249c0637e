//! Where kubectl reaches the kubernetes clusters behind a proxy, and whom it is to trust there.

use super::dial::{CLUSTER_SERVER_NAME, H2};
use super::ping::Ping;
use crate::net::tls::{TlsSpec, Trust};
use crate::net::{HostPort, NetError, Network};
use crate::text::safe;

/// The first label of the server name by which a proxy with TLS routing tells kubernetes apart (gravitational/teleport
/// `api/constants`, v18).
const LABEL: &str = "kube-teleport-proxy-alpn";
/// HTTP/1.1 in ALPN, which kubectl offers beside HTTP/2.
const HTTP_1: &[u8] = b"http/1.1";

/// The server of a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeServer {
    /// Where it listens.
    pub address: HostPort,
    /// `tls-server-name`; `None`: the host of the address.
    pub server_name: Option<String>,
    /// Who signed its certificate.
    pub signer: Signer,
}

/// Who signed the certificate that a proxy shows for kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// The host CA of the cluster.
    Cluster,
    /// A CA of `--ca-file`: all of its certificates (DER).
    Named(Vec<Vec<u8>>),
    /// A CA that the system trusts.
    System,
}

impl KubeServer {
    /// As the proxy at `proxy` says of itself. With TLS routing that is its web port under a server name of its own; without,
    /// a port of its own under no such name. The signer is a guess until [`probe`] has looked.
    pub fn new(ping: &Ping, proxy: &HostPort) -> Self {
        let signer = Signer::Cluster;
        if ping.tls_routing {
            // The proxy's certificate has the names that it calls itself by.
            let host = ping.public_address.as_ref().unwrap_or(proxy);
            let server_name = Some(server_name(host));
            return Self { address: proxy.clone(), server_name, signer };
        }
        let kube = ping.kube.clone().unwrap_or_default();
        let listened = kube.listen_address.map(|listen| {
            // Where the proxy's machine listens on all of its addresses, or on its own only, clients know it by another name.
            let is_local = listen.is_loopback() || listen.ip().is_some_and(|ip| ip.is_unspecified());
            if is_local { HostPort { host: proxy.host.clone(), ..listen } } else { listen }
        });
        let address = kube.public_address.or(listened).unwrap_or_else(|| proxy.clone());
        Self { address, server_name: None, signer }
    }

    /// The name that its certificate must have.
    pub fn name(&self) -> &str {
        self.server_name.as_deref().unwrap_or(&self.address.host)
    }
}

/// `kube-teleport-proxy-alpn.HOST`; an address has no names below it (`api/client/proxy`, v18: `GetKubeTLSServerName`).
pub(super) fn server_name(proxy: &HostPort) -> String {
    let host = if proxy.ip().is_some() { CLUSTER_SERVER_NAME } else { &proxy.host };
    format!("{LABEL}.{host}")
}

/// The name for addresses, which the cluster's own certificates have whatever else they are called.
pub(super) fn server_name_of_addresses() -> String {
    format!("{LABEL}.{CLUSTER_SERVER_NAME}")
}

/// Looks, by one handshake that sends nothing, at the certificate that the server shows, and says who signed it. `authorities` are
/// the CAs of the cluster (DER). An error: neither they nor the web roots vouch for it, or nothing was shown.
pub async fn probe(
    network: &Network,
    server: &KubeServer,
    authorities: &[Vec<u8>],
) -> Result<KubeServer, NetError> {
    let peer = server.address.to_string();
    let spec = TlsSpec {
        peer: peer.clone(),
        server_name: server.name().to_owned(),
        alpn: vec![H2.to_vec(), HTTP_1.to_vec()],
        // Checked below, in two ways.
        trust: Trust::Blindly,
        client: None,
    };
    let tcp = network.tcp(&server.address).await?;
    let chain = network.tls(tcp, &spec).await?.peer_chain;
    let accepts = |name: &str, trust: &Trust| network.accepts(&peer, &chain, name, trust);
    let cluster = Trust::Only(authorities.to_vec());
    if accepts(server.name(), &cluster).is_ok() {
        return Ok(KubeServer { signer: Signer::Cluster, ..server.clone() });
    }
    let Err(refused) = accepts(server.name(), &Trust::Web) else {
        let signer = network.own_roots().map_or(Signer::System, Signer::Named);
        return Ok(KubeServer { signer, ..server.clone() });
    };
    let inner = server_name_of_addresses();
    if server.server_name.is_some() && accepts(&inner, &cluster).is_ok() {
        let was = safe(server.name(), 300);
        network.log().detail(format!("{peer} shows no certificate for `{was}`: `{inner}` it is"));
        return Ok(KubeServer { server_name: Some(inner), signer: Signer::Cluster, ..server.clone() });
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::teleport::ping::KubePing;

    fn ping(tls_routing: bool, public: Option<&str>, kube: [Option<&str>; 2]) -> Ping {
        let page = include_str!("../../tests/data/teleport/ping.json");
        let address = |text: &str| HostPort::parse(text, 443).unwrap();
        let [public_address, listen_address] = kube.map(|text| text.map(address));
        Ping {
            tls_routing,
            public_address: public.map(address),
            kube: Some(KubePing { enabled: true, public_address, listen_address }),
            ..super::super::ping::read(page.as_bytes(), 200, "p").unwrap()
        }
    }

    #[test]
    fn the_address_is_the_proxys_or_one_of_its_own() {
        let (none, kube) = ([None, None], [Some("kube.test:3026"), Some("10.0.0.7:3026")]);
        for (proxy, ping, address, name) in [
            ("p.test:443", ping(true, None, none), "p.test:443", Some("kube-teleport-proxy-alpn.p.test")),
            // The name is the cluster's own, the address stays.
            (
                "alias.test:443",
                ping(true, Some("p.test:3080"), kube),
                "alias.test:443",
                Some("kube-teleport-proxy-alpn.p.test"),
            ),
            (
                "10.0.0.1:3080",
                ping(true, None, none),
                "10.0.0.1:3080",
                Some("kube-teleport-proxy-alpn.teleport.cluster.local"),
            ),
            (
                "[::1]:3080",
                ping(true, Some("[::1]:3080"), none),
                "[::1]:3080",
                Some("kube-teleport-proxy-alpn.teleport.cluster.local"),
            ),
            ("p.test:443", ping(false, Some("p.test:443"), kube), "kube.test:3026", None),
            ("p.test:443", ping(false, None, [None, Some("10.0.0.7:3026")]), "10.0.0.7:3026", None),
            ("p.test:443", ping(false, None, [None, Some("0.0.0.0:3026")]), "p.test:3026", None),
            ("p.test:443", ping(false, None, [None, Some("[::]:3026")]), "p.test:3026", None),
            ("p.test:443", ping(false, None, [None, Some("127.0.0.1:3026")]), "p.test:3026", None),
            ("p.test:443", Ping { kube: None, ..ping(false, None, none) }, "p.test:443", None),
        ] {
            let server = KubeServer::new(&ping, &HostPort::parse(proxy, 443).unwrap());
            assert_eq!(
                (server.address.to_string().as_str(), server.server_name.as_deref()),
                (address, name),
                "{proxy}"
            );
            assert_eq!(server.name(), name.unwrap_or(&server.address.host));
        }
    }
}
