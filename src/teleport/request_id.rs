//! The name of an access request.

use thiserror::Error;

use super::ClusterError;
use crate::text::hex;

/// The name of an access request: a UUID (RFC 9562), lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

/// A text that is no [`RequestId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected the id of an access request, a UUID like `61396805-c807-4931-b79f-a49127735456`")]
pub struct NotAnId;

impl RequestId {
    /// A new one (version 4).
    pub fn random() -> Result<Self, ClusterError> {
        let mut bytes = [0_u8; 16];
        let no_random = |_| ClusterError::malformed("the operating system", "random numbers");
        aws_lc_rs::rand::fill(&mut bytes).map_err(no_random)?;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = hex(&bytes);
        let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
        Ok(Self(groups.join("-")))
    }
}

impl std::str::FromStr for RequestId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let fits = |(at, byte): (usize, u8)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        if text.len() == 36 && text.bytes().enumerate().all(fits) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err(NotAnId)
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids() {
        let id: RequestId = "61396805-C807-4931-b79f-a49127735456".parse().unwrap();
        assert_eq!(id.to_string(), "61396805-c807-4931-b79f-a49127735456");
        for bad in [
            "",
            "61396805c8074931b79fa49127735456",
            "61396805-c807-4931-b79f-a4912773545",
            "61396805-c807-4931-b79f-a491277354567",
            "61396805-c807-4931-b79fa-49127735456",
            "g1396805-c807-4931-b79f-a49127735456",
            "{1396805-c807-4931-b79f-a4912773545}",
            " 1396805-c807-4931-b79f-a49127735456",
            "６1396805-c807-4931-b79f-a4912773545",
        ] {
            assert_eq!(bad.parse::<RequestId>(), Err(NotAnId), "{bad}");
        }
        let (one, other) = (RequestId::random().unwrap(), RequestId::random().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.to_string().parse(), Ok(one.clone()));
        assert_eq!(one.to_string().as_bytes()[14], b'4');
    }
}
