//! `--join-method iam`: each place of AWS credentials, both ways to join, doctor and explain.

use jobpass::cloud::Cloud;
use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxOptions, Simulated};
use serde_json::{Value, json};

use crate::support::aws::{self, Instance, Keys};
use crate::support::cluster::{Cluster, Job};
use crate::support::command::put;
use crate::support::metadata::{Service, Told};

fn aws_machine() -> Simulated {
    Simulated::machine(Cloud::Aws).unwrap()
}

/// Not a good one, for anyone.
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl";

fn cluster() -> Cluster {
    Cluster::start(SandboxOptions::admitting([aws_machine()]))
}

/// A machine whose variables have no keys and no region, with a home of its own.
pub fn without_keys<'a>(cluster: &'a Cluster, job: Job<'a>) -> Job<'a> {
    let home = cluster.path("home");
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_ENDPOINT_URL_STS",
    ];
    names.into_iter().fold(job, Job::unset).set("HOME", &home.display().to_string())
}

fn login(job: &Job<'_>) -> crate::support::command::Ran {
    job.login(&["--join-method", "iam", "-v", "--dir", "out"])
}

/// Every source's keys are those that the sandbox knows: a login shows that they arrive whole.
#[test]
fn each_place_of_credentials_is_found() {
    let cluster = cluster();
    let given = cluster.machine(Cloud::Aws);
    let keys = Keys::of(&given.variables);
    let machine = || without_keys(&cluster, cluster.machine(Cloud::Aws));
    let (file, pod, config) = (cluster.path("jwt"), cluster.path("pod"), cluster.path("config"));
    put(&file, format!("{JWT}\n"));
    put(&pod, "p0d-t0ken\n");
    let shared = cluster.path("home/.aws/credentials");
    std::fs::create_dir_all(shared.parent().unwrap()).unwrap();
    let Keys { id, secret, token } = &keys;
    put(
        &config,
        "[profile ci]\nregion = us-west-2\nrole_arn = arn:aws:iam::123456789012:role/ci\nsource_profile = base\n\
         [profile web]\nrole_arn = arn:aws:iam::123456789012:role/ci\nweb_identity_token_file = JWT\nregion = eu-west-1\n"
            .replace("JWT", &file.display().to_string()),
    );
    put(
        &shared,
        format!(
            "[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n\
             [base]\naws_access_key_id = AKIABASE\naws_secret_access_key = base-secret\n"
        ),
    );
    let (sts, pods) = (aws::sts(&keys, JWT), aws::container(&keys, "p0d-t0ken"));
    let (instance, busy) = (aws::instance(&keys, Instance::Well), aws::instance(&keys, Instance::Busy));
    let slow = aws::instance(&keys, Instance::Slow);
    let nothing = cluster.path("nothing");
    put(&nothing, "");
    // No shared file counts.
    let bare = || {
        let none = nothing.display().to_string();
        machine().set("AWS_CONFIG_FILE", &none).set("AWS_SHARED_CREDENTIALS_FILE", &none)
    };
    let imds = |job: Job<'_>, service: &Service| -> Vec<(String, String)> {
        job.unset("AWS_EC2_METADATA_DISABLED")
            .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service.url())
            .variables
    };
    let cases: Vec<(Vec<(String, String)>, &str)> = vec![
        (given.variables.clone(), "variables, for us-east-1"),
        (machine().set("AWS_REGION", "us-west-1").variables, "the profile `default`, for us-west-1"),
        (machine().set("AWS_DEFAULT_REGION", "us-west-1").variables, "the profile `default`, for us-west-1"),
        (
            machine()
                .set("AWS_PROFILE", "ci")
                .set("AWS_CONFIG_FILE", &config.display().to_string())
                .set("AWS_ENDPOINT_URL_STS", &sts.url())
                .variables,
            "the profile `ci`, for us-west-2",
        ),
        (
            machine()
                .set("AWS_PROFILE", "web")
                .set("AWS_CONFIG_FILE", &config.display().to_string())
                .set("AWS_ENDPOINT_URL_STS", &sts.url())
                .variables,
            "the profile `web`, for eu-west-1",
        ),
        (
            bare()
                .set("AWS_WEB_IDENTITY_TOKEN_FILE", &file.display().to_string())
                .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci")
                .set("AWS_REGION", "eu-north-1")
                .set("AWS_ENDPOINT_URL_STS", &sts.url())
                .variables,
            "a role for the token of `AWS_WEB_IDENTITY_TOKEN_FILE`, for eu-north-1",
        ),
        (
            bare()
                .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{}/v1/credentials", pods.url()))
                .set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &pod.display().to_string())
                .set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "another")
                .set("AWS_REGION", "cn-north-1")
                .variables,
            "the container's endpoint, for cn-north-1",
        ),
        (imds(bare(), &instance), "the role of the EC2 instance, for eu-central-1"),
        (imds(bare(), &busy), "the role of the EC2 instance, for eu-central-1"),
        (imds(bare(), &slow), "the role of the EC2 instance, for eu-central-1"),
        (
            machine().set("AWS_USE_FIPS_ENDPOINT", "true").set("AWS_REGION", "eu-central-1").variables,
            "the profile `default`, for us-east-1",
        ),
        (machine().set("AWS_REGION", "us-gov-west-1").variables, "the profile `default`, for us-gov-west-1"),
    ];
    for (variables, place) in cases {
        let job = Job { variables, ..cluster.machine(Cloud::Aws) };
        let ran = login(&job).ok();
        assert!(ran.stderr.contains(&format!("AWS credentials from {place}")), "{place}: {}", ran.stderr);
        for secret in [id, secret, token, "base-secret", "p0d-t0ken", aws::SESSION] {
            assert!(!ran.all().contains(secret), "{place}: a secret is shown");
        }
        std::fs::remove_dir_all(cluster.path("out")).unwrap();
    }
    // Never without a session, and the session's header never elsewhere.
    for asked in instance.asked() {
        assert_eq!(
            asked.path == "/latest/api/token",
            asked.header("x-aws-ec2-metadata-token").is_none(),
            "{asked:?}"
        );
    }
}

