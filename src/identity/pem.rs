//! PEM (RFC 7468): one block of bytes, and blocks among other text.

use pem_rfc7468::{Decoder, LineEnding};
use zeroize::Zeroizing;

/// One block, 64 columns, ending in a newline, as Go writes it. Empty for a label that PEM does not allow.
pub(super) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(pem_rfc7468::encode_string(label, LineEnding::LF, der).unwrap_or_default())
}

/// The blocks of a text, each by its label. `pem-rfc7468` reads a text that ends with the one block it has, but bundles
/// have several, with SSH certificates between them: so their ends are found here. Each part of the text is looked at once.
pub(super) fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, block) = rest.split_once("-----BEGIN ")?;
        let (label, block) = block.split_once(DASHES)?;
        // A body has no such line: what comes next is its end, or belongs to something else.
        let (body, next) = block.split_at(block.find(DASHES).unwrap_or(block.len()));
        let end = next.strip_prefix("-----END ").and_then(|end| end.strip_prefix(label));
        let end = end.and_then(|end| end.strip_prefix(DASHES));
        rest = end.unwrap_or(next);
        Some(Block { label, body: end.map(|_| body) })
    })
}

const DASHES: &str = "-----";

/// What stands between two boundaries.
pub(super) struct Block<'a> {
    /// `CERTIFICATE`, `PRIVATE KEY`, …
    pub(super) label: &'a str,
    body: Option<&'a str>,
}

impl Block<'_> {
    /// Its bytes. White space anywhere is skipped: variables and YAML files indent and re-wrap blocks.
    pub(super) fn decode(&self) -> Result<Zeroizing<Vec<u8>>, PemError> {
        let body = self.body.ok_or(PemError::Unfinished)?;
        let mut block = Zeroizing::new(String::with_capacity(body.len() + 2 * self.label.len() + 32));
        for part in ["-----BEGIN ", self.label, "-----\n"] {
            block.push_str(part);
        }
        block.extend(body.split_whitespace());
        for part in ["\n-----END ", self.label, "-----\n"] {
            block.push_str(part);
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(body.len()));
        let mut decoder = Decoder::new_detect_wrap(block.as_bytes()).map_err(|_| PemError::Damaged)?;
        decoder.decode_to_end(&mut bytes).map_err(|_| PemError::Damaged)?;
        Ok(bytes)
    }
}

/// Why a block cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PemError {
    /// No `END` line.
    Unfinished,
    /// Not base64.
    Damaged,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_among_other_text() {
        let text = "ssh-ed25519-cert AAAA\n-----BEGIN A-----\r\n  AQID\r\n-----END A-----\r\nx\n-----BEGIN B-----\nAQI=\n\
                    -----END B-----\n-----BEGIN C-----\n!\n-----END C-----\n-----BEGIN D-----\nAQID\n";
        let found: Vec<_> = blocks(text).map(|b| (b.label, b.decode().map(|bytes| bytes.to_vec()))).collect();
        let want = [
            ("A", Ok(vec![1, 2, 3])),
            ("B", Ok(vec![1, 2])),
            ("C", Err(PemError::Damaged)),
            ("D", Err(PemError::Unfinished)),
        ];
        assert_eq!(found, want);
    }

    #[test]
    fn a_block_reads_back() {
        for bytes in [&b"x"[..], &[7; 48], &[7; 49], &[7; 500]] {
            let text = encode("X Y", bytes);
            assert!(
                text.ends_with("-----END X Y-----\n") && text.lines().all(|line| line.len() <= 64),
                "{}",
                *text
            );
            let block = blocks(&text).next().unwrap();
            assert_eq!((block.label, block.decode().unwrap().as_slice()), ("X Y", bytes));
        }
    }
}
