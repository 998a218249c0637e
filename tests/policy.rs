//! Per-session MFA and Device Trust: told before anything is written, or only a line under `-v` where the server will not say.

use jobpass::platform::Platform;
use jobpass::sandbox::fault_injection::{FaultInjection, RefusedCall};
use jobpass::sandbox::{SandboxOptions, SandboxRole};

use crate::support::cluster::{Cluster, listing};

fn with_role(change: impl Fn(&mut SandboxRole)) -> SandboxOptions {
    let mut options = SandboxOptions::simulating(None);
    for role in options.roles.iter_mut().filter(|r| r.name == "ci-deploy") {
        change(role);
    }
    options
}

#[test]
fn a_policy_that_keeps_bots_out_stops_the_login() {
    let strict = |text: &str| with_role(|r| text.clone_into(&mut r.device_trust_mode));
    let mfa = |kind| with_role(|r| r.require_mfa_type = kind);
    let whole = SandboxOptions { require_session_mfa: true, ..SandboxOptions::simulating(None) };
    for (options, arguments, wanted) in [
        (
            mfa(1),
            &[][..],
            "error: the role `ci-deploy` requires per-session MFA (`require_session_mfa: yes`)",
        ),
        (mfa(2), &[], "the role `ci-deploy` requires a hardware key"),
        (strict("required"), &[], "Device Trust (`device_trust_mode: required`)"),
        (whole, &["--target", "deploy@node1"], "error: `deploy@node1` requires per-session MFA"),
    ] {
        let cluster = Cluster::start(options);
        let job = cluster.job(Platform::GitHubActions);
        let ran = job.login(arguments);
        assert_eq!(ran.code, 4, "{}", ran.stderr);
        assert!(ran.stderr.contains(wanted), "{wanted} is not in {}", ran.stderr);
        assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
        assert!(listing(&cluster.path("temp")).is_empty(), "nothing is written");
        assert_eq!(std::fs::read_to_string(cluster.path("GITHUB_ENV")).unwrap(), "", "nothing is exported");
        let mut unchecked = arguments.to_vec();
        unchecked.push("--no-verify");
        job.login(&unchecked).ok();
    }
}

#[test]
fn what_does_not_concern_bots_is_let_through() {
    for options in [
        with_role(|r| "required-for-humans".clone_into(&mut r.device_trust_mode)),
        with_role(|r| "optional".clone_into(&mut r.device_trust_mode)),
        SandboxOptions { require_session_mfa: true, ..SandboxOptions::simulating(None) },
    ] {
        Cluster::start(options).job(Platform::GitLabCi).login(&[]).ok();
    }
    // Only roles that are asked for count.
    let cluster = Cluster::start(with_role(|r| r.require_mfa_type = 1));
    cluster.job(Platform::GitLabCi).login(&["--roles", "ci-read"]).ok();
}

#[test]
fn a_server_that_will_not_say_costs_a_line() {
    let refuse =
        |method: &str, code| RefusedCall { method: method.into(), code, message: "not for you".into() };
    let inject = FaultInjection {
        refuse_calls: vec![refuse("GetCurrentUserRoles", 7), refuse("IsMFARequired", 12)],
        ..FaultInjection::default()
    };
    let cluster = Cluster::start(SandboxOptions { inject, ..with_role(|r| r.require_mfa_type = 1) });
    let ran = cluster.job(Platform::GitLabCi).login(&["-v", "--target", "deploy@node1"]).ok();
    for line in [
        "what its roles require is not known: GetCurrentUserRoles: not for you",
        "whether the target requires MFA is not known",
    ] {
        assert!(ran.stderr.contains(line), "{line} is not in {}", ran.stderr);
    }
    let quiet = cluster.job(Platform::GitLabCi).login(&[]).ok();
    assert!(!quiet.stderr.contains("not known"), "{}", quiet.stderr);
}

#[test]
fn roles_per_output_are_warned_about_from_19() {
    use jobpass::platform::Platform::GitHubActions;
    for (version, arguments, is_warned) in [
        ("18.9.0", &["--roles", "ci-read"][..], false),
        ("19.0.0", &["--roles", "ci-read"], true),
        ("19.0.0", &["--output", "ssh,roles=ci-read"], true),
        ("19.0.0", &[], false),
    ] {
        let options = SandboxOptions { version: version.to_owned(), ..SandboxOptions::simulating(None) };
        let cluster = Cluster::start(options);
        let ran = cluster.job(GitHubActions).login(arguments).ok();
        let text = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        let warning = "warning: Teleport 19 deprecates roles per output, and 20 is to drop them";
        assert_eq!(text.contains(warning), is_warned, "{version} {arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn roles_that_keep_bots_out_are_told_for_every_kind_of_output() {
    for (change, setting) in [
        ((|r| r.require_mfa_type = 1) as fn(&mut SandboxRole), "requires per-session MFA"),
        (|r| "required".clone_into(&mut r.device_trust_mode), "Device Trust"),
    ] {
        let roles = with_role(change).roles;
        let cluster = Cluster::start(SandboxOptions { roles, ..crate::outputs::options() });
        for output in ["kube=prod", "kube=env:dev", "database=pg,user=ci", "app=grafana"] {
            let job = cluster.job(Platform::GitHubActions);
            let ran = job.login(&["--output", output]);
            assert!(ran.code == 4 && ran.stderr.contains(setting), "{output}: {}", ran.all());
            job.login(&["--output", &format!("{output},roles=ci-read")]).ok();
        }
    }
}
