//! Signed messages as PKCS#7 has them (RFC 2315, RFC 5652), as far as attested documents use it. Nothing is verified here.

use const_oid::db::rfc5911::{ID_DATA, ID_SIGNED_DATA};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Reader, Sequence, SliceReader, Tag, TagNumber};

/// A message and what belongs to its signature.
pub struct SignedData<'a> {
    /// What is signed.
    pub content: &'a [u8],
    /// The certificates that came with it, DER, in their order.
    pub certificates: Vec<Vec<u8>>,
    /// The elements of `signerInfos`, DER, one behind the other.
    pub signers: &'a [u8],
}

/// `ContentInfo` (RFC 5652, section 3; its form for a message inside another is the same).
#[derive(Sequence)]
struct ContentInfo<'a> {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: AnyRef<'a>,
}

/// The certificates of a `SignedData`: `[0] IMPLICIT`.
pub const CERTIFICATES: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };

impl<'a> SignedData<'a> {
    /// Reads a `ContentInfo` with a `SignedData` (RFC 5652, section 5.1), DER. Neither order nor algorithms are looked at: Azure
    /// names a signature algorithm where a digest algorithm belongs.
    pub fn parse(message: &'a [u8]) -> der::Result<Self> {
        let info = ContentInfo::from_der(message)?;
        if info.content_type != ID_SIGNED_DATA || info.content.header().tag() != Tag::Sequence {
            return Err(Tag::Sequence.value_error().into());
        }
        let mut fields = SliceReader::new(info.content.value())?;
        let (_version, _digests) = (u8::decode(&mut fields)?, AnyRef::decode(&mut fields)?);
        let signed = ContentInfo::decode(&mut fields)?;
        if signed.content_type != ID_DATA || signed.content.header().tag() != Tag::OctetString {
            return Err(Tag::OctetString.value_error().into());
        }
        let mut found = Self { content: signed.content.value(), certificates: Vec::new(), signers: &[] };
        while !fields.is_finished() {
            let field = AnyRef::decode(&mut fields)?;
            match field.header().tag() {
                CERTIFICATES => {
                    let mut set = SliceReader::new(field.value())?;
                    while !set.is_finished() {
                        found.certificates.push(AnyRef::decode(&mut set)?.to_der()?);
                    }
                }
                Tag::Set => found.signers = field.value(),
                _ => {}
            }
        }
        Ok(found)
    }
}
