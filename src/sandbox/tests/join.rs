//! Both join paths, admitted and refused.

use serde_json::json;
use tokio_stream::wrappers::ReceiverStream;

use super::client::{Channel, post_join, text};
use super::*;
use crate::identity::keys::{KeyKind, KeyPair};
use crate::identity::tls::{TlsCertificate, pem_of};
use crate::rules::{self, ServerVersion};
use crate::teleport::wire::Timestamp;
use crate::teleport::wire::join as wire;

const AUD: &str = "teleport.cluster.local";
const PATH: &str = "/teleport.join.v1.JoinService/Join";

fn github(sandbox: &Sandbox, claims: &Value) -> String {
    let mut all = json!({"aud": AUD});
    for (name, value) in claims.as_object().into_iter().flatten() {
        all[name] = value.clone();
    }
    sandbox.id_token(Platform::GitHubActions, &all).unwrap().expose().to_owned()
}

#[tokio::test]
async fn every_platform_joins_by_the_old_path() {
    for version in ["15.0.0-dev", "18.2.0"] {
        let sandbox = Sandbox::start(SandboxOptions { rs256: true, ..options(version) }).await.unwrap();
        let lacks =
            |platform| rules::unserved(rules::method_of(platform), ServerVersion::parse(version), None);
        for platform in Platform::ALL.into_iter().filter(|platform| lacks(*platform).is_none()) {
            let claims = if platform == Platform::GitHubActions { json!({"aud": AUD}) } else { Value::Null };
            let jwt = sandbox.id_token(platform, &claims).unwrap();
            let token = format!("ci-{}", platform.id());
            let (status, answer, _) = post_join(&sandbox, &token, jwt.expose(), Value::Null).await;
            assert_eq!(status, 200, "{version} {platform:?}: {answer}");
            let cert = TlsCertificate::from_pem(&text(&answer["tls"])).unwrap();
            assert_eq!(cert.common_name, "bot-ci");
        }
    }
}

#[tokio::test]
async fn refusals_of_the_old_path_are_the_recorded_ones() {
    let no_rule = "id token claims did not match any allow rules";
    let unknown = "\"\" can not join the cluster with role \"Bot\", token expired or not found";
    let issuer = "https://token.actions.githubusercontent.com";
    for (version, cases) in [
        (
            "15.0.0-dev",
            [
                format!("oidc: expected audience \"{AUD}\" got [\"lab.example\"]"),
                "oidc: token is expired (Token Expiry: 2026-01-02 03:04:05 +0000 UTC)".to_owned(),
                format!(
                    "oidc: id token issued by a different provider, expected \"{issuer}\" got \"https://gitlab.test\""
                ),
                "oidc: malformed jwt: square/go-jose: compact JWS format must have three parts".to_owned(),
            ],
        ),
        (
            "18.2.0",
            [
                format!(
                    "validating with oidc: audience is not valid: Audience must contain client_id \"{AUD}\""
                ),
                "validating with oidc: token has expired".to_owned(),
                format!(
                    "validating with oidc: issuer does not match: Expected: {issuer}, got: https://gitlab.test"
                ),
                "validating with oidc: parsing jwt: token contains an invalid number of segments".to_owned(),
            ],
        ),
    ] {
        let sandbox = sandbox(version).await;
        let [audience, expired, other_issuer, malformed] = cases;
        let good = github(&sandbox, &Value::Null);
        let no_keys = json!({"public_tls_key": null, "public_ssh_key": null});
        for (token, jwt, changes, want) in [
            ("ci-github", github(&sandbox, &json!({"repository": "evil/app"})), Value::Null, (403, no_rule)),
            ("nope", good.clone(), Value::Null, (403, unknown)),
            ("ci-github", github(&sandbox, &json!({"aud": "lab.example"})), Value::Null, (500, &audience)),
            ("ci-github", github(&sandbox, &json!({"exp": 1_767_323_045})), Value::Null, (500, &expired)),
            (
                "ci-github",
                github(&sandbox, &json!({"iss": "https://gitlab.test"})),
                Value::Null,
                (500, &other_issuer),
            ),
            ("ci-github", "***".to_owned(), Value::Null, (500, &malformed)),
            ("ci-github", String::new(), Value::Null, (400, "IDToken not provided for Github join request")),
            ("ci-github", good.clone(), no_keys, (500, "ssh: no key found")),
            ("ci-github", good.clone(), json!({"role": "Node"}), (400, "missing parameter HostID")),
        ] {
            let (status, answer, _) = post_join(&sandbox, token, &jwt, changes).await;
            assert_eq!(answer, json!({"error": {"message": want.1}}), "{version}");
            assert_eq!(status, want.0, "{version} {}", want.1);
        }
    }
}

