use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::error::StageError as _;
use crate::log::Log;
use crate::net::testing::{Pki, Server, VALID, network};
use CertificateFault as Fault;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

fn spec(server_name: &str, trust: Trust) -> TlsSpec {
    let (peer, server_name) = ("the-peer:443".to_owned(), server_name.to_owned());
    TlsSpec { peer, server_name, alpn: Vec::new(), trust, client: None }
}

async fn connect(network: &Network, server: &Server, spec: &TlsSpec) -> Result<TlsStream, NetError> {
    network.tls(network.tcp(&server.target()).await.unwrap(), spec).await
}

async fn says_hi(mut stream: Stream) {
    let _ = stream.write_all(b"hi").await;
    let _ = stream.shutdown().await;
}

async fn fault(pki: &Pki, server: &Server, name: &str, trust: Trust) -> (Fault, String) {
    match connect(&pki.network(&[]), server, &spec(name, trust)).await {
        Err(NetError::Certificate { fault, reason, peer }) => {
            assert_eq!(peer, "the-peer:443");
            (fault, reason)
        }
        Err(other) => panic!("{name}: {other}"),
        Ok(_) => panic!("{name}: accepted"),
    }
}

#[tokio::test]
async fn accepts_a_server_by_each_kind_of_trust() {
    let (pki, other) = (Pki::new(), Pki::new());
    let server = Server::start(Some(pki.server()), says_hi).await;
    let network = pki.network(&[]);
    for (network, name, trust) in [
        (&network, "localhost", Trust::Web),
        (&network, "127.0.0.1", Trust::Web),
        (&other.network(&[]), "localhost", Trust::Only(vec![pki.ca_der()])),
        (&other.network(&[]), "localhost", Trust::Pin(pki.pin())),
        (&other.network(&[]), "elsewhere.example", Trust::Blindly),
    ] {
        let mut made = connect(network, &server, &spec(name, trust)).await.unwrap();
        let mut text = String::new();
        made.stream.read_to_string(&mut text).await.unwrap();
        assert_eq!((text.as_str(), made.alpn, made.peer_chain.last()), ("hi", None, Some(&pki.ca_der())));
    }
    assert_eq!(network.connections(), 2);
}

/// A proxy shows its web certificate, or one of the cluster's under a name of its own.
#[tokio::test]
async fn accepts_one_of_two_trusts_each_for_its_own_name() {
    let (pki, other) = (Pki::new(), Pki::named("Other Root"));
    let server = Server::start(Some(pki.server()), says_hi).await;
    let either = |authority: &Pki, name: &str| Trust::WebOr {
        authorities: vec![authority.ca_der()],
        name: name.to_owned(),
    };
    let (web, none) = (pki.network(&[]), other.network(&[]));
    for (network, name, trust) in [
        (&web, "localhost", either(&other, "elsewhere.example")),
        (&none, "elsewhere.example", either(&pki, "localhost")),
    ] {
        assert!(connect(network, &server, &spec(name, trust)).await.is_ok(), "{name}");
    }
    for (network, name, trust, wanted) in [
        // Web roots are for the server's name only, the other ones for theirs only.
        (&web, "elsewhere.example", either(&other, "localhost"), Fault::Name),
        (&none, "localhost", either(&pki, "elsewhere.example"), Fault::Issuer),
        (&none, "localhost", either(&other, "localhost"), Fault::Issuer),
    ] {
        match connect(network, &server, &spec(name, trust)).await {
            Err(NetError::Certificate { fault, .. }) => assert_eq!(fault, wanted, "{name}"),
            Err(error) => panic!("{name}: {error}"),
            Ok(_) => panic!("{name}: accepted"),
        }
    }
}

