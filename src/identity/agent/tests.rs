use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use proptest::prelude::*;

use super::*;

fn key(kind: KeyKind) -> AgentKey {
    let key = KeyPair::generate(kind).unwrap();
    let public = blob(&key.public_ssh_line()).unwrap();
    AgentKey { certificate: [b"certificate", &public[..]].concat(), public, comment: "bot".into(), key }
}

fn request(blob: &[u8], data: &[u8], flags: u32) -> Vec<u8> {
    let mut message = vec![SIGN_REQUEST];
    put(&mut message, blob);
    put(&mut message, data);
    message.extend(flags.to_be_bytes());
    message
}

/// The algorithm and the signature in an answer.
fn signature(answer: &[u8]) -> (String, Vec<u8>) {
    assert_eq!(answer[0], SIGN_RESPONSE);
    let (inner, rest) = take(&answer[1..]).unwrap();
    let (algorithm, inner) = take(inner).unwrap();
    let (signature, end) = take(inner).unwrap();
    assert!(rest.is_empty() && end.is_empty());
    (String::from_utf8(algorithm.to_vec()).unwrap(), signature.to_vec())
}

#[test]
fn lists_certificates_and_their_keys() {
    let keys = [key(KeyKind::Ed25519), key(KeyKind::P256)];
    let answered = answer(&[REQUEST_IDENTITIES], &keys);
    let (count, mut rest) = answered[1..].split_first_chunk::<4>().unwrap();
    assert_eq!((answered[0], u32::from_be_bytes(*count)), (IDENTITIES_ANSWER, 4));
    for wanted in keys.iter().flat_map(|key| [&key.certificate, &key.public]) {
        let (blob, more) = take(rest).unwrap();
        let (comment, more) = take(more).unwrap();
        assert_eq!((blob, comment), (wanted.as_slice(), b"bot".as_slice()));
        rest = more;
    }
    assert!(rest.is_empty());
    assert_eq!(answer(&[REQUEST_IDENTITIES], &[]), [IDENTITIES_ANSWER, 0, 0, 0, 0]);
}

#[test]
fn an_answer_says_which_keys_it_lists() {
    let keys = [key(KeyKind::Ed25519), key(KeyKind::P256)];
    let other = key(KeyKind::P256);
    let answered = answer(&LIST, &keys);
    let line = |blob: &[u8]| format!("some-algorithm {} comment\n", STANDARD.encode(blob));
    for wanted in keys.iter().flat_map(|key| [&key.certificate, &key.public]) {
        assert!(lists(&answered, &line(wanted)));
    }
    assert!(!lists(&answered, &line(&other.public)));
    assert!(
        !lists(&answered, "") && !lists(&answered, "ssh-ed25519 *") && !lists(&[], &line(&keys[0].public))
    );
    assert!(!lists(&answer(&[SIGN_REQUEST], &keys), &line(&keys[0].public)));
    // A comment is no key, and what is cut off names none.
    assert!(!lists(&answered, &line(b"bot")));
    let last = line(&keys[1].public);
    let whole = answered.len() - (4 + b"bot".len());
    assert!((0..whole).all(|length| !lists(&answered[..length], &last)) && lists(&answered[..whole], &last));
}

#[test]
fn signatures_are_those_of_the_key() {
    for (kind, flags, name, algorithm) in [
        (KeyKind::Ed25519, 0, "ssh-ed25519", &ED25519 as &dyn VerificationAlgorithm),
        (KeyKind::Rsa2048, RSA_SHA2_256, "rsa-sha2-256", &RSA_PKCS1_2048_8192_SHA256),
        (KeyKind::Rsa2048, RSA_SHA2_512, "rsa-sha2-512", &RSA_PKCS1_2048_8192_SHA512),
        (KeyKind::Rsa2048, RSA_SHA2_256 | RSA_SHA2_512, "rsa-sha2-512", &RSA_PKCS1_2048_8192_SHA512),
        (KeyKind::P256, 0, "ecdsa-sha2-nistp256", &ECDSA_P256_SHA256_FIXED),
    ] {
        let key = key(kind);
        for blob in [&key.certificate, &key.public] {
            let (named, mut signature) =
                signature(&answer(&request(blob, b"data", flags), std::slice::from_ref(&key)));
            assert_eq!(named, name);
            if kind == KeyKind::P256 {
                let fixed = |number: &[u8]| {
                    let number = number.strip_prefix(&[0]).unwrap_or(number);
                    [vec![0; 32 - number.len()], number.to_vec()].concat()
                };
                let (r, rest) = take(&signature).unwrap();
                let (s, rest) = take(rest).unwrap();
                assert!(rest.is_empty());
                signature = [fixed(r), fixed(s)].concat();
            }
            let public = UnparsedPublicKey::new(algorithm, key.key.public_der());
            assert!(public.verify(b"data", &signature).is_ok(), "{name}");
            assert!(public.verify(b"other", &signature).is_err(), "{name}");
        }
    }
}

#[test]
fn numbers_of_every_length_are_read() {
    for (der, wanted) in [
        (&[0x30, 6, 2, 1, 5, 2, 1, 7][..], Some(&[0, 0, 0, 1, 5, 0, 0, 0, 1, 7][..])),
        // A leading zero stays where the number would be negative without it, and only there.
        (&[0x30, 8, 2, 2, 0, 0x80, 2, 2, 0, 7], Some(&[0, 0, 0, 2, 0, 0x80, 0, 0, 0, 1, 7])),
        (&[0x30, 3, 2, 1, 5], None),
        (&[0x30, 7, 2, 1, 5, 2, 1, 7, 0], None),
        (&[0x30, 5, 2, 1, 5, 2, 1, 7], None),
        (&[0x31, 6, 2, 1, 5, 2, 1, 7], None),
        (&[0x30, 6, 3, 1, 5, 2, 1, 7], None),
        (&[0x30, 6, 2, 9, 5, 2, 1, 7], None),
        (&[], None),
    ] {
        assert_eq!(ecdsa(der).as_deref(), wanted, "{der:?}");
    }
}

#[test]
fn all_else_is_refused() {
    let key = key(KeyKind::Rsa2048);
    let keys = std::slice::from_ref(&key);
    let good = request(&key.public, b"data", RSA_SHA2_256);
    for bad in [
        vec![],
        vec![SIGN_REQUEST],
        // Add, remove, lock, an extension, what is not defined.
        vec![17],
        vec![19],
        vec![22],
        vec![27, 0, 0, 0, 1, b'x'],
        vec![255],
        request(b"another key", b"data", RSA_SHA2_256),
        // SHA-1.
        request(&key.public, b"data", 0),
        good[..good.len() - 1].to_vec(),
        [&good[..], &[0]].concat(),
        [&[SIGN_REQUEST, 255, 255, 255, 255], &good[5..]].concat(),
    ] {
        assert_eq!(answer(&bad, keys), [FAILURE], "{:?}", &bad[..bad.len().min(8)]);
    }
    assert_ne!(answer(&good, keys), [FAILURE]);
}

proptest! {
    #[test]
    fn no_message_makes_it_stumble(message in prop::collection::vec(any::<u8>(), 0..200)) {
        let answered = answer(&message, &[]);
        prop_assert!(answered == [FAILURE] || answered[0] == IDENTITIES_ANSWER);
        let _ = ecdsa(&message);
    }
}
