//! AWS STS as far as `GetCallerIdentity` goes, with keys of the sandbox's own, and a server's checks of such a request before it sends
//! it there. Written from the rules of Signature Version 4, not from what signs here.

use std::fmt::Write as _;

use aws_lc_rs::{constant_time, digest, hmac};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::policy;
use super::refusal::{Kind, Refusal};
use crate::claims::UnverifiedClaims;
use crate::rules::ProvisionToken;
use crate::text::hex;

/// Teleport `lib/join/iamjoin`.
const CHALLENGE: &str = "x-teleport-challenge";
const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
/// The one machine that the simulated AWS has.
const ACCESS_KEY_ID: &str = "ASIASANDBOXSANDBOX00";
const ACCOUNT: &str = "123456789012";
const ARN: &str = "arn:aws:sts::123456789012:assumed-role/ci-runner/i-0123456789abcdef0";
/// Signatures are for this long (IAM User Guide), seconds to either side.
const WINDOW: i64 = 15 * 60;
/// Suffix of hosts and regions that the server knows.
const REGIONS: [(&str, &[&str]); 2] = [
    (
        "amazonaws.com",
        &[
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
            "eu-central-1",
            "eu-west-1",
            "eu-north-1",
            "ap-southeast-2",
            "us-gov-west-1",
        ],
    ),
    ("amazonaws.com.cn", &["cn-north-1"]),
];
const FIPS_REGIONS: [&str; 4] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"];

/// A request as it came.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: &'a str,
}

impl<'a> Request<'a> {
    /// HTTP/1.1 as it goes over the wire.
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (head, body) = std::str::from_utf8(bytes).ok()?.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, path, "HTTP/1.1", None) = (first.next()?, first.next()?, first.next()?, first.next())
        else {
            return None;
        };
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let request = Self { method, path, headers: lines.map(header).collect::<Option<_>>()?, body };
        // What is behind the body belongs to no request.
        (request.header("content-length")?.parse() == Ok(body.len())).then_some(request)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// STS's refusal: status, code, message.
pub(super) type Refused = (u16, &'static str, &'static str);

/// Verifies the request as a server does, and compares the caller with the token's rules.
pub(super) fn admit(
    cluster: &Cluster,
    token: &ProvisionToken,
    challenge: &str,
    request: &[u8],
) -> Result<(), Refusal> {
    let request =
        Request::parse(request).ok_or_else(|| Refusal::new(Kind::Other, "malformed HTTP request"))?;
    if request.path != "/" {
        return Err(Refusal::denied(format!("unexpected sts identity request URI: {:?}", request.path)));
    }
    let host = request.header("host").unwrap_or_default();
    if !is_sts(host) {
        return Err(Refusal::denied(format!("rejecting IAM join request using STS host {host:?}")));
    }
    if request.method != "POST" {
        return Err(Refusal::denied("sts identity request method does not match expected method \"POST\""));
    }
    if request.header(CHALLENGE) != Some(challenge) {
        let text = "sts identity request does not include challenge header or it does not match";
        return Err(Refusal::denied(text));
    }
    let authorization = request.header("authorization").and_then(Authorization::parse);
    let authorization = authorization.ok_or_else(|| Refusal::bad("invalid authorization header"))?;
    if !authorization.signed.contains(&CHALLENGE) {
        return Err(Refusal::denied(format!(
            "sts identity request auth header does not include {CHALLENGE} as a signed header"
        )));
    }
    if request.body != BODY {
        let text = format!("sts request body {:?} does not equal expected {BODY:?}", request.body);
        return Err(Refusal::bad(text));
    }
    caller(cluster, &request).map_err(|(status, code, message)| {
        let body = refusal(code, message).to_string();
        Refusal::denied(format!("aws sts api returned status: \"{status} Forbidden\" body: {body:?}"))
    })?;
    let caller = [("Account", ACCOUNT), ("Arn", ARN)].map(|(name, text)| (name.to_owned(), text.into()));
    policy::judge(cluster, token, &UnverifiedClaims::new(caller))
}

