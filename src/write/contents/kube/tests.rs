//! Files and variables of kube outputs, from certificates that nobody checks here.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::tls::TlsCertificate;
use crate::identity::{Authorities, Authority, Identity, TlsIdentity};
use crate::net::HostPort;
use crate::output::{Destination, Kind, KubeClusters, Output};
use crate::teleport::kube::KubeServer;

fn credential(kube: &str, key: &KeyPair) -> Credential {
    let cert = TlsCertificate {
        traits: crate::identity::logins::Traits::new(),
        pem: format!("certificate of {kube}\n"),
        der: Vec::new(),
        common_name: "bot-ci".into(),
        organizations: Vec::new(),
        localities: Vec::new(),
        subject_serial: None,
        issuer_common_name: String::new(),
        not_before: Timestamp::MIN,
        not_after: Timestamp::MAX,
        public_key: Vec::new(),
        attributes: Vec::new(),
    };
    let identity = Identity { ssh: None, tls: TlsIdentity { key: key.clone(), cert }, bundle_ssh_cert: None };
    Credential { route: Route::Kube { kube: kube.into() }, identity }
}

struct Case {
    kube: Kube,
    clusters: Vec<&'static str>,
    signer: Signer,
    server_name: Option<&'static str>,
}

impl Case {
    fn of(clusters: &[&'static str]) -> Self {
        let kube = Kube { clusters: KubeClusters::All, context: None, namespace: None, exec: false };
        Self { kube, clusters: clusters.to_vec(), signer: Signer::Cluster, server_name: Some("kube.p.test") }
    }

    fn contents(&self) -> Result<Contents, WriteError> {
        let key = KeyPair::generate(KeyKind::P256).unwrap();
        let mut all = self.clusters.iter().map(|kube| credential(kube, &key));
        let first = all.next().unwrap();
        let destination = Destination { folder: "/out".into(), subfolder: "a b".into() };
        let output =
            Output { name: "kube".into(), kind: Kind::Kube(self.kube.clone()), roles: None, destination };
        let issued = Issued { output, roles: Vec::new(), by_request: false, first, others: all.collect() };
        let ca = |name: &str| Authority {
            cluster: name.into(),
            ssh_keys: Vec::new(),
            tls_certs: vec![format!("{name} 1\n"), format!("{name} 2\n")],
        };
        let authorities =
            Authorities { host: vec![ca("root"), ca("leaf")], user: vec![ca("user")], database: Vec::new() };
        let server = KubeServer {
            address: HostPort::parse("p.test:3080", 443).unwrap(),
            server_name: self.server_name.map(str::to_owned),
            signer: self.signer.clone(),
        };
        let context = Context {
            authorities: &authorities,
            cluster: "lab.example",
            proxy_host: "p.test",
            proxy: "p.test:3080",
            binary: Path::new("/opt/jobpass"),
            command: Path::new("jobpass"),
            ca_file: None,
            consumers: &[],
            is_behind_a_balancer: false,
            kube: Some(&server),
            sockets: None,
            renew: false,
            expires: Timestamp::UNIX_EPOCH,
        };
        super::contents(&self.kube, &issued, &context)
    }
}

fn file(contents: &Contents, name: &str) -> String {
    let file = contents.files.iter().find(|file| file.path == Path::new("a b").join(name));
    String::from_utf8(file.unwrap_or_else(|| panic!("no {name}")).content.to_vec()).unwrap()
}

fn config(contents: &Contents) -> Value {
    serde_saphyr::from_str(&file(contents, KUBECONFIG)).unwrap()
}

fn names(contents: &Contents) -> Vec<String> {
    let mut names: Vec<_> = contents.files.iter().map(|f| f.path.display().to_string()).collect();
    names.sort();
    names
}

fn plain(base64: &Value) -> String {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64.as_str().unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn one_cluster() {
    let mut case = Case::of(&["prod"]);
    case.kube.namespace = Some("web".into());
    let contents = case.contents().unwrap();
    let ca = ["teleport-database-ca.crt", "teleport-host-ca.crt", "teleport-user-ca.crt"];
    let all = ["key", "kubeconfig.yaml"].iter().chain(&ca).chain(&["tlscert"]);
    assert_eq!(names(&contents), all.map(|name| format!("a b/{name}")).collect::<Vec<_>>());
    assert!(contents.files.iter().all(|file| file.mode == 0o600));
    let config = config(&contents);
    assert_eq!(config["current-context"], "lab.example-prod");
    let [context, cluster, user] = ["contexts", "clusters", "users"].map(|part| {
        assert_eq!(config[part].as_array().unwrap().len(), 1);
        config[part][0].clone()
    });
    let context_wanted =
        json!({"cluster": "lab.example-prod", "user": "lab.example-prod", "namespace": "web"});
    assert_eq!(context, json!({"name": "lab.example-prod", "context": context_wanted}));
    assert_eq!(cluster["cluster"]["server"], "https://p.test:3080");
    assert_eq!(cluster["cluster"]["tls-server-name"], "kube.p.test");
    assert_eq!(plain(&cluster["cluster"]["certificate-authority-data"]), "root 1\nroot 2\n");
    assert_eq!(plain(&user["user"]["client-certificate-data"]), "certificate of prod\n");
    assert_eq!(plain(&user["user"]["client-key-data"]), file(&contents, KEY));
    assert!(file(&contents, KEY).starts_with("-----BEGIN PRIVATE KEY"));
    assert_eq!(file(&contents, CERTIFICATE), "certificate of prod\n");
    assert_eq!(contents.usage, ["kubectl --kubeconfig '/out/a b/kubeconfig.yaml' get pods"]);
    let variable = |name: &str| contents.variables.iter().find(|(n, _)| *n == name).unwrap().1.as_str();
    assert_eq!(variable("KUBECONFIG"), "/out/a b/kubeconfig.yaml");
    assert_eq!(variable("TELEPORT_PROXY"), "p.test:3080");
    assert_eq!(variable("JOBPASS_DIR"), "/out/a b");
    let outputs: Vec<_> =
        contents.step_outputs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let want = [
        "destination-dir=/out/a b",
        "kubeconfig=/out/a b/kubeconfig.yaml",
        "certificate-file=/out/a b/tlscert",
        "key-file=/out/a b/key",
        "expires-at=1970-01-01T00:00:00Z",
    ];
    assert_eq!(outputs, want);
}

#[test]
fn several_clusters_have_a_context_each() {
    let mut case = Case::of(&["dev", "prod"]);
    case.kube.context = Some("{kube}@{cluster}".into());
    let contents = case.contents().unwrap();
    let config = config(&contents);
    let contexts: Vec<_> =
        config["contexts"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(contexts, ["dev@lab.example", "prod@lab.example"]);
    assert_eq!(config["current-context"], "dev@lab.example");
    for (index, kube) in ["dev", "prod"].into_iter().enumerate() {
        let certificate = format!("certificate of {kube}\n");
        assert_eq!(plain(&config["users"][index]["user"]["client-certificate-data"]), certificate);
        assert_eq!(file(&contents, &format!("{kube}.tlscert")), certificate);
    }
    assert_eq!(file(&contents, CERTIFICATE), "certificate of dev\n");
    assert_eq!(
        contents.usage[1],
        "kubectl --kubeconfig '/out/a b/kubeconfig.yaml' --context prod@lab.example get pods"
    );
    let many = Case::of(&["a", "b", "c", "d", "e", "f", "g"]).contents().unwrap();
    assert_eq!(many.usage.len(), MAX_USAGE);
}

#[test]
fn an_exec_style_file_has_no_key() {
    for (clusters, arguments) in [
        (&["prod"][..], vec!["kube-credential", "--dir", "/out/a b"]),
        (&["prod", "dev"], vec!["kube-credential", "--dir", "/out/a b", "--kube", "prod"]),
    ] {
        let mut case = Case::of(clusters);
        case.kube.exec = true;
        let contents = case.contents().unwrap();
        let user = config(&contents)["users"][0]["user"].clone();
        assert_eq!(user.as_object().unwrap().len(), 1, "{user}");
        assert_eq!(user["exec"]["command"], "/opt/jobpass");
        assert_eq!(user["exec"]["args"], json!(arguments));
    }
}

#[test]
fn the_roots_are_those_that_signed() {
    let certificate = pem_of(b"der");
    for (signer, want) in [
        (Signer::Cluster, Some("root 1\nroot 2\n")),
        (Signer::Named(vec![b"der".to_vec()]), Some(&*certificate)),
        (Signer::System, None),
    ] {
        let case = Case { signer, server_name: None, ..Case::of(&["prod"]) };
        let cluster = config(&case.contents().unwrap())["clusters"][0]["cluster"].clone();
        let authority = cluster.get("certificate-authority-data").map(plain);
        assert_eq!(authority.as_deref(), want);
        assert!(cluster.get("tls-server-name").is_none());
    }
}

#[test]
fn names_that_are_none_are_refused() {
    for name in ["", "../x", "a/b", "a b", "a\n", "ü"] {
        let all = [name.to_owned().leak() as &str];
        let error = Case::of(&all).contents().map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("is not a valid name of a kubernetes cluster"), "{name:?}: {error}");
    }
    assert!(certificate_of(&"a".repeat(201)).is_none());
    assert_eq!(certificate_of("a.b_C-1").unwrap(), "a.b_C-1.tlscert");
    let mut same = Case::of(&["dev", "prod"]);
    same.kube.context = Some("ci".into());
    let error = same.contents().map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("two of its contexts have the name `ci`"), "{error}");
}

#[test]
fn templates_are_filled_in_once() {
    let name = |template: Option<&str>, kube: &str| {
        let kube_config = Kube {
            clusters: KubeClusters::All,
            context: template.map(str::to_owned),
            namespace: None,
            exec: false,
        };
        context_name(&kube_config, "lab.example", kube)
    };
    for (template, kube, want) in [
        (None, "prod", "lab.example-prod"),
        (Some("{kube}"), "prod", "prod"),
        (Some("ci"), "prod", "ci"),
        (Some("{kube}-{cluster}-{kube}"), "prod", "prod-lab.example-prod"),
        (Some("{cluster}/{kube}"), "{cluster}{kube}", "lab.example/{cluster}{kube}"),
    ] {
        assert_eq!(name(template, kube), want);
    }
}