/// A name that `NO_PROXY` does not have: only a client that uses no proxy at all gets there.
#[test]
fn metadata_is_asked_past_every_proxy() {
    let cluster = cluster();
    let keys = Keys::of(&cluster.machine(Cloud::Aws).variables);
    let (instance, proxy) = (aws::instance(&keys, Instance::Well), Service::start(|_| Told::status(502)));
    let endpoint = instance.url().replace("127.0.0.1", "localhost");
    let job = without_keys(&cluster, cluster.machine(Cloud::Aws)).unset("AWS_EC2_METADATA_DISABLED");
    let job = job.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint).set("NO_PROXY", "127.0.0.1");
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let job = names.into_iter().fold(job, |job, name| job.set(name, &proxy.url()));
    login(&job).ok();
    assert_eq!(proxy.asked().len(), 0, "{:?}", proxy.asked());
    assert_eq!(instance.asked().len(), 4, "{:?}", instance.asked());
}

#[test]
fn both_ways_lead_in() {
    for (version, path) in [
        ("18.3.0", "/teleport.join.v1.JoinService/Join"),
        ("15.4.0", "/proto.JoinService/RegisterUsingIAMMethod"),
    ] {
        let options =
            SandboxOptions { version: version.into(), ..SandboxOptions::admitting([aws_machine()]) };
        let cluster = Cluster::start(options);
        login(&cluster.machine(Cloud::Aws)).ok();
        let records = cluster.sandbox.records();
        assert!(records.iter().any(|r| r.paths.iter().any(|p| p == path)), "{version}: {records:?}");
    }
}

