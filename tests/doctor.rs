//! `doctor`: what it finds, in which words, and that one fault hides no other.

use std::path::Path;

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;
use jobpass::sandbox::fault_injection::FaultInjection;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, file};

use crate::support::cluster::{Cluster, Job, listing};
use crate::support::command::{Ran, jobpass, put, run};
use crate::support::front::Front;

/// The checks of a run by name: state and finding.
struct Checks(Vec<Value>);

impl Checks {
    #[track_caller]
    fn of(ran: &Ran) -> Self {
        Self(serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.all())))
    }

    #[track_caller]
    fn find(&self, name: &str) -> (&str, &str, String) {
        let check =
            self.0.iter().find(|c| c["check"] == name).unwrap_or_else(|| panic!("no {name}: {:?}", self.0));
        let hints: Vec<_> = check["hints"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
        (check["state"].as_str().unwrap(), check["finding"].as_str().unwrap(), hints.join("\n"))
    }

    fn names(&self, state: &str) -> Vec<&str> {
        self.0.iter().filter(|c| c["state"] == state).map(|c| c["check"].as_str().unwrap()).collect()
    }
}

fn doctor(job: &Job<'_>, proxy: &str, arguments: &[&str]) -> Ran {
    let mut all = vec!["doctor", "--proxy", proxy, "--token", &job.token];
    all.extend(arguments);
    job.run(&all)
}

/// Nothing is wider than 100 columns but a word that cannot be folded.
#[track_caller]
fn fits(text: &str) {
    for line in text.lines().filter(|l| l.chars().count() > 100) {
        assert!(line.trim_start().split(' ').count() == 1, "too wide: {line}");
    }
}

/// What differs from run to run, replaced.
fn plain(cluster: &Cluster, text: &str) -> String {
    text.replace(&cluster.proxy(), "[PROXY]")
        .replace(&cluster.folder.path().display().to_string(), "[FOLDER]")
}

#[test]
fn all_is_well() {
    let cluster = Cluster::any();
    for platform in Platform::ALL {
        let job = cluster.job(platform);
        let before = listing(cluster.folder.path());
        let ran = doctor(&job, &cluster.proxy(), &["--json"]).ok();
        let checks = Checks::of(&ran);
        assert_eq!(checks.names("ok").len(), 16, "{}", ran.stdout);
        assert_eq!(listing(cluster.folder.path()), before, "it leaves nothing behind");
    }
    let paths: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
    assert!(!paths.iter().any(|p| p.contains("Join") || p.contains("credentials")), "{paths:?}");

    let job = cluster.job(Platform::GitHubActions);
    let text = doctor(&job, &cluster.proxy(), &[]).ok();
    fits(&text.stdout);
    assert_data_eq!(plain(&cluster, &text.stdout), file!["doctor/github.txt"]);
    assert_eq!(text.stderr, "16 ok\n");
    let json = doctor(&job, &cluster.proxy(), &["--json", "-q"]).ok();
    assert_data_eq!(plain(&cluster, &json.stdout), file!["doctor/github.json": Text]);
    assert!(json.stderr.is_empty(), "{}", json.stderr);
}

