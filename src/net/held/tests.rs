//! Against servers of every kind: who is trusted, what a server gets to see, and when.

use std::sync::Mutex;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::net::CertificateFault;
use crate::net::testing::{Pki, Server, VALID};
use crate::net::tls::{ClientIdentity, Trust};
use crate::secret::PrivateKey;

/// What a server saw of its clients.
type Seen = Arc<Mutex<Vec<Vec<u8>>>>;

fn client(pki: &Pki) -> ClientIdentity {
    let (chain, key) = pki.leaf("DNS:client", VALID);
    let PrivateKeyDer::Pkcs8(key) = key else { panic!("openssl writes PKCS#8") };
    let key = PrivateKey::from_pkcs8(key.secret_pkcs8_der().to_vec());
    ClientIdentity { chain: chain.iter().map(|der| der.to_vec()).collect(), key }
}

fn spec(server: &Server, trust: Trust, client: Option<ClientIdentity>) -> TlsSpec {
    TlsSpec {
        peer: server.address.to_string(),
        server_name: "localhost".to_owned(),
        alpn: vec![b"h2".to_vec()],
        trust,
        client,
    }
}

/// Answers a word with the certificate that the client showed; keeps all that it was shown, whatever became of the handshake.
async fn server(mut config: ServerConfig, seen: &Seen) -> Server {
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (config, seen) = (Arc::new(config), seen.clone());
    Server::start(None, move |stream| {
        let (acceptor, seen) = (tokio_rustls::TlsAcceptor::from(config.clone()), seen.clone());
        async move {
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            let shown = tls.get_ref().1.peer_certificates().and_then(|c| c.first()).map(|c| c.to_vec());
            seen.lock().unwrap().push(shown.unwrap_or_default());
            let mut word = [0; 4];
            if tls.read_exact(&mut word).await.is_ok() {
                let _ = tls.write_all(&word).await;
            }
        }
    })
    .await
}

async fn begun(network: &Network, server: &Server) -> HeldHandshake {
    let tcp = network.tcp(&server.target()).await.unwrap();
    let mut held = network.hold(tcp, spec(server, Trust::Blindly, None).hello()).unwrap();
    // The first flight goes out, and the server's comes.
    let waited = tokio::time::timeout(Duration::from_millis(50), held.ended()).await;
    assert!(waited.is_err(), "it waits: {waited:?}");
    held
}

/// The protocols and key shares that servers have: TLS 1.3 and 1.2, and one that wants another share than the first offered.
fn servers(pki: &Pki) -> Vec<(&'static str, ServerConfig)> {
    let of = |versions: &[&'static rustls::SupportedProtocolVersion], group: Option<rustls::NamedGroup>| {
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        if let Some(group) = group {
            provider.kx_groups.retain(|offered| offered.name() == group);
        }
        let (chain, key) = pki.leaf("DNS:localhost", VALID);
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(pki.ca_der())).unwrap();
        let provider = Arc::new(provider);
        let clients =
            rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        builder.with_client_cert_verifier(clients.build().unwrap()).with_single_cert(chain, key).unwrap()
    };
    vec![
        ("TLS 1.3", of(&[&rustls::version::TLS13], None)),
        (
            "TLS 1.3 with a HelloRetryRequest",
            of(&[&rustls::version::TLS13], Some(rustls::NamedGroup::secp384r1)),
        ),
        ("TLS 1.2", of(&[&rustls::version::TLS12], None)),
    ]
}

#[tokio::test]
async fn goes_on_with_whom_to_trust_and_what_to_show() {
    let pki = Pki::new();
    let network = pki.network(&[]);
    for (what, config) in servers(&pki) {
        let seen = Seen::default();
        let server = server(config, &seen).await;
        let held = begun(&network, &server).await;
        assert_eq!(seen.lock().unwrap().len(), 0, "{what}");
        let client = client(&pki);
        let spec = spec(&server, Trust::Only(vec![pki.ca_der()]), Some(client.clone()));
        let TlsStream { mut stream, alpn, .. } = held.finish(&network, &spec).await.unwrap();
        assert_eq!(alpn.as_deref(), Some(&b"h2"[..]), "{what}");
        stream.write_all(b"word").await.unwrap();
        let mut word = [0; 4];
        stream.read_exact(&mut word).await.unwrap();
        assert_eq!((&word, seen.lock().unwrap().as_slice()), (b"word", &client.chain[..1]), "{what}");
        assert_eq!(server.accepted(), 1, "{what}");
    }
}

