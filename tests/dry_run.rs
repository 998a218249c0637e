//! `login --dry-run`: the whole pipeline, no cluster, nothing that opens anything.

use jobpass::platform::Platform;
use jobpass::sandbox::Simulated;

use crate::failures::DeadPort;
use crate::github::heredocs;
use crate::support::cluster::listing;
use crate::support::command::{Ran, binary, jobpass, put, run};
use crate::support::schema::check_manifest;

/// Runs with these variables and nothing else but a path and a temp folder.
fn dry(folder: &std::path::Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let base = [("PATH", "/usr/bin:/bin"), ("TMPDIR", folder.to_str().unwrap())];
    let all = [&["login", "--dry-run"], arguments].concat();
    let ran = Ran::of(&jobpass(folder, &all, base.iter().chain(variables).copied()).output().unwrap());
    for (manifest, _) in listing(folder).iter().filter(|(name, _)| name.ends_with("jobpass.json")) {
        check_manifest(&std::fs::read_to_string(folder.join(manifest)).unwrap());
    }
    ran
}

#[test]
fn every_platform_can_be_simulated_behind_a_dead_proxy_and_no_network() {
    let dead = DeadPort::new();
    let proxy = format!("http://{}", dead.address());
    let variables = [("HTTPS_PROXY", proxy.as_str()), ("https_proxy", &proxy), ("ALL_PROXY", &proxy)];
    for simulated in Simulated::all() {
        let folder = tempfile::tempdir().unwrap();
        let ran =
            dry(folder.path(), &variables, &["--simulate", simulated.id(), "--dir", "out", "--ttl", "8h"])
                .ok();
        assert_eq!(ran.stdout, "");
        assert!(
            ran.stderr.contains("DRY-RUN: logged in to sandbox.example as bot-ci · roles "),
            "{}",
            ran.stderr
        );
        let out = folder.path().join("out");
        for file in ["key-cert.pub", "identity", "known_hosts", "jobpass.json"] {
            assert!(out.join(file).exists(), "{file}");
        }
        let seen = run("ssh-keygen", &["-L", "-f", out.join("key-cert.pub").to_str().unwrap()]).ok().stdout;
        assert!(seen.contains("Key ID: \"DRY-RUN bot-ci\""), "{seen}");
        let report: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(out.join("jobpass.json")).unwrap()).unwrap();
        let platform = simulated.platform().map(Platform::id);
        assert_eq!((&report["dry_run"], report["platform"].as_str()), (&true.into(), platform));
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
    for arguments in [&["--simulate", "harness"][..], &["--simulate", "act"]] {
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

/// What a dry run says to try next.
fn next(ran: &Ran) -> Vec<&str> {
    let lines = ran.stderr.lines().skip_while(|line| *line != "try next:").skip(1);
    lines.map(|line| line.split_once(": ").unwrap().1.trim()).collect()
}

#[test]
fn what_it_says_to_try_next_works() {
    for job in Simulated::all() {
        let folder = tempfile::tempdir().unwrap();
        let ran = dry(folder.path(), &[], &["--simulate", job.id(), "--dir", "a b's  `c` $(d)"]).ok();
        assert_eq!(ran.stdout, "");
        let claim = format!("{} job", job.title());
        for part in [&claim, "join token `ci-", "keys, dates, roles", "15 minutes", "their cluster is gone"] {
            assert!(ran.stderr.replace('\n', " ").contains(part), "{part}: {}", ran.stderr);
        }
        assert!(ran.stderr.lines().count() <= 10, "{}", ran.stderr);
        let before = listing(folder.path());
        let commands = next(&ran);
        let starts = [
            ("jobpass inspect ", 0, "dry run           yes"),
            ("jobpass login --dry-run ", 4, "/other"),
            ("jobpass sandbox ", 0, "repository"),
            ("jobpass sandbox ", 0, ""),
            ("rm -r ", 0, ""),
        ];
        assert_eq!(commands.len(), starts.len(), "{commands:?}");
        for (command, (start, code, shows)) in commands.into_iter().zip(starts) {
            assert!(command.starts_with(start), "{command}");
            let path = format!("{}:/usr/bin:/bin", binary().parent().unwrap().display());
            // As printed. A shell with a cluster is one that can log in: it does what it is told on standard input.
            let typed = folder.path().join("typed");
            put(
                &typed,
                "jobpass login -q --dir \"$TMPDIR\"/of-shell && rm -r \"$TMPDIR\"/of-shell || exit 9\n",
            );
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", command]).env_clear().env("PATH", path).env("TMPDIR", folder.path());
            shell.env("JOBPASS_ROOT", "/nonexistent").current_dir("/");
            shell.stdin(std::fs::File::open(&typed).unwrap());
            let seen = Ran::of(&shell.output().unwrap());
            std::fs::remove_file(typed).unwrap();
            assert_eq!(seen.code, code, "{command}: {}", seen.all());
            // Claims differ by platform; those of GitHub are known here.
            if job.id() == "github" || start.starts_with("jobpass inspect") {
                assert!(seen.all().contains(shows), "{command}: {}", seen.all());
            }
            if !start.starts_with("rm") {
                assert_eq!(listing(folder.path()), before, "{command}");
            }
        }
        assert!(listing(folder.path()).is_empty(), "the keys are gone");
    }
}

#[test]
fn what_to_try_next_is_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let quiet = dry(folder.path(), &[], &["--simulate", "github", "-q"]).ok();
    assert_eq!(quiet.all(), "");
    let json = dry(folder.path(), &[], &["--simulate", "github", "--json"]).ok();
    let report: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert!(next(&json)[0].ends_with(report["dir"].as_str().unwrap()), "{}", json.stderr);
    // A job has nobody to try it, and its dry run would need another flag.
    let job = dry(folder.path(), &[("CI", "true")], &["--simulate", "github", "--allow-dry-run-in-ci"]).ok();
    assert!(
        !job.stderr.contains("try next") && job.stderr.contains("  the keys stay until:"),
        "{}",
        job.stderr
    );
    // Each folder that was written, and no other.
    let several =
        ["--simulate", "gitlab", "--dir", "out", "--output", "ssh", "--output", "ssh,name=b,dir=two"];
    let ran = dry(folder.path(), &[], &several).ok();
    let two = folder.path().join("two").display().to_string();
    let commands = next(&ran);
    assert!(commands[0].contains(&two) && commands[4].contains(&two), "{commands:?}");
}

#[test]
fn another_branch_is_refused_as_a_cluster_would() {
    for (platform, claim) in [("github", "refs/heads/other"), ("gitlab", "other")] {
        let folder = tempfile::tempdir().unwrap();
        let other = ["--simulate", platform, "--dir", "out", "--as-branch", "other"];
        let ran = dry(folder.path(), &[], &other);
        assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{}", ran.all());
        for part in [
            "DRY-RUN as branch `other`: join token `ci-",
            "admits branch `main` only",
            "id token claims did not match any allow rules",
            claim,
        ] {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
        }
        assert!(listing(folder.path()).is_empty());
        let json = dry(folder.path(), &[], &[&other[..], &["--json"]].concat());
        let error: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        let ref_ = &error["error"]["refused"]["claims"]["ref"];
        assert_eq!((&error["error"]["exit_code"], ref_), (&4.into(), &claim.into()), "{error}");
        // The variable means the same, and the usual branch changes nothing.
        let variable = dry(folder.path(), &[("JOBPASS_AS_BRANCH", "other")], &other[..4]);
        assert_eq!(variable.code, 4, "{}", variable.all());
        let usual = dry(folder.path(), &[], &[&other[..5], &["main"]].concat()).ok();
        assert!(!usual.stderr.contains("as branch"), "{}", usual.stderr);
    }
}

#[test]
fn a_branch_needs_a_name_a_dry_run_and_a_rule_for_it() {
    let folder = tempfile::tempdir().unwrap();
    for (branch, why) in [
        ("", "it is empty"),
        (" ", "it is empty"),
        ("a b", "not a valid name of a git branch"),
        ("a\n::error::b", "not a valid name of a git branch"),
        ("refs/heads/main", "without `refs/heads/`"),
    ] {
        let ran = dry(folder.path(), &[], &["--simulate", "github", &format!("--as-branch={branch}")]);
        assert_eq!(ran.code, 2, "{}", ran.all());
        assert!(ran.stderr.contains(why), "{branch:?}: {}", ran.stderr);
    }
    for platform in ["circleci", "spacelift"] {
        let ran = dry(folder.path(), &[], &["--simulate", platform, "--as-branch", "other"]);
        assert_eq!(ran.code, 2, "{}", ran.all());
        assert!(
            ran.stderr.contains("looks at the branch") && ran.stderr.contains("github, gitlab, "),
            "{}",
            ran.stderr
        );
    }
    let alone = ["login", "--as-branch", "other", "--proxy", "127.0.0.1:1"];
    let ran = Ran::of(&jobpass(folder.path(), &alone, [("PATH", "/bin")]).output().unwrap());
    assert!(ran.code == 2 && ran.stderr.contains("--dry-run"), "{}", ran.all());
    assert!(listing(folder.path()).is_empty());
}
