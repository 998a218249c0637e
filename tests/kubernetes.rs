//! Kubernetes: the token of a pod, wherever it is mounted, for each type of join token.

use std::process::Command;

use jobpass::rules;
use jobpass::sandbox::{SandboxOptions, Simulated};
use serde_json::{Value, json};

use crate::support::cluster::{Cluster, key_lines, listing};
use crate::support::command::{Ran, binary, put, run};

fn simulated() -> Simulated {
    Simulated::machine(jobpass::cloud::Cloud::Kubernetes).unwrap()
}

#[test]
fn a_pod_joins_on_every_server() {
    for (version, new) in [("18.6.0", true), ("18.2.0", false), ("17.5.0", true), ("15.4.0", true)] {
        let options = SandboxOptions {
            version: version.into(),
            join_new: new,
            ..SandboxOptions::admitting([simulated()])
        };
        let cluster = Cluster::start(options);
        let ran = cluster.pod().login(&["--json", "--dir", "out"]).ok();
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((&report["platform"], &report["join_method"]), (&Value::Null, &"kubernetes".into()));
        assert!(key_lines(&cluster.path("out")).len() > 5, "{version}");
    }
}

#[test]
fn the_token_is_where_the_pod_has_it() {
    let cluster = Cluster::any();
    let usual = cluster.path("root/var/run/secrets/kubernetes.io/serviceaccount");
    std::fs::create_dir_all(&usual).unwrap();
    let token = cluster.pod_token(&Value::Null);
    put(&usual.join("token"), format!("{token}\n"));
    let root = cluster.path("root").display().to_string();
    let unnamed = || cluster.pod().unset("KUBERNETES_TOKEN_PATH");
    // The usual place; a name relative to the working directory; by hand.
    unnamed().set("JOBPASS_ROOT", &root).login(&[]).ok();
    unnamed().set("KUBERNETES_TOKEN_PATH", "pod-token").login(&[]).ok();
    unnamed().login(&["--id-token-file", "pod-token", "--join-method", "kubernetes"]).ok();
    unnamed().unset("KUBERNETES_SERVICE_HOST").set("JOBPASS_ROOT", &root).login(&[]).ok();
}