#[tokio::test]
async fn says_why_a_certificate_is_not_accepted() {
    let (pki, other, twin) = (Pki::new(), Pki::named("Other Root"), Pki::new());
    let server = Server::start(Some(pki.server()), says_hi).await;
    let chain = |(mut chain, key): (Vec<_>, _), len| {
        chain.truncate(len);
        pki.server_of((chain, key), false)
    };
    let names = "DNS:localhost,IP:127.0.0.1";
    let old = chain(pki.leaf(names, ("20200101000000Z", "20200203040506Z")), 1);
    let old = Server::start(Some(old), says_hi).await;
    let early = chain(pki.leaf(names, ("20480101000000Z", "20490101000000Z")), 1);
    let early = Server::start(Some(early), says_hi).await;
    let short = Server::start(Some(chain(pki.leaf(names, VALID), 1)), says_hi).await;
    let (web, pin) = (Trust::Web, Trust::Pin(pki.pin()));
    let (not_other, none) = (Trust::Pin(other.pin()), Trust::Only(Vec::new()));
    let only_other = Trust::Only(vec![other.ca_der()]);
    let own_names = "it is for `localhost`, `127.0.0.1`, not for `a.example`";
    let unknown = "its issuer `CN=Test Root` is not trusted";
    for (trusting, server, name, trust, want, text) in [
        (&pki, &server, "a.example", &web, Fault::Name, own_names),
        (&pki, &server, "::1", &web, Fault::Name, "not for `::1`"),
        (&other, &server, "localhost", &web, Fault::Issuer, unknown),
        (&pki, &server, "localhost", &only_other, Fault::Issuer, unknown),
        (&twin, &server, "localhost", &web, Fault::Issuer, "has that name, but a different key"),
        (&pki, &server, "localhost", &none, Fault::Issuer, "there is no CA"),
        (&pki, &old, "localhost", &web, Fault::Dates, "it expired at 2020-02-03T04:05:06Z"),
        (&pki, &early, "localhost", &web, Fault::Dates, "not valid before 2048-01-01"),
        (&pki, &server, "localhost", &not_other, Fault::Pin, "none of the 2 certificates"),
        (&pki, &server, "a.example", &pin, Fault::Name, own_names),
        // The right CA, but it is not sent: nothing is known of who signed.
        (&pki, &short, "localhost", &pin, Fault::Pin, "none of the 1 certificates"),
    ] {
        let (got, reason) = fault(trusting, server, name, trust.clone()).await;
        assert_eq!(got, want, "{text}: {reason}");
        assert!(reason.contains(text), "{text}: {reason}");
    }
}

/// Anyone can send a pinned certificate along; the leaf must be signed by it.
#[tokio::test]
async fn a_pinned_certificate_beside_a_foreign_leaf_is_not_enough() {
    let (pki, attacker) = (Pki::new(), Pki::new());
    let (mut chain, key) = attacker.leaf("DNS:localhost", VALID);
    chain.push(CertificateDer::from(pki.ca_der()));
    let server = Server::start(Some(pki.server_of((chain, key), false)), says_hi).await;
    let (got, _) = fault(&pki, &server, "localhost", Trust::Pin(pki.pin())).await;
    assert_eq!(got, Fault::Issuer);
}

/// As Go does; a cluster without a real certificate makes itself one that is its own CA.
#[tokio::test]
async fn a_self_signed_certificate_is_trusted_by_itself() {
    let (pki, old, other) =
        (Pki::self_signed("DNS:localhost", 2), Pki::self_signed("DNS:localhost", -1), Pki::new());
    let server = Server::start(Some(pki.self_server()), says_hi).await;
    let old_server = Server::start(Some(old.self_server()), says_hi).await;
    for trust in [Trust::Web, Trust::Pin(pki.pin())] {
        connect(&pki.network(&[]), &server, &spec("localhost", trust.clone())).await.unwrap();
        assert_eq!(fault(&pki, &server, "a.example", trust).await.0, Fault::Name);
    }
    assert_eq!(fault(&old, &old_server, "localhost", Trust::Web).await.0, Fault::Dates);
    let self_signed = (Fault::Issuer, "it is self-signed (`CN=self`)".to_owned());
    assert_eq!(fault(&other, &server, "localhost", Trust::Web).await, self_signed);
    let file = pki.ca_file();
    let by_variable = network(&[("SSL_CERT_FILE", file.to_str().unwrap())], None, Log::silent()).unwrap();
    connect(&by_variable, &server, &spec("localhost", Trust::Web)).await.unwrap();
    assert_eq!(fault(&other, &server, "localhost", Trust::Pin(other.pin())).await.0, Fault::Pin);
    // The CAs of a cluster are not named by the user.
    let only = Trust::Only(vec![pki.ca_der()]);
    assert_eq!(fault(&pki, &server, "localhost", only).await, self_signed);
}

/// Anyone can show a certificate; only its owner can sign the handshake.
#[tokio::test]
async fn a_certificate_without_its_key_is_refused() {
    #[derive(Debug)]
    struct Shows(Arc<CertifiedKey>);
    impl ResolvesServerCert for Shows {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let (pki, thief) = (Pki::new(), Pki::new());
    let (chain, _) = pki.leaf("DNS:localhost", VALID);
    let (_, key) = thief.leaf("DNS:localhost", VALID);
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let stolen = Arc::new(CertifiedKey::new(chain, key));
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let builder =
            ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[version]).unwrap();
        let config = builder.with_no_client_auth().with_cert_resolver(Arc::new(Shows(Arc::clone(&stolen))));
        let server = Server::start(Some(config), says_hi).await;
        for trust in [Trust::Web, Trust::Only(vec![pki.ca_der()]), Trust::Pin(pki.pin()), Trust::Blindly] {
            let (got, reason) = fault(&pki, &server, "localhost", trust).await;
            assert_eq!((got, reason.as_str()), (Fault::Issuer, "its signature is not valid"), "{version:?}");
        }
    }
}

