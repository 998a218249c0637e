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
        "kind: token\nversion: v2\nmetadata: {name: x}\nspec: {roles: [Bot], join_method: github, github: {allow: [{repositry: a/b}]}}\n",
    );
    for (arguments, wanted, hint) in [
        (
            &["--rules", "token.yaml"][..],
            "`token.yaml`: document 1: `spec.github.allow[0].repositry`",
            "did you mean `repository`?",
        ),
        (
            &["--rules", "token.yaml", "--token", "y"],
            "`token.yaml` has no join token `y`",
            "did you mean `--token x`?",
        ),
        (&["--rules", "nowhere.yaml"], "could not read `nowhere.yaml`", "check the path"),
        (&["--rules", "claims.json"], "`claims.json`: no `kind: token` document", "tctl get token"),
        (&["--server-version", "new"], "`new` is not a version", "18.11.0"),
        (&["--claims", "token.yaml"], "`token.yaml` does not contain claims", "JSON object"),
    ] {
        let arguments = [&["explain", "--at", AT], arguments].concat();
        let claims = if arguments.contains(&"--claims") { &[][..] } else { &["--claims", "claims.json"] };
        let ran =
            Ran::of(&jobpass(folder.0.path(), &[&arguments[..], claims].concat(), []).output().unwrap());
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.all());
        let (error, hints) = ran.stderr.split_once("hint: ").unwrap();
        let (error, hints) = (words(error), words(hints));
        assert!(error.contains(wanted) && hints.contains(hint), "{arguments:?}: {}", ran.stderr);
        assert!(!hints.contains(error.trim_start_matches("error: ")), "{}", ran.stderr);
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What `tctl get tokens` prints on a cluster in use: a token whose name is a secret, methods of machines, other
/// platforms' tokens, and one with a field of a newer Teleport.
fn all_tokens() -> String {
    let others = [
        "metadata: {name: 5ecret0f0ne}\nspec: {roles: [Node], join_method: token}",
        "metadata: {name: 5ecret0fan0ther}\nspec: {roles: [Node]}",
        "metadata: {name: machines}\nspec: {roles: [Node], join_method: tpm, tpm: {allow: [{ek_public_hash: a}]}}",
        "metadata: {name: gitlab-jobs}\nspec: {roles: [Bot], bot_name: b, join_method: gitlab, gitlab: {allow: [{project_path: a/b}]}}",
    ];
    let others = others.map(|spec| format!("---\nkind: token\nversion: v2\n{spec}\n")).concat();
    format!("{RULES}{others}")
}

const NEWER: &str = "---\nkind: token\nversion: v2\nmetadata: {name: newer}\nspec: {roles: [Bot], join_method: github, github: {allow: [{color: red}]}}\n";

#[test]
fn the_named_token_is_judged_whatever_else_is_in_the_file() {
    let folder = Folder::new(&(all_tokens() + NEWER));
    let by_flag = folder.explain(&["--rules", "token.yaml", "--token", "ci"]);
    let arguments = ["explain", "--claims", "claims.json", "--at", AT, "--rules", "token.yaml"];
    let by_variable = [("JOBPASS_TOKEN", "ci")];
    let by_variable = Ran::of(&jobpass(folder.0.path(), &arguments, by_variable).output().unwrap());
    for ran in [by_flag, by_variable] {
        assert_eq!(ran.code, 4, "{}", ran.all());
        assert_eq!(ran.stdout.matches("\njoin token `").count(), 1, "{}", ran.stdout);
        assert!(
            ran.stdout.contains("note: 5 other join tokens in the file were not judged"),
            "{}",
            ran.stdout
        );
    }
    let ran = folder.explain(&["--rules", "token.yaml", "--token", "machines"]);
    assert_eq!((ran.code, ran.stderr.contains("the join method `tpm`")), (2, true), "{}", ran.stderr);
    let ran = folder.explain(&["--rules", "token.yaml", "--token", "x"]);
    assert!(ran.code == 2 && ran.stderr.contains("`ci`, `machines`, `gitlab-jobs`"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("5ecret"), "{}", ran.stderr);
}

#[test]
fn other_methods_are_skipped_with_a_note_that_names_no_secret() {
    let folder = Folder::new(&all_tokens());
    let ran = folder.explain(&["--rules", "token.yaml"]);
    assert_eq!(ran.code, 4, "{}", ran.all());
    assert_eq!(ran.stdout.matches("\njoin token `").count(), 1, "{}", ran.stdout);
    for note in [
        "skipped 2 with the join method `token`",
        "skipped `machines` with the join method `tpm`",
        "skipped `gitlab-jobs`: this is a `github` job",
    ] {
        assert!(words(&ran.stdout).contains(note), "{}", ran.stdout);
    }
    assert!(!ran.all().contains("5ecret"), "{}", ran.all());
    let ran = folder.explain(&["--rules", "token.yaml", "--join-method", "gitlab"]);
    assert!(ran.stdout.contains("join token `gitlab-jobs` (gitlab) REFUSES"), "{}", ran.stdout);

    let none =
        all_tokens().split_once("---\n").unwrap().1.split("---\n").take(2).collect::<Vec<_>>().join("---\n");
    let ran = Folder::new(&none).explain(&["--rules", "token.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.all());
    assert!(
        words(&ran.stderr).contains("no join token that can be judged") && !ran.all().contains("5ecret"),
        "{}",
        ran.stderr
    );
    let ran = Folder::new(&(all_tokens() + NEWER)).explain(&["--rules", "token.yaml"]);
    assert!(ran.code == 2 && ran.stderr.contains("document 6"), "{}", ran.stderr);
}

#[test]
fn its_own_json_can_be_explained_again() {
    for (spec, claims) in [
        ("join_method: github, github: {allow: [{repository: acme/app, ref: refs/heads/main}]}", CLAIMS.to_owned()),
        (
            "join_method: circleci, circleci: {organization_id: o, allow: [{context_id: c-2}]}",
            r#"{"iss": "https://oidc.circleci.com/org/o", "aud": ["o"], "oidc.circleci.com/context-ids": ["c-1", "c-2"]}"#.to_owned(),
        ),
        (
            "join_method: gcp, gcp: {allow: [{project_ids: [p], locations: [us-west1]}]}",
            r#"{"iss": "https://accounts.google.com", "aud": "teleport.cluster.local", "email": "1-compute@developer.gserviceaccount.com",
                "google": {"compute_engine": {"project_id": "p", "zone": "us-west1-a"}}}"#.to_owned(),
        ),
        (
            "join_method: kubernetes, kubernetes: {type: static_jwks, allow: [{service_account: 'ns:sa'}]}",
            r#"{"sub": "system:serviceaccount:ns:sa", "iat": 1795249000, "exp": 1795249600, "kubernetes.io": {"pod": {"name": "p"}}}"#.to_owned(),
        ),
    ] {
        let folder = Folder::new(&format!(
            "kind: token\nversion: v2\nmetadata: {{name: t}}\nspec: {{roles: [Bot], bot_name: b, {spec}}}\n"
        ));
        put(&folder.0.path().join("claims.json"), &claims);
        let first = folder.explain(&["--rules", "token.yaml", "--json"]);
        assert_eq!(first.code, 0, "{}", first.all());
        put(&folder.0.path().join("claims.json"), &first.stdout);
        let again = folder.explain(&["--rules", "token.yaml", "--json"]);
        assert_eq!((again.code, again.stdout), (0, first.stdout));
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
