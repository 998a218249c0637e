//! Kubernetes: the real kubectl, with the kubeconfig that login wrote, against the kubernetes API of the sandbox.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jobpass::platform::Platform::{GitHubActions, GitLabCi};
use jobpass::sandbox::fault_injection::FaultInjection;
use jobpass::sandbox::{SandboxKubeCluster, SandboxOptions};
use serde_json::Value;

use crate::failures::DeadPort;
use crate::support::balancer::{Balancer, Unknown};
use crate::support::cluster::{Cluster, Job, listing};
use crate::support::command::{Ran, binary, jobpass, put, run};
use crate::support::kubectl::kubectl;

const INTERNAL: &str = "kube-teleport-proxy-alpn.teleport.cluster.local";

fn options() -> SandboxOptions {
    let kube = |name: &str, env: &str| SandboxKubeCluster {
        name: name.into(),
        labels: vec![("env".into(), env.into())],
    };
    let kube_clusters = vec![kube("prod", "prod"), kube("dev", "test"), kube("stage.eu-1", "prod")];
    SandboxOptions { kube_clusters, ..SandboxOptions::simulating(None) }
}

/// Logs in into `out`, with the report.
#[track_caller]
fn login(cluster: &Cluster, job: &Job<'_>, arguments: &[&str]) -> (PathBuf, Value) {
    let dir = cluster.path("out");
    let all = [&["--dir", dir.to_str().unwrap(), "--json"], arguments].concat();
    let ran = job.login(&all).ok();
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    (dir, serde_json::from_str(&ran.stdout).unwrap())
}

#[track_caller]
fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn kubectl_gets_the_pods() {
    for (style, public, sni) in [
        (&[][..], None, INTERNAL),
        (&["--kube-exec"], None, INTERNAL),
        (&[], Some("teleport.test:443"), "kube-teleport-proxy-alpn.teleport.test"),
    ] {
        let cluster = Cluster::start(SandboxOptions { public_addr: public.map(str::to_owned), ..options() });
        let job = cluster.job(GitHubActions);
        let (dir, report) = login(&cluster, &job, &[&["--output", "kube=prod"], style].concat());
        let kubeconfig = dir.join("kubeconfig.yaml");
        let ran = kubectl(cluster.folder.path(), &kubeconfig, &["get", "pods"], &[]).ok();
        assert!(ran.stdout.contains("prod-web-0"), "{style:?}: {}", ran.all());
        let records = cluster.sandbox.records();
        let asked = records.iter().find(|r| r.paths.iter().any(|p| p.contains("/pods"))).unwrap();
        assert_eq!((asked.sni.as_deref(), asked.client.as_deref()), (Some(sni), Some("bot-ci")));

        // What the report and the exported variable say works as it is.
        let output = &report["outputs"][0];
        assert_eq!(output["routes"][0]["kube_cluster"], "prod");
        assert_eq!(output["variables"]["KUBECONFIG"], kubeconfig.to_str().unwrap());
        let usage = output["usage"][0].as_str().unwrap();
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            &format!("{usage} && KUBECONFIG='{}' kubectl get pods -o name", kubeconfig.display()),
        ]);
        shell.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", cluster.folder.path());
        let ran = Ran::of(&shell.stdin(Stdio::null()).output().unwrap()).ok();
        assert!(
            ran.stdout.contains("prod-web-0") && ran.stdout.ends_with("pod/prod-web-0\n"),
            "{}",
            ran.all()
        );
        let exported = std::fs::read_to_string(cluster.path("GITHUB_ENV")).unwrap();
        assert!(exported.contains("KUBECONFIG"), "{exported}");

        // The key is in the one style, and in the other it is not.
        let file = std::fs::read_to_string(&kubeconfig).unwrap();
        assert_eq!(file.contains("client-key-data"), style.is_empty());
        assert!(listing(&dir).iter().all(|(_, mode)| *mode == 0o600));
        let inspected = job.run(&["inspect", dir.to_str().unwrap()]).ok();
        let wanted =
            ["kubernetes        prod\n", "contexts          sandbox.example-prod\n", "belong together"];
        assert!(wanted.iter().all(|text| inspected.stdout.contains(text)), "{}", inspected.all());
    }
}

