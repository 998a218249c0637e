//! What each platform's address is asked, byte for byte, and which of its answers are refusals.

use super::*;
use crate::platform::Platform::{AzureDevOps, Buildkite, Codefresh, Forgejo};

/// Answers one request, body and all, and gives back what was asked.
async fn once(answer: String) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            text.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(text).unwrap();
        let length = head.to_ascii_lowercase().lines().find_map(|line| {
            line.strip_prefix("content-length: ").map(|length| length.parse::<usize>().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
        head + std::str::from_utf8(&body).unwrap()
    });
    (url, asked)
}

fn job(platform: Platform, url: &str) -> Run {
    let vars = match platform {
        AzureDevOps => {
            vec![("SYSTEM_OIDCREQUESTURI", format!("{url}/o")), ("SYSTEM_ACCESSTOKEN", BEARER.into())]
        }
        Buildkite => vec![
            ("BUILDKITE_AGENT_ENDPOINT", format!("{url}/v3")),
            ("BUILDKITE_AGENT_ACCESS_TOKEN", BEARER.into()),
            ("BUILDKITE_JOB_ID", "j-1".into()),
        ],
        Codefresh => {
            vec![("CF_OIDC_REQUEST_URL", format!("{url}/c")), ("CF_OIDC_REQUEST_TOKEN", BEARER.into())]
        }
        _ => vec![
            ("FORGEJO_ACTIONS", "true".into()),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{url}/f?placeholder=true")),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER.into()),
        ],
    };
    let vars: Vec<(&str, &str)> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut run = Run::on(platform, &vars, None);
    run.request.audience = (platform != AzureDevOps).then(|| "a b".to_owned());
    run
}

#[tokio::test]
async fn each_is_asked_in_its_own_way() {
    for (platform, line, authorization, body, field) in [
        (AzureDevOps, "POST /o?api-version=7.1 ", "Bearer ", "", "oidcToken"),
        (Buildkite, "POST /v3/jobs/j-1/oidc/tokens ", "Token ", r#"{"audience":"a b"}"#, "token"),
        (Codefresh, "GET /c?audience=a%20b ", "", "", "id_token"),
        (Forgejo, "GET /f?placeholder=true&audience=a%20b ", "Bearer ", "", "value"),
    ] {
        let token = fresh();
        let (url, asked) = once(answer(200, "", &format!(r#"{{"{field}":"{token}"}}"#))).await;
        assert_eq!(job(platform, &url).go().await.0.unwrap(), token);
        let asked = asked.await.unwrap();
        let (head, sent) = asked.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(line), "{head}");
        assert!(head.contains(&format!("\r\nauthorization: {authorization}{BEARER}")), "{head}");
        assert_eq!(sent, body, "{platform:?}");
        if line.starts_with("POST") {
            assert!(head.contains("\r\ncontent-type: application/json"), "{head}");
            assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())), "{head}");
        }
    }
}

#[tokio::test]
async fn refusals_name_the_platform_s_own_cure() {
    let html = "<html>Sign in</html>";
    for (platform, status, hint) in [
        (AzureDevOps, 203, "$(System.AccessToken)"),
        (AzureDevOps, 302, "$(System.AccessToken)"),
        (AzureDevOps, 403, "$(System.AccessToken)"),
        (AzureDevOps, 404, "`SYSTEM_OIDCREQUESTURI` is as the runner set it"),
        (Buildkite, 403, "in the job itself"),
        (Buildkite, 302, "`BUILDKITE_AGENT_ENDPOINT` is as the runner set it"),
        (Codefresh, 403, "while it runs"),
        (Forgejo, 403, "enable-openid-connect"),
        (Forgejo, 500, "again"),
    ] {
        let mut run = Run::on(platform, &[], None);
        let (url, _asked) =
            once(answer(status, "content-type: text/html\r\nretry-after: 99\r\n", html)).await;
        run.env = job(platform, &url).env;
        run.request.audience = job(platform, &url).request.audience;
        run.limit = Duration::from_secs(5);
        let error = run.error().await;
        assert!(
            error.hints().join("\n").contains(hint),
            "{platform:?} {status}: {error:?} {:?}",
            error.hints()
        );
    }
}

#[tokio::test]
async fn who_does_not_say_for_whom_gets_none() {
    for platform in [Buildkite, Codefresh, Forgejo] {
        let mut run = job(platform, "http://127.0.0.1:1");
        run.request.audience = None;
        assert!(matches!(run.error().await, TokenError::AudienceMissing { .. }), "{platform:?}");
    }
}
