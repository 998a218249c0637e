//! The methods whose proof is the answer to a challenge of the server's, a random text.

use super::{ClusterError, JoinMethod};

/// The methods that have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `azure`: a machine's attested document with the challenge as nonce.
    Azure,
    /// `iam`: a request to AWS STS with the challenge as a signed header.
    Iam,
}

impl Kind {
    /// `None`: the method's proof is a token.
    pub fn of(method: JoinMethod) -> Option<Self> {
        match method {
            JoinMethod::Azure => Some(Self::Azure),
            JoinMethod::Iam => Some(Self::Iam),
            _ => None,
        }
    }
}

/// One that is to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The challenge.
    pub text: &'a str,
    /// It was asked on the older stream, whose servers fetch themselves what can be fetched.
    pub by_older_stream: bool,
}

/// What answers it. Secret as a whole: no `Debug`.
#[derive(Clone)]
pub enum Solution {
    /// See [`Kind::Azure`].
    Azure {
        /// The attested document as the metadata service gives it, JSON; empty where there is none.
        attested_data: Vec<u8>,
        /// The certificates above its signer, DER one behind the other, the root left out.
        intermediate: Vec<u8>,
        /// Of the managed identity.
        access_token: String,
    },
    /// See [`Kind::Iam`].
    Iam {
        /// The signed `POST` to STS, HTTP/1.1 as it goes over the wire.
        sts_identity_request: Vec<u8>,
    },
}

/// The header of the signed AWS request that holds the challenge (Teleport `lib/join/iamjoin`).
pub const IAM_HEADER: &str = "X-Teleport-Challenge";

/// Both of today's servers send 24 or 32 bytes as base64 (Teleport `lib/join/iamjoin`, `lib/join/azurejoin`).
const LONGEST: usize = 512;

/// A challenge that can stand in a header and in a URL. Others are not answered: what is signed is the server's text.
pub(super) fn checked(challenge: String) -> Result<String, ClusterError> {
    let problem = match challenge.as_str() {
        "" => "challenge: it is empty",
        long if long.len() > LONGEST => "challenge: it is longer than 512 characters",
        text if !text.bytes().all(is_base64) => "challenge: it is not base64",
        _ => return Ok(challenge),
    };
    Err(ClusterError::malformed("the server's question", problem))
}

/// Of either alphabet (RFC 4648, 4 and 5).
fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_that_fits_a_header_is_answered() {
        for (challenge, good) in [
            ("c29tZQ", true),
            ("-_+/=09azAZ", true),
            (&*"x".repeat(LONGEST), true),
            (&*"x".repeat(LONGEST + 1), false),
            ("", false),
            ("a b", false),
            ("a\r\nhost: evil", false),
            ("a&nonce=b", false),
            ("ä", false),
        ] {
            assert_eq!(checked(challenge.to_owned()).is_ok(), good, "{challenge:?}");
        }
    }
}