/// Another CA, another name, and nobody at all: the client's certificate is not shown to them.
#[tokio::test]
async fn who_is_not_trusted_sees_no_certificate() {
    let (pki, other) = (Pki::new(), Pki::named("Other Root"));
    let network = pki.network(&[]);
    let misnamed = Pki::named("Test Root");
    for (what, config) in servers(&pki) {
        for (trust, name, want) in [
            (Trust::Only(vec![other.ca_der()]), "localhost", CertificateFault::Issuer),
            (Trust::Only(vec![misnamed.ca_der()]), "localhost", CertificateFault::Issuer),
            (Trust::Only(vec![pki.ca_der()]), "teleport.cluster.local", CertificateFault::Name),
            (Trust::Pin([7; 32]), "localhost", CertificateFault::Pin),
        ] {
            let shown = Arc::new(AtomicBool::new(false));
            let mut config = config.clone();
            config.alpn_protocols = vec![b"h2".to_vec()];
            let server = Server::start(None, {
                let (config, shown) = (Arc::new(config), shown.clone());
                move |stream| {
                    let (acceptor, shown) = (tokio_rustls::TlsAcceptor::from(config.clone()), shown.clone());
                    async move {
                        let accepted = acceptor.accept(stream).await;
                        let of_client =
                            accepted.is_ok_and(|tls| tls.get_ref().1.peer_certificates().is_some());
                        shown.store(of_client, Ordering::SeqCst);
                    }
                }
            })
            .await;
            let spec = TlsSpec { server_name: name.to_owned(), ..spec(&server, trust, Some(client(&pki))) };
            let tcp = network.tcp(&server.target()).await.unwrap();
            let mut held = network.hold(tcp, spec.hello()).unwrap();
            assert!(tokio::time::timeout(Duration::from_millis(20), held.ended()).await.is_err());
            match held.finish(&network, &spec).await {
                Err(NetError::Certificate { fault, .. }) => assert_eq!(fault, want, "{what}"),
                Err(other) => panic!("{what}: {other}"),
                Ok(_) => panic!("{what} {name}: it is trusted"),
            }
            assert!(!shown.load(Ordering::SeqCst), "{what}");
        }
    }
}

/// Neither the gate nor what is behind it lets a handshake through by itself.
#[tokio::test]
async fn nobody_is_trusted_before_it_is_said_who() {
    let pki = Pki::new();
    let network = pki.network(&[]);
    for (what, config) in servers(&pki) {
        let seen = Seen::default();
        let server = server(config, &seen).await;
        let mut held = begun(&network, &server).await;
        held.gate.store(true, Ordering::SeqCst);
        let error = held.ended().await;
        assert!(error.to_string().contains("nobody is trusted yet"), "{what}: {error}");
        assert_eq!(held.late.resolve(&[], &[]).map(|_| ()), None);
        assert_eq!(seen.lock().unwrap().len(), 0, "{what}");
    }
}

#[tokio::test]
async fn another_handshake_than_the_one_begun_is_not_gone_on_with() {
    let pki = Pki::new();
    let network = pki.network(&[]);
    let (_, config) = servers(&pki).remove(0);
    let seen = Seen::default();
    let server = server(config, &seen).await;
    let spec = spec(&server, Trust::Only(vec![pki.ca_der()]), Some(client(&pki)));
    for other in [
        TlsSpec { server_name: "client".to_owned(), ..spec.clone() },
        TlsSpec { alpn: vec![b"http/1.1".to_vec()], ..spec.clone() },
    ] {
        let held = begun(&network, &server).await;
        assert!(matches!(held.finish(&network, &other).await, Err(NetError::Tls { .. })));
    }
    assert_eq!(seen.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn an_end_is_noticed_while_it_waits() {
    let network = Pki::new().network(&[]);
    // Before any answer, and behind a part of one.
    for answer in [&b""[..], b"\x16\x03\x03\x40\x00abc"] {
        let server = Server::saying(None, answer).await;
        let tcp = network.tcp(&server.target()).await.unwrap();
        let mut held = network.hold(tcp, spec(&server, Trust::Blindly, None).hello()).unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(20), held.ended()).await.unwrap();
        assert!(matches!(ended, NetError::Closed { .. }), "{ended}");
    }
}

/// A server that talks without end fills no memory.
#[tokio::test]
async fn what_is_read_ahead_is_bounded() {
    let network = Pki::new().network(&[]);
    let (near, mut far) = tokio::io::duplex(4096);
    let hello = Hello { peer: "p".to_owned(), server_name: "localhost".to_owned(), alpn: Vec::new() };
    let mut held = network.hold(Box::new(near), hello).unwrap();
    let mut sent = 0;
    let talks = async {
        far.read_u8().await.unwrap();
        while let Ok(more) =
            tokio::time::timeout(Duration::from_millis(200), far.write_all(&[22; 4096])).await
        {
            more.unwrap();
            sent += 4096;
        }
    };
    tokio::select! { ended = held.ended() => panic!("{ended}"), () = talks => {} }
    assert!((MOST..=MOST + 2 * 4096).contains(&sent), "{sent}");
}
