//! A server behind the proxy that is no service of Teleport's own: a database, an application, a kubernetes cluster.

use super::dial::{CLUSTER_SERVER_NAME, Service};
use super::kube;
use crate::net::HostPort;
use crate::net::tls::{ClientIdentity, TlsSpec, Trust};

/// HTTP/1.1 in ALPN: HTTP/2 cannot be turned into a stream by an upgrade everywhere.
const HTTP_1: &str = "http/1.1";
/// TCP applications (gravitational/teleport `lib/srv/alpnproxy/common`, 18).
pub const TCP: &str = "teleport-tcp";

/// Which server, and who asks. Which one of its kind is in the client's certificate.
#[derive(Clone)]
pub struct Target {
    /// How the proxy knows what is meant.
    pub meant: Meant,
    /// The cluster's host CA (DER), which signs what a proxy shows where it does not show its web certificate.
    pub authorities: Vec<Vec<u8>>,
    /// The client's certificate and key.
    pub client: ClientIdentity,
}

/// How the proxy knows what is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meant {
    /// By a protocol in ALPN: databases, TCP applications.
    Protocol(&'static str),
    /// A web application, by the certificate; this is its public address.
    App(String),
    /// Kubernetes, by the server name.
    Kube(String),
}

impl Meant {
    /// Kubernetes behind the proxy at `proxy`, which calls itself `public`.
    pub fn kube(proxy: &HostPort, public: Option<&HostPort>) -> Self {
        Self::Kube(kube::server_name(public.unwrap_or(proxy)))
    }
}

impl Target {
    /// As the dialer takes it, for the proxy at that address.
    pub fn service(&self, proxy: &HostPort) -> Service {
        let spec = |is_upgraded| Box::new(self.spec(proxy, is_upgraded));
        Service::Behind { direct: spec(false), upgraded: spec(true) }
    }

    /// The handshake, at the proxy or in a connection that was upgraded there.
    fn spec(&self, proxy: &HostPort, is_upgraded: bool) -> TlsSpec {
        let or = |name: &str| Trust::WebOr { authorities: self.authorities.clone(), name: name.to_owned() };
        // In an upgraded connection the proxy shows a certificate of the cluster's (`api/client/webclient`, 18: clients add the
        // cluster's CAs then), whose names are not those of applications.
        let (server_name, trust) = match &self.meant {
            Meant::Kube(name) => (name, or(&kube::server_name_of_addresses())),
            Meant::App(address) if !is_upgraded => (address, Trust::Web),
            Meant::App(_) | Meant::Protocol(_) if is_upgraded => (&proxy.host, or(CLUSTER_SERVER_NAME)),
            Meant::App(_) | Meant::Protocol(_) => (&proxy.host, Trust::Web),
        };
        let alpn = match self.meant {
            Meant::Protocol(protocol) => protocol,
            Meant::App(_) | Meant::Kube(_) => HTTP_1,
        };
        TlsSpec {
            peer: proxy.to_string(),
            server_name: server_name.clone(),
            alpn: vec![alpn.as_bytes().to_vec()],
            trust,
            client: Some(self.client.clone()),
        }
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Target").field(&self.meant).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::PrivateKey;

    #[test]
    fn each_is_meant_by_name_or_protocol() {
        let proxy = HostPort::parse("p.test:3080", 443).unwrap();
        let public = HostPort::parse("public.test:443", 443).unwrap();
        let by_address = HostPort::parse("10.0.0.1:443", 443).unwrap();
        let app = Meant::App("grafana.p.test".into());
        let kube = "kube-teleport-proxy-alpn.public.test";
        for (meant, is_upgraded, name, alpn, own) in [
            (Meant::Protocol("teleport-redis"), false, "p.test", "teleport-redis", None),
            (Meant::Protocol(TCP), true, "p.test", "teleport-tcp", Some("teleport.cluster.local")),
            (app.clone(), false, "grafana.p.test", "http/1.1", None),
            (app, true, "p.test", "http/1.1", Some("teleport.cluster.local")),
            (
                Meant::kube(&proxy, Some(&public)),
                false,
                kube,
                "http/1.1",
                Some("kube-teleport-proxy-alpn.teleport.cluster.local"),
            ),
            (
                Meant::kube(&by_address, None),
                true,
                "kube-teleport-proxy-alpn.teleport.cluster.local",
                "http/1.1",
                Some("kube-teleport-proxy-alpn.teleport.cluster.local"),
            ),
        ] {
            let client = ClientIdentity { chain: Vec::new(), key: PrivateKey::from_pkcs8(Vec::new()) };
            let target = Target { meant, authorities: vec![vec![1]], client };
            let spec = target.spec(&proxy, is_upgraded);
            assert_eq!((spec.server_name.as_str(), spec.alpn), (name, vec![alpn.as_bytes().to_vec()]));
            let found = match spec.trust {
                Trust::WebOr { name, .. } => Some(name),
                Trust::Web => None,
                _ => panic!("{target:?} trusts somebody else"),
            };
            assert_eq!(found.as_deref(), own, "{target:?}");
            assert!(spec.client.is_some());
        }
    }
}
