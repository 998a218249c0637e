//! Several outputs of all kinds in one run: what is asked for, when, and what becomes of those that are refused.

use jobpass::platform::Platform;
use jobpass::sandbox::fault_injection::{CertificateKind, FaultInjection, Flaw, RefusedCall};
use jobpass::sandbox::{SandboxApp, SandboxDatabase, SandboxKubeCluster, SandboxOptions, SandboxRole};
use serde_json::{Value, json};

use crate::support::cluster::{Cluster, listing};

const CAS: &str = "/GetCertAuthorities";
const CERTS: &str = "/GenerateUserCerts";
const LIST: &str = "/ListResources";

/// A cluster with two kubernetes clusters, a database, two applications and a leaf.
pub fn options() -> SandboxOptions {
    let kube = |name: &str, env: &str| SandboxKubeCluster {
        name: name.into(),
        labels: vec![("env".into(), env.into())],
    };
    let app = |name: &str, uri: &str| SandboxApp {
        name: name.into(),
        public_addr: format!("{name}.sandbox.example"),
        uri: uri.into(),
    };
    SandboxOptions {
        leaves: vec!["leaf.example".into()],
        kube_clusters: vec![kube("prod", "prod"), kube("dev", "dev")],
        databases: vec![SandboxDatabase { name: "pg".into(), protocol: "postgres".into() }],
        apps: vec![app("grafana", "http://10.0.0.1:3000"), app("broker", "tcp://10.0.0.2:1883")],
        ..SandboxOptions::simulating(None)
    }
}

const ALL: &[&str] = &[
    "--output",
    "ssh,roles=ci-deploy",
    "--output",
    "kube=prod,roles=ci-read",
    "--output",
    "kube=*,name=all",
    "--output",
    "kube=env:dev,name=labeled",
    "--output",
    "database=pg,user=ci,database-name=app",
    "--output",
    "app=grafana,roles=ci-read",
    "--output",
    "app=broker,target-port=1883",
];

#[test]
fn each_output_has_its_routes_and_roles() {
    for version in ["18.2.0", "15.4.0"] {
        let cluster = Cluster::start(SandboxOptions { version: version.into(), ..options() });
        let ran = cluster.job(Platform::GitHubActions).login(&[ALL, &["--json"]].concat()).ok();
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let outputs = report["outputs"].as_array().unwrap();
        let seen: Vec<Value> = outputs
            .iter()
            .map(|output| {
                let mut routes = output["routes"].clone();
                for route in routes.as_array_mut().into_iter().flatten() {
                    assert!(route.as_object_mut().unwrap().remove("valid_until").is_some());
                }
                json!([output["name"], output["kind"], output["roles"], routes])
            })
            .collect();
        let both = ["ci-deploy", "ci-read"];
        let app = |name: &str, uri: &str| json!({ "app": name, "public_addr": format!("{name}.sandbox.example"), "uri": uri });
        let mut broker = app("broker", "tcp://10.0.0.2:1883");
        broker["target_port"] = 1883.into();
        let pg = json!({ "database": "pg", "protocol": "postgres", "database_user": "ci", "database_name": "app" });
        let wanted = [
            json!(["ssh", "ssh", ["ci-deploy"], null]),
            json!(["kube-prod", "kube", ["ci-read"], [{ "kube_cluster": "prod" }]]),
            json!(["all", "kube", both, [{ "kube_cluster": "dev" }, { "kube_cluster": "prod" }]]),
            json!(["labeled", "kube", both, [{ "kube_cluster": "dev" }]]),
            json!(["database-pg", "database", both, [pg]]),
            json!(["app-grafana", "app", ["ci-read"], [app("grafana", "http://10.0.0.1:3000")]]),
            json!(["app-broker", "app", both, [broker]]),
        ];
        assert_eq!(seen, wanted, "{version}");
    }
}

/// Nothing but what needs the answer waits for it: roles, then certificates, then names, then the certificates for those.
#[test]
fn looking_up_takes_two_flights_and_one_connection_a_set_of_roles() {
    let start = ["/webapi/ping", "/teleport.join.v1.JoinService/Join", "/_ci/github/token"];
    let roles = ["/GetRole", CAS, CAS, CAS];
    // ssh has two certificates; two sets of roles look around: all, and ci-read alone.
    let first = [CERTS; 2 + 1 + 2];
    let names = [LIST; 5];
    let second = [CERTS; 2 + 1 + 1 + 1 + 1];
    let groups = [&start[..], &roles, &first, &names, &second];
    let answer_together = groups.iter().map(|g| g.iter().map(|&p| p.to_owned()).collect()).collect();
    let inject = FaultInjection { answer_together, ..FaultInjection::default() };
    let cluster = Cluster::start(SandboxOptions { inject, ..options() });
    let ran = cluster.job(Platform::GitHubActions).login(&[ALL, &["-v", "--timeout", "30s"]].concat()).ok();
    // The CI's endpoint, the web page, the join, the bot, one for each of the three sets of roles, which verifies as well, and a look
    // at where kubectl goes.
    assert!(ran.stderr.contains("  8 TCP connections · "), "{}", ran.stderr);

    let cluster = Cluster::start(options());
    let ran = cluster.job(Platform::GitHubActions).login(&[ALL, &["-v", "--no-verify"]].concat()).ok();
    assert!(ran.stderr.contains("  7 TCP connections · "), "{}", ran.stderr);
    let named = ["--output", "kube=prod", "--output", "database=pg,protocol=postgres", "-v", "--no-verify"];
    let ran = cluster.job(Platform::GitHubActions).login(&named).ok();
    assert!(ran.stderr.contains("  5 TCP connections · "), "{}", ran.stderr);
}

