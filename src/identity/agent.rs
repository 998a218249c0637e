//! What an ssh-agent answers (draft-miller-ssh-agent): which keys it has, and signatures by them. It takes no keys, forgets none, and is
//! asked for nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh_key::Mpint;

use super::SshIdentity;
use super::keys::{KeyKind, KeyPair};

/// The longest message, as in OpenSSH (`AGENT_MAX_LEN`, `authfd.h`); in bytes, without the length before it.
pub const LONGEST: usize = 256 * 1024;

/// Numbers of messages, and flags of a request to sign (draft-miller-ssh-agent, sections 5.1 and 3.6.1).
const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
const RSA_SHA2_256: u32 = 2;
const RSA_SHA2_512: u32 = 4;

/// A key with its certificate.
#[derive(Debug, Clone)]
pub struct AgentKey {
    certificate: Vec<u8>,
    public: Vec<u8>,
    comment: String,
    key: KeyPair,
}

impl AgentKey {
    /// Of an issued identity; `comment` is what `ssh-add -l` shows beside it.
    pub fn new(ssh: &SshIdentity, comment: &str) -> Option<Self> {
        let comment = comment.to_owned();
        let (certificate, public) = (blob(&ssh.cert.line)?, blob(&ssh.key.public_ssh_line())?);
        Some(Self { certificate, public, comment, key: ssh.key.clone() })
    }

    fn is(&self, blob: &[u8]) -> bool {
        self.certificate == blob || self.public == blob
    }

    /// `string algorithm, string signature` (RFC 4253, section 6.6; RFC 8332; RFC 5656; RFC 8709).
    fn signature(&self, data: &[u8], flags: u32) -> Option<Vec<u8>> {
        let (algorithm, signature) = match self.key.kind() {
            KeyKind::Ed25519 => ("ssh-ed25519", self.key.sign(data).ok()?),
            KeyKind::P256 => ("ecdsa-sha2-nistp256", ecdsa(&self.key.sign(data).ok()?)?),
            KeyKind::Rsa2048 if flags & RSA_SHA2_512 != 0 => {
                ("rsa-sha2-512", self.key.sign_sha512(data).ok()?)
            }
            KeyKind::Rsa2048 if flags & RSA_SHA2_256 != 0 => ("rsa-sha2-256", self.key.sign(data).ok()?),
            // SHA-1.
            KeyKind::Rsa2048 => return None,
        };
        let mut out = Vec::new();
        put(&mut out, algorithm.as_bytes());
        put(&mut out, &signature);
        Some(out)
    }
}

/// The answer to a message; both without the length before them.
pub fn answer(message: &[u8], keys: &[AgentKey]) -> Vec<u8> {
    let answered = match message.split_first() {
        Some((&REQUEST_IDENTITIES, _)) => Some(identities(keys)),
        Some((&SIGN_REQUEST, request)) => signed(request, keys),
        _ => None,
    };
    answered.unwrap_or_else(|| vec![FAILURE])
}

/// Certificates and keys, as `ssh-add` would have added them: ssh signs for a `CertificateFile` with the key of that certificate
/// (`sign_and_send_pubkey`, `sshconnect2.c`, 9.2).
fn identities(keys: &[AgentKey]) -> Vec<u8> {
    let mut out = vec![IDENTITIES_ANSWER];
    out.extend(u32::try_from(keys.len() * 2).unwrap_or_default().to_be_bytes());
    for (blob, key) in keys.iter().flat_map(|key| [(&key.certificate, key), (&key.public, key)]) {
        put(&mut out, blob);
        put(&mut out, key.comment.as_bytes());
    }
    out
}

/// The message that asks for the keys, without its length.
pub const LIST: [u8; 1] = [REQUEST_IDENTITIES];

/// Whether an answer to [`LIST`] names the key or certificate of a line `ALGORITHM BASE64`.
pub fn lists(answer: &[u8], line: &str) -> bool {
    let Some((&IDENTITIES_ANSWER, rest)) = answer.split_first() else { return false };
    let (Some(wanted), Some((_, mut rest))) = (blob(line), rest.split_first_chunk::<4>()) else {
        return false;
    };
    // Key and comment, to the end of the answer.
    while let Some((blob, more)) = take(rest) {
        if blob == wanted {
            return true;
        }
        rest = take(more).map(|(_, more)| more).unwrap_or_default();
    }
    false
}

fn signed(request: &[u8], keys: &[AgentKey]) -> Option<Vec<u8>> {
    let (blob, rest) = take(request)?;
    let (data, flags) = take(rest)?;
    let flags = u32::from_be_bytes(flags.try_into().ok()?);
    let key = keys.iter().find(|key| key.is(blob))?;
    let mut out = vec![SIGN_RESPONSE];
    put(&mut out, &key.signature(data, flags)?);
    Some(out)
}

/// The key in a line `ALGORITHM BASE64`.
fn blob(line: &str) -> Option<Vec<u8>> {
    STANDARD.decode(line.split_whitespace().nth(1)?).ok()
}

/// A `string` of RFC 4251, section 5, and what follows it.
fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // No part of an answer is near 4 GiB.
    out.extend(u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
    out.extend(bytes);
}

/// `mpint r, mpint s` of `SEQUENCE { r INTEGER, s INTEGER }`, each shorter than 128 bytes.
fn ecdsa(der: &[u8]) -> Option<Vec<u8>> {
    let integer = |bytes: &mut &[u8]| {
        let (head, rest) = bytes.split_first_chunk::<2>()?;
        let (number, rest) = rest.split_at_checked(usize::from(head[1])).filter(|_| head[0] == 0x02)?;
        *bytes = rest;
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        Mpint::from_positive_bytes(number.get(zeros..)?).ok()
    };
    let (head, mut rest) = der.split_first_chunk::<2>()?;
    if head[0] != 0x30 || usize::from(head[1]) != rest.len() {
        return None;
    }
    let mut out = Vec::new();
    for _ in 0..2 {
        put(&mut out, integer(&mut rest)?.as_bytes());
    }
    rest.is_empty().then_some(out)
}

#[cfg(test)]
mod tests;
