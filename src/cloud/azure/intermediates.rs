//! The certificates between the attested document's signer and its root. The document has the signer's own only, and names
//! the address of its issuer's ("CA Issuers", RFC 5280, section 4.2.2.1), which names its own issuer's, and so on.
//!
//! Teleport's join stream takes them from the client (`lib/join/joinclient/join_azure.go`): DER, one behind the other, the
//! root left out, and none that Microsoft does not host.

use std::time::Duration;

use const_oid::db::rfc5912::ID_AD_CA_ISSUERS;
use der::Decode;
use http::header::ACCEPT;
use http::{HeaderValue, Method};
use thiserror::Error;
use x509_cert::Certificate;
use x509_cert::ext::pkix::AuthorityInfoAccessSyntax;
use x509_cert::ext::pkix::name::GeneralName;

use crate::net::retry::retry;
use crate::net::web_client::Request;
use crate::net::{NetError, Network};
use crate::text::safe;

/// Where Microsoft keeps them; the same path is served with TLS.
const FOLDER: &str = "www.microsoft.com/pkiops/certs/";
/// No chain is longer.
const MOST: usize = 10;
/// How long one attempt may take.
const LIMIT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 3;

/// Why there is none.
#[derive(Debug, Clone, Error)]
pub(super) enum NoChain {
    /// The signer's certificate names no issuer at Microsoft's.
    #[error("the signer's certificate does not say where Microsoft keeps its issuer's")]
    NoAddress,
    /// It is there, but not to be had.
    #[error("could not fetch `{url}`")]
    Unreachable {
        /// `https://www.microsoft.com/…`.
        url: String,
        /// Why.
        #[source]
        source: NetError,
    },
    /// Something else than a certificate came.
    #[error("the answer of `{url}` is not a certificate: {detail}")]
    NotACertificate {
        /// `https://www.microsoft.com/…`.
        url: String,
        /// Its status, or what it is.
        detail: String,
    },
    /// The signer is its own issuer.
    #[error("the signer's certificate has no intermediate: its issuer is a root")]
    NoIntermediate,
}

/// All of them for the signer's certificate (DER), one behind the other. `others`, which came with the document, are taken
/// before any is fetched.
pub(super) async fn above(network: &Network, signer: &[u8], others: &[Vec<u8>]) -> Result<Vec<u8>, NoChain> {
    let mut chain = Vec::new();
    let mut below = Certificate::from_der(signer).map_err(|_| NoChain::NoAddress)?;
    for _ in 0..MOST {
        let issuer = match issued(&below, others) {
            Some(own) => own,
            None => match fetched(network, &below).await {
                Ok(issuer) => issuer,
                // The server may know the rest of the way.
                Err(problem) if !chain.is_empty() => {
                    network.log().detail(format!("the chain of the attested document ends early: {problem}"));
                    break;
                }
                Err(problem) => return Err(problem),
            },
        };
        if is_root(&issuer.1) {
            break;
        }
        chain.extend(issuer.0);
        below = issuer.1;
    }
    if chain.is_empty() { Err(NoChain::NoIntermediate) } else { Ok(chain) }
}

/// A certificate and its DER.
type Found = (Vec<u8>, Certificate);

/// The issuer among certificates at hand.
fn issued(certificate: &Certificate, others: &[Vec<u8>]) -> Option<Found> {
    let wanted = certificate.tbs_certificate().issuer();
    let all = others.iter().filter_map(|der| Some((der.clone(), Certificate::from_der(der).ok()?)));
    all.into_iter().find(|(_, other)| other.tbs_certificate().subject() == wanted && other != certificate)
}

async fn fetched(network: &Network, certificate: &Certificate) -> Result<Found, NoChain> {
    let url = address(certificate).ok_or(NoChain::NoAddress)?;
    let doing = format!("fetching `{url}`");
    network.log().detail(&doing);
    let ask = |_| {
        let headers = vec![(ACCEPT, HeaderValue::from_static("*/*"))];
        let request = Request { method: Method::GET, url: &url, headers, body: Vec::new() };
        let client = network.web_client();
        async move { client.send(request, LIMIT).await }
    };
    let (deadline, log) = (network.deadline(), network.log());
    let answer = match retry(deadline, log, &doing, ATTEMPTS, ask, NetError::is_transient).await {
        Ok(answer) => answer,
        Err(source) => return Err(NoChain::Unreachable { url, source }),
    };
    if answer.status != 200 {
        return Err(NoChain::NotACertificate { url, detail: format!("HTTP {}", answer.status) });
    }
    match Certificate::from_der(&answer.body) {
        Ok(issuer) => Ok((answer.body, issuer)),
        Err(_) => Err(NoChain::NotACertificate { url, detail: "it is not DER".to_owned() }),
    }
}

