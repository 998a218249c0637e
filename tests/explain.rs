//! `jobpass explain` as people run it: rules from a file or standard input, claims from a file or the job.

use std::io::Write as _;
use std::process::Stdio;

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;

use crate::support::cluster::Cluster;
use crate::support::command::{Ran, jobpass, put};

const RULES: &str = "kind: token\nversion: v2\nmetadata: {name: ci}\nspec:\n  roles: [Bot]\n  bot_name: ci\n  \
                     join_method: github\n  github:\n    allow:\n      - {repository: acme/app, ref: refs/heads/release}\n      \
                     - {repository: acme/other}\n";
const CLAIMS: &str = r#"{"iss":"https://token.actions.githubusercontent.com","aud":"teleport.cluster.local",
    "sub":"repo:acme/app:ref:refs/heads/main","repository":"acme/app","repository_owner":"acme","ref":"refs/heads/main","ref_type":"branch",
    "iat":1795249000,"exp":1795249300}"#;
const AT: &str = "2026-11-21T08:20:00Z";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(rules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        put(&folder.path().join("token.yaml"), rules);
        put(&folder.path().join("claims.json"), CLAIMS);
        Self(folder)
    }

    fn explain(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["explain", "--claims", "claims.json", "--at", AT];
        all.extend(arguments);
        Ran::of(&jobpass(self.0.path(), &all, []).output().unwrap())
    }
}

#[test]
fn shows_each_rule_and_field() {
    let folder = Folder::new(RULES);
    let ran = folder.explain(&["--rules", "token.yaml"]);
    assert_eq!(ran.code, 4, "{}", ran.all());
    snapbox::assert_data_eq!(
        ran.stdout,
        snapbox::Data::read_from(snapshot("refused.txt").as_path(), None).raw()
    );
    let ran = Folder::new(&RULES.replace("heads/release", "heads/main")).explain(&["--rules", "token.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    snapbox::assert_data_eq!(
        ran.stdout,
        snapbox::Data::read_from(snapshot("admitted.txt").as_path(), None).raw()
    );
    let ran = folder.explain(&[]);
    assert_eq!(ran.code, 0, "{}", ran.all());
    snapbox::assert_data_eq!(
        ran.stdout,
        snapbox::Data::read_from(snapshot("suggested.txt").as_path(), None).raw()
    );
}

fn snapshot(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain").join(name)
}

#[test]
fn takes_rules_from_standard_input_and_tells_scripts() {
    let folder = Folder::new("");
    let arguments = ["explain", "--claims", "claims.json", "--at", AT, "--rules", "-", "--json"];
    let mut child = jobpass(folder.0.path(), &arguments, [])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(RULES.as_bytes()).unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, 4, "{}", ran.all());
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(json.to_string().contains("refs/heads/release"), "{json}");
    snapbox::assert_data_eq!(
        ran.stdout,
        snapbox::Data::read_from(snapshot("refused.json").as_path(), None).raw()
    );
}

#[test]
fn says_what_is_wrong_with_its_input() {
    let folder = Folder::new(
        "kind: token\nversion: v2\nmetadata: {name: x}\nspec: {roles: [Bot], join_method: github, github: {allow: [{repo: a/b}]}}\n",
    );
    for (arguments, wanted) in [
        (&["--rules", "token.yaml"][..], "repo"),
        (&["--rules", "nowhere.yaml"], "could not read `nowhere.yaml`"),
        (&["--rules", "claims.json"], "kind: token"),
        (&["--server-version", "new"], "`new` is no version"),
    ] {
        let ran = folder.explain(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.all());
        assert!(
            ran.stderr.contains(wanted) && ran.stderr.contains("hint: "),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn what_it_says_is_what_a_join_gets() {
    let no = RULES.replace("name: ci}", "name: ci-github}");
    let yes = no.replace("heads/release", "heads/main");
    for (rules, code) in [(no, 4), (yes, 0)] {
        let tokens = jobpass::rules::parse(&rules).unwrap();
        let cluster = Cluster::start(SandboxOptions { tokens, ..SandboxOptions::simulating(None) });
        put(&cluster.path("token.yaml"), &rules);
        let job = cluster.job(Platform::GitHubActions);
        assert_eq!(job.login(&[]).code, code);
        assert_eq!(job.run(&["explain", "--rules", "token.yaml"]).code, code);
    }
}

/// What the simulated GitHub job says.
const SAID: [(&str, &str); 6] = [
    ("repository", "acme/app"),
    ("repository_owner", "acme"),
    ("ref", "refs/heads/main"),
    ("ref_type", "branch"),
    ("workflow", "deploy"),
    ("actor", "octocat"),
];

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// Any rules, any of the versions that differ: the sandbox admits whom `explain` says it would admit, and refuses the rest.
    #[test]
    fn the_sandbox_and_explain_never_differ(
        rules in proptest::collection::vec(proptest::collection::vec(0_u8..5, SAID.len()), 1..4),
        globs: bool,
    ) {
        let version = if globs { "18.9.0" } else { "18.2.0" };
        let mut text = String::from(
            "kind: token\nversion: v2\nmetadata: {name: ci-github}\nspec:\n  roles: [Bot]\n  bot_name: ci\n  \
             join_method: github\n  github:\n    allow:\n",
        );
        for rule in &rules {
            let fields = SAID.iter().zip(rule).filter_map(|((field, said), choice)| match choice {
                0 | 1 => None,
                2 => Some(format!("{field}: \"{said}\"")),
                3 => Some(format!("{field}: \"{}*\"", &said[..2])),
                _ => Some(format!("{field}: \"x{said}\"")),
            });
            text = format!("{text}      - {{{}}}\n", fields.collect::<Vec<_>>().join(", "));
        }
        let tokens = jobpass::rules::parse(&text).unwrap();
        let cluster = Cluster::start(SandboxOptions { tokens, version: version.into(), ..SandboxOptions::simulating(None) });
        put(&cluster.path("token.yaml"), &text);
        let job = cluster.job(Platform::GitHubActions);
        let said = job.run(&["explain", "--rules", "token.yaml", "--server-version", version]).code;
        proptest::prop_assert_eq!(job.login(&["--no-verify"]).code, said, "{}", text);
    }
}
