//! GitLab CI: its marker, the variables `id_tokens:` makes, its folders and its log's sections.
//!
//! Names from docs.gitlab.com, "Predefined CI/CD variables" and the page on ID tokens.

use jiff::Timestamp;

use super::{Absent, Marker, Place, how_missing, text};
use crate::claims::UnverifiedClaims;
use crate::env::{Env, names};
use crate::secret::Jwt;

/// `$CI_PROJECT_DIR.tmp`, shared by `script` and `after_script` (gitlab-runner `common/build.go`).
pub const RUNNER_TEMP_PROJECT_DIR: &str = "RUNNER_TEMP_PROJECT_DIR";
/// The checkout.
pub const CI_PROJECT_DIR: &str = "CI_PROJECT_DIR";
/// The job's page.
pub const CI_JOB_URL: &str = "CI_JOB_URL";
/// `true` where debug tracing is on.
pub const CI_DEBUG_TRACE: &str = "CI_DEBUG_TRACE";
/// The instance, and normally the issuer of its tokens.
pub const CI_SERVER_URL: &str = "CI_SERVER_URL";
/// Runner 16.4 and later: `K=V` lines for the later stages of the job (gitlab-runner `shells/abstract.go`).
pub const GITLAB_ENV: &str = "GITLAB_ENV";

pub(super) const EXPIRED_CURE: &str =
    "raise the job's `timeout:` or run jobpass earlier: GitLab's tokens end with the job's time limit";

pub(super) fn marker(env: &Env) -> Marker {
    super::exactly_true(env, names::GITLAB_CI)
}

pub(super) fn place(env: &Env) -> Option<Place> {
    env.var(names::TBOT_GITLAB_JWT).map(|_| Place::Variable(names::TBOT_GITLAB_JWT))
}

/// Why the variable `name` is not there: `id_tokens:` is missing, or has another name in it.
pub fn absent(env: &Env, name: &str) -> Absent {
    let mut cures: Vec<String> = candidates(env)
        .map(|other| {
            format!("pass `--id-token-env {other}`: that variable holds an identity token of this GitLab")
        })
        .collect();
    cures.push(format!(
        "add to the job: `id_tokens: {{ {name}: {{ aud: <cluster name> }} }}` (the Teleport \
         cluster's bare name, no `https://`, no port)"
    ));
    Absent { why: how_missing(env, name), cures }
}

pub(super) fn audience_cure(wanted: &str) -> String {
    format!("set it in `.gitlab-ci.yml`: `id_tokens: {{ {}: {{ aud: {wanted} }} }}`", names::TBOT_GITLAB_JWT)
}

/// A collapsed section (docs.gitlab.com, "Job logs"). Names have letters, digits, `_`, `.` and `-` only.
pub(super) fn fold(title: &str, body: &str, now: Timestamp) -> String {
    let title = text::one_line(title, 200);
    let name: String = title
        .chars()
        .take(60)
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let time = now.as_second();
    let mut out = format!("\u{1b}[0Ksection_start:{time}:jobpass_{name}[collapsed=true]\r\u{1b}[0K{title}\n");
    for line in text::lines(body) {
        out.push_str(&line);
        out.push('\n');
    }
    out + &format!("\u{1b}[0Ksection_end:{time}:jobpass_{name}\r\u{1b}[0K\n")
}

/// Names of variables that hold a token of this instance, never their values.
fn candidates(env: &Env) -> impl Iterator<Item = &str> {
    let issuer = env.var(CI_SERVER_URL).map(|url| url.trim_end_matches('/'));
    env.iter()
        .filter(move |(_, value)| {
            let claims = Jwt::parse(value).ok().and_then(|jwt| UnverifiedClaims::decode(&jwt).ok());
            let found =
                claims.as_ref().and_then(UnverifiedClaims::issuer).map(|iss| iss.trim_end_matches('/'));
            found.is_some() && found == issuer
        })
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn finds_tokens_under_another_name() {
        let jwt = |iss: &str| {
            format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(format!(r#"{{"iss":"{iss}"}}"#)))
        };
        let (ours, other) = (jwt("https://gitlab.example.com"), jwt("https://vault.example.com"));
        let env = Env::of(
            [
                ("CI_SERVER_URL", "https://gitlab.example.com/"),
                ("SIGSTORE_ID_TOKEN", &ours),
                ("VAULT_TOKEN", &other),
                ("NO_TOKEN", "a.b.c"),
            ],
            "/",
        );
        let absent = absent(&env, "TBOT_GITLAB_JWT");
        assert_eq!(absent.why, "`TBOT_GITLAB_JWT` is not set");
        assert_eq!(absent.cures.len(), 2, "{absent:?}");
        assert!(absent.cures[0].contains("`--id-token-env SIGSTORE_ID_TOKEN`"), "{absent:?}");
        assert!(
            absent.cures[1].contains("`id_tokens: { TBOT_GITLAB_JWT: { aud: <cluster name> } }`"),
            "{absent:?}"
        );
        assert!(!format!("{absent:?}").contains("eyJ"));

        let without_server = Env::of([("SIGSTORE_ID_TOKEN", ours.as_str())], "/");
        assert_eq!(super::absent(&without_server, "X").cures.len(), 1);
    }
}
