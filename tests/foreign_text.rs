//! Names that Teleport would not allow get nowhere: no file, no log, no summary.

use jobpass::platform::Platform::GitHubActions;
use jobpass::sandbox::{SandboxOptions, SandboxRole};

use crate::support::cluster::Cluster;

#[test]
fn names_that_no_teleport_has_are_refused() {
    let odd = ["a\u{1b}[2Jb", "a\n::set-env name=x::y", "a##[set-output name=x]y", "a\u{202e}b"];
    for (index, name) in odd.into_iter().enumerate() {
        for as_role in [true, false] {
            let mut options = SandboxOptions::simulating(Some(GitHubActions));
            let role = SandboxRole { logins: vec!["deploy".to_owned()], ..SandboxRole::default() };
            options.roles = vec![if as_role {
                SandboxRole { name: name.to_owned(), ..role }
            } else {
                SandboxRole { name: "ci-deploy".to_owned(), logins: vec![name.to_owned()], ..role }
            }];
            let cluster = Cluster::start(options);
            let ran = cluster.job(GitHubActions).login(&["--no-verify", "--json"]);
            assert_eq!(ran.code, 4, "{index} {as_role}: {}", ran.all());
            assert!(ran.stderr.contains("has a name that Teleport would not allow"), "{}", ran.stderr);
            for text in
                [ran.all(), std::fs::read_to_string(cluster.path("GITHUB_STEP_SUMMARY")).unwrap_or_default()]
            {
                assert!(!text.contains(['\u{1b}', '\u{202e}']) && !text.contains("##["), "{text:?}");
                assert!(!text.lines().any(|line| line.trim_start().starts_with("::set-env")), "{text:?}");
            }
            assert!(!cluster.path("temp/jobpass").exists());
        }
    }
}

#[test]
fn a_clusters_name_with_commands_is_refused_before_the_token_goes_out() {
    for name in ["a##[add-path]b", "a\u{1b}]0;b"] {
        let mut options = SandboxOptions::simulating(Some(GitHubActions));
        name.clone_into(&mut options.cluster);
        let cluster = Cluster::start(options);
        let ran = cluster.job(GitHubActions).login(&[]);
        assert_eq!(ran.code, 5, "{}", ran.all());
        assert!(ran.stderr.contains("cluster_name"), "{}", ran.stderr);
        assert!(!ran.all().contains("##[") && !ran.all().contains('\u{1b}'), "{:?}", ran.all());
    }
}
