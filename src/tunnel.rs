//! Local tunnels to databases, applications and kubernetes clusters: each listens for this user alone and adds the TLS, the ALPN and the
//! certificate with which a proxy lets one through.
//!
//! ```text
//! plain client ─► listener ─► peer ─► relay (bytes) ─┐
//!                 loopback,   is it   web (HTTP/1.1) ─┴► upstream ─► proxy
//!                 a socket    ours?                      told once when lost
//! ```

mod error;
mod listener;
mod peer;
mod place;
mod relay;
mod upstream;
pub mod variables;
mod web;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use error::TunnelError;
pub use listener::Listener;
pub use peer::IS_CHECKED;
pub use place::{Listen, Place};
pub use upstream::{Outage, Upstream};
pub use web::Web;

use crate::log::Log;
use crate::system;
use peer::Client;

/// Connections at once, of all tunnels together: two file descriptors each, of the usual 1024.
const MOST_CONNECTIONS: usize = 400;
/// Before accepting is tried again, where the system has no file descriptor left.
const PAUSE: Duration = Duration::from_millis(100);
/// Strangers that are told apart.
const MOST_STRANGERS: usize = 100;

/// One tunnel that listens.
pub struct Tunnel {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub listener: Listener,
    /// What it leads to.
    pub upstream: Upstream,
    /// What goes through it.
    pub speaks: Speaks,
}

/// What goes through a tunnel.
#[derive(Debug, Clone)]
pub enum Speaks {
    /// Bytes, whatever they mean.
    Bytes,
    /// HTTP/1.1, whose headers are not the same on both sides.
    Web(Web),
}

/// Serves all tunnels until it is dropped; connections end with it.
pub async fn serve(tunnels: Vec<Tunnel>, log: &Log) {
    let permits = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut all = JoinSet::new();
    for tunnel in tunnels {
        all.spawn(accept(tunnel, Arc::clone(&permits), log.clone()));
    }
    while all.join_next().await.is_some() {}
}

/// What the connections of one tunnel share.
struct Shared {
    name: String,
    upstream: Upstream,
    speaks: Speaks,
    log: Log,
    strangers: Mutex<BTreeSet<Option<u32>>>,
}

async fn accept(tunnel: Tunnel, permits: Arc<Semaphore>, log: Log) {
    let Tunnel { name, listener, upstream, speaks } = tunnel;
    let shared = Arc::new(Shared { name, upstream, speaks, log, strangers: Mutex::default() });
    let mut open = JoinSet::new();
    loop {
        // Who comes when there are too many waits in the system's queue.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let accepted = loop {
            tokio::select! {
                accepted = listener.accept() => break accepted,
                Some(_) = open.join_next(), if !open.is_empty() => {}
            }
        };
        match accepted {
            Ok(client) => {
                let shared = Arc::clone(&shared);
                open.spawn(async move {
                    shared.connection(client).await;
                    drop(permit);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

impl Shared {
    async fn connection(&self, client: Client) {
        // Before anything is opened or sent for this client.
        if let Err(stranger) = client.check() {
            self.refused(stranger);
            return;
        }
        let client = client.into_stream();
        let ended = match &self.speaks {
            Speaks::Bytes => relay::relay(client, &self.upstream).await,
            Speaks::Web(web) => web::serve(client, web, &self.upstream).await,
        };
        if let Err(reason) = ended {
            self.log.detail(format!("tunnel `{}`: a connection ended: {reason}", self.name));
        }
    }

    /// One line for each of them, however often they try.
    fn refused(&self, stranger: Option<u32>) {
        let Ok(mut known) = self.strangers.lock() else { return };
        if known.len() >= MOST_STRANGERS || !known.insert(stranger) {
            return;
        }
        let name = &self.name;
        self.log.warn(match stranger {
            Some(user) => format!(
                "tunnel `{name}` refuses connections of user {user}: it is for user {} alone",
                system::user()
            ),
            None => format!(
                "tunnel `{name}` refused a connection, because the system does not say whose it is; listen on a Unix socket \
                 (`,unix`) if this was yours"
            ),
        });
    }
}