#[test]
fn a_ci_job_in_a_pod_joins_as_itself_unless_asked_otherwise() {
    use jobpass::platform::Platform::GitLabCi;
    let cluster = Cluster::any();
    let path = cluster.pod().variable("KUBERNETES_TOKEN_PATH").to_owned();
    let job = || {
        let job = cluster.job(GitLabCi).set("KUBERNETES_SERVICE_HOST", "10.96.0.1");
        job.set("KUBERNETES_TOKEN_PATH", &path)
    };
    let method = |ran: Ran| -> Value {
        serde_json::from_str::<Value>(&ran.ok().stdout).unwrap()["join_method"].clone()
    };
    assert_eq!(method(job().login(&["--json"])), "gitlab");
    // Its own identity is missing: that of the pod is not borrowed.
    let ran = job().unset("TBOT_GITLAB_JWT").login(&[]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(ran.stderr.contains("id_tokens"), "{}", ran.stderr);
    let mut asked = job();
    asked.token = "ci-kubernetes".to_owned();
    assert_eq!(method(asked.login(&["--json", "--join-method", "kubernetes"])), "kubernetes");
    // The job's own log and files stay the platform's.
    assert!(cluster.path("temp/jobpass/key").exists());
}

/// A join token of that type, and who signs for it.
fn typed(kind: &str, signer: &Cluster) -> SandboxOptions {
    let mut options = SandboxOptions::admitting([simulated()]);
    let spec = &mut options.tokens[0].spec;
    spec["type"] = kind.into();
    match kind {
        "static_jwks" => spec["static_jwks"] = json!({"jwks": signer.sandbox.jwks()}),
        "oidc" => spec["oidc"] = json!({"issuer": "https://oidc.eks.eu-north-1.amazonaws.com/id/A1B2"}),
        _ => {}
    }
    options
}

#[test]
fn types_of_join_tokens_take_the_tokens_that_are_for_them() {
    let signer = Cluster::any();
    let default_mount = json!({"aud": ["https://kubernetes.default.svc.cluster.local"], "exp": in_an_hour()});
    for (kind, claims, code, words) in [
        ("in_cluster", Value::Null, 0, ""),
        ("in_cluster", default_mount.clone(), 0, ""),
        ("static_jwks", Value::Null, 0, ""),
        ("static_jwks", default_mount.clone(), 4, "mount a projected token with `audience: sandbox.example`"),
        ("static_jwks", json!({"exp": in_an_hour()}), 4, "the service account's token lives too long"),
        ("oidc", Value::Null, 0, ""),
        ("oidc", default_mount, 4, "mount a projected token with `audience: sandbox.example`"),
    ] {
        let cluster = Cluster::start(typed(kind, &signer));
        // With `oidc` its own keys are those of the issuer.
        let token =
            if kind == "static_jwks" { signer.pod_token(&claims) } else { cluster.pod_token(&claims) };
        let job = cluster.pod();
        put(&cluster.path("pod-token"), token);
        let ran = job.login(&[]);
        assert_eq!(ran.code, code, "{kind} {claims}: {}", ran.all());
        assert!(unfolded(&ran.stderr).contains(words), "{kind} {claims}: {}", ran.stderr);
        let warned = ran.stderr.contains("warning: the identity token may be refused: it lives for 1h");
        assert_eq!(warned, words.contains("too long"), "{kind} {claims}: {}", ran.stderr);
    }
}

fn unfolded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn in_an_hour() -> i64 {
    jobpass::env::now().as_second() + 3_607
}

#[test]
fn explain_knows_the_traps_of_each_type() {
    let cluster = Cluster::any();
    let job = cluster.pod();
    put(
        &cluster.path("rules.yaml"),
        "kind: token\nversion: v2\nmetadata: {name: pods}\nspec:\n  roles: [Bot]\n  bot_name: ci\n  join_method: kubernetes\n  \
         kubernetes:\n    type: static_jwks\n    allow: [{service_account: 'ci:other'}]\n",
    );
    let explained = |arguments: &[&str]| {
        let all = [&["explain", "--rules", "rules.yaml", "--cluster", "sandbox.example"], arguments].concat();
        job.run(&all)
    };
    let ran = explained(&[]);
    let text = unfolded(&ran.stdout);
    assert_eq!(ran.code, 4, "{}", ran.all());
    for part in [
        "Kubernetes",
        "system:serviceaccount:ci:deployer",
        "ci:other",
        "static_jwks.jwks",
        "type `static_jwks` has no keys to check with",
    ] {
        assert!(text.contains(part), "{part}: {}", ran.stdout);
    }
    // The default mount: neither its audience nor its life are for this type.
    let default_mount = json!({"aud": ["https://kubernetes.default.svc"], "exp": in_an_hour()});
    put(&cluster.path("pod-token"), cluster.pod_token(&default_mount));
    let text = unfolded(&explained(&[]).stdout);
    for part in ["https://kubernetes.default.svc", "sandbox.example", "with a TTL of less than 30m0s"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Without rules it proposes some, which this job then passes.
    let proposed = job.run(&["explain", "--token", "ci-kubernetes"]).ok().stdout;
    assert!(proposed.contains("service_account: \"ci:deployer\""), "{proposed}");
    let yaml = &proposed[proposed.find("kind: token").unwrap()..];
    let yaml = yaml.lines().take_while(|l| !l.is_empty()).collect::<Vec<_>>().join("\n") + "\n";
    let tokens = rules::parse(&yaml).unwrap_or_else(|e| panic!("{e}: {yaml}"));
    assert_eq!(tokens[0].method.name(), "kubernetes");
}

#[test]
fn a_pod_is_simulated() {
    let folder = tempfile::tempdir().unwrap();
    let shell = |script: &str| {
        let path = format!("{}:/usr/bin:/bin", binary().parent().unwrap().display());
        let mut command = Command::new("sh");
        command.args(["-c", script]).env_clear().env("PATH", path).env("TMPDIR", folder.path());
        Ran::of(&command.env("JOBPASS_ROOT", "/nonexistent").current_dir(folder.path()).output().unwrap())
    };
    let ran = shell("jobpass login --dry-run --simulate kubernetes --dir out").ok();
    for part in
        ["DRY-RUN: logged in", "a simulated Kubernetes job proved itself to join token `ci-kubernetes`"]
    {
        assert!(unfolded(&ran.stderr).contains(part), "{part}: {}", ran.stderr);
    }
    let seen =
        run("ssh-keygen", &["-L", "-f", folder.path().join("out/key-cert.pub").to_str().unwrap()]).ok();
    assert!(seen.stdout.contains("Key ID: \"DRY-RUN bot-ci\""), "{}", seen.stdout);
    std::fs::remove_dir_all(folder.path().join("out")).unwrap();
    // The token's file is gone with the run.
    assert_eq!(listing(folder.path()), []);
    let inner =
        "ls -l \"$KUBERNETES_TOKEN_PATH\" && env | grep -c ^CI= ; jobpass doctor && jobpass login --dir out";
    let ran = shell(&format!("jobpass sandbox --simulate kubernetes -- sh -c '{inner}'")).ok();
    assert!(ran.stdout.starts_with("-rw-------") && ran.stdout.contains("\n0\n"), "{}", ran.stdout);
    assert!(ran.stderr.contains("logged in to sandbox.example as bot-ci"), "{}", ran.stderr);
    assert_eq!(listing(folder.path()).iter().filter(|(name, _)| !name.starts_with("out")).count(), 0);
}
