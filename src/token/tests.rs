//! The token stage against a real HTTP server on loopback, real files and real commands.

mod bounds;
mod protocols;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::error::{Exit, StageError as _};
use crate::log::Log;
use crate::net::NetError;
use crate::net::{Deadline, Options};
use Platform::{CircleCi, GitHubActions, GitLabCi, Spacelift};

const BEARER: &str = "hunter2-bearer";

/// A token for `claims`; each has this text in its signature, which must show up nowhere.
fn jwt(claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{SIGNATURE}", part(r#"{"alg":"RS256"}"#), part(claims))
}
const SIGNATURE: &str = "hunter2-signature";

fn fresh() -> String {
    jwt(&format!(r#"{{"sub":"job","aud":"x","exp":{}}}"#, now().as_second() + 3600))
}

struct Run {
    env: Env,
    detected: Detected,
    request: Request,
    limit: Duration,
}

impl Run {
    fn on(
        platform: impl Into<Option<Platform>>,
        vars: &[(&str, &str)],
        source: impl Into<Option<GivenToken>>,
    ) -> Self {
        let platform = platform.into();
        let method = platform.map(crate::rules::method_of);
        let given = source.into().map(ProofSource::Given);
        let source = given.or(platform.map(ProofSource::Platform)).unwrap();
        let detected = Detected { platform, source, method, reasons: Vec::new() };
        let env = Env::new(vars.iter().copied(), "/");
        Self { env, detected, request: Request::default(), limit: Duration::from_secs(60) }
    }

    /// The outcome and the log; neither may hold a secret.
    async fn go(&self) -> (Result<String, TokenError>, Vec<String>) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let log = Log::new(move |_, line| sink.lock().unwrap().push(line.to_owned()));
        let network = Network::new(&self.env, &Options::default(), Deadline::after(self.limit), log).unwrap();
        let result = token(&self.env, &network, &self.detected, &self.request).await;
        let lines = lines.lock().unwrap().clone();
        let shown = match &result {
            Ok(proof) => format!("{proof:?}"),
            Err(error) => {
                let source = std::error::Error::source(error).map(ToString::to_string);
                format!("{error} {error:?} {source:?} {:?} {:?}", error.causes(), error.hints())
            }
        };
        for text in lines.iter().chain([&shown]) {
            assert!(!text.contains("hunter2") && !text.contains("eyJ"), "{text}");
        }
        let token = match result {
            Ok(proof) => match proof.answer(None).await {
                Ok(Answer::IdToken(jwt)) => Ok(jwt.expose().to_owned()),
                _ => panic!("an identity token answers with itself"),
            },
            Err(error) => Err(error),
        };
        (token, lines)
    }

    async fn error(&self) -> TokenError {
        self.go().await.0.unwrap_err()
    }
}

/// Gives each connection the next answer (the last one again and again), and keeps what was asked.
async fn server(answers: &[String]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token?api=1", listener.local_addr().unwrap());
    let (asked, answers) = (Arc::new(Mutex::new(Vec::new())), answers.to_vec());
    let keep = asked.clone();
    tokio::spawn(async move {
        for n in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            keep.lock().unwrap().push(String::from_utf8(head).unwrap().to_ascii_lowercase());
            let answer = answers.get(n).or(answers.last()).unwrap();
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, asked)
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn value(token: &str) -> String {
    answer(200, "", &format!(r#"{{"count":1,"value":"{token}"}}"#))
}

async fn github(answers: &[String]) -> (Result<String, TokenError>, Vec<String>, Vec<String>) {
    let (url, asked) = server(answers).await;
    let vars = [("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER)];
    let (result, lines) = Run::on(GitHubActions, &vars, None).go().await;
    let asked = asked.lock().unwrap().clone();
    (result, lines, asked)
}

#[tokio::test]
async fn github_is_asked_for_the_audience() {
    let token = fresh();
    let (result, lines, asked) = github(&[value(&token)]).await;
    assert_eq!(result.unwrap(), token);
    assert!(lines.is_empty(), "{lines:?}");
    assert!(
        asked[0].starts_with("get /token?api=1&audience=teleport.cluster.local http/1.1\r\n"),
        "{asked:?}"
    );
    for header in [
        format!("authorization: bearer {BEARER}"),
        "accept: application/json; api-version=2.0".to_owned(),
        "content-type: application/json".to_owned(),
    ] {
        assert!(asked[0].contains(&format!("{header}\r\n")), "{asked:?}");
    }

    let (url, asked) = server(&[value(&token)]).await;
    let vars = [("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER)];
    let mut run = Run::on(GitHubActions, &vars, None);
    run.detected.method = Some(JoinMethod::GenericOidc);
    assert!(matches!(run.error().await, TokenError::AudienceMissing { .. }));
    run.request.audience = Some("https://c/ x".to_owned());
    run.go().await.0.unwrap();
    assert!(asked.lock().unwrap()[0].contains("&audience=https%3a%2f%2fc%2f%20x http"));
    assert_eq!(asked.lock().unwrap().len(), 1, "a usage error asks nobody");

    let old = jwt(r#"{"aud":"x","exp":1000}"#);
    let (result, lines, _) = github(&[value(&old)]).await;
    assert!(result.is_ok() && lines[0].contains("clock"), "{lines:?}");
}

#[tokio::test]
async fn github_is_asked_again_where_that_may_help() {
    let soon = "retry-after: 0\r\n";
    let cases = [
        (answer(503, soon, ""), true),
        (answer(500, soon, "oops"), true),
        (answer(502, soon, ""), true),
        (answer(504, soon, ""), true),
        (answer(429, soon, ""), true),
        (answer(403, "", r#"{"message":"The job is in Pending state"}"#), true),
        (String::new(), true), // closed without an answer
        (answer(401, soon, ""), false),
        (answer(403, soon, r#"{"message":"no"}"#), false),
        (answer(400, soon, ""), false),
        (answer(200, soon, "{}"), false),
    ];
    for (failure, again) in cases {
        let (result, lines, asked) = github(&[failure.clone(), failure.clone(), value(&fresh())]).await;
        assert_eq!(result.is_ok(), again, "{failure}");
        let tries = if again { 3 } else { 1 };
        assert_eq!((asked.len(), lines.len()), (tries, tries - 1), "{failure} {lines:?}");
    }
    let (result, lines, asked) = github(&[answer(503, soon, &format!("down {BEARER} {}", fresh()))]).await;
    let error = result.unwrap_err();
    assert_eq!((asked.len(), lines.len()), (5, 4));
    assert_eq!(
        error.in_one_line(),
        "GitHub Actions refused to issue an identity token: HTTP 503: down [token] [token]"
    );
    assert!(error.exit() == Exit::Network && error.hints().join("\n").contains("again"));
}

#[tokio::test]
async fn github_s_refusals_are_reported() {
    let html = answer(200, "content-type: text/html\r\n", "<html>login</html>");
    for (answer, want) in [
        (answer(401, "", r#"{"message":"bad\u001b[31m\ncredentials"}"#), "HTTP 401: bad[31m credentials"),
        (answer(403, "", "<!doctype html>"), "HTTP 403: an HTML page"),
        (answer(404, "", ""), "HTTP 404"),
        (answer(400, "", &"x ".repeat(900)), "x x…"),
        (
            answer(302, "location: /x\r\n", ""),
            "the token endpoint of GitHub Actions: HTTP 302, a redirect, which is not followed",
        ),
        (html, "the token endpoint of GitHub Actions: an HTML page"),
        (answer(200, "", "OK"), "the token endpoint of GitHub Actions: it is not JSON"),
        (
            answer(200, "", r#"{"token":"hunter2"}"#),
            "the token endpoint of GitHub Actions: it has no field `value`",
        ),
        (value(""), "the token endpoint of GitHub Actions: its field `value` is empty"),
        (
            answer(200, "", r#"{"value":7}"#),
            "the token endpoint of GitHub Actions: its field `value` is not a string",
        ),
        (
            value("hunter2"),
            "the text from the answer of GitHub Actions is not an identity token: it is not a JWT",
        ),
        (answer(200, "", &"x".repeat(2 << 20)), "could not reach the token endpoint of GitHub Actions"),
    ] {
        let (result, _, asked) = github(&[answer]).await;
        let error = result.unwrap_err();
        assert!(error.in_one_line().contains(want), "{}", error.in_one_line());
        assert!(!error.in_one_line().trim_end().ends_with(':'), "{}", error.in_one_line());
        assert!(
            error.in_one_line().len() < 400 && !error.hints().is_empty() && asked.len() == 1,
            "{}",
            error.in_one_line()
        );
    }
    for url in ["http://example.com/?a=b", "nonsense"] {
        let vars = [("ACTIONS_ID_TOKEN_REQUEST_URL", url), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER)];
        let error = Run::on(GitHubActions, &vars, None).error().await;
        assert!(matches!(error, TokenError::Endpoint { source: NetError::Address { .. }, .. }), "{error:?}");
    }
    let vars =
        [("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x/"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hunter2\n")];
    let error = Run::on(GitHubActions, &vars, None).error().await;
    assert!(error.in_one_line().contains("`ACTIONS_ID_TOKEN_REQUEST_TOKEN`"), "{}", error.in_one_line());
}

#[tokio::test]
async fn each_platform_s_variable_or_file() {
    let (token, old) = (fresh(), jwt(r#"{"exp":1000}"#));
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().to_str().unwrap();
    let empty = tempfile::tempdir().unwrap();
    std::fs::File::create(dir.path().join("spacelift.oidc"))
        .and_then(|mut file| std::io::Write::write_all(&mut file, format!("{token}\n").as_bytes()))
        .unwrap();
    let workspace = "TF_VAR_spacelift_workspace_root";
    for (platform, name, value, want) in [
        (GitLabCi, "TBOT_GITLAB_JWT", token.as_str(), Ok(())),
        (CircleCi, "CIRCLE_OIDC_TOKEN", &token, Ok(())),
        (CircleCi, "CIRCLE_OIDC_TOKEN_V2", &token, Ok(())),
        (Spacelift, "SPACELIFT_OIDC_TOKEN", &token, Ok(())),
        (Spacelift, workspace, root, Ok(())),
        (
            GitLabCi,
            "TBOT_GITLAB_JWT",
            &old,
            Err(
                "the identity token from the variable `TBOT_GITLAB_JWT` has expired: it expired at 1970-01-01T00:16:40Z",
            ),
        ),
        (CircleCi, "CIRCLE_OIDC_TOKEN", &old, Err("expired")),
        (Spacelift, "SPACELIFT_OIDC_TOKEN", &old, Err("expired")),
        (GitLabCi, "TBOT_GITLAB_JWT", "***", Err("it is masked")),
        (CircleCi, "CIRCLE_OIDC_TOKEN", "hunter2", Err("this has 1")),
        (CircleCi, "CIRCLE_OIDC_TOKEN", "aGVhZGVy.hunter2.hunter2", Err("the token's payload is not")),
        (GitLabCi, "X", "", Err("GitLab CI gave this job no identity token: `TBOT_GITLAB_JWT` is not set")),
        (GitHubActions, "X", "", Err("`ACTIONS_ID_TOKEN_REQUEST_URL` is not set")),
        (CircleCi, "CIRCLE_OIDC_TOKEN", "", Err("`CIRCLE_OIDC_TOKEN` is empty")),
        (Spacelift, workspace, empty.path().to_str().unwrap(), Err("and there is no file `/")),
    ] {
        let run = Run::on(platform, &[(name, value)], None);
        match (run.go().await.0, want) {
            (Ok(found), Ok(())) => assert_eq!(found, token),
            (Err(error), Err(want)) => {
                assert!(error.in_one_line().contains(want), "{}", error.in_one_line());
                assert!(
                    error.hints().iter().all(|h| !h.is_empty())
                        && !error.hints().is_empty()
                        && error.exit() != Exit::Usage
                );
            }
            (got, want) => panic!("{platform:?} {name}: {got:?}, not {want:?}"),
        }
    }
    let error = Run::on(CircleCi, &[("CIRCLE_OIDC_TOKEN", &old)], None).error().await;
    assert!(error.hints().join("\n").contains("circleci run oidc get"));
}

#[tokio::test]
async fn what_the_user_names_beats_the_platform() {
    const NOT_A_NAME: &str =
        "could not get an identity token from `--id-token-env`: it takes the name of a variable";
    let (token, other) = (fresh(), jwt(r#"{"sub":"other"}"#));
    let name = |name: &str| GivenToken::Variable(name.to_owned());
    let vars = [("CIRCLE_OIDC_TOKEN", other.as_str()), ("MINE", &token), ("EMPTY", ""), ("HIDDEN", "***")];
    let mut run = Run::on(CircleCi, &vars, name("MINE"));
    assert_eq!(run.go().await.0.unwrap(), token);
    for (source, want) in [
        (name("NONE"), "could not get an identity token from the variable `NONE`: it is not set"),
        (name("EMPTY"), "it is empty"),
        (name("HIDDEN"), "the text from the variable `HIDDEN` is not an identity token: it is masked"),
        (name(&token), NOT_A_NAME),
        (name(""), NOT_A_NAME),
        (name("MINE=x"), NOT_A_NAME),
        (
            GivenToken::File(token.clone().into()),
            "could not get an identity token from `--id-token-file`: it takes a path",
        ),
        (GivenToken::Command(vec![token.clone()]), "it takes a command, not a token"),
    ] {
        run.detected.source = ProofSource::Given(source);
        let error = run.error().await;
        assert!(error.in_one_line().contains(want), "{}", error.in_one_line());
        assert!(!error.hints().is_empty());
    }
    // What is not there has a hint of its own.
    let nowhere = GivenToken::File("/no/such/file".into());
    let no_program = GivenToken::Command(vec!["/no/such/program".to_owned()]);
    for (source, hint) in
        [(name("NONE"), "check its name"), (nowhere, "check the path"), (no_program, "`PATH`")]
    {
        run.detected.source = ProofSource::Given(source);
        let hints = run.error().await.hints().concat();
        assert!(hints.contains(hint), "{hints}");
    }
    let misspelt = Run::on(GitLabCi, &[], name("TBOT_GITLAB_JTW")).error().await;
    assert!(misspelt.hints().join("\n").contains("id_tokens: { TBOT_GITLAB_JTW:"), "{misspelt:?}");

    // `--audience` with a token given by hand is what it must carry.
    let mut laptop = Run::on(None, &[("MINE", &token)], name("MINE"));
    laptop.request.audience = Some("x".to_owned());
    assert!(laptop.go().await.0.is_ok());
    laptop.request.audience = Some("y".to_owned());
    assert!(laptop.error().await.in_one_line().contains("its audience is `x`, not `y`"));
}

#[tokio::test]
async fn an_expired_token_says_how_to_get_a_new_one() {
    let old = jwt(r#"{"exp":1000}"#);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), old.as_bytes()).unwrap();
    let variable = || GivenToken::Variable("MINE".to_owned());
    let command = GivenToken::Command(["sh", "-c", "echo \"$1\"", "sh", &old].map(str::to_owned).to_vec());
    for (platform, given, hint) in [
        (Some(CircleCi), variable(), "circleci run oidc get"),
        (Some(CircleCi), command.clone(), "let the command request a new token"),
        (None, command, "let the command request a new token"),
        (None, variable(), "get a new identity token in the step that runs jobpass"),
        (None, GivenToken::File(path), "get a new identity token in the step that runs jobpass"),
    ] {
        let error = Run::on(platform, &[("MINE", &old)], given).error().await;
        assert!(matches!(error, TokenError::Expired { .. }), "{error:?}");
        assert!(error.hints().join("\n").contains(hint), "{:?}, not {hint}", error.hints());
    }
}

#[test]
fn fixed_audiences_are_usage_errors() {
    for (platform, hint) in [
        (GitLabCi, "id_tokens: { TBOT_GITLAB_JWT: { aud: c } }"),
        (CircleCi, "`circleci` of the job: `--audience c`"),
        (Spacelift, "leave `--audience` out"),
    ] {
        let mut run = Run::on(platform, &[], None);
        assert!(check(&run.env, &run.detected, &run.request).is_ok());
        run.request.audience = Some("c".to_owned());
        let error = check(&run.env, &run.detected, &run.request).unwrap_err();
        assert!(matches!(error, TokenError::AudienceFixed { .. }) && error.exit() == Exit::Usage);
        assert!(error.hints().join("\n").contains(hint), "{:?}", error.hints());
    }
    // Where any audience can be asked for, it is the method's or the user's.
    let mut run = Run::on(GitHubActions, &[], None);
    assert!(check(&run.env, &run.detected, &run.request).is_ok());
    run.detected.method = Some(JoinMethod::GenericOidc);
    let error = check(&run.env, &run.detected, &run.request).unwrap_err();
    assert!(matches!(error, TokenError::AudienceMissing { .. }), "{error:?}");
    run.request.audience = Some("c".to_owned());
    assert!(check(&run.env, &run.detected, &run.request).is_ok());
}
