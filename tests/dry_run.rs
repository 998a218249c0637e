//! `login --dry-run`: the whole pipeline, no cluster, nothing that opens anything.

use jobpass::platform::Platform;

use crate::failures::DeadPort;
use crate::github::heredocs;
use crate::support::cluster::listing;
use crate::support::command::{Ran, jobpass, put, run};

/// Runs with these variables and nothing else but a path and a temp folder.
fn dry(folder: &std::path::Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let base = [("PATH", "/usr/bin:/bin"), ("TMPDIR", folder.to_str().unwrap())];
    let all = [&["login", "--dry-run"], arguments].concat();
    Ran::of(&jobpass(folder, &all, base.iter().chain(variables).copied()).output().unwrap())
}

#[test]
fn every_platform_can_be_simulated_behind_a_dead_proxy_and_no_network() {
    let dead = DeadPort::new();
    let proxy = format!("http://{}", dead.address());
    let variables = [("HTTPS_PROXY", proxy.as_str()), ("https_proxy", &proxy), ("ALL_PROXY", &proxy)];
    for platform in Platform::ALL {
        let folder = tempfile::tempdir().unwrap();
        let ran =
            dry(folder.path(), &variables, &["--simulate", platform.id(), "--dir", "out", "--ttl", "8h"])
                .ok();
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains("DRY-RUN bot-ci at sandbox.example"), "{}", ran.stderr);
        let out = folder.path().join("out");
        for file in ["key-cert.pub", "identity", "known_hosts", "jobpass.json"] {
            assert!(out.join(file).exists(), "{file}");
        }
        let seen = run("ssh-keygen", &["-L", "-f", out.join("key-cert.pub").to_str().unwrap()]).ok().stdout;
        assert!(seen.contains("Key ID: \"DRY-RUN bot-ci\""), "{seen}");
        let report: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(out.join("jobpass.json")).unwrap()).unwrap();
        assert_eq!((&report["dry_run"], &report["platform"]), (&true.into(), &platform.id().into()));
        let time = |field: &str| report[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let life = time("valid_until").duration_since(time("issued_at"));
        assert!(life.as_secs() <= 15 * 60 && life.as_secs() > 10 * 60, "{life}");
        // The certificates themselves end then.
        let (end, cert) = ((15 * 60 + 60).to_string(), out.join("tlscert").display().to_string());
        let check = ["x509", "-noout", "-checkend", &end, "-in", &cert];
        assert_eq!(run("openssl", &check).code, 1);
    }
}

#[test]
fn a_real_job_must_mean_it() {
    let folder = tempfile::tempdir().unwrap();
    let (env, output) = (folder.path().join("env"), folder.path().join("output"));
    put(&env, "");
    put(&output, "");
    let github = [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("RUNNER_TEMP", folder.path().to_str().unwrap()),
        ("GITHUB_ENV", env.to_str().unwrap()),
        ("GITHUB_OUTPUT", output.to_str().unwrap()),
    ];
    let before = listing(folder.path());
    for variables in [&github[..], &[("CI", "true")], &[("GITLAB_CI", "true")]] {
        let ran = dry(folder.path(), variables, &["--simulate", "github"]);
        assert_eq!(ran.code, 2, "{}", ran.all());
        assert!(ran.stderr.contains("--allow-dry-run-in-ci"), "{}", ran.stderr);
    }
    assert_eq!(listing(folder.path()), before);
    // Then its later steps are told, to be tried with it.
    dry(folder.path(), &github, &["--allow-dry-run-in-ci"]).ok();
    let told = heredocs(&std::fs::read_to_string(env).unwrap());
    let dir = folder.path().join("jobpass").display().to_string();
    assert!(told.contains(&("JOBPASS_DIR".to_owned(), dir)), "{told:?}");
}

#[test]
fn what_it_needs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let ran = dry(folder.path(), &[], &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--simulate github"), "{}", ran.stderr);
    for arguments in [&["--simulate", "jenkins"][..], &["--simulate", "act"]] {
        assert_eq!(dry(folder.path(), &[], arguments).code, 2);
    }
    // Flags that only make sense with it.
    let alone =
        jobpass(folder.path(), &["login", "--simulate", "github"], [("PATH", "/bin")]).output().unwrap();
    assert_eq!(alone.status.code(), Some(2));
    // Its own variables and flags go through it as through a real run.
    let ran =
        dry(folder.path(), &[], &["--simulate", "gitlab", "--token", "mine", "--roles", "ci-read", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.ok().stdout).unwrap();
    assert_eq!(report["outputs"][0]["roles"], serde_json::json!(["ci-read"]));
    let shown = dry(folder.path(), &[], &["--simulate", "spacelift", "--export", "shell"]).ok();
    assert!(shown.stdout.contains("export JOBPASS_DIR=/"), "{}", shown.stdout);
}
