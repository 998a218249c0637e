//! Teleport versions, as far as rules depend on them.

use std::fmt;

/// A version without what follows a `-` or `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub struct ServerVersion {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl ServerVersion {
    /// A version from its numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `18.2.0`, `15.0.0-dev`, `v17.5`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split(['-', '+']).next()?;
        let numbers = text.split('.').map(number).collect::<Option<Vec<u32>>>()?;
        match numbers[..] {
            [major, minor, patch] => Some(Self { major, minor, patch }),
            [major, minor] => Some(Self { major, minor, patch: 0 }),
            _ => None,
        }
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The first release with something; older lines that got it as well follow, each by its own first release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    first: ServerVersion,
    backports: &'static [ServerVersion],
}

impl Since {
    /// In no older line.
    pub(super) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { first: ServerVersion::new(major, minor, patch), backports: &[] }
    }

    /// In these older lines, too.
    pub(super) const fn and(self, backports: &'static [ServerVersion]) -> Self {
        Self { backports, ..self }
    }

    /// Whether a server of this version has it.
    pub fn includes(&self, version: ServerVersion) -> bool {
        let backported = |first: &ServerVersion| version.major == first.major && version >= *first;
        version >= self.first || self.backports.iter().any(backported)
    }
}

/// `Teleport 17.7.3, 18.1.5 or newer`.
impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teleport ")?;
        self.backports.iter().try_for_each(|version| write!(f, "{version}, "))?;
        write!(f, "{} or newer", self.first)
    }
}

/// Digits only: `u32::from_str` would take a sign.
fn number(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        let v = |major, minor, patch| Some(ServerVersion { major, minor, patch });
        for (text, want) in [
            ("18.2.0", v(18, 2, 0)),
            ("15.0.0-dev", v(15, 0, 0)),
            ("v17.5", v(17, 5, 0)),
            ("18.2.0+ent", v(18, 2, 0)),
            ("18", None),
            ("a.b.c", None),
            ("1.2.3.4", None),
            ("+1.2.3", None),
            ("", None),
        ] {
            assert_eq!(ServerVersion::parse(text), want, "{text}");
        }
    }

    #[test]
    fn a_line_has_what_was_brought_back_to_it() {
        const BACK: Since = Since::new(18, 1, 5).and(&[ServerVersion::new(17, 7, 3)]);
        for (version, has) in [
            ("18.1.5", true),
            ("18.1.4", false),
            ("18.0.9", false),
            ("17.7.3", true),
            ("17.9.0", true),
            ("17.7.2", false),
            ("16.9.9", false),
            ("19.0.0", true),
        ] {
            assert_eq!(BACK.includes(ServerVersion::parse(version).unwrap()), has, "{version}");
        }
        assert_eq!(BACK.to_string(), "Teleport 17.7.3, 18.1.5 or newer");
    }
}
