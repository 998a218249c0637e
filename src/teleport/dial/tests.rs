//! Which connections are opened, where nothing answers as a cluster would.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::net::TcpListener;

use super::*;
use crate::env::Env;
use crate::error::StageError as _;
use crate::log::Log;
use crate::net::{Deadline, Options};

/// Closes each connection at once, and counts them.
async fn closing() -> (HostPort, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = HostPort { host: "127.0.0.1".to_owned(), port };
    let count = Arc::new(AtomicUsize::new(0));
    let counting = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counting.fetch_add(1, Ordering::Relaxed);
            drop(stream);
        }
    });
    (address, count)
}

/// And what is logged.
fn network() -> (Network, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = lines.clone();
    let log = Log::new(move |_, line| kept.lock().unwrap().push(line.to_owned()));
    let deadline = Deadline::after(Duration::from_secs(30));
    (Network::new(&Env::new([("", "")], "/"), &Options::default(), deadline, log).unwrap(), lines)
}

#[test]
fn names_the_auth_service_in_hex() {
    assert_eq!(alpn_auth("lab.example"), "teleport-auth@6c61622e6578616d706c65.teleport.cluster.local");
}

#[tokio::test]
async fn only_the_first_connection_to_a_proxy_is_a_probe() {
    for (is_proxy, known, is_pending, connections) in [
        // By ALPN, and then for an upgrade.
        (true, None, false, 2),
        (true, Some(Route::Direct), false, 1),
        (true, Some(Route::Upgraded), false, 1),
        // The auth service's own port has no upgrades.
        (false, None, false, 1),
        // One that was opened early may have been closed as idle.
        (true, None, true, 3),
        (true, Some(Route::Direct), true, 2),
    ] {
        let (address, count) = closing().await;
        let endpoint = if is_proxy {
            Endpoint::Proxy(address)
        } else {
            Endpoint::Auth { address, trust: Trust::Blindly }
        };
        let dialer = Dialer::new(network().0, endpoint);
        if let Some(route) = known {
            dialer.found(route);
        }
        let pending = is_pending.then(|| dialer.start());
        assert!(dialer.connect(pending, &Service::ProxyGrpc).await.is_err());
        assert_eq!(count.load(Ordering::Relaxed), connections, "{is_proxy} {known:?} {is_pending}");
    }
}

#[tokio::test]
async fn where_nothing_listens_no_upgrade_is_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (network, lines) = network();
    let dialer = Dialer::new(network, Endpoint::Proxy(HostPort { host: "127.0.0.1".to_owned(), port }));
    let Err(error) = dialer.connect(None, &Service::ProxyGrpc).await else { panic!("it listens") };
    assert!(error.chain().join(": ").contains("refused"), "{:?}", error.chain());
    assert!(!lines.lock().unwrap().iter().any(|line| line.contains("upgrading")), "{lines:?}");
}

#[tokio::test]
async fn a_connection_that_nobody_needs_is_given_up() {
    let inside = Arc::new(());
    let held = Arc::downgrade(&inside);
    let pending = PendingConnection(tokio::spawn(async move {
        let result = std::future::pending().await;
        drop(inside);
        result
    }));
    tokio::task::yield_now().await;
    assert!(held.upgrade().is_some());
    drop(pending);
    tokio::task::yield_now().await;
    assert!(held.upgrade().is_none());
}
