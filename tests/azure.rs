//! Azure: a machine's managed identity joins: its access token, its attested document, and the certificates above that.

use std::collections::BTreeMap;

use jobpass::cloud::Cloud::Azure;
use jobpass::cloud::azure::simulation::CLIENT_ID;
use jobpass::sandbox::fault_injection::FaultInjection;
use jobpass::sandbox::{SandboxOptions, Simulated};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::support::background::Background;
use crate::support::cluster::Cluster;
use crate::support::command::put;
use crate::support::http_proxy::{HttpProxy, HttpProxyOptions};
use crate::support::stand_in::{Reply, StandIn, job};
use crate::support::web_certificate::WebCertificate;

const METHOD: [&str; 2] = ["--join-method", "azure"];
const ATTESTED: &str = "/metadata/attested/document";

fn cluster(version: &str, inject: FaultInjection) -> Cluster {
    Cluster::start(SandboxOptions { version: version.into(), inject, ..SandboxOptions::simulating(None) })
}

/// As Azure's own documents are.
fn bare() -> FaultInjection {
    FaultInjection { attests_without_intermediates: true, ..FaultInjection::default() }
}

#[test]
fn a_machine_joins_by_the_stream_and_by_the_older_one() {
    // Servers of the older stream fetch the certificates themselves: nothing else than the machine is asked.
    for (version, inject) in [("18.6.0", FaultInjection::default()), ("15.4.0", bare())] {
        let cluster = cluster(version, inject);
        let machine = StandIn::watching(cluster.sandbox.metadata_address());
        let ran = job(&cluster, Azure, machine.address()).login(&METHOD).ok();
        assert!(ran.stderr.contains("as bot-ci"), "{}", ran.stderr);
        let asked = machine.asked();
        let paths: Vec<&str> = asked.iter().map(|head| head.split([' ', '?']).nth(1).unwrap()).collect();
        assert_eq!(paths, ["/metadata/versions", "/metadata/identity/oauth2/token", ATTESTED]);
        assert!(asked.iter().all(|head| head.contains("\r\nmetadata: true\r\n")), "{asked:?}");
        let token = "?api-version=2021-12-13&resource=https%3a%2f%2fmanagement%2eazure%2ecom%2f ";
        assert!(asked[1].contains(token), "{asked:?}");
        assert!(asked[2].contains("?api-version=2021-12-13&format=json&nonce="), "{asked:?}");
    }
}

/// `www.microsoft.com`, behind an HTTP proxy that knows no other name but the cluster's.
struct Microsoft {
    proxy: HttpProxy,
    certificate: WebCertificate,
    _server: Background,
}

fn microsoft(cluster: &Cluster, files: Vec<(String, Vec<u8>)>) -> Microsoft {
    let certificate = WebCertificate::new("DNS:www.microsoft.com");
    let tls = TlsAcceptor::from(certificate.server(&["http/1.1"]));
    let server = Background::serve(move |tcp| {
        let (tls, files) = (tls.clone(), files.clone());
        async move {
            let Ok(mut stream) = tls.accept(tcp).await else { return };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                head.push(byte);
            }
            let head = String::from_utf8(head).unwrap();
            let path = head.split(' ').nth(1).unwrap();
            let (status, body) = match files.iter().find(|(name, _)| name == path) {
                Some((_, body)) => ("200 OK", body.clone()),
                None => ("404 Not Found", b"gone".to_vec()),
            };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
            let _ = stream.shutdown().await;
        }
    });
    let names = BTreeMap::from([
        (cluster.proxy(), cluster.sandbox.address),
        ("www.microsoft.com:443".to_owned(), server.address),
    ]);
    let proxy = HttpProxy::start(HttpProxyOptions { names, ..HttpProxyOptions::default() });
    Microsoft { proxy, certificate, _server: server }
}