/// A job on an AWS runner: its log and later steps are the platform's, the proof is the machine's.
#[test]
fn a_job_may_join_as_its_machine() {
    let cluster = cluster();
    let mut job = cluster.job(Platform::GitLabCi);
    job.variables.extend(cluster.machine(Cloud::Aws).variables);
    let job = Job { token: "ci-aws".into(), ..job };
    let ran = job.login(&["--join-method", "iam"]).ok();
    assert!(ran.stderr.contains("\u{1b}[0Ksection") || ran.stderr.contains("GITLAB_ENV"), "{}", ran.stderr);
    let report = cluster.path("GITLAB_ENV");
    assert!(std::fs::read_to_string(report).unwrap().contains("JOBPASS_DIR"));
}

#[test]
fn a_server_that_wants_another_method_is_told() {
    let cluster = Cluster::any();
    let job = Job { token: "ci-github".into(), ..cluster.machine(Cloud::Aws) };
    let words = "the join token `ci-github` is for the method `github`, but this job would use `iam`";
    let ran = login(&job);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.replace("\n       ", " ").contains(words), "{}", ran.stderr);
    // The server learns it too, where nothing went out before it had named the method.
    assert_eq!(job.login(&["--join-method", "iam", "--expect-cluster", "sandbox.example"]).code, 4);
    let gave_up: Vec<_> = cluster.sandbox.records().into_iter().filter_map(|r| r.gave_up).collect();
    assert_eq!(gave_up, [words]);
}

#[test]
fn doctor_says_who_the_machine_is() {
    let cluster = cluster();
    let proxy = cluster.proxy();
    let doctor = |job: &Job<'_>| {
        job.run(&["doctor", "--proxy", &proxy, "--token", "ci-aws", "--join-method", "iam", "--json"])
    };
    let check = |text: &str, name: &str| -> Value {
        let all: Vec<Value> = serde_json::from_str(text).unwrap();
        all.into_iter().find(|c| c["check"] == name).unwrap()
    };
    let ran = doctor(&cluster.machine(Cloud::Aws)).ok();
    let found = check(&ran.stdout, "machine identity");
    assert_eq!(
        found["finding"],
        "`arn:aws:sts::123456789012:assumed-role/ci-runner/i-0123456789abcdef0`, by variables, for us-east-1"
    );
    assert_eq!(check(&ran.stdout, "audience")["state"], "skipped");
    assert!(check(&ran.stdout, "platform")["finding"].as_str().unwrap().contains("`iam`"), "{}", ran.stdout);

    let wrong = doctor(&cluster.machine(Cloud::Aws).set("AWS_SECRET_ACCESS_KEY", "not-the-right-one"));
    let found = check(&wrong.stdout, "machine identity");
    assert_eq!((wrong.code, &found["state"]), (3, &json!("failed")));
    assert!(found["finding"].as_str().unwrap().contains("SignatureDoesNotMatch"), "{found}");
    assert!(found["hints"][0].as_str().unwrap().contains("clock"), "{found}");
}

#[test]
fn explain_asks_aws_who_it_is() {
    let cluster = cluster();
    put(
        &cluster.path("token.yaml"),
        "kind: token\nversion: v2\nmetadata: {name: ci-aws}\nspec:\n  roles: [Bot]\n  join_method: iam\n  bot_name: ci\n  \
         allow:\n    - aws_account: '123456789012'\n      aws_arn: 'arn:aws:iam::123456789012:role/ci-runner'\n",
    );
    let job = cluster.machine(Cloud::Aws);
    let ran = job.run(&["explain", "--join-method", "iam", "token.yaml"]);
    let ran = if ran.code == 2 {
        job.run(&["explain", "--join-method", "iam", "--rules", "token.yaml"])
    } else {
        ran
    };
    assert_eq!(ran.code, 4, "{}", ran.all());
    assert!(ran.stdout.contains("assumed-role/ci-runner/i-0123456789abcdef0"), "{}", ran.stdout);
}
