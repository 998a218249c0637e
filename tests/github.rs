//! GitHub Actions: what later steps get and what the log must never show; and what a login leaves, whatever the platform.

use std::collections::BTreeMap;
use std::path::Path;

use jobpass::platform::Platform::GitHubActions;
use serde_json::Value;

use crate::support::cluster::{Cluster, key_lines, listing};
use crate::support::command::{Ran, put, run};

/// `NAME<<DELIMITER`, lines, `DELIMITER`, as the runner reads its command files.
pub fn heredocs(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((head, after)) = rest.split_once('\n') {
        let (name, delimiter) = head.split_once("<<").unwrap_or_else(|| panic!("no heredoc: {head:?}"));
        let (value, after) = after.split_once(&format!("\n{delimiter}\n")).unwrap();
        found.push((name.to_owned(), value.to_owned()));
        rest = after;
    }
    assert_eq!(rest, "", "the file ends with a newline");
    found
}

fn read(cluster: &Cluster, name: &str) -> String {
    std::fs::read_to_string(cluster.path(name)).unwrap()
}

#[test]
fn later_steps_get_variables_and_no_secret() {
    let cluster = Cluster::any();
    let ran = cluster.job(GitHubActions).login(&[]).ok();
    let dir = cluster.path("temp/jobpass");
    let file = |name: &str| dir.join(name).display().to_string();
    let told = heredocs(&read(&cluster, "GITHUB_ENV"));
    let told: Vec<(&str, &str)> = told.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(
        told,
        [
            ("TELEPORT_PROXY", cluster.proxy().as_str()),
            ("TELEPORT_AUTH_SERVER", &cluster.proxy()),
            ("TELEPORT_IDENTITY_FILE", &file("identity")),
            ("JOBPASS_DIR", dir.to_str().unwrap()),
            ("JOBPASS_SSH_CONFIG", &file("ssh_config")),
        ]
    );
    let outputs: BTreeMap<_, _> = heredocs(&read(&cluster, "GITHUB_OUTPUT")).into_iter().collect();
    for (name, path) in [
        ("destination-dir", dir.display().to_string()),
        ("identity-file", file("identity")),
        ("ssh-config", file("ssh_config")),
        ("certificate-file", file("key-cert.pub")),
        ("key-file", file("key")),
    ] {
        assert_eq!(outputs[name], path);
        assert!(Path::new(&path).exists(), "{path}");
    }
    let left =
        outputs["expires-at"].parse::<jiff::Timestamp>().unwrap().duration_since(jiff::Timestamp::now());
    assert!(left.as_mins() <= 60 && left.as_mins() > 50, "{left}");
    assert_eq!(outputs.len(), 6);
    let summary = read(&cluster, "GITHUB_STEP_SUMMARY");
    assert!(summary.contains("bot-ci") && summary.contains("| deploy, reader |"), "{summary}");

    // There is nothing for the log to mask: nobody is told a secret.
    assert!(!ran.all().contains("add-mask"), "{}", ran.all());
    let keys = key_lines(&dir);
    assert!(keys.len() > 5);
    for name in ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "temp/jobpass/jobpass.json"] {
        let text = read(&cluster, name);
        assert!(!text.contains("eyJ") && keys.iter().all(|line| !text.contains(line)), "{name}");
    }
}

#[test]
fn the_folder_is_private_and_a_second_login_replaces_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::any();
    let dir = cluster.path("temp/jobpass");
    let mut keys = Vec::new();
    let mut files = Vec::new();
    for _ in 0..2 {
        // What the umask of a job lets through does not matter.
        let job = cluster.job(GitHubActions);
        let exe = crate::support::command::binary().display().to_string();
        let command = job.command(&[]);
        let arguments = ["login", "--proxy", &cluster.proxy(), "--token", &job.token].join(" ");
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &format!("umask 0000; exec {exe} {arguments}")]).env_clear();
        shell.envs(command.get_envs().filter_map(|(n, v)| Some((n, v?)))).current_dir(cluster.folder.path());
        Ran::of(&shell.output().unwrap()).ok();
        keys.push(std::fs::read_to_string(dir.join("key")).unwrap());
        assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        files.push(listing(&cluster.path("temp")));
    }
    assert_ne!(keys[0], keys[1]);
    assert_eq!(files[0], files[1]);
    for (file, mode) in &files[1] {
        assert_eq!(*mode, if file == "jobpass" { 0o700 } else { 0o600 }, "{file}");
    }
}