#[tokio::test]
async fn a_token_must_be_signed_by_the_issuer_and_be_in_time() {
    let (sandbox, other) = (sandbox("18.2.0").await, sandbox("18.2.0").await);
    let now = crate::env::now().as_second();
    let mut forged = github(&sandbox, &Value::Null);
    forged.replace_range(..forged.find('.').unwrap(), "eyJhbGciOiJub25lIn0");
    for (jwt, want) in [
        (github(&other, &Value::Null), "invalid signature"),
        (forged, "signature algorithm not supported"),
        (github(&sandbox, &json!({"iat": now + 60})), "issuedAt of token is in the future"),
        (github(&sandbox, &json!({"sub": null})), "subject missing"),
        (
            github(&sandbox, &json!({"aud": [AUD, "b"]})),
            "authorized party is not set. If Token is valid for multiple audiences, azp must not be empty",
        ),
        (github(&sandbox, &json!({"aud": [AUD, "b"], "azp": "b"})), "authorized party is not valid"),
    ] {
        let (status, answer, _) = post_join(&sandbox, "ci-github", &jwt, Value::Null).await;
        assert_eq!(
            (status, &answer["error"]["message"]),
            (500, &json!(format!("validating with oidc: {want}")))
        );
    }
    let fine = github(&sandbox, &json!({"aud": [AUD, "b"], "azp": AUD}));
    assert_eq!(post_join(&sandbox, "ci-github", &fine, Value::Null).await.0, 200);
}