#[test]
fn several_clusters_are_contexts_of_one_file() {
    let cluster = Cluster::start(options());
    let job = cluster.job(GitLabCi);
    for (arguments, contexts) in [
        (
            &["--output", "kube=*"][..],
            &[
                ("sandbox.example-dev", "dev"),
                ("sandbox.example-prod", "prod"),
                ("sandbox.example-stage.eu-1", "stage.eu-1"),
            ][..],
        ),
        (
            &["--kube-exec", "--output", "kube=env:prod,context={kube}@{cluster},namespace=web"],
            &[("prod@sandbox.example", "prod"), ("stage.eu-1@sandbox.example", "stage.eu-1")],
        ),
    ] {
        let (dir, report) = login(&cluster, &job, arguments);
        let kubeconfig = dir.join("kubeconfig.yaml");
        let home = cluster.folder.path();
        for (context, kube) in contexts {
            let all = [
                "--context",
                context,
                "get",
                "pods",
                "-o",
                "jsonpath={.items[0].metadata.name} {.items[0].metadata.namespace}",
            ];
            let ran = kubectl(home, &kubeconfig, &all, &[]).ok();
            let namespace = if arguments.len() == 2 { "default" } else { "web" };
            assert_eq!(ran.stdout, format!("{kube}-web-0 {namespace}"), "{}", ran.all());
        }
        let ran = kubectl(home, &kubeconfig, &["config", "get-contexts", "-o", "name"], &[]).ok();
        assert_eq!(
            ran.stdout.lines().collect::<Vec<_>>(),
            contexts.iter().map(|(c, _)| *c).collect::<Vec<_>>()
        );
        let current = kubectl(home, &kubeconfig, &["config", "current-context"], &[]).ok();
        assert_eq!(current.stdout.trim(), contexts[0].0);
        let usage = report["outputs"][0]["usage"].as_array().unwrap();
        assert_eq!(usage.len(), contexts.len());
        assert!(usage[1].as_str().unwrap().contains(&format!("--context {} ", contexts[1].0)), "{usage:?}");
        let inspected = job.run(&["inspect", dir.to_str().unwrap()]).ok().stdout;
        let kubes: Vec<_> = contexts.iter().map(|(_, kube)| *kube).collect();
        assert!(inspected.contains(&format!("kubernetes        {}\n", kubes.join(", "))), "{inspected}");
        assert!(inspected.contains("keys and certificates belong together"), "{inspected}");
        if arguments.len() == 2 {
            let file = job.run(&["inspect", "--json", kubeconfig.to_str().unwrap()]).ok().stdout;
            let facts: Value = serde_json::from_str(&file).unwrap();
            assert_eq!(facts["kubernetes"]["clusters"], serde_json::json!(kubes));
            assert_eq!(
                (&facts["contexts"][0], &facts["belong_together"]),
                (&contexts[0].0.into(), &true.into())
            );
        }
    }
}

#[test]
fn behind_another_output_kubectl_finds_its_file_by_the_usual_name() {
    let cluster = Cluster::start(options());
    let outputs = ["--output", "ssh", "--output", "kube=prod", "--output", "kube=dev"];
    let (dir, report) = login(&cluster, &cluster.job(GitHubActions), &outputs);
    let file = |name: &str| dir.join(name).join("kubeconfig.yaml").display().to_string();
    let variable = |output: usize, name: &str| report["outputs"][output]["variables"][name].clone();
    assert_eq!(variable(1, "KUBECONFIG"), file("kube-prod"));
    assert_eq!(variable(1, "KUBECONFIG_KUBE_PROD"), file("kube-prod"));
    assert_eq!(variable(1, "TELEPORT_PROXY"), Value::Null, "the first has it");
    assert_eq!(variable(2, "KUBECONFIG"), Value::Null);
    assert_eq!(variable(2, "KUBECONFIG_KUBE_DEV"), file("kube-dev"));
    let outputs = std::fs::read_to_string(cluster.path("GITHUB_OUTPUT")).unwrap();
    assert!(outputs.contains("\nkubeconfig") && outputs.contains("kube-dev-kubeconfig"), "{outputs}");

    let named = [&outputs_of("kube=prod")[..], &["--name", "ci"]].concat();
    let (_, report) = login(&cluster, &cluster.job(GitHubActions), &named);
    assert_eq!(report["outputs"][1]["variables"]["KUBECONFIG"], Value::Null);
    assert!(report["outputs"][1]["variables"]["KUBECONFIG_KUBE_PROD"].is_string());
}

