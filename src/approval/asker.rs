//! Who asks, in words for the person who answers: what the proof says of the job, and the reason that the job gives.

use crate::claims::UnverifiedClaims;
use crate::rules::{find_claim, public_claim, show_claim};
use crate::teleport::access_requests::LONGEST_REASON;
use crate::text::safe;

/// What a reader wants to know first, by the names that the platforms have for it (each platform's page on its tokens).
const SAID: [(&str, &[&str]); 6] = [
    ("repository", &["repository", "project_path", "oidc.circleci.com/vcs-origin", "rpo_uri"]),
    ("workflow", &["workflow", "pipeline_slug", "terraform_workspace_name", "environmentName"]),
    ("stack", &["callerId"]),
    ("ref", &["ref", "oidc.circleci.com/vcs-ref", "rpo_ref", "build_branch"]),
    ("environment", &["environment"]),
    ("actor", &["actor", "user_login", "deployerLogin"]),
];

/// What says it where none of these does.
const ELSE: [&str; 3] = ["sub", "Arn", "email"];

/// The longest value of a claim, and the longest reason of the user's, in characters.
const LONGEST_CLAIM: usize = 200;
const LONGEST_TEXT: usize = 1_000;

/// The reason of a request: the user's words, and the job's claims behind them; these alone where the user has none.
pub fn reason(given: Option<&str>, claims: &UnverifiedClaims) -> String {
    let given = given.map(|text| safe(text, LONGEST_TEXT)).filter(|text| !text.is_empty());
    let asker = asker(claims);
    let mut text = match (given, asker.is_empty()) {
        (Some(given), true) => given,
        (Some(given), false) => format!("{given} ({asker})"),
        (None, false) => format!("a job of {asker}"),
        (None, true) => "a CI job".to_owned(),
    };
    if text.len() > LONGEST_REASON {
        let most = LONGEST_REASON - '…'.len_utf8();
        let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= most).last();
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}

/// `repository acme/app, workflow deploy, ref refs/heads/main, actor octocat, https://…`
fn asker(claims: &UnverifiedClaims) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (label, names) in SAID {
        let value = names.iter().find_map(|name| shown(claims, name));
        parts.extend(value.map(|value| format!("{label} {value}")));
    }
    if parts.is_empty() {
        parts.extend(ELSE.iter().find_map(|name| shown(claims, name)));
    }
    parts.extend(page(claims));
    parts.join(", ")
}

fn shown(claims: &UnverifiedClaims, name: &str) -> Option<String> {
    let value = public_claim(name, find_claim(claims, name)?)?;
    Some(safe(&show_claim(&value), LONGEST_CLAIM)).filter(|text| !text.is_empty())
}

