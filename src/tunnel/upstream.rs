//! The way to the server behind the proxy, and what is said of it when it is lost.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::error::StageError as _;
use crate::log::Log;
use crate::net::{Deadline, NetError, Stream};
use crate::teleport::dial::Service;
use crate::teleport::{Cluster, ClusterError, ConnectionError};

/// How long a client waits for its connection to be opened.
const LIMIT: Duration = Duration::from_secs(30);

/// The way to one server behind the proxy.
pub struct Upstream {
    /// The tunnel's name.
    pub name: String,
    /// The cluster, and how its proxy is reached.
    pub cluster: Arc<Cluster>,
    /// The server, and the credential for it.
    pub service: Service,
    /// Shared by all tunnels through one proxy.
    pub outage: Arc<Outage>,
}

impl Upstream {
    /// A connection; the error is one line.
    pub(super) async fn open(&self) -> Result<Stream, String> {
        let peer = self.cluster.address().to_string();
        match self.cluster.open(&self.service, Deadline::after(LIMIT)).await {
            Ok(stream) => {
                self.outage.over(&self.name, &peer);
                Ok(stream)
            }
            Err(error) => {
                let line = error.in_one_line();
                self.outage.begins(&self.name, is_everybodys(&error), &line);
                Err(line)
            }
        }
    }
}

/// Whether no tunnel through this proxy works then.
fn is_everybodys(error: &ClusterError) -> bool {
    use NetError::{Closed, Connect, Deadline, Dns, Proxy, Timeout};
    let ClusterError::Connection(ConnectionError::Net { source, .. }) = error else { return false };
    matches!(
        source,
        Closed { .. } | Connect { .. } | Deadline { .. } | Dns { .. } | Proxy { .. } | Timeout { .. }
    )
}

/// Which tunnels have lost their way: told once, not for every connection.
pub struct Outage {
    log: Log,
    lost: Mutex<BTreeSet<String>>,
}

impl Outage {
    /// None yet.
    pub fn new(log: Log) -> Self {
        Self { log, lost: Mutex::default() }
    }

    fn begins(&self, name: &str, is_everybodys: bool, line: &str) {
        let Ok(mut lost) = self.lost.lock() else { return };
        let is_told = is_everybodys && !lost.is_empty();
        if lost.insert(name.to_owned()) && !is_told {
            self.log
                .warn(format!("tunnel `{name}`: {line}; its connections are closed until that works again"));
        }
    }

    fn over(&self, name: &str, peer: &str) {
        let Ok(mut lost) = self.lost.lock() else { return };
        if lost.remove(name) && lost.is_empty() {
            self.log.note(format!("tunnel `{name}`: {peer} is reached again"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&lines);
        let outage = Outage::new(Log::new(move |_, line| kept.lock().unwrap().push(line.to_owned())));
        let said = |wanted: &[&str]| {
            let said = std::mem::take(&mut *lines.lock().unwrap());
            assert_eq!(said.len(), wanted.len(), "{said:?}");
            for (said, wanted) in said.iter().zip(wanted) {
                assert!(said.contains(wanted), "{said}");
            }
        };
        outage.over("pg", "p:443");
        outage.begins("pg", true, "no connection");
        outage.begins("pg", true, "no connection");
        outage.begins("kube", true, "no connection");
        said(&["tunnel `pg`: no connection; its connections are closed"]);
        outage.over("pg", "p:443");
        said(&[]);
        outage.over("kube", "p:443");
        said(&["p:443 is reached again"]);
        // What is wrong with one tunnel alone is told of each.
        outage.begins("pg", false, "alert");
        outage.begins("kube", false, "alert");
        outage.begins("kube", false, "alert");
        said(&["tunnel `pg`: alert", "tunnel `kube`: alert"]);
    }

    #[test]
    fn what_is_wrong_with_the_network_is_wrong_for_all() {
        let (peer, reason) = (|| "p:443".to_owned(), || "r".to_owned());
        let net = |source: NetError| ClusterError::from(source);
        let everybodys = [
            NetError::Closed { peer: peer(), during: reason() },
            NetError::Connect { peer: peer(), reason: reason(), refused: true },
            NetError::Deadline { doing: reason(), limit: 5 },
            NetError::Dns { host: peer(), reason: reason() },
            NetError::Proxy { proxy: peer(), peer: peer(), reason: reason(), status: None },
            NetError::Timeout { peer: peer(), doing: reason(), seconds: 5 },
        ];
        for error in everybodys.map(net) {
            assert!(is_everybodys(&error), "{error:?}");
        }
        let refused = ClusterError::Refused { call: "c", code: tonic::Code::NotFound, message: reason() };
        for error in [net(NetError::Tls { peer: peer(), reason: reason() }), refused] {
            assert!(!is_everybodys(&error), "{error:?}");
        }
    }
}
