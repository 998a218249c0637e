//! `jobpass ssh-proxy`: what `ssh` runs as its `ProxyCommand`, with what `login` wrote.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::cli;
use crate::env::{self, Env};
use crate::error::Failed;
use crate::identity::keys::KeyPair;
use crate::identity::tls::{TlsCertificate, ders_of};
use crate::log::Log;
use crate::net::tls::ClientIdentity;
use crate::net::{Deadline, HostPort, Network, Options};
use crate::run::error::RunError;
use crate::run::outcome::Outcome;
use crate::run::renew;
use crate::run::ssh_relay::{Request, ask};
use crate::teleport::Cluster;
use crate::teleport::dial::Endpoint;
use crate::teleport::transport::{Target, carry};
use crate::write::MANIFEST;

/// A session has no limit of its own; no `ssh` with a certificate of 24 h lives longer than this.
const LONGEST: Duration = Duration::from_secs(25 * 3_600);

/// Connects standard input and output with the node.
pub async fn run(args: &cli::SshProxy, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    if let Some(socket) = &args.socket {
        let request = Request { host: args.host.clone(), port: args.port, cluster: args.cluster.clone() };
        ask(&env.absolute(socket), &request, tokio::io::stdin(), tokio::io::stdout()).await?;
        return Ok(Outcome::default());
    }
    let dir = env.absolute(args.dir.as_deref().unwrap_or(Path::new("")));
    if args.renew {
        Box::pin(renew::renew(&dir, env, log, args.timeout)).await?;
    }
    let identity = Identity::read(&dir)?;
    let proxy = match &args.proxy {
        Some(proxy) => proxy.clone(),
        None => HostPort::parse(&identity.proxy, 443)?,
    };
    let cluster_name = args.cluster.clone().unwrap_or_else(|| identity.cluster.clone());
    let target = Target::new(&args.host, args.port, &cluster_name);
    let options = Options { ca_file: args.ca_file.as_ref().map(|f| env.absolute(f)), ..Options::default() };
    let network = Network::new(env, &options, Deadline::after(LONGEST), log.clone())?;
    let cluster = Cluster::new(network, Endpoint::Proxy(proxy));
    let connect = cluster.ssh(&identity.authorities, identity.client);
    let limit = Deadline::after(args.timeout);
    let channel = limit.run("connecting to the proxy", connect).await??;
    carry(&channel, &target, tokio::io::stdin(), tokio::io::stdout()).await?;
    Ok(Outcome::default())
}

/// The identity in a folder that `login` wrote.
struct Identity {
    client: ClientIdentity,
    authorities: Vec<Vec<u8>>,
    proxy: String,
    cluster: String,
}

impl Identity {
    fn read(dir: &Path) -> Result<Self, Failed> {
        let text = |name: &str| {
            let path = dir.join(name);
            env::read_text(&path)
                .map_err(|source| RunError::Read { path: path.display().to_string(), source })
        };
        let certificate = TlsCertificate::from_pem(&text("tlscert")?)?;
        if certificate.not_after <= env::now() {
            let (dir, expired) = (dir.display().to_string(), certificate.not_after);
            return Err(RunError::Expired { dir, expired }.into());
        }
        // With split keys the TLS key has its own file.
        let name = if dir.join("tlskey").exists() { "tlskey" } else { "key" };
        let key = KeyPair::from_pem(&zeroize::Zeroizing::new(text(name)?))?;
        let manifest = manifest(dir).unwrap_or_default();
        let field = |name: &str| manifest.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let cluster = certificate.attribute("1.7").map_or_else(|| field("cluster"), str::to_owned);
        Ok(Self {
            client: ClientIdentity { chain: vec![certificate.der], key: key.private().clone() },
            authorities: ders_of(&text("teleport-host-ca.crt")?)?,
            proxy: field("proxy"),
            cluster,
        })
    }
}

/// That of the folder; that of one among several outputs is in the folder above, and names it.
fn manifest(dir: &Path) -> Option<Value> {
    let read = |dir: &Path| {
        let text = env::read_text(&dir.join(MANIFEST)).ok()?;
        serde_json::from_str::<Value>(&text).ok()
    };
    let names_it = |manifest: &Value| {
        let outputs = manifest.get("outputs").and_then(Value::as_array);
        let mut dirs = outputs.into_iter().flatten().filter_map(|output| output.get("dir")?.as_str());
        dirs.any(|named| Path::new(named) == dir)
    };
    read(dir).or_else(|| read(dir.parent()?).filter(names_it))
}
