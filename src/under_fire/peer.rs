//! The other end of a connection, which says what it was given and then nothing more.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;

use crate::net::{Deadline, Network, Options, Stream};

/// A runtime and a network for many cases.
pub(crate) struct Peer {
    runtime: Runtime,
    network: Network,
}

impl Peer {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let env = crate::env::Env::new([("", ""); 0], "/");
        // The run's own end would hide that a parser waits for ever: what watches it is sooner.
        let deadline = runtime.block_on(async { Deadline::after(Duration::from_secs(24 * 60 * 60)) });
        let network = Network::new(&env, &Options::default(), deadline, crate::log::Log::silent()).unwrap();
        Self { runtime, network }
    }

    /// `work` talks to a peer that has said all of `bytes`, takes whatever it is told, and ends when `work` does.
    pub(crate) fn says(&self, bytes: &[u8], work: impl AsyncFnOnce(Network, Stream)) {
        self.runtime.block_on(async {
            let (near, far) = tokio::io::duplex(64 * 1024);
            let (mut hears, mut says) = tokio::io::split(far);
            let speak = async {
                let _ = says.write_all(bytes).await;
                let _ = says.shutdown().await;
                let mut buffer = [0; 1024];
                while let Ok(1..) = hears.read(&mut buffer).await {}
            };
            tokio::select! {
                () = work(self.network.clone(), Box::new(near)) => {}
                () = async { speak.await; std::future::pending::<()>().await } => {}
            }
        });
    }
}
