//! Where the rules for certificates begin and end.

use std::time::Duration;

use super::*;
use crate::net::testing::Pki;
use crate::net::tls::provider;

fn verify(pki: &Pki, certificate: &CertificateDer<'_>, at: UnixTime) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(pki.ca_der())).unwrap();
    let named = Arc::new([pki.ca_der()].into_iter().collect());
    let verifier = Verifier::with_roots(Arc::new(roots), named, provider()).unwrap();
    verifier.verify_server_cert(certificate, &[], &"localhost".try_into().unwrap(), &[], at).map(drop)
}

#[test]
fn a_certificate_is_good_on_its_first_and_its_last_second() {
    let pki = Pki::self_signed("DNS:localhost", 2);
    let certificate = CertificateDer::from(pki.ca_der());
    let validity = *read(&certificate).unwrap().tbs_certificate().validity();
    let (first, last) = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
    let (first, last) = (first.as_secs(), last.as_secs());
    for (at, is_good) in [(first - 1, false), (first, true), (last, true), (last + 1, false)] {
        let found = verify(&pki, &certificate, UnixTime::since_unix_epoch(Duration::from_secs(at)));
        assert_eq!(found.is_ok(), is_good, "{at}: {found:?}");
    }
}

#[test]
fn a_certificate_that_is_its_own_ca_is_for_servers() {
    let base = "basicConstraints=critical,CA:TRUE\nsubjectAltName=DNS:localhost\n";
    for (usages, is_good) in [
        ("serverAuth", true),
        ("anyExtendedKeyUsage", true),
        ("clientAuth,serverAuth", true),
        ("clientAuth,codeSigning", false),
    ] {
        let pki = Pki::named("self");
        let (chain, _) = pki.reissue(None, &format!("{base}extendedKeyUsage={usages}\n"));
        pki.keep_as_ca();
        assert_eq!(verify(&pki, &chain[0], UnixTime::now()).is_ok(), is_good, "{usages}");
    }
}

/// Whose certificate is missing is said of a server that shows its own CA, not of one that shows somebody else's.
#[test]
fn the_certificate_of_a_ca_is_not_a_server_s() {
    let (pki, root) = (Pki::named("self"), Pki::named("Root"));
    let (chain, _) =
        pki.reissue(Some(&root), "basicConstraints=critical,CA:TRUE\nsubjectAltName=DNS:localhost\n");
    let rustls::Error::InvalidCertificate(error) = verify(&root, &chain[0], UnixTime::now()).unwrap_err()
    else {
        panic!("not refused for the certificate")
    };
    assert_eq!(explain(&error).0, CertificateFault::Other, "{error:?}");
}

#[test]
fn names_of_a_certificate_are_counted() {
    let expected = || "localhost".try_into().unwrap();
    let explained = |count: usize| {
        let presented = (1..=count).map(|n| format!("DnsName(\"h{n}\")")).collect();
        explain(&CertificateError::NotValidForNameContext { expected: expected(), presented })
    };
    for (count, text) in [
        (0, "it names no host, so it is not for `localhost`"),
        (1, "it is for `h1`, not for `localhost`"),
        (5, "it is for `h1`, `h2`, `h3`, `h4`, `h5`, not for `localhost`"),
        (7, "it is for `h1`, `h2`, `h3`, `h4`, `h5`, 2 more, not for `localhost`"),
    ] {
        assert_eq!(explained(count), (CertificateFault::Name, text.to_owned()));
    }
}
