//! AWS STS: the request that others send to learn who made it, and the calls of our own.

use std::fmt::Write as _;
use std::time::Duration;

use http::Method;
use http::header::{HeaderName, HeaderValue};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::credentials::Credentials;
use super::error::AwsError;
use super::region::Region;
use super::signature::Unsigned;
use crate::net::http::Answer;
use crate::net::web_client::Request;
use crate::net::{Network, retry};

/// `sts:GetCallerIdentity` needs no permission. The form that Teleport compares the body with.
const GET_CALLER_IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// How long one call may take, and how often one that got no answer is made.
const LIMIT: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 3;
/// RFC 3986, 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Who AWS says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// `123456789012`.
    pub account: String,
    /// `arn:aws:sts::123456789012:assumed-role/ROLE/SESSION`, as an example.
    pub arn: String,
}

/// `GetCallerIdentity` with one header more, signed with it, as it goes over the wire: whoever sends it learns who signed, and that it
/// was signed for `extra`. Secret.
pub(super) fn identity_request(
    credentials: &Credentials,
    region: &Region,
    extra: (&str, &str),
    now: Timestamp,
) -> Vec<u8> {
    let mut wanted = headers(&region.sts_host);
    wanted.push(("Content-Length", GET_CALLER_IDENTITY.len().to_string()));
    wanted.push((extra.0, extra.1.to_owned()));
    let signed = sign(credentials, region, wanted, GET_CALLER_IDENTITY, now);
    let mut wire = "POST / HTTP/1.1\r\n".to_owned();
    for (name, value) in &signed {
        wire.push_str(name);
        wire.push_str(": ");
        wire.push_str(value);
        wire.push_str("\r\n");
    }
    wire.push_str("\r\n");
    wire.push_str(GET_CALLER_IDENTITY);
    wire.into_bytes()
}

/// Where our own calls go, and for which region they are signed.
pub(super) struct Sts<'a> {
    pub(super) network: &'a Network,
    pub(super) region: &'a Region,
    /// `AWS_ENDPOINT_URL_STS`; `None`: the region's own.
    pub(super) endpoint: Option<&'a str>,
    pub(super) now: fn() -> Timestamp,
}

impl Sts<'_> {
    /// Who these credentials are.
    pub(super) async fn caller(&self, credentials: &Credentials) -> Result<Caller, AwsError> {
        let call = "`sts:GetCallerIdentity`";
        let answer = self.call(call, GET_CALLER_IDENTITY, Some(credentials)).await?;
        let text = |field: &str| {
            let found =
                answer.pointer(&format!("/GetCallerIdentityResponse/GetCallerIdentityResult/{field}"));
            found.and_then(Value::as_str).map(str::to_owned).ok_or_else(|| foreign(call, field))
        };
        Ok(Caller { account: text("Account")?, arn: text("Arn")? })
    }

    /// The credentials of a role, for an identity token that it trusts.
    pub(super) async fn for_token(
        &self,
        role: &str,
        session: &str,
        token: &str,
        place: &str,
    ) -> Result<Credentials, AwsError> {
        let body = form(
            "AssumeRoleWithWebIdentity",
            &[("RoleArn", role), ("RoleSessionName", session), ("WebIdentityToken", token)],
        );
        let call = "`sts:AssumeRoleWithWebIdentity`";
        let answer = self.call(call, &body, None).await?;
        assumed(call, &answer, "AssumeRoleWithWebIdentity", place)
    }

    /// The credentials of a role, for those of another.
    pub(super) async fn for_role(
        &self,
        role: &str,
        session: &str,
        external_id: Option<&str>,
        credentials: &Credentials,
        place: &str,
    ) -> Result<Credentials, AwsError> {
        let mut fields = vec![("RoleArn", role), ("RoleSessionName", session)];
        fields.extend(external_id.map(|id| ("ExternalId", id)));
        let call = "`sts:AssumeRole`";
        let answer = self.call(call, &form("AssumeRole", &fields), Some(credentials)).await?;
        assumed(call, &answer, "AssumeRole", place)
    }

    async fn call(
        &self,
        call: &'static str,
        body: &str,
        credentials: Option<&Credentials>,
    ) -> Result<Value, AwsError> {
        let url = self.endpoint.map_or_else(|| format!("https://{}/", self.region.sts_host), str::to_owned);
        let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let host = host.split('/').next().unwrap_or(host).to_owned();
        let (deadline, log) = (self.network.deadline(), self.network.log());
        let what = format!("asking AWS STS ({call})");
        let attempt = |_| async {
            // Again signed: a signature is for a time.
            let signed = match credentials {
                Some(credentials) => sign(credentials, self.region, headers(&host), body, (self.now)()),
                None => headers(&host).into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
            };
            let request = Request {
                method: Method::POST,
                url: &url,
                headers: signed.iter().filter_map(|(n, v)| header(n, v)).collect(),
                body: body.as_bytes().to_vec(),
            };
            let answer = self.network.web_client().send(request, LIMIT).await;
            read(call, &answer.map_err(|error| AwsError::net(call, &error))?)
        };
        let silent = |error: &AwsError| {
            matches!(error, AwsError::Unanswered { exit: crate::error::Exit::Network, .. })
        };
        retry(deadline, log, &what, ATTEMPTS, attempt, silent).await
    }
}