#[test]
fn named_identities_stand_beside_the_plain_one() {
    let cluster = Cluster::any();
    cluster.job(GitHubActions).login(&[]).ok();
    // A new job: its files are empty again.
    cluster.job(GitHubActions).login(&["--name", "deploy-2", "--roles", "ci-deploy"]).ok();
    let names: Vec<String> =
        heredocs(&read(&cluster, "GITHUB_ENV")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "TELEPORT_PROXY_DEPLOY_2",
            "TELEPORT_AUTH_SERVER_DEPLOY_2",
            "TELEPORT_IDENTITY_FILE_DEPLOY_2",
            "JOBPASS_DIR_DEPLOY_2",
            "JOBPASS_SSH_CONFIG_DEPLOY_2"
        ]
    );
    assert!(heredocs(&read(&cluster, "GITHUB_OUTPUT")).iter().any(|(n, _)| n == "deploy-2-ssh-config"));
    assert!(cluster.path("temp/jobpass/key").exists() && cluster.path("temp/jobpass-deploy-2/key").exists());
}

#[test]
fn entries_of_earlier_steps_stay() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let env = cluster.path("GITHUB_ENV");
    put(&env, "EARLIER<<X\nvalue\nX");
    job.login(&[]).ok();
    let told = heredocs(&read(&cluster, "GITHUB_ENV"));
    assert_eq!(told[0], ("EARLIER".to_owned(), "value".to_owned()));
    assert_eq!(told.len(), 6);
}

#[test]
fn several_outputs_of_different_roles_in_one_login() {
    let cluster = Cluster::any();
    let elsewhere = cluster.path("elsewhere").display().to_string();
    let second = format!("ssh,name=b,roles=ci-deploy,dir={elsewhere}");
    let job = cluster.job(GitHubActions);
    let ran = job.login(&["--output", "ssh,name=a,roles=ci-read", "--output", &second, "--json"]).ok();
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    for (index, dir, role, login) in
        [(0, "temp/jobpass", "ci-read", "reader"), (1, "elsewhere", "ci-deploy", "deploy")]
    {
        let dir = cluster.path(dir);
        let output = &report["outputs"][index];
        assert_eq!(output["dir"], dir.to_str().unwrap());
        assert_eq!((&output["roles"], &output["logins"]), (&[role].into(), &[login].into()));
        let seen = run("ssh-keygen", &["-L", "-f", dir.join("key-cert.pub").to_str().unwrap()]).ok().stdout;
        assert!(seen.contains(&format!(" {login}\n")), "{seen}");
        let other = if login == "deploy" { "reader" } else { "deploy" };
        assert!(!seen.contains(&format!(" {other}\n")), "{seen}");
        assert!(dir.join("jobpass.json").exists());
    }
    let told = heredocs(&read(&cluster, "GITHUB_ENV"));
    let told: BTreeMap<_, _> = told.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(told["JOBPASS_DIR"], cluster.path("temp/jobpass").to_str().unwrap());
    assert_eq!(told["JOBPASS_DIR_B"], elsewhere);

    // Without folders of their own they share one, a subfolder each.
    let both = ["--output", "ssh,name=a,roles=ci-read", "--output", "ssh,name=b,roles=ci-deploy"];
    cluster.job(GitHubActions).login(&both).ok();
    for file in ["a/key", "b/key", "jobpass.json"] {
        assert!(cluster.path("temp/jobpass").join(file).exists(), "{file}");
    }
    assert!(!cluster.path("temp/jobpass/key").exists());
}

#[test]
fn the_report_is_json_and_all_there_is_on_standard_output() {
    let cluster = Cluster::any();
    let ran = cluster.job(GitHubActions).login(&["--json", "--ttl", "30m"]).ok();
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let fields: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "jobpass",
            "user",
            "bot",
            "cluster",
            "proxy",
            "server_version",
            "platform",
            "join_method",
            "issued_at",
            "valid_until",
            "dry_run",
            "dir",
            "files",
            "outputs"
        ]
    );
    for (field, want) in [
        ("user", "bot-ci"),
        ("bot", "ci"),
        ("cluster", "sandbox.example"),
        ("platform", "github"),
        ("join_method", "github"),
        ("server_version", "18.11.0"),
    ] {
        assert_eq!(report[field], want, "{field}");
    }
    assert_eq!(report["dry_run"], false);
    let time = |field: &str| report[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let life = time("valid_until").duration_since(time("issued_at")).as_mins();
    assert!((28..=31).contains(&life), "{life}");
    let dir = cluster.path("temp/jobpass");
    let there: Vec<String> = listing(&dir).into_iter().map(|(file, _)| file).collect();
    assert_eq!(report["files"], serde_json::json!(there), "the report lists the files that are there");
    let manifest = std::fs::read_to_string(dir.join("jobpass.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&manifest).unwrap();
    let asked = manifest.as_object_mut().unwrap().remove("asked").unwrap();
    assert!(asked["flags"].as_array().unwrap().contains(&"--ttl=1800".into()), "{asked}");
    assert_eq!(manifest, report, "all else is what it says on standard output");

    // A failure too.
    let failed = cluster.job(GitHubActions).login(&["--json", "--roles", "editor"]);
    let error: Value = serde_json::from_str(&failed.stdout).unwrap();
    assert_eq!((failed.code, &error["error"]["exit_code"]), (4, &4.into()));
    assert!(error["error"]["hints"][0].as_str().unwrap().contains("tctl bots update ci"), "{error}");
}
