//! A refusal in a log: few lines that are always seen, and the rest.

use std::fmt::Write as _;

use super::{Proposal, Refused};
use crate::refusal::{Cause, Subject};
use crate::text::fold::{COLUMNS, fold_to};

/// The most lines of an error with a refusal that are seen, at the usual width.
const SEEN: usize = 12;
/// Of these, for the server's words; for claims; for the cause; for its hint.
const WORDS: usize = 3;
const CLAIMS: usize = 3;
const CAUSE: usize = 4;
const HINT: usize = 3;

impl Refused {
    /// What is always seen: `head` (what was refused, in the server's words), claims, the likely cause, what to do. At
    /// most twelve lines at a width of 100, more in narrower ones.
    pub fn seen(&self, head: &str, columns: usize) -> String {
        let mut rest = Lines::new(columns);
        if let Some((cause, _)) = self.likely() {
            let label = if cause.is_guess { "possible cause: " } else { "likely cause: " };
            rest.add(label, &told(cause), CAUSE);
            rest.add("hint: ", &cause.hint, HINT);
        }
        if let Some(next) = &self.next {
            rest.add("next: ", &format!("`{next}`"), 1);
        }
        let head = cut(head.trim_end(), room(WORDS, columns)) + "\n";
        let used = head.lines().count() + rest.0.lines().count();
        let left = room(SEEN, columns).saturating_sub(used).min(room(CLAIMS, columns)).max(1);
        let claims = self.claims(columns, left);
        format!("{head}{claims}{}", rest.0)
    }

    /// The rest: the server's words and the claims in full, other causes, what to add on the cluster.
    pub fn rest(&self, head: &str, columns: usize) -> String {
        let mut text = String::new();
        if head.trim_end().lines().count() > room(WORDS, columns) {
            text.push_str(head);
        }
        if !self.said.is_empty() {
            text.push_str("this job said:\n");
            let column =
                self.said.iter().map(|(claim, _)| claim.chars().count()).max().unwrap_or_default().min(40);
            for (claim, value) in &self.said {
                let _ = writeln!(text, "  {claim:column$}  {value}");
            }
        }
        for line in &self.state {
            let _ = writeln!(text, "  {line}");
        }
        if let Some((first, others)) = self.likely() {
            // What was cut above.
            if fold_to(&told(first), 14, columns).lines().count() > room(CAUSE, columns) {
                let _ = writeln!(text, "likely cause: {}", fold_to(&told(first), 14, columns));
            }
            if !others.is_empty() {
                text.push_str("other possible causes:\n");
            }
            for (index, cause) in others.iter().enumerate() {
                let _ = writeln!(text, "  {}. {}", index + 1, fold_to(&told(cause), 5, columns));
                let _ = writeln!(text, "     hint: {}", fold_to(&cause.hint, 11, columns));
            }
        }
        text + &self.proposed(columns)
    }

    /// The rest where nothing can be folded: the names of other causes, and what to add on the cluster.
    pub fn short_rest(&self, columns: usize) -> String {
        let mut text = String::new();
        if let Some((_, [first, others @ ..])) = self.likely() {
            let titles = others.iter().fold(first.title.clone(), |all, cause| all + "; " + &cause.title);
            let line = format!("{titles} (`--json` tells more)");
            let _ = writeln!(text, "other possible causes: {}", fold_to(&line, 23, columns));
        }
        text + &self.proposed(columns)
    }

    fn proposed(&self, columns: usize) -> String {
        let mut text = String::new();
        if let Some(proposal) = &self.proposal {
            let _ = writeln!(text, "{}:", fold_to(&proposal.instruction(), 0, columns));
            indented(&mut text, &proposal.narrow);
            if let Some(wide) = &proposal.wide {
                let _ = writeln!(text, "{}:", Proposal::INSTEAD);
                indented(&mut text, wide);
            }
        }
        text
    }

    /// The claims that were looked at, in `most` lines.
    fn claims(&self, columns: usize, most: usize) -> String {
        let is_looked_at = |name: &str| match self.subject {
            Subject::Identity => matches!(name, "iss" | "aud"),
            _ => !matches!(name, "iss" | "aud"),
        };
        let looked_at = self.said.iter().filter(|(name, _)| is_looked_at(name));
        let claims: Vec<String> = looked_at.map(|(name, value)| format!("`{name}: {value}`")).collect();
        if claims.is_empty() {
            return String::new();
        }
        // As many as fit, so that none is cut in two.
        let line = |shown: &[String]| {
            let more = if shown.len() < claims.len() { ", …" } else { "" };
            fold_to(&format!("{}{more}", shown.join(", ")), 10, columns)
        };
        let fits = |n: &usize| claims.get(..*n).is_some_and(|shown| line(shown).lines().count() <= most);
        let shown = (1..=claims.len()).rev().find(fits).unwrap_or(1);
        format!("this job: {}\n", cut(&line(claims.get(..shown).unwrap_or_default()), most))
    }
}

impl Proposal {
    pub(super) const INSTEAD: &str = "or instead, for the project as a whole";
}

/// Lines below each other.
struct Lines(String, usize);

impl Lines {
    fn new(columns: usize) -> Self {
        Self(String::new(), columns)
    }

    fn add(&mut self, label: &str, text: &str, most: usize) {
        let folded = fold_to(text, label.len(), self.1);
        let _ = writeln!(self.0, "{label}{}", cut(&folded, room(most, self.1)));
    }
}

fn told(cause: &Cause) -> String {
    format!("{}: {}", cause.title, cause.detail)
}

/// The lines that hold as much in lines of `columns` as these at the usual width.
fn room(lines: usize, columns: usize) -> usize {
    (lines * COLUMNS).div_ceil(columns.clamp(1, COLUMNS))
}

/// The first lines; `…` for the others.
fn cut(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines.get(..most).filter(|_| lines.len() > most);
    shown.map_or_else(|| text.to_owned(), |lines| lines.join("\n") + " …")
}

fn indented(out: &mut String, yaml: &str) {
    for line in yaml.lines() {
        let _ = writeln!(out, "    {line}");
    }
}