#[tokio::test]
async fn static_keys_replace_the_issuer() {
    let other = sandbox("18.2.0").await;
    let mut options = options("18.2.0");
    options.tokens[0].spec["static_jwks"] = json!(other.jwks());
    let sandbox = Sandbox::start(options).await.unwrap();
    let jwt = github(&other, &json!({"iss": "https://anything.example"}));
    let (status, answer, _) = post_join(&sandbox, "ci-github", &jwt, Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    let (_, answer, _) = post_join(&sandbox, "ci-github", &github(&sandbox, &Value::Null), Value::Null).await;
    assert_eq!(answer["error"]["message"], "validating with static jwks: invalid signature");
    // With keys of its own the server allows for 10 s of difference between clocks.
    for (age, want) in [(-5, 200), (3, 200), (12, 500)] {
        let now = crate::env::now().as_second();
        let jwt = github(&other, &json!({"exp": now - age}));
        assert_eq!(post_join(&sandbox, "ci-github", &jwt, Value::Null).await.0, want, "{age}");
    }
}

/// One exchange on the new path; `second` gets the method the server named.
async fn join(
    sandbox: &Sandbox,
    init: wire::ClientInit,
    second: impl FnOnce(&str) -> wire::Request,
) -> Result<wire::Certificates, tonic::Status> {
    let mut channel = Channel::join(sandbox).await;
    let (sender, receiver) = tokio::sync::mpsc::channel(4);
    let message = |payload| wire::JoinRequest { payload: Some(payload) };
    sender.send(message(wire::Request::ClientInit(init))).await.unwrap();
    let mut answers = channel.stream::<_, wire::JoinResponse>(PATH, ReceiverStream::new(receiver)).await?;
    let Some(wire::Response::Init(init)) = answers.message().await?.unwrap().payload else {
        panic!("no init")
    };
    assert_eq!(init.signature_algorithm_suite, "balanced-v1");
    sender.send(message(second(&init.join_method))).await.unwrap();
    let Some(wire::Response::Result(result)) = answers.message().await?.unwrap().payload else {
        panic!("no result")
    };
    Ok(result.bot_result.unwrap().certificates.unwrap())
}

fn init(method: Option<&str>, token: &str) -> wire::ClientInit {
    wire::ClientInit {
        join_method: method.map(str::to_owned),
        token_name: token.to_owned(),
        system_role: "Bot".to_owned(),
    }
}

fn oidc(jwt: &str, key: &KeyPair, expires: Option<i64>) -> wire::Request {
    let public_keys = wire::PublicKeys {
        public_tls_key: key.public_der().to_vec(),
        public_ssh_key: ssh_key::PublicKey::from(key.public_ssh().clone()).to_bytes().unwrap(),
    };
    let expires = expires.map(|seconds| Timestamp { seconds, nanos: 0 });
    let bot_params = Some(wire::BotParams { public_keys: Some(public_keys), expires });
    let client_params = Some(wire::ClientParams { bot_params });
    wire::Request::OidcInit(wire::OidcInit { client_params, id_token: jwt.as_bytes().to_vec() })
}

#[tokio::test]
async fn joins_by_the_new_path() {
    let sandbox = sandbox("18.2.0").await;
    let key = KeyPair::generate(KeyKind::P256).unwrap();
    let jwt = github(&sandbox, &Value::Null);
    let certs = join(&sandbox, init(None, "ci-github"), |method| {
        assert_eq!(method, "github");
        oidc(&jwt, &key, None)
    })
    .await
    .unwrap();
    let user_ca = pem_of(&certs.tls_ca_certs[0]);
    let leaf = pem_of(&certs.tls_cert);
    run("openssl", &["verify", "-CAfile", "{0}", "{1}"], &[user_ca.as_bytes(), leaf.as_bytes()]);
    assert_eq!(TlsCertificate::from_der(&certs.tls_cert).unwrap().public_key, key.public_der());
    let line = ssh_key::Certificate::from_bytes(&certs.ssh_cert).unwrap().to_openssh().unwrap();
    let shown = run("ssh-keygen", &["-L", "-f", "{0}"], &[line.as_bytes()]);
    assert!(shown.contains("-teleport-nologin-") && shown.contains("Key ID: \"bot-ci\""), "{shown}");
    assert!(!shown.contains("impersonator"), "{shown}");
    assert_eq!(certs.ssh_ca_keys.len(), 2);
    let user = ssh_key::PublicKey::from_bytes(&certs.ssh_ca_keys[0]).unwrap().to_openssh().unwrap();
    assert_eq!(user, sandbox.ssh_user_ca().trim());
}

#[tokio::test]
async fn refusals_of_the_new_path_carry_status_and_text() {
    use tonic::Code::{InvalidArgument, PermissionDenied, Unimplemented};
    let sandbox = sandbox("18.2.0").await;
    let key = KeyPair::generate(KeyKind::P256).unwrap();
    let good = github(&sandbox, &Value::Null);
    let evil = github(&sandbox, &json!({"ref": "x", "repository": "evil/app"}));
    let late = github(&sandbox, &json!({"exp": 1}));
    for (method, token, jwt, code, want) in [
        (
            Some("gitlab"),
            "ci-github",
            &good,
            InvalidArgument,
            "client requested join method gitlab, provision token only supports method github",
        ),
        (None, "nope", &good, PermissionDenied, "token expired or not found"),
        (
            Some("github"),
            "ci-github",
            &evil,
            PermissionDenied,
            "id token claims did not match any allow rules",
        ),
        (None, "ci-github", &late, PermissionDenied, "validating with oidc: token has expired"),
    ] {
        let status = join(&sandbox, init(method, token), |_| oidc(jwt, &key, None)).await.unwrap_err();
        assert!(status.code() == code && status.message().contains(want), "{status:?}");
    }
    for (version, join_new) in [("18.2.0", false), ("17.7.0", true)] {
        let old = Sandbox::start(SandboxOptions { join_new, ..options(version) }).await.unwrap();
        let status = join(&old, init(None, "ci-github"), |_| unreachable!()).await.unwrap_err();
        assert_eq!(status.code(), Unimplemented);
        assert_eq!(status.message(), "unknown service teleport.join.v1.JoinService");
    }
}

#[tokio::test]
async fn lifetimes_are_capped_and_dry_runs_say_so() {
    let hours = |n: i64| crate::env::now().as_second() + n * 3600;
    for (dry_run, asked, most) in [(false, 48, 12 * 3600), (false, 1, 3600), (true, 1, 900)] {
        let sandbox = Sandbox::start(SandboxOptions { dry_run, ..options("18.2.0") }).await.unwrap();
        let key = KeyPair::generate(KeyKind::Ed25519).unwrap();
        let jwt = github(&sandbox, &Value::Null);
        let certs =
            join(&sandbox, init(None, "ci-github"), |_| oidc(&jwt, &key, Some(hours(asked)))).await.unwrap();
        let tls = TlsCertificate::from_der(&certs.tls_cert).unwrap();
        let ssh = ssh_key::Certificate::from_bytes(&certs.ssh_cert).unwrap();
        let life = tls.not_after.as_second() - tls.not_before.as_second();
        assert!((most..=most + 60).contains(&life), "{life}");
        assert_eq!(ssh.valid_before(), u64::try_from(tls.not_after.as_second()).unwrap());
        assert_eq!(ssh.key_id(), if dry_run { "DRY-RUN bot-ci" } else { "bot-ci" });
    }
}
