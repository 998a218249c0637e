//! The web port: ping, doors by protocol, CI tokens, simulated jobs.

use serde_json::json;

use super::client::{auth_alpn, bot, http, json_of, tls, web_root};
use super::*;

/// Keys of nested objects, as dotted paths.
fn keys(value: &Value, at: &str, all: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        all.push(format!("{at}{name}"));
        keys(value, &format!("{at}{name}."), all);
    }
}

#[tokio::test]
async fn ping_has_the_recorded_shape() {
    let sandbox = sandbox("15.0.0").await;
    let ping = json_of(&sandbox, "/webapi/ping").await;
    let mut all = Vec::new();
    keys(&ping, "", &mut all);
    all.sort();
    let recorded = "auth auth.default_session_ttl auth.device_trust auth.device_trust.disabled \
        auth.device_trust_disabled auth.has_motd auth.local auth.local.name auth.piv_slot \
        auth.private_key_policy auth.second_factor auth.type automatic_upgrades cluster_name \
        min_client_version proxy proxy.assist_enabled proxy.db proxy.db.mysql_listen_addr \
        proxy.db.postgres_listen_addr proxy.kube proxy.kube.enabled proxy.kube.listen_addr proxy.ssh \
        proxy.ssh.listen_addr proxy.ssh.public_addr proxy.ssh.tunnel_listen_addr proxy.ssh.web_listen_addr \
        proxy.tls_routing_enabled server_version";
    assert_eq!(all.join(" "), recorded.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(ping["cluster_name"], "sandbox.example");
    assert_eq!(ping["proxy"]["ssh"]["public_addr"], sandbox.address.to_string());
    assert_eq!(ping["proxy"]["tls_routing_enabled"], true);
    assert_eq!(json_of(&sandbox, "/webapi/find").await["server_version"], "15.0.0");
}

#[tokio::test]
async fn tells_suite_and_public_address() {
    for (suite, want) in [("fips-v1", json!("fips-v1")), ("2", json!(2))] {
        let options = SandboxOptions {
            suite: suite.to_owned(),
            public_addr: Some("proxy.example.com:3080".to_owned()),
            ..options("18.2.0")
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let ping = json_of(&sandbox, "/webapi/ping").await;
        assert_eq!(ping["auth"]["signature_algorithm_suite"], want);
        assert_eq!(ping["proxy"]["ssh"]["public_addr"], "proxy.example.com:3080");
        for name in ["proxy.example.com", "localhost", "127.0.0.1", "::1"] {
            let stream = tls(&sandbox, name, &["h2", "http/1.1"], &web_root(&sandbox), None).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]), "{name}");
        }
    }
}

#[tokio::test]
async fn listens_on_ipv6() {
    let Ok(sandbox) = Sandbox::start(SandboxOptions { ipv6: true, ..options("18.2.0") }).await else {
        return; // no IPv6 here
    };
    assert!(sandbox.address.is_ipv6());
    let ping = json_of(&sandbox, "/webapi/ping").await;
    assert_eq!(ping["proxy"]["ssh"]["public_addr"], format!("[::1]:{}", sandbox.address.port()));
}