#[test]
fn twenty_outputs_take_no_more_round_trips_than_three() {
    const MFA: &str = "/IsMFARequired";
    let three: Vec<String> = ["kube=*", "database=pg,user=ci", "app=grafana"].map(str::to_owned).to_vec();
    let numbered = |what: &str| (1..=5).map(|n| format!("{what}{n}")).collect::<Vec<_>>();
    let mut twenty = numbered("ssh,name=s");
    twenty.extend(numbered("kube=prod,name=k").into_iter().take(4));
    twenty.push("kube=*,name=all".to_owned());
    twenty.extend(numbered("database=pg,user=ci,name=d"));
    twenty.extend(numbered("app=grafana,name=a"));
    assert_eq!(twenty.len(), 20);
    // What is named needs no look, ssh has two certificates, and one more is for looking; a certificate for each cluster of `kube=*`. Each
    // of the five flights behind the join is answered only once all of it has come.
    for (outputs, first, names, second, uses) in
        [(three, 1, 3, 4, 4), (twenty, 5 * 2 + 4 + 1, 1 + 5 + 5, 2 + 5 + 5, 4 + 2 + 5 + 5)]
    {
        let groups = [
            vec!["/webapi/ping", "/teleport.join.v1.JoinService/Join", "/_ci/github/token"],
            vec!["/GetRole", CAS, CAS, CAS],
            vec![CERTS; first],
            vec![LIST; names],
            vec![CERTS; second],
            [vec!["/GetCurrentUserRoles"], vec![MFA; uses]].concat(),
        ];
        let answer_together = groups.iter().map(|g| g.iter().map(|&p| p.to_owned()).collect()).collect();
        let inject = FaultInjection { answer_together, ..FaultInjection::default() };
        let cluster = Cluster::start(SandboxOptions { inject, ..options() });
        let mut arguments = vec!["-v", "--timeout", "60s"];
        arguments.extend(outputs.iter().flat_map(|output| ["--output", output]));
        let ran = cluster.job(Platform::GitHubActions).login(&arguments).ok();
        // The CI's endpoint, the web page, the join, the bot, one that looks around and verifies, and one to the proxy's place for kubectl.
        assert!(ran.stderr.contains("  6 TCP connections · "), "{}: {}", outputs.len(), ran.stderr);
    }
}

#[test]
fn a_certificate_for_something_else_is_not_taken() {
    for (output, place) in [
        ("kube=prod", "the kubernetes cluster `prod-other`"),
        ("database=pg,user=ci,database-name=app", "the database `pg` (user `ci`, name `app-other`)"),
        ("app=grafana", "the application `grafana-other` at `grafana.sandbox.example`"),
        ("ssh", "the kubernetes cluster `other`"),
    ] {
        let wrong_certificates = vec![(CertificateKind::Tls, Flaw::ForeignRoute)];
        let inject = FaultInjection { wrong_certificates, ..FaultInjection::default() };
        let cluster = Cluster::start(SandboxOptions { inject, ..options() });
        let ran = cluster.job(Platform::GitHubActions).login(&["--output", output]);
        assert_eq!(ran.code, 4, "{output}: {}", ran.all());
        let wanted = format!("is not what was asked for: it is for {place}");
        assert!(ran.stderr.replace("\n       ", " ").contains(&wanted), "{output}: {}", ran.stderr);
        assert!(listing(&cluster.path("temp")).is_empty(), "{output}");
    }
}

