//! What can go wrong on each of the other CI systems: no token, an old one, one for somebody else, a rule that does not fit,
//! a server that lacks the method.

use jobpass::platform::Platform::{
    self, AzureDevOps, Bitbucket, Bitrise, Buildkite, Codefresh, Env0, Forgejo, Jenkins, Semaphore, TeamCity,
    TerraformCloud,
};
use jobpass::rules;
use jobpass::sandbox::SandboxOptions;
use serde_json::{Value, json};

use super::fails;
use crate::support::cluster::{Cluster, Job};

/// What is known of a platform's tokens.
struct Facts {
    platform: Platform,
    /// The variable with the token, or with the secret that gets one.
    variable: &'static str,
    /// A claim that its join token looks at, with a value that does not fit.
    misfit: Value,
    /// The newest servers that lack its join method.
    too_old: &'static str,
}

fn all() -> Vec<Facts> {
    let facts = |platform, variable, misfit, too_old| Facts { platform, variable, misfit, too_old };
    vec![
        facts(Bitbucket, "BITBUCKET_STEP_OIDC_TOKEN", json!({"branchName": "other"}), "15.5.4"),
        facts(AzureDevOps, "SYSTEM_ACCESSTOKEN", json!({"sub": "p://acme-org/other/deploy"}), "17.5.0"),
        facts(
            TerraformCloud,
            "TFC_WORKLOAD_IDENTITY_TOKEN",
            json!({"terraform_workspace_name": "other"}),
            "15.5.4",
        ),
        facts(Env0, "ENV0_OIDC_TOKEN", json!({"projectName": "other"}), "18.3.2"),
        facts(Buildkite, "BUILDKITE_AGENT_ACCESS_TOKEN", json!({"pipeline_slug": "other"}), "18.10.9"),
        facts(Forgejo, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", json!({"repository": "acme/other"}), "18.10.9"),
        facts(Semaphore, "SEMAPHORE_OIDC_TOKEN", json!({"job_type": "debug_job"}), "18.10.9"),
        facts(Codefresh, "CF_OIDC_REQUEST_TOKEN", json!({"pipeline_id": "other"}), "18.10.9"),
        facts(TeamCity, "TEAMCITY_ID_TOKEN", json!({"sub": "App_Other"}), "18.10.9"),
        facts(Bitrise, "BITRISE_IDENTITY_TOKEN", json!({"repository_slug": "other"}), "18.10.9"),
        facts(
            Jenkins,
            "JENKINS_ID_TOKEN",
            json!({"sub": "https://jenkins.example.com/job/other/"}),
            "18.10.9",
        ),
    ]
}

/// The platforms above and the four that have failures of their own are all there are.
#[test]
fn none_is_left_out() {
    let mut seen: Vec<&str> = all().iter().map(|facts| facts.platform.id()).collect();
    seen.extend(["github", "gitlab", "circleci", "spacelift"]);
    let mut all = Platform::ALL.map(Platform::id);
    seen.sort_unstable();
    all.sort_unstable();
    assert_eq!(seen, all);
}

/// A job that has this token in the place of its own: in its variable, or from an address that it is told of by hand.
fn with_token<'a>(cluster: &'a Cluster, facts: &Facts, claims: &Value) -> (Job<'a>, Vec<&'static str>) {
    let mut claims = claims.clone();
    let audience = cluster.sandbox.audience(facts.platform);
    if let (Some(audience), None) = (audience, claims.get("aud")) {
        claims["aud"] = audience.into();
    }
    let token = cluster.sandbox.id_token(facts.platform, &claims).unwrap();
    let job = cluster.job(facts.platform);
    if facts.platform.protocol().is_none() {
        return (job.unset(facts.variable).set(facts.variable, token.expose()), Vec::new());
    }
    (job.unset("JOBPASS_AUDIENCE").set("MINE", token.expose()), vec!["--id-token-env", "MINE"])
}

#[test]
fn no_token_is_offered() {
    let cluster = Cluster::any();
    for facts in all() {
        let job = cluster.job(facts.platform).unset(facts.variable);
        fails(&format!("{}-none", facts.platform.id()), 3, &cluster, &job, &[]);
    }
    assert_eq!(cluster.sandbox.records(), [], "nothing is asked without an identity");
}

#[test]
fn the_token_has_expired() {
    let cluster = Cluster::any();
    let past = jiff::Timestamp::now().as_second() - 7_200;
    for facts in all() {
        let (job, arguments) = with_token(&cluster, &facts, &json!({ "exp": past }));
        fails(&format!("{}-expired", facts.platform.id()), 3, &cluster, &job, &arguments);
    }
}

#[test]
fn the_token_is_for_another_audience() {
    let cluster = Cluster::any();
    for facts in all() {
        let (job, arguments) = with_token(&cluster, &facts, &json!({"aud": "https://vault.example"}));
        let job = job.unset("JOBPASS_AUDIENCE");
        fails(&format!("{}-other-audience", facts.platform.id()), 4, &cluster, &job, &arguments);
    }
}

#[test]
fn an_audience_that_cannot_be_had() {
    let cluster = Cluster::any();
    for facts in all().iter().filter(|facts| facts.platform.audience_hint("").is_some()) {
        let name = format!("audience-{}", facts.platform.id());
        let job = cluster.job(facts.platform).unset("JOBPASS_AUDIENCE");
        fails(&name, 2, &cluster, &job, &["--audience", "other.example"]);
    }
    assert_eq!(cluster.sandbox.records(), []);
}

#[test]
fn no_rule_fits() {
    let cluster = Cluster::any();
    for facts in all() {
        let (job, arguments) = with_token(&cluster, &facts, &facts.misfit);
        fails(&format!("{}-no-rule", facts.platform.id()), 4, &cluster, &job, &arguments);
    }
}

/// The error names the first server with the method; the POST is not tried.
#[test]
fn the_server_lacks_the_method() {
    for facts in all() {
        let version = facts.too_old.to_owned();
        let cluster = Cluster::start(SandboxOptions { version, ..SandboxOptions::simulating(None) });
        let job = cluster.job(facts.platform);
        fails(&format!("{}-server-too-old", facts.platform.id()), 4, &cluster, &job, &[]);
        let method = rules::method_of(facts.platform);
        let newer = match facts.too_old {
            "15.5.4" => "16.0.0",
            "17.5.0" => "17.5.1",
            "18.3.2" => "18.4.0",
            _ => "18.11.0",
        };
        let lacks = |version| rules::unserved(method, rules::ServerVersion::parse(version), None).is_some();
        assert!(lacks(facts.too_old) && !lacks(newer), "{method}");
        let paths: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
        assert!(!paths.iter().any(|path| path.ends_with("/host/credentials")), "{paths:?}");
    }
}

/// Servers whose stream does not get through: the POST would not serve the method, and is not shown the proof.
#[test]
fn a_method_of_the_stream_is_not_posted() {
    let cluster = Cluster::start(SandboxOptions { join_new: false, ..SandboxOptions::simulating(None) });
    for facts in all() {
        if rules::is_stream_only(rules::method_of(facts.platform)) {
            let job = cluster.job(facts.platform);
            fails(&format!("{}-no-stream", facts.platform.id()), 5, &cluster, &job, &["--timeout", "20s"]);
        }
    }
    let paths: Vec<_> = cluster.sandbox.records().into_iter().flat_map(|seen| seen.paths).collect();
    assert!(!paths.iter().any(|path| path.ends_with("/host/credentials")), "{paths:?}");
}
