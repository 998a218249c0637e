//! Every refused join says what the job is, why it may have been refused and what would let it in: one snapshot a trap.

use jobpass::platform::Platform;
use jobpass::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::support::cluster::Cluster;
use crate::support::command::{Ran, put};

/// A join token of the cluster, a bent identity token, and the snapshot of what is said.
struct Trap {
    name: &'static str,
    platform: Platform,
    /// `spec` below the method's name.
    spec: Value,
    /// Claims on top of the usual ones.
    claims: Value,
}

fn traps() -> Vec<Trap> {
    use Platform::{CircleCi, GitHubActions, GitLabCi, Spacelift};
    let audience = "teleport.cluster.local";
    let github = |name, allow: Value, mut claims: Value| {
        claims["aud"] = audience.into();
        Trap { name, platform: GitHubActions, spec: json!({"allow": [allow]}), claims }
    };
    let gitlab = |name, claims| Trap {
        name,
        platform: GitLabCi,
        spec: json!({"allow": [{"project_path": "acme/other"}]}),
        claims,
    };
    let circle = json!({"organization_id": "11111111-2222-3333-4444-555555555555", "allow": [{"context_id": "99999999-0000-0000-0000-000000000000"}]});
    vec![
        github("github-no-rule", json!({"repository": "acme/other"}), json!({})),
        github(
            "github-immutable-sub",
            json!({"sub": "repo:acme/app:ref:refs/heads/main"}),
            json!({"sub": "repo:acme@65/app@74:ref:refs/heads/main"}),
        ),
        github(
            "github-environment-in-sub",
            json!({"sub": "repo:acme/app:ref:refs/heads/main"}),
            json!({"sub": "repo:acme/app:environment:prod", "environment": "prod"}),
        ),
        github(
            "github-pull-request",
            json!({"repository": "acme/app", "ref": "refs/heads/main"}),
            json!({"sub": "repo:acme/app:pull_request", "event_name": "pull_request", "ref": "refs/pull/7/merge", "head_ref": "fix", "base_ref": "main"}),
        ),
        github(
            "github-reusable-workflow",
            json!({"repository": "acme/workflows"}),
            json!({"job_workflow_ref": "acme/workflows/.github/workflows/deploy.yml@refs/heads/main"}),
        ),
        github(
            "github-enterprise-issuer",
            json!({"repository": "acme/app"}),
            json!({"iss": "https://token.actions.githubusercontent.com/acme-inc"}),
        ),
        github("github-wrong-audience", json!({"repository": "acme/app"}), json!({"aud": "x"})),
        github(
            "github-expired",
            json!({"repository": "acme/app"}),
            json!({"exp": 1_795_000_000, "iat": 1_794_999_700}),
        ),
        gitlab("gitlab-no-rule", json!({})),
        gitlab("gitlab-wrong-audience", json!({"aud": "https://teleport.example.com:443"})),
        gitlab("gitlab-two-audiences", json!({"aud": ["sandbox.example", "https://vault.example"]})),
        Trap { name: "circleci-context-missing", platform: CircleCi, spec: circle, claims: json!({}) },
        Trap {
            name: "spacelift-scope-read",
            platform: Spacelift,
            spec: json!({"hostname": "acme.app.spacelift.io", "allow": [{"space_id": "root", "scope": "write"}]}),
            claims: json!({"scope": "read", "runType": "PROPOSED"}),
        },
    ]
}

