//! AWS Signature Version 4, for requests to `/` without a query (IAM User Guide, "Create a signed AWS API request").

use aws_lc_rs::{digest, hmac};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::credentials::Credentials;
use crate::text::hex;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What is signed, and for which service where.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a str,
    /// Names in any case; all of them are signed. `host` must be among them.
    pub(super) headers: Vec<(&'a str, String)>,
    pub(super) body: &'a [u8],
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

impl Unsigned<'_> {
    /// All headers of the signed request, those of the signature last. They are secret.
    pub(super) fn sign(self, credentials: &Credentials, now: Timestamp) -> Vec<(String, String)> {
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut headers: Vec<(String, String)> =
            self.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        headers.push(("X-Amz-Date".to_owned(), time.clone()));
        if let Some(token) = credentials.expose_session_token() {
            headers.push(("X-Amz-Security-Token".to_owned(), token.to_owned()));
        }
        let date = time.get(..8).unwrap_or_default();
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let (request, signed) = canonical(self.method, &headers, self.body);
        let text = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hash(request.as_bytes()));
        let mut key = Zeroizing::new(format!("AWS4{}", credentials.expose_secret()).into_bytes());
        for part in [date, self.region, self.service, "aws4_request"] {
            key = Zeroizing::new(hmac_of(&key, part).as_ref().to_vec());
        }
        let signature = hex(hmac_of(&key, &text).as_ref());
        let id = credentials.access_key_id();
        let authorization =
            format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}");
        headers.push(("Authorization".to_owned(), authorization));
        headers
    }
}

/// The canonical request, and the list of its headers.
fn canonical(method: &str, headers: &[(String, String)], body: &[u8]) -> (String, String) {
    let mut sorted: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect();
    // Stable: values of one name stay in their order.
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut merged: Vec<(String, String)> = Vec::new();
    for (name, value) in sorted {
        match merged.last_mut() {
            Some((last, values)) if *last == name => {
                values.push(',');
                values.push_str(&value);
            }
            _ => merged.push((name, value)),
        }
    }
    let lines: Vec<String> = merged.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let lines = lines.concat();
    let signed = merged.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    (format!("{method}\n/\n\n{lines}\n{signed}\n{}", hash(body)), signed)
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hmac_of(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn text<'a>(case: &'a Value, field: &str) -> &'a str {
        case[field].as_str().unwrap()
    }

    /// Cases of AWS's own test suite, and random ones that botocore signed: see the script beside the data.
    #[test]
    fn signs_as_aws_and_botocore_do() {
        let cases: Vec<Value> =
            serde_json::from_str(include_str!("../../../tests/data/aws/signatures.json")).unwrap();
        assert!(cases.iter().any(|c| text(c, "name").starts_with("botocore")));
        assert!(cases.iter().any(|c| text(c, "name") == "post-x-www-form-urlencoded"));
        for case in &cases {
            let credentials = Credentials::new(
                "x",
                text(case, "access_key_id"),
                text(case, "secret_access_key"),
                case["session_token"].as_str(),
                None,
            )
            .unwrap();
            let headers = case["headers"].as_array().unwrap().iter();
            let unsigned = Unsigned {
                method: text(case, "method"),
                headers: headers
                    .map(|h| (h[0].as_str().unwrap(), h[1].as_str().unwrap().to_owned()))
                    .collect(),
                body: text(case, "body").as_bytes(),
                region: text(case, "region"),
                service: text(case, "service"),
            };
            let signed = unsigned.sign(&credentials, text(case, "time").parse().unwrap());
            let (name, value) = signed.last().unwrap();
            assert_eq!(
                (name.as_str(), value.as_str()),
                ("Authorization", text(case, "authorization")),
                "{}",
                case["name"]
            );
        }
    }

    proptest! {
        /// Whatever is signed, one change of it is another signature.
        #[test]
        fn every_part_counts(body in ".{0,40}", value in "[!-~]{1,40}", secret in "[!-~]{1,40}", second in 0i64..3_000_000_000) {
            let sign = |body: &str, value: &str, secret: &str, second: i64, region: &str| {
                let credentials = Credentials::new("x", "AKIA", secret, None, None).unwrap();
                let headers = vec![("Host", "h".to_owned()), ("X-Teleport-Challenge", value.to_owned())];
                let unsigned = Unsigned { method: "POST", headers, body: body.as_bytes(), region, service: "sts" };
                unsigned.sign(&credentials, Timestamp::from_second(second).unwrap()).pop().unwrap().1
            };
            prop_assume!(secret.bytes().any(|b| b != b'*'));
            let signature = |authorization: String| authorization.rsplit('=').next().unwrap().to_owned();
            let whole = signature(sign(&body, &value, &secret, second, "r"));
            prop_assert_eq!(&whole, &signature(sign(&body, &value, &secret, second, "r")));
            for changed in [
                sign(&format!("{body}x"), &value, &secret, second, "r"),
                sign(&body, &format!("{value}x"), &secret, second, "r"),
                sign(&body, &value, &format!("{secret}x"), second, "r"),
                sign(&body, &value, &secret, second + 1, "r"),
                sign(&body, &value, &secret, second, "s"),
            ] {
                prop_assert_ne!(&whole, &signature(changed));
            }
        }
    }
}