#[test]
fn the_certificates_above_the_signer_are_fetched_where_the_cluster_wants_them() {
    let cluster = cluster("18.6.0", bare());
    let published = cluster.sandbox.published_certificates();
    assert_eq!(published.len(), 2);
    let login = |files: Vec<(String, Vec<u8>)>| {
        let microsoft = microsoft(&cluster, files);
        let roots = cluster.path("both.pem");
        put(&roots, format!("{}{}", cluster.sandbox.web_ca_pem(), microsoft.certificate.ca_pem));
        let job = job(&cluster, Azure, cluster.sandbox.metadata_address());
        let job = job.set("SSL_CERT_FILE", roots.to_str().unwrap());
        let ran = job.set("HTTPS_PROXY", &format!("http://{}", microsoft.proxy.address())).login(&METHOD);
        (ran, microsoft.proxy.asked().into_iter().filter(|name| name.contains("microsoft")).count())
    };
    let (ran, fetched) = login(published.clone());
    ran.ok();
    // The root's address is not one of Microsoft's.
    assert_eq!(fetched, 2);
    // Without the upper one the cluster says no, as it would to any chain with a hole.
    let (ran, fetched) = login(published[..1].to_vec());
    assert_eq!((ran.code, fetched), (4, 2), "{}", ran.all());
    // Something else than a certificate.
    let (ran, _) = login(vec![(published[0].0.clone(), b"<html>".to_vec())]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(ran.stderr.contains("it is not DER"), "{}", ran.stderr);
}

#[test]
fn the_identity_is_the_one_with_the_client_id() {
    let cluster = Cluster::any();
    let machine = StandIn::watching(cluster.sandbox.metadata_address());
    let job = || job(&cluster, Azure, machine.address());
    job().login(&[&METHOD[..], &["--azure-client-id", CLIENT_ID]].concat()).ok();
    job().set("AZURE_CLIENT_ID", CLIENT_ID).login(&METHOD).ok();
    // The flag counts before the variable.
    let both = job().set("AZURE_CLIENT_ID", "of-something-else");
    both.login(&[&METHOD[..], &["--azure-client-id", CLIENT_ID]].concat()).ok();
    let named = format!("&client_id={}", CLIENT_ID.replace('-', "%2d"));
    assert_eq!(machine.count(&named), 3, "{:?}", machine.asked());
}

#[test]
fn a_document_of_another_challenge_is_not_sent() {
    let cluster = Cluster::any();
    let metadata = cluster.sandbox.metadata_address();
    let stale = stale_document(&cluster);
    let once = {
        let stale = stale.clone();
        StandIn::start(metadata, move |path, before| {
            if path.starts_with(ATTESTED) && before == 0 {
                Reply::Say(200, stale.clone())
            } else {
                Reply::Pass
            }
        })
    };
    job(&cluster, Azure, once.address()).login(&METHOD).ok();
    assert_eq!(once.count(ATTESTED), 2);
}

/// A good document, for another challenge.
pub fn stale_document(cluster: &Cluster) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(cluster.sandbox.metadata_address()).unwrap();
    let question = format!(
        "GET {ATTESTED}?api-version=2021-12-13&nonce=other HTTP/1.1\r\nHost: m\r\nMetadata: true\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(question.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// An application of App Service: its own service, which has access tokens alone.
#[test]
fn an_application_has_its_access_token_alone() {
    for (version, code, words) in [
        ("19.0.0", 0, "only newer servers take the access token alone"),
        ("18.6.0", 4, "does not take an access token alone"),
    ] {
        let cluster = cluster(version, FaultInjection::default());
        let token = cluster.sandbox.id_token(Simulated::machine(Azure).unwrap(), &Value::Null).unwrap();
        let answer = json!({"access_token": token.expose(), "expires_on": "1", "resource": "r"}).to_string();
        let service = StandIn::start(cluster.sandbox.metadata_address(), move |path, _| {
            if path.contains("resource=") {
                Reply::Say(200, answer.clone())
            } else {
                Reply::Say(401, String::new())
            }
        });
        let job = job(&cluster, Azure, cluster.sandbox.metadata_address());
        let job = job.set("IDENTITY_ENDPOINT", &format!("http://{}/msi/token", service.address()));
        let ran = job.set("IDENTITY_HEADER", "s3cr3t-header-of-the-app").login(&METHOD);
        assert_eq!(ran.code, code, "{}", ran.all());
        let said = ran.all().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(words) && !said.contains("s3cr3t"), "{said}");
        let asked = service.asked();
        let asked = asked.last().unwrap();
        assert!(asked.starts_with("get /msi/token?api-version=2019-08-01&resource="), "{asked}");
        assert!(asked.contains("\r\nx-identity-header: s3cr3t-header-of-the-app\r\n"), "{asked}");
    }
}

#[test]
fn container_instances_have_no_list_of_versions() {
    let cluster = cluster("19.0.0", FaultInjection::default());
    let container = StandIn::start(cluster.sandbox.metadata_address(), |path, _| {
        if path.contains("/oauth2/token") { Reply::Pass } else { Reply::Say(404, String::new()) }
    });
    job(&cluster, Azure, container.address()).login(&METHOD).ok();
    assert_eq!((container.count("api-version=2018-02-01"), container.count(ATTESTED)), (1, 0));
}

#[test]
fn doctor_tries_the_metadata_service() {
    let cluster = Cluster::any();
    let arguments = ["doctor", "--proxy", &cluster.proxy(), "--token", "ci-azure", "--join-method", "azure"];
    let ran = job(&cluster, Azure, cluster.sandbox.metadata_address()).run(&arguments).ok();
    assert!(ran.stdout.contains("of `https://sts.windows.net/"), "{}", ran.stdout);
}