/// The headers of every call. JSON is what Teleport's server asks for too.
fn headers(host: &str) -> Vec<(&'static str, String)> {
    vec![
        ("Host", host.to_owned()),
        ("Accept", "application/json".to_owned()),
        ("Content-Type", FORM.to_owned()),
    ]
}

fn sign(
    credentials: &Credentials,
    region: &Region,
    headers: Vec<(&str, String)>,
    body: &str,
    now: Timestamp,
) -> Vec<(String, String)> {
    let unsigned =
        Unsigned { method: "POST", headers, body: body.as_bytes(), region: &region.name, service: "sts" };
    unsigned.sign(credentials, now)
}

/// The client writes `Host` itself.
fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name: HeaderName = name.parse().ok().filter(|name| *name != http::header::HOST)?;
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

fn form(action: &str, fields: &[(&str, &str)]) -> String {
    let mut body = format!("Action={action}&Version=2011-06-15");
    for (name, value) in fields {
        let _ = write!(body, "&{name}={}", utf8_percent_encode(value, RESERVED));
    }
    body
}

/// STS's answer: what was asked for, a refusal with its code, or neither.
fn read(call: &'static str, answer: &Answer) -> Result<Value, AwsError> {
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let text = |pointer: &str| {
        json.as_ref().and_then(|j| j.pointer(pointer)).and_then(Value::as_str).map(str::to_owned)
    };
    if let Some(code) = text("/Error/Code") {
        // Words of STS's own, which repeat no key.
        return Err(AwsError::Refused { call, code, message: text("/Error/Message").unwrap_or_default() });
    }
    match json {
        Some(json) if answer.status == 200 => Ok(json),
        _ => {
            let what = format!("HTTP {}, but not in the form of STS", answer.status);
            let hints =
                vec!["check `AWS_ENDPOINT_URL_STS`, and that no HTTP proxy answers in its place".to_owned()];
            let transient = answer.status == 429 || answer.status >= 500;
            let exit = if transient { crate::error::Exit::Network } else { crate::error::Exit::NoIdentity };
            Err(AwsError::Unanswered { call, reason: vec![what], hints, exit })
        }
    }
}

fn foreign(call: &'static str, field: &str) -> AwsError {
    let reason = vec![format!("its answer has no `{field}`")];
    AwsError::Unanswered { call, reason, hints: Vec::new(), exit: crate::error::Exit::NoIdentity }
}

fn assumed(call: &'static str, answer: &Value, action: &str, place: &str) -> Result<Credentials, AwsError> {
    let given = answer.pointer(&format!("/{action}Response/{action}Result/Credentials"));
    let given = given.ok_or_else(|| foreign(call, "Credentials"))?;
    let text = |field: &str| given.get(field).and_then(Value::as_str).ok_or_else(|| foreign(call, field));
    // Seconds since 1970, as a number with a fraction.
    #[allow(clippy::cast_possible_truncation)] // a date beyond i64 is refused by `from_second`
    let expires = given.get("Expiration").and_then(Value::as_f64).map(|seconds| seconds as i64);
    let expires = expires.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let (id, secret, token) = (text("AccessKeyId")?, text("SecretAccessKey")?, text("SessionToken")?);
    Credentials::new(place, id, secret, Some(token), expires)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_sts_under_fire() {
        let answers = [
            r#"{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":"123456789012","Arn":"arn:aws:sts::1:x"}}}"#,
            r#"{"AssumeRoleResponse":{"AssumeRoleResult":{"Credentials":{"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t","Expiration":1.795e9}}}}"#,
            r#"{"Error":{"Code":"ExpiredToken","Message":"no"}}"#,
        ];
        crate::under_fire::parser("answers of AWS STS", answers).memory(200, 256 * 1024).bytes(|bytes| {
            let answer = Answer { status: 200, headers: http::HeaderMap::new(), body: bytes.to_vec() };
            if let Ok(json) = read("the call", &answer) {
                let _ = assumed("the call", &json, "AssumeRole", "x");
            }
        });
    }
}