fn outputs_of(kube: &str) -> [&str; 4] {
    ["--output", "ssh", "--output", kube]
}

/// The roots in the file, and the environment in which kubectl accepts it.
#[test]
fn the_roots_are_those_of_the_certificate_that_is_shown() {
    let cluster = Cluster::start(SandboxOptions { kube_web_certificate: true, ..options() });
    let web = cluster.path("web-ca.pem").display().to_string();
    let system = [("SSL_CERT_FILE", web.as_str())];
    let pods = |dir: &Path, variables: &[(&str, &str)]| {
        kubectl(cluster.folder.path(), &dir.join("kubeconfig.yaml"), &["get", "pods"], variables)
    };
    let authority = |dir: &Path| {
        let config = yaml(&dir.join("kubeconfig.yaml"));
        config["clusters"][0]["cluster"]
            .get("certificate-authority-data")
            .map(|data| data.as_str().unwrap().to_owned())
    };
    let (dir, _) = login(&cluster, &cluster.job(GitLabCi), &["--output", "kube=prod"]);
    assert_eq!(authority(&dir), None);
    assert!(pods(&dir, &system).ok().stdout.contains("prod-web-0"));
    assert_ne!(pods(&dir, &[]).code, 0, "its roots are not those of this machine");

    let (dir, _) = login(
        &cluster,
        &cluster.job(GitLabCi).unset("SSL_CERT_FILE"),
        &["--output", "kube=prod", "--ca-file", &web],
    );
    let embedded = String::from_utf8(STANDARD.decode(authority(&dir).unwrap()).unwrap()).unwrap();
    assert_eq!(embedded, std::fs::read_to_string(&web).unwrap());
    assert!(pods(&dir, &[]).ok().stdout.contains("prod-web-0"));

    let own = Cluster::start(options());
    let (dir, _) = login(&own, &own.job(GitLabCi), &["--output", "kube=prod"]);
    let embedded = String::from_utf8(STANDARD.decode(authority(&dir).unwrap()).unwrap()).unwrap();
    assert_eq!(embedded, std::fs::read_to_string(dir.join("teleport-host-ca.crt")).unwrap());
}

#[test]
fn a_look_at_kubernetes_costs_one_connection_and_only_where_it_is_needed() {
    let cluster = Cluster::start(options());
    let looks = || cluster.sandbox.records().iter().filter(|r| r.sni.as_deref() == Some(INTERNAL)).count();
    login(&cluster, &cluster.job(GitLabCi), &[]);
    assert_eq!(looks(), 0);
    login(&cluster, &cluster.job(GitLabCi), &["--output", "kube=*"]);
    assert_eq!(looks(), 1);
}

