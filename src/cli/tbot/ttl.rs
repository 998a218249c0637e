//! How long certificates live.

use std::time::Duration;

use super::error::Problem;
use super::section::{Section, checked};
use crate::cli::value;

/// `credential_ttl`, as written and as read.
#[derive(Debug, Clone)]
pub(super) struct Ttl {
    pub(super) line: u64,
    pub(super) text: String,
    pub(super) life: Duration,
}

/// `credential_ttl`, once called `certificate_ttl`.
pub(super) fn read(section: &Section<'_>) -> Result<Option<Ttl>, Problem> {
    let (new, old) = (section.text("credential_ttl")?, section.text("certificate_ttl")?);
    if let (Some(_), Some(old)) = (&new, &old) {
        return Err(Problem::at(
            old.line,
            "`certificate_ttl` is the old name of `credential_ttl`: both are set",
        )
        .hint("keep `credential_ttl`"));
    }
    let name = section.name(if new.is_some() { "credential_ttl" } else { "certificate_ttl" });
    let Some(text) = new.or(old) else { return Ok(None) };
    let life = checked(&text, name.trim_matches('`'), value::duration)?;
    Ok(Some(Ttl { line: text.line, text: text.text, life }))
}