/// The whole answer to a `GetCallerIdentity`.
pub(super) fn answer(cluster: &Cluster, request: &Request<'_>) -> (u16, Value) {
    let known = if request.body == BODY {
        caller(cluster, request)
    } else {
        Err((400, "InvalidAction", "Could not find operation"))
    };
    match known {
        Ok(()) => {
            let result = json!({"Account": ACCOUNT, "Arn": ARN, "UserId": "AROAEXAMPLE:i-0123456789abcdef0"});
            (200, json!({"GetCallerIdentityResponse": {"GetCallerIdentityResult": result}}))
        }
        Err((status, code, message)) => (status, refusal(code, message)),
    }
}

fn refusal(code: &str, message: &str) -> Value {
    json!({"Error": {"Code": code, "Message": message, "Type": "Sender"}})
}

/// Whether the keys of the role signed the request.
fn caller(cluster: &Cluster, request: &Request<'_>) -> Result<(), Refused> {
    const UNSIGNED: Refused = (403, "MissingAuthenticationToken", "Request is missing Authentication Token");
    const WRONG: Refused = (
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.",
    );
    // As the simulated machine has them.
    let (secret, session) = (&cluster.bearer, format!("session/{}", cluster.bearer));
    let authorization = request.header("authorization").and_then(Authorization::parse).ok_or(UNSIGNED)?;
    let time = request.header("x-amz-date").ok_or(UNSIGNED)?;
    let token_fits = request.header("x-amz-security-token") == Some(&session);
    if authorization.access_key_id != ACCESS_KEY_ID || !token_fits {
        return Err((403, "InvalidClientTokenId", "The security token included in the request is invalid."));
    }
    let (region, date) = (authorization.region, authorization.date);
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", time).map_err(|_| WRONG)?;
    let at: Timestamp = at.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| WRONG)?.timestamp();
    if (crate::env::now().as_second() - at.as_second()).abs() > WINDOW || !time.starts_with(date) {
        return Err((403, "SignatureDoesNotMatch", "Signature expired"));
    }
    let is_signed = |name: &str| authorization.signed.contains(&name);
    // All of `x-amz-*` must be, and the host.
    let must = request.headers.iter().map(|(name, _)| name.as_str()).filter(|n| n.starts_with("x-amz-"));
    if !must.chain(["host"]).all(is_signed) || authorization.service != "sts" {
        return Err(WRONG);
    }
    let mut text = format!("{}\n{}\n\n", request.method, request.path);
    for name in &authorization.signed {
        let value = request.header(name).ok_or(WRONG)?;
        let _ = writeln!(text, "{name}:{value}");
    }
    let _ = write!(text, "\n{}\n{}", authorization.signed.join(";"), sha256(request.body));
    let scope = format!("{date}/{region}/sts/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", sha256(&text));
    let secret = format!("AWS4{secret}");
    let key = [date, region, "sts", "aws4_request"]
        .into_iter()
        .fold(secret.into_bytes(), |key, part| tag(&key, part));
    let wanted = hex(&tag(&key, &text));
    constant_time::verify_slices_are_equal(wanted.as_bytes(), authorization.signature.as_bytes())
        .map_err(|_| WRONG)
}

/// The parts of the header of that name.
struct Authorization<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("AWS4-HMAC-SHA256 ")?.split(", ");
        let credential = parts.next()?.strip_prefix("Credential=")?;
        let signed: Vec<&str> = parts.next()?.strip_prefix("SignedHeaders=")?.split(';').collect();
        let signature = parts.next()?.strip_prefix("Signature=")?;
        let scope: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, "aws4_request"] = scope[..] else { return None };
        let in_order = signed.windows(2).all(|pair| pair[0] < pair[1]);
        in_order.then_some(Self { access_key_id, date, region, service, signed, signature })
    }
}

/// Whether a server sends anything there.
fn is_sts(host: &str) -> bool {
    if host == "sts.amazonaws.com" {
        return true;
    }
    let mut parts = host.splitn(3, '.');
    let (Some(prefix), Some(region), Some(suffix)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let known = REGIONS.iter().any(|(s, regions)| *s == suffix && regions.contains(&region));
    known && (prefix == "sts" || prefix == "sts-fips" && FIPS_REGIONS.contains(&region))
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn tag(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}
