//! What a machine of AWS lacks, and how it is told.

use jobpass::cloud::Cloud;
use jobpass::sandbox::{SandboxOptions, Simulated};
use serde_json::json;

use super::{fails, run_fails, shows};
use crate::aws::without_keys;
use crate::support::aws::{self, Instance, Keys};
use crate::support::cluster::{Cluster, Job};
use crate::support::command::put;
use crate::support::metadata::{Service, Told};

const IAM: [&str; 2] = ["--join-method", "iam"];

fn cluster() -> Cluster {
    Cluster::start(SandboxOptions::admitting([Simulated::machine(Cloud::Aws).unwrap()]))
}

/// As a person sees it: ports change from run to run.
fn fails_at(name: &str, exit: i32, cluster: &Cluster, job: &Job<'_>, service: &Service) {
    let mut ran = job.login(&IAM);
    ran.stderr = ran.stderr.replace(service.url().trim_start_matches("http://"), "[SERVICE]");
    shows(name, exit, cluster, &ran);
}

#[test]
fn an_instance_that_gives_none() {
    let cluster = cluster();
    let keys = Keys::of(&cluster.machine(Cloud::Aws).variables);
    for (name, state) in [
        ("aws-hop-limit", Instance::HopLimit),
        ("aws-metadata-disabled", Instance::Disabled),
        ("aws-no-role", Instance::NoRole),
        ("aws-no-trust", Instance::NoTrust),
        ("aws-expired", Instance::Expired),
        ("aws-session-stripped", Instance::Stripped),
        ("aws-portal", Instance::Portal),
        ("aws-redirect", Instance::Redirect),
    ] {
        let service = aws::instance(&keys, state);
        let job = without_keys(&cluster, cluster.machine(Cloud::Aws)).unset("AWS_EC2_METADATA_DISABLED");
        let job = job.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &service.url()).set("AWS_REGION", "us-east-1");
        fails_at(name, 3, &cluster, &job, &service);
    }
}

#[test]
fn a_machine_of_another_kind() {
    let cluster = cluster();
    let bare = || without_keys(&cluster, cluster.machine(Cloud::Aws));
    fails("aws-nowhere", 3, &cluster, &bare(), &IAM);
    let dead = super::DeadPort::new();
    let job = bare().unset("AWS_EC2_METADATA_DISABLED").set("AWS_REGION", "us-east-1");
    let job = job.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &format!("http://{}", dead.address()));
    let mut ran = job.login(&IAM);
    ran.stderr = ran.stderr.replace(dead.address().as_str(), "[SERVICE]");
    shows("aws-nothing-answers", 3, &cluster, &ran);
    let outside = bare()
        .unset("AWS_EC2_METADATA_DISABLED")
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.1");
    fails("aws-foreign-metadata", 3, &cluster, &outside.set("AWS_REGION", "us-east-1"), &IAM);
}

#[test]
fn a_container_that_gets_none() {
    let cluster = cluster();
    let keys = Keys::of(&cluster.machine(Cloud::Aws).variables);
    let service = aws::container(&keys, "the-right-token");
    let bare = |path: &str| {
        let job = without_keys(&cluster, cluster.machine(Cloud::Aws)).set("AWS_REGION", "us-east-1");
        job.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{}{path}", service.url()))
    };
    let wrong = bare("/v1/credentials").set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "an0ther-t0ken");
    fails_at("aws-pod-identity-refused", 3, &cluster, &wrong, &service);
    fails_at("aws-container-no-role", 3, &cluster, &bare("/v2/nothing"), &service);
    let missing = bare("/v1/credentials").set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "no/such/file");
    fails_at("aws-pod-identity-no-file", 3, &cluster, &missing, &service);
}

