//! AWS as a machine sees it: the metadata service of an instance, the endpoint of a container, STS. Paths, headers and status codes of
//! "Amazon EC2 User Guide", "Amazon EKS User Guide" (Pod Identity) and "AWS STS API Reference".

use super::metadata::{Asked, Service, Told};

/// The keys that all of them give.
#[derive(Clone)]
pub struct Keys {
    pub id: String,
    pub secret: String,
    pub token: String,
}

impl Keys {
    /// Those of a simulated machine.
    pub fn of(variables: &[(String, String)]) -> Self {
        let get = |name: &str| variables.iter().find(|(n, _)| n == name).unwrap().1.clone();
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
        let [id, secret, token] = names.map(get);
        Self { id, secret, token }
    }

    /// As the metadata services give them.
    pub fn json(&self, expiration: &str) -> String {
        let Self { id, secret, token } = self;
        format!(
            r#"{{"Code":"Success","LastUpdated":"2026-11-21T05:00:00Z","Type":"AWS-HMAC","AccessKeyId":"{id}","SecretAccessKey":"{secret}","Token":"{token}","Expiration":"{expiration}"}}"#
        )
    }
}

/// Where an instance differs from a well one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Instance {
    Well,
    /// The session's token is lost on its way to a container: hop limit 1.
    HopLimit,
    /// The service is switched off.
    Disabled,
    /// It has no role.
    NoRole,
    /// Its role cannot be assumed.
    NoTrust,
    /// Its keys are old.
    Expired,
    /// Something between strips the session's header.
    Stripped,
    /// A login page answers.
    Portal,
    /// Leads elsewhere.
    Redirect,
    /// Is busy at first.
    Busy,
    /// Takes longer than a second once it has answered.
    Slow,
}

pub const SESSION: &str = "AQAEAHqs3ss10n";
pub const NEVER: &str = "2099-01-01T00:00:00Z";

/// `IMDSv2` only.
pub fn instance(keys: &Keys, state: Instance) -> Service {
    let keys = keys.clone();
    let turn = std::sync::atomic::AtomicU32::new(0);
    Service::start(move |asked| {
        let first = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        match state {
            Instance::Disabled => return Told::status(403),
            Instance::Portal => return Told::text("<!DOCTYPE html><html>Please sign in</html>"),
            Instance::Redirect => {
                return Told::Answer(302, vec!["location: http://127.0.0.1:9/".to_owned()], String::new());
            }
            Instance::Busy if first => return Told::status(503),
            _ => {}
        }
        if asked.path == "/latest/api/token" {
            return match (asked.method.as_str(), asked.header("x-aws-ec2-metadata-token-ttl-seconds")) {
                _ if state == Instance::HopLimit => Told::Nothing,
                // Whatever came through a proxy is refused (EC2 User Guide).
                _ if asked.header("x-forwarded-for").is_some() => Told::status(403),
                ("PUT", Some(_)) => Told::text(SESSION),
                ("PUT", None) => Told::status(400),
                _ => Told::status(405),
            };
        }
        if state == Instance::Stripped || asked.header("x-aws-ec2-metadata-token") != Some(SESSION) {
            return Told::status(401);
        }
        match asked.path.as_str() {
            "/latest/meta-data/placement/region" => Told::text("eu-central-1"),
            "/latest/meta-data/iam/security-credentials/" if state == Instance::NoRole => Told::status(404),
            "/latest/meta-data/iam/security-credentials/" => Told::text("ci-runner"),
            "/latest/meta-data/iam/security-credentials/ci-runner" => match state {
                Instance::NoTrust => Told::text(
                    r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role ci-runner."}"#,
                ),
                Instance::Expired => Told::text(&keys.json("2026-01-02T03:04:05Z")),
                Instance::Slow => {
                    let wait = std::time::Duration::from_millis(1_100);
                    Told::Late(wait, Box::new(Told::text(&keys.json(NEVER))))
                }
                _ => Told::text(&keys.json(NEVER)),
            },
            _ => Told::status(404),
        }
    })
}

/// EKS Pod Identity's agent, which wants the pod's token.
pub fn container(keys: &Keys, authorization: &'static str) -> Service {
    let json = keys.json(NEVER);
    Service::start(move |asked| match asked.path.as_str() {
        "/v1/credentials" if asked.header("authorization") != Some(authorization) => {
            Told::Answer(401, Vec::new(), r#"{"message":"Service account token is not valid"}"#.to_owned())
        }
        "/v1/credentials" => Told::text(&json),
        _ => Told::status(404),
    })
}

/// STS: a role for the identity token `jwt`, and one for the keys.
pub fn sts(keys: &Keys, jwt: &'static str) -> Service {
    let keys = keys.clone();
    Service::start(move |asked: &Asked| {
        let Keys { id, secret, token } = &keys;
        let action =
            asked.body.split('&').next().unwrap_or_default().trim_start_matches("Action=").to_owned();
        let assumed = format!(
            r#"{{"{action}Response":{{"{action}Result":{{"Credentials":{{"AccessKeyId":"{id}","SecretAccessKey":"{secret}","SessionToken":"{token}","Expiration":4.0709088E9}}}}}}}}"#
        );
        match action.as_str() {
            "AssumeRoleWithWebIdentity" if !asked.body.ends_with(&format!("&WebIdentityToken={jwt}")) => Told::Answer(
                400,
                Vec::new(),
                r#"{"Error":{"Code":"InvalidIdentityToken","Message":"No OpenIDConnect provider found in your account"}}"#
                    .to_owned(),
            ),
            "AssumeRoleWithWebIdentity" => Told::text(&assumed),
            "AssumeRole" if asked.header("authorization").is_some() => Told::text(&assumed),
            _ => Told::status(403),
        }
    })
}