#[test]
fn nothing_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let made = self_signed(folder.path(), "other");
    std::fs::rename(made.0, &ca).unwrap();
    let variables = [("SSL_CERT_FILE", "ca.pem"), ("TMPDIR", "/tmp")];
    let ran = Ran::of(&jobpass(folder.path(), &["doctor"], variables).output().unwrap());
    assert_eq!(ran.code, 3, "{}", ran.all());
    fits(&ran.stdout);
    assert_data_eq!(ran.stdout, file!["doctor/nothing.txt"]);
    let runner = [("GITHUB_ACTIONS", "true"), ("CI", "true"), ("KUBERNETES_SERVICE_HOST", "10.96.0.1")];
    let forwarded = [
        ("CI", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "s3cr3t"),
        ("CODEBUILD_BUILD_ID", "b:1"),
    ];
    for (vars, code, snapshot) in [
        (&[("GITHUB_ACTIONS", "true"), ("GITLAB_CI", "1")][..], 0, file!["doctor/platform_github.txt"]),
        (&[("GITHUB_ACTIONS", "TRUE")], 3, file!["doctor/platform_none.txt"]),
        (&[("GITHUB_ACTIONS", "true"), ("GITEA_ACTIONS", "true")], 3, file!["doctor/platform_gitea.txt"]),
        (&[("GITHUB_ACTIONS", "true"), ("ACT", "true")], 3, file!["doctor/platform_act.txt"]),
        (&[("CI", "true"), ("GITLAB_CI", "false")], 3, file!["doctor/platform_gitlab-ci-local.txt"]),
        (&[("HARNESS_BUILD_ID", "7"), ("DRONE", "true")], 3, file!["doctor/platform_harness.txt"]),
        (&runner, 0, file!["doctor/platform_runner_in_a_pod.txt"]),
        (&forwarded, 3, file!["doctor/platform_forwarded.txt"]),
    ] {
        let only = jobpass(folder.path(), &["doctor", "--platform-only"], vars.iter().copied()).output();
        let ran = Ran::of(&only.unwrap());
        assert_eq!(ran.code, code, "{}", ran.all());
        assert!(!ran.all().contains("s3cr3t"), "{}", ran.all());
        fits(&ran.stdout);
        assert_data_eq!(ran.stdout, snapshot);
    }
}

/// A certificate and its key, signed by itself: their files.
fn self_signed(folder: &Path, name: &str) -> (String, String) {
    let path = |end: &str| folder.join(format!("{name}{end}")).display().to_string();
    let (cert, key) = (path(".pem"), path(".key"));
    run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=balancer",
            "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
            "-keyout",
            &key,
            "-out",
            &cert,
        ],
    )
    .ok();
    (cert, key)
}

/// One thing wrong, what it shows at, and what it does not hide.
struct Case<'a> {
    job: Job<'a>,
    arguments: &'a [&'a str],
    code: i32,
    /// Check, state, finding, hints: parts of them.
    at: (&'a str, &'a str, &'a str, &'a str),
    still_ok: &'a [&'a str],
    skipped: &'a [&'a str],
}