/// The first address of its issuer's certificate, with TLS, if it is one of Microsoft's: the certificate is not verified yet,
/// and must not send us anywhere else.
fn address(certificate: &Certificate) -> Option<String> {
    let access = certificate.tbs_certificate().get_extension::<AuthorityInfoAccessSyntax>();
    let (_, AuthorityInfoAccessSyntax(access)) = access.ok()??;
    let url = access.iter().filter(|a| a.access_method == ID_AD_CA_ISSUERS).find_map(|a| {
        match &a.access_location {
            GeneralName::UniformResourceIdentifier(url) => Some(url.as_str()),
            _ => None,
        }
    })?;
    microsofts(url)
}

fn microsofts(url: &str) -> Option<String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let name = rest.strip_prefix(FOLDER)?;
    let stem = name.strip_suffix(".crt")?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.%() ".contains(c);
    let is_name = !stem.is_empty() && stem.chars().all(is_plain) && safe(stem, 200) == stem;
    is_name.then(|| format!("https://{FOLDER}{}", name.replace(' ', "%20")))
}

fn is_root(certificate: &Certificate) -> bool {
    certificate.tbs_certificate().subject() == certificate.tbs_certificate().issuer()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_microsofts_own_certificates_are_fetched() {
        for (url, want) in [
            (
                "http://www.microsoft.com/pkiops/certs/Microsoft%20Azure%20RSA%20TLS%20Issuing%20CA%2003%20-%20xsign.crt",
                Some("Microsoft%20Azure%20RSA%20TLS%20Issuing%20CA%2003%20-%20xsign.crt"),
            ),
            ("https://www.microsoft.com/pkiops/certs/A%20B.crt", Some("A%20B.crt")),
            ("http://www.microsoft.com/pkiops/certs/A B.crt", Some("A%20B.crt")),
            ("http://cacerts.digicert.com/DigiCertGlobalRootG2.crt", None),
            ("http://www.microsoft.com.evil.example/pkiops/certs/A.crt", None),
            ("http://www.microsoft.com@evil.example/pkiops/certs/A.crt", None),
            ("http://www.microsoft.com:8080/pkiops/certs/A.crt", None),
            ("http://www.microsoft.com/pkiops/certs/A.crt?x=.crt", None),
            ("http://www.microsoft.com/pkiops/certs/../../A.crt", None),
            ("http://www.microsoft.com/pkiops/certs/a/b.crt", None),
            ("http://www.microsoft.com/pkiops/certs/.crt", None),
            ("http://www.microsoft.com/pkiops/certs/A.cer", None),
            ("http://www.microsoft.com/other/A.crt", None),
            ("ldap://www.microsoft.com/pkiops/certs/A.crt", None),
            ("file:///pkiops/certs/A.crt", None),
        ] {
            let want = want.map(|name| format!("https://www.microsoft.com/pkiops/certs/{name}"));
            assert_eq!(microsofts(url), want, "{url}");
        }
    }

    #[test]
    fn addresses_under_fire() {
        use base64::Engine as _;
        let sample: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/data/azure/attested.json")).unwrap();
        let signature = sample["signature"].as_str().unwrap();
        let message = base64::engine::general_purpose::STANDARD.decode(signature).unwrap();
        let signer = super::super::pkcs7::SignedData::parse(&message).unwrap().certificates.remove(0);
        crate::under_fire::parser("addresses of issuers", [signer]).bytes(|bytes| {
            if let Some(url) = Certificate::from_der(bytes).ok().as_ref().and_then(address) {
                assert!(url.starts_with(&format!("https://{FOLDER}")), "{url}");
            }
        });
    }
}
