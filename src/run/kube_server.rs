//! Where the kubeconfig points: found out while the certificates are issued, only where an output needs it.

use std::time::Duration;

use crate::env;
use crate::error::StageError as _;
use crate::join::BotIdentity;
use crate::log::Log;
use crate::net::http::Connection;
use crate::net::{HostPort, Network};
use crate::output::{Kind, Output};
use crate::run::plan::Plan;
use crate::teleport::dial::Endpoint;
use crate::teleport::kube::{KubeServer, probe};
use crate::teleport::ping::{self, Ping};
use crate::teleport::{Cluster, ClusterError};

/// No login waits longer for a look that it can do without.
const LIMIT: Duration = Duration::from_secs(5);

/// What was found, and what to say of it once the rest is known.
pub struct Found {
    server: KubeServer,
    warnings: Vec<String>,
}

impl Found {
    /// The server; what is wrong with it becomes a warning. Behind a balancer that terminates TLS all else is beside the point.
    pub fn told(self, log: &Log, is_behind_a_balancer: bool) -> KubeServer {
        let address = &self.server.address;
        if is_behind_a_balancer && let Some(name) = &self.server.server_name {
            log.warn(format!(
                "kubectl cannot reach kubernetes through {address}: something before the proxy terminates TLS, and the server name \
                 `{name}`, by which the proxy knows that it is meant for kubernetes, does not arrive; let TLS pass through to the \
                 proxy, or run a local relay (`tsh proxy kube`)"
            ));
        } else {
            self.warnings.iter().for_each(|warning| log.warn(warning));
        }
        self.server
    }
}

/// `None` where no output is for kubectl.
pub async fn kube_server(
    plan: &Plan<'_>,
    cluster: &Cluster,
    bot: &BotIdentity,
    ping: &Ping,
    proxy: &HostPort,
) -> Option<Found> {
    let is_for_kubectl =
        |output: &Output| matches!(output.kind, Kind::Kube(_)) && !output.destination.is_in_memory();
    if !plan.issue.outputs.iter().any(is_for_kubectl) {
        return None;
    }
    let network = cluster.network();
    let asked;
    let ping = match cluster.endpoint() {
        Endpoint::Proxy(_) => ping,
        // The auth service does not say where kubernetes is.
        Endpoint::Auth { .. } => match within(network, proxy, ask(network, proxy)).await {
            Ok(ping) => {
                asked = ping;
                &asked
            }
            Err(error) => {
                let warning = format!(
                    "the proxy could not be asked where kubernetes is; `kubeconfig.yaml` takes it to be at {proxy}: {}",
                    error.in_one_line()
                );
                return Some(Found { server: KubeServer::new(ping, proxy), warnings: vec![warning] });
            }
        },
    };
    let server = KubeServer::new(ping, proxy);
    let mut warnings = Vec::new();
    if ping.kube.as_ref().is_some_and(|kube| !kube.enabled) {
        warnings.push(format!("the proxy at {proxy} says that it does not serve kubernetes"));
    }
    let looked = async { Ok(probe(network, &server, &bot.authorities).await?) };
    let server = match within(network, &server.address, looked).await {
        Ok(server) => server,
        Err(error) => {
            warnings.push(format!(
                "which CA kubectl must trust at {} could not be checked; `kubeconfig.yaml` trusts the cluster's: {}",
                server.address,
                error.in_one_line()
            ));
            server
        }
    };
    Some(Found { server, warnings })
}

async fn within<T>(
    network: &Network,
    peer: &HostPort,
    work: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    let doing = "looking for kubernetes";
    network.deadline().try_within(LIMIT, &peer.to_string(), doing, work).await?
}

async fn ask(network: &Network, proxy: &HostPort) -> Result<Ping, ClusterError> {
    let mut web = Connection::open(network, proxy).await?;
    ping::ping(&mut web, &proxy.to_string(), env::now).await
}