/// On GitHub the refusal is on the run's page, too, complete, and nothing in it ends the block it is in.
#[test]
fn a_refusal_is_in_the_step_summary() {
    let mut options = SandboxOptions::simulating(Some(Platform::GitHubActions));
    options.tokens[0].spec = json!({"allow": [{"repository": "acme/other"}]});
    let cluster = Cluster::start(options);
    let claims = json!({
        "aud": "teleport.cluster.local",
        "workflow": "```\n# evil\n<img src=x>",
        "environment": "a|b <script> [x](https://evil.example) *y* _z_ &amp;",
    });
    put(&cluster.path("jwt"), cluster.sandbox.id_token(Platform::GitHubActions, &claims).unwrap().expose());
    let job = cluster.job(Platform::GitHubActions);
    assert_eq!(job.login(&["--id-token-file", "jwt"]).code, 4);
    let page = std::fs::read_to_string(cluster.path("GITHUB_STEP_SUMMARY")).unwrap();
    for line in [
        "### Teleport refused to let this job join",
        "Teleport says: id token claims did not match any allow rules",
        "| claim | value |",
        "| repository | acme/app |",
        "| workflow | &#96;&#96;&#96; &#35; evil &#60;img src&#61;x&#62; |",
        "| environment | a&#124;b &#60;script&#62; &#91;x&#93;&#40;https&#58;//evil.example&#41; &#42;y&#42; &#95;z&#95; &#38;amp&#59; |",
        "**Other possible causes:**",
        "````yaml",
        "````",
        "- repository: acme/app",
        "  ref: refs/heads/main",
        "```yaml",
    ] {
        assert!(page.lines().any(|l| l == line), "{line} is not in {page}");
    }
    assert!(page.contains("run &#96;tctl edit token/ci-github&#96;"), "{page}");
    assert!(!page.contains("tctl create") && !page.contains("eyJ"), "{page}");
    let mut fence = None;
    for line in page.lines() {
        match fence {
            None if line.starts_with("```") => fence = Some(line.trim_end_matches(char::is_alphabetic)),
            None => assert!(!line.contains('<') && !line.contains("evil.example)"), "{line}"),
            Some(open) if line == open => fence = None,
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "{page}");
}

/// A script gets all: each cause, each claim, what to add.
#[test]
fn a_refusal_is_complete_as_json() {
    let mut options = SandboxOptions::simulating(Some(Platform::GitHubActions));
    options.tokens[0].spec = json!({"allow": [{"repository": "acme/other"}]});
    // Without globs in rules, which is one more cause.
    "18.2.0".clone_into(&mut options.version);
    let cluster = Cluster::start(options);
    let ran = cluster.job(Platform::GitHubActions).login(&["--json"]);
    assert_eq!(ran.code, 4);
    let refused = &serde_json::from_str::<Value>(&ran.stdout).unwrap()["error"]["refused"];
    assert_eq!(refused["claims"]["repository"], "acme/app");
    assert!(refused["claims"]["iss"].is_string() && refused["state"].as_array().unwrap().len() == 2);
    let causes = refused["likely_causes"].as_array().unwrap();
    assert_eq!(causes[0]["is_guess"], false);
    assert!(causes.len() == 4 && causes[3]["is_guess"] == true, "{causes:#?}");
    for (field, want) in [("command", "tctl edit token/ci-github"), ("list", "spec.github.allow")] {
        assert_eq!(refused["proposal"][field], want);
    }
    assert_eq!(refused["proposal"]["wide"], "- repository: acme/app\n");
    assert!(refused["rules"]["narrow"].as_str().unwrap().starts_with("kind: token\n"));
}

/// Twelve lines are seen at most, before what is folded or, where nothing can be, before what is to be added; each has
/// the claims, one cause and what to do with the token's own name; a token that is there is never replaced.
#[test]
fn a_refusal_is_seen_at_a_glance() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refusals");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.starts_with("exit 4") {
            continue;
        }
        count += 1;
        let ends = ["::group::", "section_start:", "to let such jobs in", "other possible causes:"];
        let seen: Vec<&str> = text
            .lines()
            .skip(1)
            .filter(|line| !line.starts_with("::error "))
            .take_while(|line| !ends.iter().any(|end| line.contains(end)))
            .collect();
        assert!(seen.len() <= 12, "{}: {} lines are seen", path.display(), seen.len());
        for start in ["error: ", "  caused by: ", "this job: ", "likely cause: ", "hint: "] {
            assert_eq!(
                seen.iter().filter(|line| line.starts_with(start)).count(),
                1,
                "{}: {start}",
                path.display()
            );
        }
        assert!(text.contains("tctl get token/ci-") && !text.contains("tctl create"), "{}", path.display());
    }
    assert_eq!(count, 12);
}

#[test]
fn every_trap_is_named() {
    for trap in traps() {
        let mut options = SandboxOptions::simulating(Some(trap.platform));
        let token = options.tokens.first_mut().unwrap();
        if trap.platform != Platform::CircleCi && trap.platform != Platform::Spacelift {
            token.spec = trap.spec.clone();
        } else {
            // The simulated organisation and host are the sandbox's own.
            token.spec["allow"] = trap.spec["allow"].clone();
        }
        let cluster = Cluster::start(options);
        let mut claims = trap.claims.clone();
        if trap.name == "github-wrong-audience" {
            claims["aud"] = "https://github.com/acme".into();
        }
        let jwt = cluster.sandbox.id_token(trap.platform, &claims).unwrap();
        put(&cluster.path("jwt"), jwt.expose());
        // Shown as it is, in a file: what the platform itself would mint is not bent.
        let ran = cluster.job(trap.platform).login(&["--id-token-file", "jwt"]);
        check(trap.name, &ran);
    }
}

fn check(name: &str, ran: &Ran) {
    let mut redactions = snapbox::Redactions::new();
    for (what, pattern) in [
        ("[LIFE]", r"valid for another (?<redacted>\S+)"),
        ("[AGO]", r"expired (?<redacted>\S+) ago"),
        ("[TIME]", r"(?<redacted>\d{4}-\d\d-\d\d[T ][0-9:.A%]+( ?\+0000 UTC|Z)?)"),
        ("[ADDRESS]", r"(?<redacted>127\.0\.0\.1:\d+)"),
        ("[SECTION]", r"section_(start|end):(?<redacted>\d+)"),
    ] {
        redactions.insert(what, regex::Regex::new(pattern).unwrap()).unwrap();
    }
    let text = format!("exit {}\n{}\n", ran.code, ran.stderr.trim_end_matches('\n'));
    let text = redactions.redact(&text);
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/refusals/{name}.txt"));
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .eq(text, snapbox::Data::read_from(&path, None).raw());
    for line in ran.stderr.lines().filter(|l| !l.starts_with("::") && !l.contains("section_")) {
        assert!(
            line.chars().count() <= 100 || line.starts_with("    "),
            "{name}: longer than 100 columns: {line}"
        );
    }
}