#[test]
fn keys_of_no_use() {
    let cluster = cluster();
    let machine = || cluster.machine(Cloud::Aws);
    fails("aws-half", 3, &cluster, &machine().unset("AWS_SECRET_ACCESS_KEY"), &IAM);
    fails("aws-masked", 3, &cluster, &machine().set("AWS_SECRET_ACCESS_KEY", "***"), &IAM);
    let old = machine().set("AWS_CREDENTIAL_EXPIRATION", "2026-01-02T03:04:05Z");
    fails("aws-variables-expired", 3, &cluster, &old, &IAM);
    fails("aws-region", 2, &cluster, &machine().set("AWS_REGION", "Frankfurt"), &IAM);
    fails("aws-profile-missing", 3, &cluster, &machine().set("AWS_PROFILE", "nope"), &IAM);
    let config = cluster.path("config");
    put(
        &config,
        "[profile sso]\nsso_session = x\n[profile run]\ncredential_process = /bin/x\n[profile alone]\nrole_arn = arn\n\
         [profile mfa]\nrole_arn = arn\nmfa_serial = arn\nsource_profile = keys\n[profile keys]\naws_access_key_id = AKIA\n\
         aws_secret_access_key = abc\n[profile loop]\nrole_arn = a\nsource_profile = loop2\n[profile loop2]\nrole_arn = a\n\
         source_profile = loop\n",
    );
    for profile in ["sso", "run", "alone", "mfa", "loop"] {
        let job =
            without_keys(&cluster, machine()).set("AWS_REGION", "us-east-1").set("AWS_PROFILE", profile);
        let job = job.set("AWS_CONFIG_FILE", &config.display().to_string());
        fails(&format!("aws-profile-{profile}"), 3, &cluster, &job, &IAM);
    }
}

#[test]
fn a_role_that_sts_refuses() {
    let cluster = cluster();
    let keys = Keys::of(&cluster.machine(Cloud::Aws).variables);
    let file = cluster.path("jwt");
    put(&file, "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJvdGhlciJ9.c2lnbmF0dXJl");
    let job = |sts: &Service| {
        let job = without_keys(&cluster, cluster.machine(Cloud::Aws)).set("AWS_REGION", "us-east-1");
        let job = job.set("AWS_WEB_IDENTITY_TOKEN_FILE", &file.display().to_string());
        job.set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci").set("AWS_ENDPOINT_URL_STS", &sts.url())
    };
    let sts = aws::sts(&keys, "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl");
    fails("aws-web-identity-refused", 3, &cluster, &job(&sts), &IAM);
    let portal = Service::start(|_| Told::text("<html>Please sign in</html>"));
    fails("aws-sts-portal", 3, &cluster, &job(&portal), &IAM);
    fails("aws-web-identity-half", 3, &cluster, &job(&sts).unset("AWS_ROLE_ARN"), &IAM);
    put(&file, "not a token");
    fails("aws-web-identity-no-token", 3, &cluster, &job(&sts), &IAM);
}

#[test]
fn a_cluster_that_refuses() {
    let with = |change: fn(&mut SandboxOptions)| {
        let mut options = SandboxOptions::admitting([Simulated::machine(Cloud::Aws).unwrap()]);
        change(&mut options);
        Cluster::start(options)
    };
    let other = with(|o| {
        o.tokens[0].spec = json!({"allow": [{"aws_arn": "arn:aws:iam::123456789012:role/ci-runner"}]});
    });
    fails("aws-refused-by-rule", 4, &other, &other.machine(Cloud::Aws), &IAM);
    let well = cluster();
    let forged = well.machine(Cloud::Aws).set("AWS_SECRET_ACCESS_KEY", "not-the-right-one");
    fails("aws-refused-by-aws", 4, &well, &forged, &IAM);
    let unknown = well.machine(Cloud::Aws).set("AWS_REGION", "xx-nowhere-1");
    fails("aws-region-unknown-to-the-server", 4, &well, &unknown, &IAM);
    let github = Cluster::any();
    let job = Job { token: "ci-github".into(), ..github.machine(Cloud::Aws) };
    fails("aws-token-of-another-method", 4, &github, &job, &IAM);
    let none = with(|o| (o.join_new, o.join_old) = (false, false));
    fails("aws-not-served", 5, &none, &none.machine(Cloud::Aws), &IAM);
}

#[test]
fn words_that_do_not_fit() {
    let cluster = cluster();
    let machine = || cluster.machine(Cloud::Aws).set("T", "a.b.c");
    fails("aws-with-id-token", 2, &cluster, &machine(), &["--join-method", "iam", "--id-token-env", "T"]);
    fails("aws-with-audience", 2, &cluster, &machine(), &["--join-method", "iam", "--audience", "a"]);
    // The server names the method; a token is all there is.
    let jwt = machine().set("T", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl");
    fails("aws-token-only", 4, &cluster, &jwt, &["--id-token-env", "T"]);
    let explain = ["explain", "--join-method", "iam", "--id-token-env", "T"];
    run_fails("aws-explain-with-id-token", 2, &cluster, &machine(), &explain);
}
