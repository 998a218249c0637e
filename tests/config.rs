//! `login --config`: a tbot.yaml in place of flags.

use jobpass::platform::Platform::GitHubActions;
use serde_json::Value;

use crate::failures::run_fails;
use crate::support::cluster::Cluster;
use crate::support::command::{put, run};

/// What a job of tbot's would have, with all that does not matter here.
fn tbot_yaml(proxy: &str, services: &str) -> String {
    format!(
        "version: v2\nproxy_server: {proxy}\ndebug: true\nonboarding:\n  join_method: github\n  token: ci-github\n  \
         ca_pins: [\"sha256:{}\"]\nstorage:\n  type: directory\n  path: /var/lib/teleport/bot\nrenewal_interval: \
         20m\ncertificate_ttl: 30m\noneshot: true\nservices:\n{services}",
        "ab".repeat(32)
    )
}

#[test]
fn a_file_is_all_that_a_login_needs() {
    let cluster = Cluster::any();
    let yaml = tbot_yaml(
        &cluster.proxy(),
        "  - type: identity\n    destination:\n      type: directory\n      path: ./machine-id\n      symlinks: secure\n    \
         roles: [ci-deploy]\n",
    );
    put(&cluster.path("tbot.yaml"), &yaml);
    let job = cluster.job(GitHubActions);
    let ran = job.run(&["login", "-c", "tbot.yaml"]).ok();
    assert!(ran.stderr.contains("tbot.yaml`: ignoring `storage` (line 9)"), "{}", ran.stderr);
    let dir = cluster.path("machine-id");
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(dir.join("jobpass.json")).unwrap()).unwrap();
    assert_eq!(report["outputs"][0]["roles"][0], "ci-deploy");
    let time = |field: &str| report[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let life = time("valid_until").duration_since(time("issued_at")).as_secs();
    assert!((29 * 60..=31 * 60).contains(&life), "{life}");
    assert!(
        run("ssh-keygen", &["-L", "-f", dir.join("key-cert.pub").to_str().unwrap()])
            .ok()
            .stdout
            .contains("bot-ci")
    );

    // Flags win, and the printed command is the same login without the file.
    let printed =
        job.run(&["login", "--config", "tbot.yaml", "--dir", "other", "--print-command"]).ok().stdout;
    assert!(!cluster.path("other").exists(), "--print-command only prints");
    let words = shlex::split(&printed).unwrap();
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    assert!(words.contains(&"other") && !words.iter().any(|word| word.contains("tbot.yaml")), "{printed}");
    job.run(&words).ok();
    assert!(cluster.path("other/identity").exists());
}

#[test]
fn several_outputs_have_the_folders_of_the_file() {
    let cluster = Cluster::any();
    let service = |path: &str, role: &str| {
        let path = cluster.path(path).display().to_string();
        format!(
            "  - type: identity\n    destination: {{type: directory, path: {path}}}\n    roles: [{role}]\n"
        )
    };
    let yaml = tbot_yaml(&cluster.proxy(), &(service("a", "ci-deploy") + &service("b", "ci-read")));
    let encoded = base64(&yaml);
    let job = cluster.job(GitHubActions).set("TBOT_CONFIG", &encoded);
    job.run(&["login"]).ok();
    for name in ["a", "b"] {
        assert!(cluster.path(name).join("identity").exists(), "{name}");
    }
    // The folder on the command line is for all.
    job.run(&["login", "--dir", "all"]).ok();
    assert!(cluster.path("all/ssh/identity").exists() && cluster.path("all/ssh-2/identity").exists());
    // So it is on a laptop.
    let dry = job.run(&["login", "--dry-run", "--allow-dry-run-in-ci", "--dir", "dry"]).ok();
    assert!(dry.stderr.contains("DRY-RUN") && cluster.path("dry/ssh/identity").exists(), "{}", dry.all());
}

#[test]
fn every_kind_of_a_file_is_issued() {
    let cluster = Cluster::start(crate::outputs::options());
    let at = |name: &str| {
        format!("\n    destination: {{type: directory, path: {}}}\n", cluster.path(name).display())
    };
    let services = [
        format!("  - type: identity\n    cluster: leaf.example{}", at("ssh")),
        format!(
            "  - type: kubernetes\n    kubernetes_cluster: prod\n    disable_exec_plugin: true{}",
            at("kube")
        ),
        format!(
            "  - type: kubernetes/v2\n    selectors: [{{labels: {{env: dev}}, default_namespace: web}}]\n    \
             context_name_template: '{{{{.KubeName}}}}'{}",
            at("kube2")
        ),
        format!(
            "  - type: database\n    service: pg\n    username: ci\n    database: app\n    format: tls{}",
            at("pg")
        ),
        format!(
            "  - type: application\n    app_name: grafana\n    specific_tls_extensions: true{}",
            at("app")
        ),
    ]
    .concat();
    put(&cluster.path("tbot.yaml"), tbot_yaml(&cluster.proxy(), &services));
    cluster.job(GitHubActions).run(&["login", "-c", "tbot.yaml"]).ok();
    for file in [
        "ssh/identity",
        "kube/kubeconfig.yaml",
        "kube2/kubeconfig.yaml",
        "pg/tls.crt",
        "pg/tls.cas",
        "app/tls.key",
    ] {
        assert!(cluster.path(file).exists(), "{file}");
    }
    let kubeconfig = std::fs::read_to_string(cluster.path("kube2/kubeconfig.yaml")).unwrap();
    assert!(
        kubeconfig.contains("namespace: web") && kubeconfig.contains("name: dev"),
        "the context is `dev`"
    );
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn what_a_single_run_cannot_do_is_named_with_its_line() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let proxy = "teleport.example";
    for (name, services) in [
        ("config-tunnel", "  - type: database-tunnel\n    listen: tcp://127.0.0.1:25432\n    service: pg\n"),
        ("config-spiffe", "  - type: identity\n  - type: workload-identity-x509\n    selector: {name: x}\n"),
        (
            "config-destination",
            "  - type: identity\n    destination:\n      type: kubernetes_secret\n      name: x\n",
        ),
        ("config-output", "  - type: database\n    service: pg\n    format: pem\n"),
        ("config-kind", "  - type: identitty\n"),
    ] {
        put(&cluster.path("tbot.yaml"), tbot_yaml(proxy, services));
        run_fails(name, 2, &cluster, &job, &["login", "--config", "tbot.yaml"]);
    }
    for (name, yaml) in [
        ("config-syntax", "version: v2\nservices: [\n"),
        ("config-version", "auth_server: a.example\ndestinations:\n- directory: /x\n"),
        ("config-method", "version: v2\nonboarding:\n  join_method: token\n  token: abcdef0123456789\n"),
    ] {
        put(&cluster.path("tbot.yaml"), yaml);
        run_fails(name, 2, &cluster, &job, &["login", "--config", "tbot.yaml"]);
    }
    run_fails("config-missing", 2, &cluster, &job, &["login", "--config", "no.yaml"]);
    let both = cluster.job(GitHubActions).set("TBOT_CONFIG_PATH", "tbot.yaml").set("TBOT_CONFIG", "x");
    run_fails("config-both", 2, &cluster, &both, &["login"]);
    let broken = cluster.job(GitHubActions).set("TBOT_CONFIG", "version: v2");
    run_fails("config-base64", 2, &cluster, &broken, &["login"]);
}
