//! Which connections are opened, where nothing answers as a cluster would.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;

use super::*;
use crate::env::Env;
use crate::error::StageError as _;
use crate::log::Log;
use crate::net::{Deadline, Options};
use crate::secret::PrivateKey;

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

/// What was opened early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ahead {
    Nothing,
    Tcp,
    Parked,
}
use Ahead::{Nothing, Parked, Tcp};

/// For a certificate that no server here gets as far as to see.
fn auth() -> Service {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("openssl")
        .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=bot -keyout key -out cert".split(' '))
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let certificate = CertificateDer::from_pem_file(folder.path().join("cert")).unwrap().to_vec();
    let key = PrivateKey::from_pkcs8(
        PrivatePkcs8KeyDer::from_pem_file(folder.path().join("key")).unwrap().secret_pkcs8_der().to_vec(),
    );
    let authorities = vec![certificate.clone()];
    Service::Auth {
        cluster: "lab.example".to_owned(),
        authorities,
        client: ClientIdentity { chain: vec![certificate], key },
    }
}

#[test]
fn names_the_auth_service_in_hex() {
    assert_eq!(alpn_auth("lab.example"), "teleport-auth@6c61622e6578616d706c65.teleport.cluster.local");
}

#[tokio::test]
async fn only_the_first_connection_to_a_proxy_is_a_probe() {
    for (is_proxy, known, ahead, connections) in [
        // By ALPN, and then for an upgrade.
        (true, None, Nothing, 2),
        (true, Some(Route::Direct), Nothing, 1),
        (true, Some(Route::Upgraded), Nothing, 1),
        // The auth service's own port has no upgrades.
        (false, None, Nothing, 1),
        // One that was opened early may have been closed as idle.
        (true, None, Tcp, 3),
        (true, Some(Route::Direct), Tcp, 2),
        (true, Some(Route::Upgraded), Tcp, 2),
        (false, None, Tcp, 2),
        // As long as the route is not known, no handshake is begun.
        (true, None, Parked, 3),
        (true, Some(Route::Direct), Parked, 2),
        (true, Some(Route::Upgraded), Parked, 2),
        (false, None, Parked, 2),
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
        dialer.open(usize::from(ahead != Nothing));
        if ahead == Parked {
            dialer.park("lab.example", false);
        }
        assert!(dialer.connect(&auth()).await.is_err());
        assert_eq!(count.load(Ordering::Relaxed), connections, "{is_proxy} {known:?} {ahead:?}");
    }
}

#[tokio::test]
async fn no_handshake_begins_before_the_route_is_known() {
    for (known, is_held) in [(Route::Unknown, false), (Route::Direct, true), (Route::Upgraded, true)] {
        let dialer = Dialer::new(network().0, Endpoint::Proxy(closing().await.0));
        dialer.found(known);
        dialer.open(1);
        dialer.park("lab.example", false);
        let place = dialer.parked.take(&dialer.hello("lab.example"), false);
        assert_eq!(matches!(place, Some(Place::Held(_))), is_held, "{known:?}");
    }
}

#[tokio::test]
async fn where_nothing_listens_no_upgrade_is_tried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (network, lines) = network();
    let dialer = Dialer::new(network, Endpoint::Proxy(HostPort { host: "127.0.0.1".to_owned(), port }));
    let Err(error) = dialer.connect(&Service::ProxyGrpc).await else { panic!("it listens") };
    assert!(error.chain().join(": ").contains("refused"), "{:?}", error.chain());
    assert!(!lines.lock().unwrap().iter().any(|line| line.contains("upgrading")), "{lines:?}");
}