/// A root's key in a certificate that the root did not sign; and what a root itself may not do.
#[tokio::test]
async fn a_root_s_key_is_not_the_root() {
    let (pki, other) = (Pki::named("self"), Pki::named("Other Root"));
    let san = "subjectAltName=DNS:localhost\n";
    let foreign = pki.reissue(Some(&other), &format!("basicConstraints=CA:FALSE\n{san}"));
    let server = Server::start(Some(pki.server_of(foreign, false)), says_hi).await;
    for trust in [Trust::Web, Trust::Pin(pki.pin())] {
        assert_eq!(fault(&pki, &server, "localhost", trust).await.0, Fault::Issuer);
    }

    for (extensions, want) in [
        ("nameConstraints=critical,permitted;DNS:a.example\n", Fault::Issuer),
        ("extendedKeyUsage=clientAuth\n", Fault::Other),
    ] {
        let pki = Pki::named("self");
        let text = format!("basicConstraints=critical,CA:TRUE\n{san}{extensions}");
        let identity = pki.reissue(None, &text);
        pki.keep_as_ca();
        let server = Server::start(Some(pki.server_of(identity, false)), says_hi).await;
        for trust in [Trust::Web, Trust::Pin(pki.pin())] {
            let (got, reason) = fault(&pki, &server, "localhost", trust).await;
            assert_eq!(got, want, "{extensions}: {reason}");
        }
    }
}

#[tokio::test]
async fn agrees_on_a_protocol_and_shows_a_client_certificate() {
    let pki = Pki::new();
    let (chain, key) = pki.leaf("DNS:client", VALID);
    let mut config = pki.server_of(pki.leaf("DNS:localhost", VALID), true);
    config.alpn_protocols = vec![b"b".to_vec()];
    let server = Server::start(Some(config), says_hi).await;
    let mut spec = spec("localhost", Trust::Web);
    spec.alpn = vec![b"a".to_vec(), b"b".to_vec()];
    spec.client = Some(ClientIdentity {
        chain: chain.iter().map(|c| c.to_vec()).collect(),
        key: crate::secret::PrivateKey::from_pkcs8(key.secret_der().to_vec()),
    });
    let network = pki.network(&[]);
    let mut made = connect(&network, &server, &spec).await.unwrap();
    let mut text = String::new();
    made.stream.read_to_string(&mut text).await.unwrap();
    assert_eq!((text.as_str(), made.alpn.as_deref()), ("hi", Some(&b"b"[..])));

    spec.alpn = vec![b"c".to_vec()];
    match connect(&network, &server, &spec).await {
        Err(NetError::Tls { reason, .. }) => {
            assert_eq!(reason, "it speaks none of the protocols offered (`c`)");
        }
        other => panic!("{:?}", other.err()),
    }
    if let Some(client) = &mut spec.client {
        client.chain = vec![pki.ca_der()];
    }
    match connect(&network, &server, &spec).await {
        Err(NetError::Tls { reason, .. }) => {
            assert!(reason.starts_with("our own certificate"), "{reason}");
        }
        other => panic!("{:?}", other.err()),
    }
}

#[tokio::test]
async fn a_peer_without_tls_is_reported() {
    let pki = Pki::new();
    let html = Server::saying(None, b"HTTP/1.1 400 Bad Request\r\n\r\n<html>plain HTTP</html>").await;
    let error = connect(&pki.network(&[]), &html, &spec("localhost", Trust::Web)).await.err().unwrap();
    assert_eq!(error.to_string(), "TLS with the-peer:443 failed: the answer is not TLS");
    assert!(error.hints().join("\n").contains("port") && !error.is_transient());
    let silent = Server::saying(None, b"").await;
    let error = connect(&pki.network(&[]), &silent, &spec("localhost", Trust::Web)).await.err().unwrap();
    assert_eq!(error.to_string(), "the-peer:443 closed the connection during the TLS handshake");
    assert!(error.is_transient());
    let error = connect(&pki.network(&[]), &silent, &spec("not a name", Trust::Web)).await.err().unwrap();
    assert!(matches!(error, NetError::Address { .. }), "{error}");
}