#[test]
fn what_keeps_kubectl_out_is_a_warning() {
    let cluster = Cluster::start(options());
    let dir = cluster.path("out").display().to_string();
    let kube = ["--output", "kube=prod", "--dir", &dir];

    let balancer = Balancer::start(cluster.sandbox.address, cluster.sandbox.web_ca_pem(), Unknown::NoAlpn);
    put(&cluster.path("balancer.pem"), &balancer.ca_pem);
    let (address, ca) = (balancer.address().to_string(), cluster.path("balancer.pem").display().to_string());
    let job = cluster.job(GitLabCi);
    let all = [&["login", "--proxy", &address, "--token", &job.token, "--ca-file", &ca], &kube[..]].concat();
    let ran = job.run(&all).ok();
    let warnings: Vec<&str> = ran.stderr.lines().filter(|l| l.contains("warning:")).collect();
    assert!(
        warnings.len() == 1 && warnings[0].contains("something before the proxy terminates TLS"),
        "{}",
        ran.stderr
    );
    assert!(
        warnings[0].contains(&format!("through {address}")) && warnings[0].contains(INTERNAL),
        "{}",
        ran.stderr
    );

    // A later address that is not reachable here.
    let dead = DeadPort::new();
    let cluster = Cluster::start(SandboxOptions { public_addr: Some(dead.address()), ..options() });
    let ran = cluster.job(GitLabCi).login(&["--output", "kube=prod", "--use-advertised-address"]).ok();
    let warning = format!(
        "which CA kubectl must trust at {} could not be checked; `kubeconfig.yaml` trusts the cluster's: ",
        dead.address()
    );
    assert!(ran.stderr.contains(&warning), "{}", ran.stderr);
    let kubeconfig = cluster.path("temp/jobpass/kubeconfig.yaml");
    assert_eq!(yaml(&kubeconfig)["clusters"][0]["cluster"]["server"], format!("https://{}", dead.address()));
}

/// The auth service says nothing of kubernetes: the proxy is asked. Without TLS routing it has a port of its own.
#[test]
fn by_the_auth_service_the_proxy_is_asked() {
    for (no_tls_routing, server_name) in [(false, Some(INTERNAL)), (true, None)] {
        let inject = FaultInjection { no_tls_routing, ..FaultInjection::default() };
        let cluster = Cluster::start(SandboxOptions { inject, ..options() });
        let (address, dir) = (cluster.proxy(), cluster.path("out").display().to_string());
        let login = |job: &Job<'_>| {
            let begin = ["login", "--auth-server", &address, "--token", &job.token, "--dir", &dir];
            job.run(&[&begin[..], &["--insecure-trust-on-first-use", "--output", "kube=prod"]].concat()).ok()
        };
        let ran = login(&cluster.job(GitLabCi));
        assert!(!ran.stderr.contains("warning:"), "{}", ran.stderr);
        let server = || yaml(&cluster.path("out/kubeconfig.yaml"))["clusters"][0]["cluster"].clone();
        assert_eq!(server()["server"], format!("https://{address}"));
        assert_eq!(server().get("tls-server-name").and_then(Value::as_str), server_name);

        // Its web certificate is not trusted.
        let ran = login(&cluster.job(GitLabCi).unset("SSL_CERT_FILE"));
        let warning = format!(
            "warning: the proxy could not be asked where kubernetes is; `kubeconfig.yaml` takes it to be at {address}: "
        );
        assert_eq!(ran.stderr.matches("warning:").count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(&warning), "{}", ran.stderr);
        assert_eq!(server()["tls-server-name"], INTERNAL);
    }
}

#[test]
fn inspect_tells_what_is_broken_in_a_kubeconfig() {
    let cluster = Cluster::start(options());
    let job = cluster.job(GitLabCi);
    let (dir, _) = login(&cluster, &job, &["--output", "kube=*"]);
    let path = dir.join("kubeconfig.yaml");
    let good = std::fs::read_to_string(&path).unwrap();
    let key = |text: &str| {
        text.lines().find_map(|l| l.trim().strip_prefix("client-key-data: ")).unwrap().to_owned()
    };
    job.login(&["--dir", "other", "--output", "kube=prod"]).ok();
    let other = key(&std::fs::read_to_string(cluster.path("other/kubeconfig.yaml")).unwrap());
    for (text, wanted) in [
        (
            good.replacen(&key(&good), &other, 1),
            "the key and a certificate in `kubeconfig.yaml, context sandbox.example-dev` do not",
        ),
        (
            good.replacen(&key(&good), "AAAA", 1),
            "`kubeconfig.yaml, context sandbox.example-dev` has no readable private key",
        ),
        (good.replacen("contexts:", "contexts: 7", 1), "`kubeconfig.yaml` is no readable kubeconfig: "),
    ] {
        put(&path, text);
        let ran = job.run(&["inspect", dir.to_str().unwrap()]);
        let shown = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!((ran.code, shown.contains(wanted)), (6, true), "{wanted}: {}", ran.all());
    }
    put(&path, &good);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let ran = job.run(&["inspect", path.to_str().unwrap()]).ok();
    assert!(
        ran.stdout.contains("`kubeconfig.yaml` has a private key and is open to other users"),
        "{}",
        ran.all()
    );
}

