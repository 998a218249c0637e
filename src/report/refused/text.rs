//! A refusal in a log: few lines that are always seen, and the rest.

use std::fmt::Write as _;

use super::{Proposal, Refused};
use crate::refusal::{Cause, Subject};
use crate::text::fold::{COLUMNS, fold_to};

/// The most lines of an error with a refusal that are seen, at the usual width.
const SEEN: usize = 12;
/// Of these, at least for the server's words; at most for claims; for the cause; for its hint.
const WORDS: usize = 3;
const CLAIMS: usize = 3;
const CAUSE: usize = 4;
const HINT: usize = 3;

impl Refused {
    /// What is always seen: `head` (what was refused, in the server's words), claims, the likely cause, what to do. At
    /// most twelve lines at a width of 100, more in narrower ones.
    pub fn seen(&self, head: &str, columns: usize) -> String {
        let below = self.below(columns);
        let head = cut(head.trim_end(), head_room(&below, columns)) + "\n";
        let used = head.lines().count() + below.lines().count();
        let left = room(SEEN, columns).saturating_sub(used).min(room(CLAIMS, columns)).max(1);
        head + &self.claims(columns, left) + &below
    }

    /// The likely cause, and what to do.
    fn below(&self, columns: usize) -> String {
        let mut text = String::new();
        let mut add = |label: &str, said: &str, most| {
            let folded = fold_to(said, label.len(), columns);
            let _ = writeln!(text, "{label}{}", cut(&folded, room(most, columns)));
        };
        if let Some((cause, _)) = self.likely() {
            add(label(cause), &told(cause), CAUSE);
            add("hint: ", &cause.hint, HINT);
        }
        if let Some(next) = &self.next {
            add("next: ", &format!("`{next}`"), 1);
        }
        text
    }

    /// The rest: the server's words and the claims in full, other causes, what to add on the cluster.
    pub fn rest(&self, head: &str, columns: usize) -> String {
        let mut text = String::new();
        // What was cut above.
        if head.trim_end().lines().count() > head_room(&self.below(columns), columns) {
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
            let label = label(first);
            let whole = fold_to(&told(first), label.len(), columns);
            if whole.lines().count() > room(CAUSE, columns) {
                let _ = writeln!(text, "{label}{whole}");
            }
            let hint = fold_to(&first.hint, 6, columns);
            if hint.lines().count() > room(HINT, columns) {
                let _ = writeln!(text, "hint: {hint}");
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

fn label(cause: &Cause) -> &'static str {
    if cause.is_guess { "possible cause: " } else { "likely cause: " }
}

/// The lines for the server's words, with one left for claims.
fn head_room(below: &str, columns: usize) -> usize {
    room(SEEN, columns).saturating_sub(below.lines().count() + 1).max(room(WORDS, columns))
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