#[tokio::test]
async fn unknown_paths_and_a_closed_old_path_are_404() {
    let sandbox = Sandbox::start(SandboxOptions { join_old: false, ..options("18.2.0") }).await.unwrap();
    for (method, path) in [("POST", "/v1/webapi/host/credentials"), ("GET", "/x"), ("POST", "/webapi/ping")] {
        let (status, _, body) = http(&sandbox, method, path, &[], "{}".to_owned()).await;
        assert_eq!((status, body.as_str()), (404, r#"{"error":{"message":"path not found"}}"#), "{path}");
    }
}

#[tokio::test]
async fn the_ci_token_endpoint_wants_its_bearer_and_signs() {
    let mut options = options("18.2.0");
    options.inject.token_503 = 2;
    let sandbox = Sandbox::start(options).await.unwrap();
    let env = sandbox.job_environment(Platform::GitHubActions).unwrap();
    let var = |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap();
    let url = var("ACTIONS_ID_TOKEN_REQUEST_URL");
    let bearer = format!("Bearer {}", var("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
    let path =
        format!("{}&audience=a%3Ab%2Bc", url.strip_prefix(&format!("https://{}", sandbox.address)).unwrap());
    let ask =
        async |bearer: &str| http(&sandbox, "GET", &path, &[("authorization", bearer)], String::new()).await;
    assert_eq!(ask(&bearer).await.0, 503);
    assert_eq!(ask(&bearer).await.0, 503);
    assert_eq!(ask("Bearer other").await.0, 401);
    let (status, _, body) = ask(&bearer).await;
    assert_eq!(status, 200);
    let value: Value = serde_json::from_str(&body).unwrap();
    let jwt = Jwt::parse(value["value"].as_str().unwrap()).unwrap();
    let claims = crate::claims::UnverifiedClaims::decode(&jwt).unwrap();
    assert_eq!(claims.audiences(), ["a:b+c"]);
    assert_eq!(claims.text("repository"), Some("acme/app"));
    assert_eq!(claims.issuer(), Some("https://token.actions.githubusercontent.com"));
    let jwks = json_of(&sandbox, "/jwks").await;
    assert_eq!(jwks.to_string(), sandbox.jwks());
    let discovery = json_of(&sandbox, "/.well-known/openid-configuration").await;
    assert_eq!(discovery["jwks_uri"], format!("https://{}/jwks", sandbox.address));
}

#[tokio::test]
async fn doors_open_by_protocol_name_and_certificate() {
    let sandbox = sandbox("18.2.0").await;
    let (client, host_ca) = bot(&sandbox).await;
    let web = web_root(&sandbox);
    let (own, other) = (auth_alpn("sandbox.example"), auth_alpn("other.example"));
    let internal = "teleport.cluster.local";
    for (name, alpn, root, client, want) in [
        (internal, vec![own.as_str(), "h2"], &host_ca, Some(&client), Some("h2")),
        // Recorded: without `h2` beside it no protocol is agreed on.
        (internal, vec![own.as_str()], &host_ca, Some(&client), None),
        (internal, vec![other.as_str(), "h2"], &host_ca, Some(&client), None),
        ("127.0.0.1", vec![own.as_str(), "h2"], &host_ca, Some(&client), None),
        (internal, vec!["teleport-proxy-ssh-grpc", "h2"], &host_ca, Some(&client), Some("h2")),
        ("127.0.0.1", vec!["teleport-proxy-grpc", "h2"], &web, None, Some("h2")),
        ("127.0.0.1", vec!["teleport-proxy-grpc"], &web, None, Some("teleport-proxy-grpc")),
        ("127.0.0.1", vec!["teleport-reversetunnel"], &web, None, Some("teleport-reversetunnel")),
        ("127.0.0.1", vec!["teleport-unheard-of"], &web, None, None),
        (internal, vec![own.as_str(), "h2"], &web, Some(&client), None),
    ] {
        let got = tls(&sandbox, name, &alpn, root, client).await.ok();
        let got = got
            .map(|s| String::from_utf8_lossy(s.get_ref().1.alpn_protocol().unwrap_or_default()).into_owned());
        assert_eq!(got.as_deref(), want, "{name} {alpn:?}");
    }
    let seen = sandbox.records();
    let first = seen.iter().find(|s| s.client.is_some()).unwrap();
    assert_eq!(first.client.as_deref(), Some("bot-ci"));
    assert_eq!(first.sni.as_deref(), Some(internal));
    assert_eq!(first.alpn_offered, [own, "h2".to_owned()]);
    assert!(seen.iter().any(|s| s.paths == ["/v1/webapi/host/credentials"]));
    // In TLS 1.3 the server's refusal of an absent certificate comes after the client's handshake.
    let own = auth_alpn("sandbox.example");
    let mut stream = tls(&sandbox, internal, &[&own, "h2"], &host_ca, None).await.unwrap();
    let read = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 100]).await;
    assert!(read.is_err(), "{read:?}");
}

#[tokio::test]
async fn stops_when_told_and_when_dropped() {
    for drop_it in [false, true] {
        let sandbox = sandbox("18.2.0").await;
        let address = sandbox.address;
        let mut open = tls(&sandbox, "127.0.0.1", &[], &web_root(&sandbox), None).await.unwrap();
        if drop_it {
            drop(sandbox);
        } else {
            sandbox.stop().await;
        }
        let read = tokio::io::AsyncReadExt::read(&mut open, &mut [0; 10]).await;
        assert!(!matches!(read, Ok(1..)));
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    }
}

#[tokio::test]
async fn jobs_of_every_platform_have_their_marker_and_token() {
    let sandbox = sandbox("18.2.0").await;
    for (platform, marker, token) in [
        (Platform::GitHubActions, ("GITHUB_ACTIONS", Some("true")), "ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        (Platform::GitLabCi, ("GITLAB_CI", Some("true")), "TBOT_GITLAB_JWT"),
        (Platform::CircleCi, ("CIRCLECI", Some("true")), "CIRCLE_OIDC_TOKEN"),
        (Platform::Spacelift, ("TF_VAR_spacelift_run_id", None), "SPACELIFT_OIDC_TOKEN"),
    ] {
        let env = sandbox.job_environment(platform).unwrap();
        let var = |name: &str| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        assert!(
            marker.1.is_none_or(|want| var(marker.0) == Some(want)) && var(marker.0).is_some(),
            "{platform:?}"
        );
        assert!(var(token).is_some_and(|t| !t.is_empty()), "{platform:?}");
    }
}