/// What kubectl would run: with these arguments, and the certificate and key out of it.
#[track_caller]
fn credential(folder: &Path, arguments: &[&str], info: Option<&str>) -> Value {
    let mut command = jobpass(folder, &[&["kube-credential"], arguments].concat(), []);
    let output = command.envs(info.map(|info| ("KUBERNETES_EXEC_INFO", info))).output().unwrap();
    // No `Ran`: here a private key is what is wanted.
    assert_eq!(
        (output.status.code(), output.stderr.len()),
        (Some(0), 0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn kube_credential_gives_the_certificate_until_it_ends() {
    let cluster = Cluster::start(options());
    let (dir, report) = login(&cluster, &cluster.job(GitLabCi), &["--output", "kube=*", "--kube-exec"]);
    let dir_text = dir.to_str().unwrap();
    let first = credential(&dir, &["--dir", "."], None);
    assert_eq!(first["apiVersion"], "client.authentication.k8s.io/v1beta1");
    let v1 = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"interactive":false}}"#;
    let prod = credential(Path::new("/"), &["--dir", dir_text, "--kube", "prod"], Some(v1));
    assert_eq!(
        (&prod["apiVersion"], &prod["kind"]),
        (&"client.authentication.k8s.io/v1".into(), &"ExecCredential".into())
    );
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).unwrap();
    assert_eq!(prod["status"]["clientCertificateData"], read("prod.tlscert"));
    assert_eq!(prod["status"]["clientKeyData"], read("key"));
    assert_eq!(prod["status"]["expirationTimestamp"], report["outputs"][0]["routes"][1]["valid_until"]);
    assert_eq!(first["status"]["clientCertificateData"], read("tlscert"));
    assert_eq!(read("tlscert"), read("dev.tlscert"));
}

#[test]
fn a_terminal_is_shown_no_key() {
    let cluster = Cluster::start(options());
    let (dir, _) = login(&cluster, &cluster.job(GitLabCi), &["--output", "kube=prod"]);
    let words = format!("{} kube-credential --dir {}", binary().display(), dir.display());
    let ran = run("script", &["-qec", &words, "/dev/null"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(ran.stdout.contains("prints a private key, and this is a terminal"), "{}", ran.all());
}

#[test]
fn the_sandbox_has_kubernetes_clusters_by_flag() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "{} login -q --dir out --output 'kube=*' && kubectl --kubeconfig out/kubeconfig.yaml --context sandbox.example-b get pods",
        binary().display()
    );
    let all = ["sandbox", "--kube", "a", "--kube", "b", "--", "sh", "-c", &script];
    let home = folder.path().display().to_string();
    let mut command =
        jobpass(folder.path(), &all, [("PATH", "/usr/bin:/bin"), ("HOME", &home), ("TMPDIR", &home)]);
    let ran = Ran::of(&command.output().unwrap()).ok();
    assert!(ran.stdout.contains("b-web-0"), "{}", ran.all());
}

#[test]
fn a_dry_run_writes_a_kubeconfig_and_promises_no_pods() {
    let folder = tempfile::tempdir().unwrap();
    let all = ["login", "--dry-run", "--simulate", "github", "--output", "kube=env:prod", "--dir", "out"];
    let ran = Ran::of(&jobpass(folder.path(), &all, [("PATH", "/bin")]).output().unwrap()).ok();
    assert!(!ran.all().contains("get pods") && !ran.all().contains("warning:"), "{}", ran.all());
    assert_eq!(
        yaml(&folder.path().join("out/kubeconfig.yaml"))["current-context"],
        "sandbox.example-dry-run"
    );
}