#[test]
fn each_fault_shows_where_it_is() {
    let cluster = Cluster::any();
    let folder = cluster.folder.path();
    self_signed(folder, "other");
    put(&cluster.path("file"), "");
    let old = cluster.path("old");
    std::fs::create_dir(&old).unwrap();
    script(&old.join("ssh"), "#!/bin/sh\necho 'OpenSSH_7.4p1, OpenSSL 1.0.2k' >&2\n");
    let gitlab = || cluster.job(Platform::GitLabCi);
    let github = || cluster.job(Platform::GitHubActions);
    let other = cluster.sandbox.id_token(Platform::GitLabCi, &json!({"aud": "other.example"})).unwrap();
    let soon = jobpass::env::now().as_second() + 20;
    let ends = cluster.sandbox.id_token(Platform::GitLabCi, &json!({ "exp": soon })).unwrap();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let after_tcp = &["TLS", "web ping", "clock", "ALPN", "auth service"][..];
    let all_but_network = &["platform", "join token", "folder", "ssh"][..];
    for case in [
        Case {
            job: github().unset("ACTIONS_ID_TOKEN_REQUEST_URL").unset("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
            arguments: &[],
            code: 3,
            at: ("identity token", "failed", "gave this job no identity token", "id-token: write"),
            still_ok: &["web ping", "auth service", "folder"],
            skipped: &["audience"],
        },
        Case {
            job: github(),
            arguments: &["--audience", "mine"],
            code: 3,
            at: ("audience", "failed", "`mine`, not `teleport.cluster.local`", "leave out `--audience`"),
            still_ok: &["identity token", "auth service"],
            skipped: &[],
        },
        Case {
            job: gitlab().set("TBOT_GITLAB_JWT", other.expose()),
            arguments: &[],
            code: 3,
            at: ("audience", "failed", "`other.example`, not `sandbox.example`", "aud: sandbox.example"),
            still_ok: &["identity token", "auth service"],
            skipped: &[],
        },
        Case {
            job: gitlab().set("TBOT_GITLAB_JWT", ends.expose()),
            arguments: &[],
            code: 0,
            at: ("identity token", "warning", "valid for", "token"),
            still_ok: &["audience"],
            skipped: &[],
        },
        Case {
            job: gitlab(),
            arguments: &["--token", ""],
            code: 2,
            at: ("join token", "failed", "empty", ""),
            still_ok: &["platform", "identity token", "auth service"],
            skipped: &[],
        },
        Case {
            job: gitlab().set("SSL_CERT_FILE", "nowhere.pem"),
            arguments: &[],
            code: 2,
            at: ("web roots", "failed", "no such file", "PEM"),
            still_ok: &["identity token", "DNS", "TCP", "folder"],
            skipped: after_tcp,
        },
        Case {
            job: gitlab().set("SSL_CERT_FILE", "other.pem"),
            arguments: &[],
            code: 5,
            at: (
                "TLS",
                "failed",
                "is not trusted; it sent `localhost`, issued by `jobpass sandbox web CA`",
                "--ca-file",
            ),
            still_ok: &["identity token", "TCP"],
            skipped: &["audience", "web ping", "clock", "ALPN", "auth service"],
        },
        Case {
            job: gitlab().set("HTTPS_PROXY", "socks5://p:1"),
            arguments: &[],
            code: 5,
            at: ("HTTP proxy", "failed", "`HTTPS_PROXY` cannot be used", "http://HOST:PORT"),
            still_ok: &["web roots", "identity token", "folder"],
            skipped: &["DNS", "TCP", "TLS", "auth service"],
        },
        Case {
            job: gitlab().set("HTTPS_PROXY", &format!("http://u:hunter2@{closed}")),
            arguments: &[],
            code: 5,
            at: ("TCP", "failed", "no connection to the HTTP proxy", "check the port"),
            still_ok: &["HTTP proxy", "identity token"],
            skipped: &["DNS", "TLS"],
        },
        Case {
            job: gitlab(),
            arguments: &["--proxy", &closed],
            code: 5,
            at: ("TCP", "failed", "connection refused", "nothing listens"),
            still_ok: all_but_network,
            skipped: after_tcp,
        },
        Case {
            job: gitlab(),
            arguments: &["--proxy", "no-such-host.invalid"],
            code: 5,
            at: ("DNS", "failed", "no-such-host.invalid", ""),
            still_ok: all_but_network,
            skipped: &["TCP", "TLS"],
        },
        Case {
            job: gitlab(),
            arguments: &["--dir", "file/below"],
            code: 6,
            at: ("folder", "failed", "file", "--dir"),
            still_ok: &["identity token", "auth service"],
            skipped: &[],
        },
        Case {
            job: github().set("GITHUB_WORKSPACE", folder.to_str().unwrap()),
            arguments: &["--dir", "a/b/c"],
            code: 0,
            at: ("folder", "warning", "inside the checkout", "--dir"),
            still_ok: &["identity token"],
            skipped: &[],
        },
        Case {
            job: gitlab().set("PATH", folder.to_str().unwrap()),
            arguments: &[],
            code: 0,
            at: ("ssh", "warning", "no `ssh` in `PATH`", "install"),
            still_ok: &["identity token", "auth service"],
            skipped: &[],
        },
        Case {
            job: gitlab().set("PATH", &format!("{}:/usr/bin:/bin", old.display())),
            arguments: &[],
            code: 0,
            at: ("ssh", "warning", "OpenSSH_7.4p1", "7.8"),
            still_ok: &["auth service"],
            skipped: &[],
        },
        // Of two, the earlier in the pipeline decides.
        Case {
            job: github().unset("ACTIONS_ID_TOKEN_REQUEST_URL"),
            arguments: &["--dir", "file/below", "--proxy", &closed],
            code: 6,
            at: ("TCP", "failed", "refused", ""),
            still_ok: &["platform"],
            skipped: after_tcp,
        },
    ] {
        let job = &case.job;
        // Flags given twice would be refused: the case's own come in the place of the usual ones.
        let proxy = cluster.proxy();
        let mut all = vec!["doctor", "--json"];
        for (flag, value) in [("--proxy", proxy.as_str()), ("--token", job.token.as_str())] {
            if !case.arguments.contains(&flag) {
                all.extend([flag, value]);
            }
        }
        all.extend(case.arguments);
        let ran = job.run(&all);
        let checks = Checks::of(&ran);
        let (name, state, finding, hints) = case.at;
        assert_eq!(ran.code, case.code, "{name}: {}", ran.all());
        let found = checks.find(name);
        assert_eq!(found.0, state, "{}", ran.all());
        assert!(found.1.contains(finding) && found.2.contains(hints), "{name}: {found:?}");
        assert!(!ran.all().contains("hunter2"), "{}", ran.all());
        for name in case.still_ok {
            assert_eq!(checks.find(name).0, "ok", "{name} of {:?}: {}", case.at, ran.stdout);
        }
        for name in case.skipped {
            assert_eq!(checks.find(name).0, "skipped", "{name} of {:?}: {}", case.at, ran.stdout);
        }
        assert_eq!(checks.0.len(), 16);
        assert!(!cluster.path("a").exists(), "it leaves nothing behind");
    }
}

fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    put(path, text);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_proxy_that_is_not_well() {
    let hang_on = vec!["/webapi/ping".to_owned()];
    for (inject, finding, alpn) in [
        (FaultInjection { html: true, ..FaultInjection::default() }, "HTML page", "ok"),
        (FaultInjection { no_tls_routing: true, ..FaultInjection::default() }, "TLS routing is off", "ok"),
        (FaultInjection { hang_on, ..FaultInjection::default() }, "did not answer within 5s", "ok"),
    ] {
        let cluster = Cluster::start(SandboxOptions { inject, ..SandboxOptions::simulating(None) });
        let ran = doctor(&cluster.job(Platform::CircleCi), &cluster.proxy(), &["--json"]);
        let checks = Checks::of(&ran);
        assert_eq!(ran.code, 5, "{}", ran.all());
        let (state, found, _) = checks.find("web ping");
        assert!(state == "failed" && found.contains(finding), "{found}");
        assert_eq!(checks.find("ALPN").0, alpn, "{}", ran.stdout);
        assert_eq!(checks.names("skipped"), ["clock", "auth service"], "{}", ran.stdout);
    }
}

#[test]
fn a_balancer_that_terminates_tls() {
    let cluster = Cluster::any();
    let (cert, key) = self_signed(cluster.folder.path(), "balancer");
    for (upgrades, behind, skew) in [(true, true, 90), (true, false, -20), (false, true, 0)] {
        let to = behind.then_some(cluster.sandbox.address);
        let balancer = Front::start(&cert, &key, to, upgrades, skew);
        let job = cluster.job(Platform::CircleCi).set("SSL_CERT_FILE", &cert);
        let ran = doctor(&job, &balancer.address.to_string(), &["--json"]);
        let checks = Checks::of(&ran);
        let (alpn, auth, clock) = (checks.find("ALPN"), checks.find("auth service"), checks.find("clock"));
        assert!(checks.find("TLS").1.contains("`balancer`"), "{}", ran.stdout);
        match (upgrades, behind) {
            (true, true) => {
                assert_eq!(ran.code, 0, "{}", ran.all());
                assert!(alpn.0 == "ok" && alpn.1.contains("terminates TLS"), "{alpn:?}");
                assert_eq!(auth.0, "ok");
                assert!(clock.0 == "warning" && clock.1.contains("behind the cluster's"), "{clock:?}");
                assert!(clock.2.contains("clock"), "{clock:?}");
            }
            // What is behind the upgrade is the balancer once more: another server's certificate.
            (true, false) => {
                assert_eq!(ran.code, 5, "{}", ran.all());
                assert_eq!((alpn.0, auth.0), ("ok", "failed"), "{}", ran.stdout);
                assert!(auth.1.contains("protocol") || auth.1.contains("another server"), "{auth:?}");
                assert!(clock.0 == "ok" && clock.1.contains("ahead of the cluster's"), "{clock:?}");
            }
            (false, _) => {
                assert_eq!(ran.code, 5, "{}", ran.all());
                assert!(alpn.0 == "failed" && alpn.1.contains("HTTP 404"), "{alpn:?}");
                assert_eq!(auth.0, "skipped");
            }
        }
    }
}

#[test]
fn a_pod_or_a_machine() {
    let cluster = Cluster::any();
    let in_an_hour = jobpass::env::now().as_second() + 3_607;
    let api_server = "https://kubernetes.default.svc";
    for (claims, check, state, finding, hint) in [
        (
            json!({}),
            "platform",
            "ok",
            "Kubernetes (KUBERNETES_TOKEN_PATH is set): join method `kubernetes`",
            "",
        ),
        (
            json!({}),
            "identity token",
            "ok",
            "of `https://kubernetes.default.svc.cluster.local`, valid for",
            "",
        ),
        (json!({}), "audience", "ok", "`sandbox.example`, as join tokens of each type take it", ""),
        (json!({"aud": [api_server], "exp": in_an_hour}), "audience", "ok", "`in_cluster` may take it", ""),
        (json!({"aud": [api_server], "exp": in_an_hour}), "identity token", "ok", "valid for 1h", ""),
        (
            json!({"aud": ["other.example"]}),
            "audience",
            "warning",
            "only `sandbox.example`",
            "`audience: sandbox.example`",
        ),
        (
            json!({"exp": in_an_hour}),
            "identity token",
            "warning",
            "take 30m at most",
            "expirationSeconds: 600",
        ),
        (json!({"exp": in_an_hour - 3_590}), "identity token", "warning", "valid for", "not a copy of it"),
    ] {
        let job = cluster.pod();
        put(&cluster.path("pod-token"), cluster.pod_token(&claims));
        let ran = doctor(&job, &cluster.proxy(), &["--json"]).ok();
        let checks = Checks::of(&ran);
        let found = checks.find(check);
        assert_eq!(found.0, state, "{claims}: {}", ran.stdout);
        assert!(found.1.contains(finding) && found.2.contains(hint), "{claims}: {found:?}");
        assert_eq!(checks.find("auth service").0, "ok");
        // The check says it once.
        assert!(!ran.stderr.contains("may be refused"), "{}", ran.stderr);
    }
    let gone = cluster.pod().unset("KUBERNETES_TOKEN_PATH");
    let ran = doctor(&gone, &cluster.proxy(), &["--json"]);
    let checks = Checks::of(&ran);
    assert_eq!((ran.code, checks.find("identity token").0), (3, "failed"), "{}", ran.stdout);
    assert!(checks.find("identity token").2.contains("expirationSeconds: 600"), "{}", ran.stdout);

    // What was found, and why not the others.
    let root = cluster.path("root");
    std::fs::create_dir_all(root.join("sys/class/dmi/id")).unwrap();
    put(&root.join("sys/class/dmi/id/product_name"), "Google Compute Engine\n");
    let on_gce =
        |job: Job<'_>| job.set("JOBPASS_ROOT", root.to_str().unwrap()).run(&["doctor", "--platform-only"]);
    let pod = on_gce(cluster.pod()).ok();
    let line = |ran: &Ran, id: &str| {
        let found = ran.stdout.lines().find(|l| l.split_whitespace().nth(1) == Some(id));
        found.unwrap_or_else(|| panic!("{id}: {}", ran.stdout)).to_owned()
    };
    assert!(line(&pod, "kubernetes").starts_with("ok "), "{}", pod.stdout);
    assert!(line(&pod, "gcp").contains("the firmware says `Google Compute Engine`"), "{}", pod.stdout);
    assert!(pod.stdout.contains("but kubernetes comes first"), "{}", pod.stdout);
    let job = on_gce(cluster.job(Platform::GitLabCi)).ok();
    assert!(line(&job, "gitlab").starts_with("ok ") && line(&job, "gcp").starts_with("skipped "));
    assert!(job.stdout.contains("`--join-method gcp`"), "{}", job.stdout);
}