/// The page of the run, where the claims say enough for its address.
fn page(claims: &UnverifiedClaims) -> Option<String> {
    let issuer = claims.issuer()?.trim_end_matches('/');
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
    let said = |name: &str| {
        let text = show_claim(find_claim(claims, name)?);
        (!text.is_empty() && text.chars().all(is_plain) && !text.contains("..")).then_some(text)
    };
    let host =
        issuer.strip_prefix("https://").filter(|host| host.chars().all(|c| is_plain(c) || c == ':'))?;
    let github = match host.split_once('/') {
        _ if host.split('/').next() == Some("token.actions.githubusercontent.com") => Some("github.com"),
        // A GitHub Enterprise Server.
        Some((server, "_services/token")) => Some(server),
        _ => None,
    };
    let page = if let Some(server) = github {
        format!("{server}/{}/actions/runs/{}", said("repository")?, said("run_id")?)
    } else if let (Some(project), Some(job)) = (said("project_path"), said("job_id")) {
        format!("{host}/{project}/-/jobs/{job}")
    } else if let (Some(stack), Some(run)) = (said("callerId"), said("runId")) {
        format!("{host}/stack/{stack}/run/{run}")
    } else if host == "agent.buildkite.com" {
        let (organization, pipeline) = (said("organization_slug")?, said("pipeline_slug")?);
        format!("buildkite.com/{organization}/{pipeline}/builds/{}", said("build_number")?)
    } else {
        return None;
    };
    Some(safe(&format!("https://{page}"), 2 * LONGEST_CLAIM))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::Platform;

    fn claims(json: &serde_json::Value) -> UnverifiedClaims {
        UnverifiedClaims::from_json(json.to_string().as_bytes()).unwrap()
    }

    /// What a job of that platform asks.
    fn asks(platform: Platform) -> String {
        let simulation = platform.simulation();
        let issuer = simulation.issuer;
        let mut all = (simulation.claims)(issuer, 0, "main");
        all["iss"] = issuer.into();
        reason(None, &claims(&all))
    }

    #[test]
    fn every_platform_says_who_asks() {
        for platform in Platform::ALL {
            let text = asks(platform);
            assert!(
                text.len() > "a job of ".len() + 5 && text.starts_with("a job of "),
                "{platform:?}: {text}"
            );
            assert!(!text.contains('@') || text.contains("refs/"), "{platform:?}: {text}");
        }
        for (platform, wanted) in [
            (
                Platform::GitHubActions,
                "repository acme/app, workflow deploy, ref refs/heads/main, actor octocat, https://github.com/acme/app/actions/runs/",
            ),
            (
                Platform::GitLabCi,
                "repository acme/app, ref main, actor octocat, https://gitlab.com/acme/app/-/jobs/",
            ),
            (Platform::CircleCi, "repository github.com/acme/app, ref refs/heads/main"),
            (Platform::Spacelift, "stack app, https://"),
            (Platform::Buildkite, "workflow app, ref main, https://buildkite.com/acme/app/builds/42"),
        ] {
            let text = asks(platform);
            assert!(text.contains(wanted), "{platform:?}: {text}");
        }
    }

    #[test]
    fn the_users_words_come_first() {
        let all = claims(&json!({"repository": "a/b"}));
        assert_eq!(reason(Some(" deploy\n#42 "), &all), "deploy #42 (repository a/b)");
        assert_eq!(reason(Some("x"), &UnverifiedClaims::default()), "x");
        assert_eq!(reason(Some(" "), &UnverifiedClaims::default()), "a CI job");
        assert_eq!(reason(None, &claims(&json!({"Arn": "arn:aws:x"}))), "a job of arn:aws:x");
    }

    #[test]
    fn a_reason_is_as_long_as_the_server_takes_it() {
        let wide = |letters: usize| "語".repeat(letters);
        let claims = claims(&json!({"repository": wide(200), "workflow": wide(200)}));
        let cut = reason(Some(&wide(1_000)), &claims);
        let whole = reason(None, &claims);
        let all = format!("{} ({})", wide(1_000), whole.trim_start_matches("a job of "));
        assert!(all.len() > LONGEST_REASON, "{}", all.len());
        let kept = cut.strip_suffix('…').unwrap();
        assert!(all.starts_with(kept), "{cut}");
        // As many letters as fit.
        let next = all[kept.len()..].chars().next().unwrap();
        assert!(cut.len() <= LONGEST_REASON && cut.len() + next.len_utf8() > LONGEST_REASON, "{}", cut.len());
        let fits = reason(Some(&"x".repeat(1_000)), &claims);
        assert!(fits.ends_with(')') && fits.len() <= LONGEST_REASON, "{fits}");
    }

    #[test]
    fn what_is_foreign_is_clean_and_bounded() {
        let all = claims(&json!({
            "iss": "https://token.actions.githubusercontent.com", "repository": "a/b\n::error::x\u{1b}[2J",
            "run_id": "1", "actor": "\u{202e}me", "user_email": "me@x.example", "workflow": "w".repeat(10_000),
        }));
        let text = reason(Some(&"é".repeat(10_000)), &all);
        assert!(text.len() <= LONGEST_REASON, "{}", text.len());
        assert!(!text.contains(['\n', '\u{1b}', '\u{202e}']) && !text.contains("me@"), "{text}");
        // An address with a foreign sign in it is none.
        assert!(!text.contains("https://"), "{text}");
        for (issuer, wanted) in [
            ("https://token.actions.githubusercontent.com/acme", "https://github.com/a/b/actions/runs/7"),
            ("https://ghe.example/_services/token", "https://ghe.example/a/b/actions/runs/7"),
            ("http://token.actions.githubusercontent.com", ""),
            ("https://x\"y/_services/token", ""),
            ("https://other.example", ""),
        ] {
            let all = claims(&json!({"iss": issuer, "repository": "a/b", "run_id": 7}));
            assert_eq!(page(&all).unwrap_or_default(), wanted, "{issuer}");
        }
    }
}