#[test]
fn what_is_refused_stops_all_unless_the_others_are_wanted() {
    let cluster = Cluster::start(options());
    let outputs = ["--output", "ssh", "--output", "kube=prdo", "--output", "database=pg"];
    let job = cluster.job(Platform::GitHubActions);
    let ran = job.login(&outputs);
    assert_eq!(ran.code, 4, "{}", ran.all());
    assert!(listing(&cluster.path("temp")).is_empty());
    assert_eq!(std::fs::read_to_string(cluster.path("GITHUB_ENV")).unwrap(), "");

    let ran = job.login(&[&outputs[..], &["--keep-going", "--json"]].concat());
    assert_eq!(ran.code, 4, "{}", ran.all());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let names: Vec<&str> =
        report["outputs"].as_array().unwrap().iter().map(|o| o["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ssh", "database-pg"]);
    let refused = &report["refused"];
    assert_eq!(refused[0]["name"], "kube-prdo");
    assert_eq!(refused[0]["hints"][0], "did you mean `prod`?");
    assert_eq!(refused.as_array().unwrap().len(), 1);
    for text in
        ["without kube-prdo", "error: there is no kubernetes cluster `prdo`", "hint: did you mean `prod`?"]
    {
        assert!(ran.stderr.contains(text), "{text} is not in {}", ran.stderr);
    }
    let dir = report["dir"].as_str().unwrap();
    assert!(std::path::Path::new(dir).join("ssh/key").is_file());
    assert!(std::fs::read_to_string(cluster.path("GITHUB_ENV")).unwrap().contains("TELEPORT_IDENTITY_FILE"));
    let summary = std::fs::read_to_string(cluster.path("GITHUB_STEP_SUMMARY")).unwrap();
    assert!(summary.contains("Output <code>kube-prdo</code> is missing"), "{summary}");

    // A shell that evaluates the lines has the variables and the failure.
    let ran = job.login(&[&outputs[..], &["--keep-going", "--export", "shell"]].concat());
    assert!(ran.stdout.contains("TELEPORT_IDENTITY_FILE"), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("(exit 4)\n"), "{}", ran.stdout);

    // Nothing is left to go on with.
    let ran = job.login(&["--output", "kube=prdo", "--output", "app=grafan", "--keep-going"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{}", ran.all());
    assert!(ran.stderr.starts_with("::error"), "{}", ran.stderr);

    // What is not about one output ends the run all the same.
    let refuse = RefusedCall { method: "GetCertAuthorities".into(), code: 7, message: "no".into() };
    let inject = FaultInjection { refuse_calls: vec![refuse], ..FaultInjection::default() };
    let cluster = Cluster::start(SandboxOptions { inject, ..options() });
    let ran = cluster.job(Platform::GitLabCi).login(&["--keep-going"]);
    assert_ne!(ran.code, 0, "{}", ran.all());
}

#[test]
fn a_folder_of_its_own_stays_as_it_was_when_its_output_is_refused() {
    let cluster = Cluster::start(options());
    let job = cluster.job(Platform::GitHubActions);
    let own = cluster.path("own");
    let output = |kube: &str| format!("kube={kube},dir={}", own.display());
    job.login(&["--output", "ssh", "--output", &output("prod")]).ok();
    let before = listing(&own);
    let ran = job.login(&["--output", "ssh", "--output", &output("nope"), "--keep-going"]);
    assert_eq!(ran.code, 4, "{}", ran.all());
    assert_eq!(listing(&own), before);
}

#[test]
fn second_factors_of_resources_are_told() {
    let whole = SandboxOptions { require_session_mfa: true, ..options() };
    let cluster = Cluster::start(whole);
    let job = cluster.job(Platform::GitHubActions);
    for (output, place) in [
        ("kube=prod", "the kubernetes cluster `prod`"),
        ("database=pg,user=ci", "the database `pg` (user `ci`)"),
        ("app=grafana", "the application `grafana` at `grafana.sandbox.example`"),
    ] {
        let ran = job.login(&["--output", output]);
        assert_eq!(ran.code, 4, "{output}: {}", ran.all());
        let wanted = format!("error: {place} requires per-session MFA, which no bot can provide");
        assert!(ran.stderr.replace("\n       ", " ").contains(&wanted), "{wanted}: {}", ran.stderr);
        assert!(listing(&cluster.path("temp")).is_empty(), "{output}");
    }
    job.login(&["--output", "kube=prod", "--no-verify"]).ok();
    // The others go on without it; the end that is told is theirs.
    let ran = job.login(&["--output", "ssh", "--output", "kube=prod", "--keep-going", "--json"]);
    assert_eq!(ran.code, 4, "{}", ran.all());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["outputs"].as_array().unwrap().len(), 1);
    assert_eq!(report["refused"][0]["name"], "kube-prod");

    // A role that demands it keeps out the outputs that have the role, and no others.
    let mut options = options();
    let mfa = SandboxRole { name: "strict".into(), require_mfa_type: 1, ..SandboxRole::default() };
    options.roles.push(mfa);
    let cluster = Cluster::start(options);
    let outputs = ["--output", "ssh,roles=ci-read", "--output", "app=grafana,roles=strict"];
    let ran =
        cluster.job(Platform::GitHubActions).login(&[&outputs[..], &["--keep-going", "--json"]].concat());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["outputs"][0]["name"], "ssh");
    assert_eq!(report["refused"][0]["name"], "app-grafana");
    let message = report["refused"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("the role `strict` requires per-session MFA"), "{message}");

    // `--target` is about nodes: outputs without ssh are not asked about it, and without any it would guard nothing.
    let cluster = Cluster::start(self::options());
    let job = cluster.job(Platform::GitHubActions);
    let guards = ["--target", "deploy@node1", "--require-login", "deploy"];
    job.login(&[&["--output", "ssh", "--output", "kube=prod"], &guards[..]].concat()).ok();
}
