//! Azure Pipelines: the request for a token, commands in the log, its temp folder.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jobpass::platform::Platform::AzureDevOps;
use jobpass::sandbox::SandboxOptions;

use crate::support::cluster::{Cluster, key_lines};

/// Variables that the agent takes from a log, as azure-pipelines-agent reads its commands.
fn variables(log: &str) -> BTreeMap<&str, String> {
    let commands = log.lines().filter_map(|line| line.strip_prefix("##vso[task.setvariable variable="));
    commands
        .map(|command| {
            let (name, value) = command.split_once(']').unwrap();
            (name, value.replace("%0D", "\r").replace("%0A", "\n").replace("%AZP25", "%"))
        })
        .collect()
}

#[test]
fn later_steps_get_variables_by_commands_in_the_log() {
    let cluster = Cluster::any();
    let ran = cluster.job(AzureDevOps).login(&[]).ok();
    let told = variables(&ran.stdout);
    let page = ran.stdout.lines().find_map(|line| line.strip_prefix("##vso[task.uploadsummary]")).unwrap();
    assert_eq!(ran.stdout.lines().count(), told.len() + 1, "nothing else is in it: {}", ran.stdout);
    let dir = cluster.path("temp/jobpass");
    // Later jobs read outputs of a step that has a name.
    assert_eq!(told["destination-dir;isOutput=true"], dir.display().to_string());
    // Who, what, until when; in the folder that the agent empties.
    let text = std::fs::read_to_string(page).unwrap();
    assert!(text.contains("bot-ci") && text.contains("| valid until |") && text.contains("Z |"), "{text}");
    assert_eq!(Path::new(page).parent(), Some(&*cluster.path("temp")));
    let mode = std::fs::metadata(page).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(told["TELEPORT_PROXY"], cluster.proxy());
    assert_eq!(told["JOBPASS_DIR"], dir.display().to_string());
    assert!(Path::new(&told["TELEPORT_IDENTITY_FILE"]).exists());
    assert!(key_lines(&dir).len() > 5);

    // Where standard output is the report, they have no place there.
    let ran = cluster.job(AzureDevOps).login(&["--json"]).ok();
    serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap();
    assert!(ran.stderr.contains("take the paths from the report"), "{}", ran.stderr);
    let asked = cluster.job(AzureDevOps).login(&["--json", "--export", "azure_devops"]);
    assert_eq!(asked.code, 2, "{}", asked.all());
    let none = cluster.job(AzureDevOps).login(&["--export", "none"]).ok();
    assert_eq!(none.stdout, "");
}

#[test]
fn a_folder_with_a_percent_sign_comes_back() {
    let cluster = Cluster::any();
    let odd = cluster.path("a%0Ab ]c;d");
    let ran = cluster.job(AzureDevOps).login(&["--dir", odd.to_str().unwrap()]).ok();
    assert_eq!(variables(&ran.stdout)["JOBPASS_DIR"], odd.display().to_string());
}

#[test]
fn the_token_is_asked_for_by_post() {
    let cluster = Cluster::any();
    let job = cluster.job(AzureDevOps);
    job.login(&[]).ok();
    let paths: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
    assert!(paths.iter().any(|path| path == "/_ci/azure_devops/token?api-version=7.1"), "{paths:?}");
    let stranger = job.unset("SYSTEM_ACCESSTOKEN").set("SYSTEM_ACCESSTOKEN", "a-token-of-another-job");
    let ran = stranger.login(&[]);
    assert_eq!(ran.code, 3, "{}", ran.all());
    assert!(ran.stderr.contains("HTTP 401"), "{}", ran.stderr);
}

/// A refusal stands out on the run's page, its details are folded, and no claim gives a command.
#[test]
fn errors_are_issues_of_the_log() {
    let mut options = SandboxOptions::simulating(Some(AzureDevOps));
    options.branch = Some("other]##vso[task.setvariable variable=PATH]/x".to_owned());
    let cluster = Cluster::start(options);
    let ran = cluster.job(AzureDevOps).login(&[]);
    assert_eq!(ran.code, 4, "{}", ran.all());
    let issues: Vec<&str> =
        ran.stderr.lines().filter(|l| l.starts_with("##vso[task.logissue type=error]")).collect();
    assert_eq!(issues.len(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("##[group]") && ran.stderr.contains("##[endgroup]"), "{}", ran.stderr);
    assert!(!ran.all().contains("##vso[task.setvariable"), "{}", ran.all());
}
