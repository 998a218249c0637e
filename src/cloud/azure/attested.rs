//! The attested document of a virtual machine: JSON signed as PKCS#7 (learn.microsoft.com, "Azure Instance Metadata
//! Service", attested data). It is read, not verified: that is the server's part.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use thiserror::Error;

use super::pkcs7::SignedData;

/// A document with its signer's certificates.
#[derive(Clone)]
pub struct AttestedDocument {
    /// As the metadata service sent it, which is how the server wants it: JSON with the signed message in base64.
    pub body: Vec<u8>,
    /// What the document was asked to repeat; empty: none.
    pub nonce: String,
    /// The certificates in it, DER; the signer's comes first. There is at least one.
    pub certificates: Vec<Vec<u8>>,
}

impl std::fmt::Debug for AttestedDocument {
    /// Without the document: who has it may join until the challenge is answered.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttestedDocument")
            .field("certificates", &self.certificates.len())
            .finish_non_exhaustive()
    }
}

/// Why it cannot be read. Never carries the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAttested {
    /// The answer is not JSON with a signature.
    #[error("it is not JSON with `encoding` and `signature`")]
    Envelope,
    /// Another encoding than the one that Teleport reads.
    #[error("its `encoding` is not `pkcs7`")]
    Encoding,
    /// The signature is not base64.
    #[error("its `signature` is not base64")]
    Base64,
    /// The signature is not a signed message.
    #[error("its `signature` is not a PKCS#7 message")]
    Message,
    /// The signed message has no certificate.
    #[error("its signature has no certificate")]
    NoCertificate,
    /// What is signed is not JSON.
    #[error("the signed document is not JSON")]
    Content,
}

#[derive(Deserialize)]
struct Envelope {
    encoding: String,
    signature: String,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    nonce: String,
}

impl AttestedDocument {
    /// Reads the answer of `/metadata/attested/document`.
    pub fn parse(body: Vec<u8>) -> Result<Self, NotAttested> {
        let envelope: Envelope = serde_json::from_slice(&body).map_err(|_| NotAttested::Envelope)?;
        if envelope.encoding != "pkcs7" {
            return Err(NotAttested::Encoding);
        }
        let message = STANDARD.decode(&envelope.signature).map_err(|_| NotAttested::Base64)?;
        let SignedData { content, certificates, .. } =
            SignedData::parse(&message).map_err(|_| NotAttested::Message)?;
        if certificates.is_empty() {
            return Err(NotAttested::NoCertificate);
        }
        let content: Content = serde_json::from_slice(content).map_err(|_| NotAttested::Content)?;
        Ok(Self { body, nonce: content.nonce, certificates })
    }
}

#[cfg(test)]
mod tests {
    use const_oid::db::rfc5911::{ID_DATA, ID_SIGNED_DATA};
    use der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
    use der::{Decode, Encode, Tag};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The sample answer of Microsoft's documentation (MicrosoftDocs/azure-docs, `instance-metadata-service`).
    const SAMPLE: &[u8] = include_bytes!("../../../tests/data/azure/attested.json");

    #[test]
    fn reads_microsofts_sample() {
        let document = AttestedDocument::parse(SAMPLE.to_vec()).unwrap();
        assert_eq!((document.nonce.as_str(), document.certificates.len()), ("1234566766", 1));
        let certificate = x509_cert::Certificate::from_der(&document.certificates[0]).unwrap();
        assert!(certificate.tbs_certificate().subject().to_string().contains("metadata.azure.com"));
        assert_eq!(document.body, SAMPLE);
        assert!(!format!("{document:?}").contains("MII"));
    }

    /// A message of these parts, with or without certificates.
    fn message(kind: ObjectIdentifier, content: &[u8], with_certificates: bool) -> Vec<u8> {
        let sample: Envelope = serde_json::from_slice(SAMPLE).unwrap();
        let sample = STANDARD.decode(sample.signature).unwrap();
        let certificate = SignedData::parse(&sample).unwrap().certificates.remove(0);
        let tlv = |tag: u8, value: &[u8]| {
            let mut out = vec![tag, 0x82];
            out.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
            out.extend(value);
            out
        };
        let short = |tag: u8, value: &[u8]| {
            AnyRef::new(Tag::from_der(&[tag]).unwrap(), value).unwrap().to_der().unwrap()
        };
        let content = OctetStringRef::new(content).unwrap().to_der().unwrap();
        let data = [ID_DATA.to_der().unwrap(), short(0xa0, &content)].concat();
        let mut fields = [vec![2, 1, 1], vec![0x31, 0], short(0x30, &data)].concat();
        if with_certificates {
            fields.extend(tlv(0xa0, &certificate));
        }
        fields.extend([0x31, 0]);
        let signed = short(0x30, &fields);
        short(0x30, &[kind.to_der().unwrap(), short(0xa0, &signed)].concat())
    }

    #[test]
    fn says_what_is_wrong() {
        let answer = |message: &[u8]| json!({"encoding": "pkcs7", "signature": STANDARD.encode(message)});
        let good = message(ID_SIGNED_DATA, br#"{"nonce":"n"}"#, true);
        let read = AttestedDocument::parse(answer(&good).to_string().into_bytes()).unwrap();
        assert_eq!(read.nonce, "n");
        let cut = &good[..good.len() - 1];
        for (body, want) in [
            ("<html>".to_owned(), NotAttested::Envelope),
            (json!({"encoding": "pkcs7"}).to_string(), NotAttested::Envelope),
            (json!({"encoding": "jwt", "signature": ""}).to_string(), NotAttested::Encoding),
            (json!({"encoding": "pkcs7", "signature": "§"}).to_string(), NotAttested::Base64),
            (answer(b"").to_string(), NotAttested::Message),
            (answer(cut).to_string(), NotAttested::Message),
            (answer(&message(ID_DATA, b"{}", true)).to_string(), NotAttested::Message),
            (answer(&message(ID_SIGNED_DATA, b"{}", false)).to_string(), NotAttested::NoCertificate),
            (answer(&message(ID_SIGNED_DATA, b"x", true)).to_string(), NotAttested::Content),
        ] {
            assert_eq!(AttestedDocument::parse(body.clone().into_bytes()).unwrap_err(), want, "{body}");
        }
        let none = AttestedDocument::parse(answer(&message(ID_SIGNED_DATA, b"{}", true)).to_string().into());
        assert_eq!(none.unwrap().nonce, "");
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_makes_it_panic(at in 0usize..1024, byte: u8, noise: Vec<u8>) {
            let _ = SignedData::parse(&noise);
            let mut message = message(ID_SIGNED_DATA, b"{}", true);
            if let Some(place) = message.get_mut(at) {
                *place = byte;
            }
            let _ = SignedData::parse(&message);
            let _ = AttestedDocument::parse(noise);
        }
    }
}
