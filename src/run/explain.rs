//! `jobpass explain`: this job's claims beside the rules of join tokens. Pure: no network, no clock.

pub mod command;
mod json;
mod text;

use jiff::Timestamp;

use crate::claims::UnverifiedClaims;
use crate::refusal::job_says;
use crate::rules::message::SHOWN;
use crate::rules::{
    ExpectedAudience, FieldVerdict, Finding, ProvisionToken, RuleVerdict, ServerVersion, Suggestion, Verdict,
    lint, looks_like, suggest,
};
use crate::teleport::JoinMethod;
use crate::text::safe;

/// All that can be said.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Where the identity token is from, for people.
    pub source: String,
    /// The join method these claims look like, if no join token says it.
    pub method: Option<JoinMethod>,
    /// The claims that rules can look at, issuer and audience first; cleaned.
    pub says: Vec<(String, String)>,
    /// `exp` of the identity token.
    pub expires: Option<Timestamp>,
    /// The time it was made for.
    pub now: Timestamp,
    /// A report for each join token.
    pub tokens: Vec<TokenReport>,
    /// Rules that would admit this job; only where no join token was given.
    pub suggestion: Option<Suggestion>,
}

/// One join token against the claims.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenReport {
    /// Its name.
    pub name: String,
    /// Its method.
    pub method: JoinMethod,
    /// The issuer.
    pub issuer: Check,
    /// The audience.
    pub audience: Check,
    /// Refusals that have nothing to do with the claims: the join token expired, it is not for bots, ….
    pub refusals: Vec<String>,
    /// Its rules.
    pub verdict: Verdict,
    /// For the rule with the fewest fields that fail: its place (from 0) and a sentence for each.
    pub closest: Option<(usize, Vec<String>)>,
    /// Remarks on the token itself.
    pub findings: Vec<Finding>,
}

/// A comparison outside of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// They agree, or the server insists on none.
    Passes(String),
    /// They differ.
    Fails {
        /// What the server wants.
        want: String,
        /// What the claims have; empty: nothing.
        got: String,
    },
    /// It depends on something not known here.
    Unknown(String),
}

impl Check {
    fn not_compared(got: &str) -> Self {
        Self::Passes(if got.is_empty() { "not compared".to_owned() } else { format!("{got} (not compared)") })
    }
}

/// What a join token comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// This rule (from 0) admits the job.
    Admits(usize),
    /// Only the server can tell: a rule has a part that is not evaluated here.
    MayAdmit,
    /// It refuses.
    Refuses,
}

/// Compares. `cluster` is needed where the audience is the cluster's name.
pub fn explain(
    claims: &UnverifiedClaims,
    source: &str,
    tokens: &[ProvisionToken],
    version: ServerVersion,
    cluster: Option<&str>,
    now: Timestamp,
) -> Explanation {
    let method = tokens.first().map(|token| token.method).or_else(|| looks_like(claims));
    let suggestion = match method {
        Some(method) if tokens.is_empty() => suggest(method, claims, "my-token", "my-bot"),
        _ => None,
    };
    Explanation {
        source: shown(source),
        method,
        says: job_says(method.unwrap_or(JoinMethod::GenericOidc), claims),
        expires: claims.expires(),
        now,
        tokens: tokens.iter().map(|token| report(token, claims, version, cluster, now)).collect(),
        suggestion,
    }
}

impl Explanation {
    /// Whether one of the join tokens admits this job, as far as it can be told here: an audience that is to be the
    /// name of a cluster not given is shown as unknown, but does not count. That the identity token's own time is over is
    /// shown, but does not count: a saved one can be explained, too.
    pub fn admitted(&self) -> bool {
        self.tokens.iter().any(|token| matches!(token.outcome(), Outcome::Admits(_)))
    }
}

impl TokenReport {
    /// All in all.
    pub fn outcome(&self) -> Outcome {
        let stopped = !self.refusals.is_empty()
            || [&self.issuer, &self.audience].iter().any(|check| matches!(check, Check::Fails { .. }));
        match self.verdict.matched() {
            _ if stopped => Outcome::Refuses,
            Some(rule) => Outcome::Admits(rule),
            None if self.verdict.undecided => Outcome::MayAdmit,
            None => Outcome::Refuses,
        }
    }
}

fn report(
    token: &ProvisionToken,
    claims: &UnverifiedClaims,
    version: ServerVersion,
    cluster: Option<&str>,
    now: Timestamp,
) -> TokenReport {
    let verdict = token.evaluate(claims, version);
    let closest = match verdict.matched() {
        None => verdict.closest().and_then(|i| Some((i, changes(verdict.rules.get(i)?)))),
        Some(_) => None,
    };
    TokenReport {
        name: shown(&token.name),
        method: token.method,
        issuer: issuer(token, claims),
        audience: audience(token, claims, cluster),
        refusals: refusals(token, version, now),
        closest: closest.filter(|(_, changes)| !changes.is_empty()),
        verdict,
        findings: lint(token, now),
    }
}

fn issuer(token: &ProvisionToken, claims: &UnverifiedClaims) -> Check {
    let got = claims.issuer().unwrap_or_default();
    match token.expected_issuer() {
        None => Check::not_compared(&shown(got)),
        Some(want) if want == got => Check::Passes(shown(got)),
        Some(want) => Check::Fails { want: shown(&want), got: shown(got) },
    }
}

fn audience(token: &ProvisionToken, claims: &UnverifiedClaims, cluster: Option<&str>) -> Check {
    let has = claims.audiences();
    let got = shown(&has.join(", "));
    match token.expected_audience(cluster) {
        ExpectedAudience::Any => Check::not_compared(&got),
        ExpectedAudience::Is(want) if has.contains(&want.as_str()) => Check::Passes(got),
        ExpectedAudience::Is(want) => Check::Fails { want: shown(&want), got },
        ExpectedAudience::UnknownClusterName => {
            Check::Unknown(format!("has `{got}`; it must be the cluster's name, which is not known here"))
        }
    }
}

fn refusals(token: &ProvisionToken, version: ServerVersion, now: Timestamp) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(expires) = token.expires.filter(|at| *at <= now) {
        found.push(format!("the join token expired at {expires}"));
    }
    if !token.roles.iter().any(|role| role.eq_ignore_ascii_case("bot")) {
        found.push("the join token is not for bots: `spec.roles` does not have `Bot`".to_owned());
    }
    found.extend(token.unsupported(version));
    found
}

/// What would have to change, either in the rule or in the job.
fn changes(rule: &RuleVerdict) -> Vec<String> {
    let change = |f: &FieldVerdict| {
        let (field, want) = (shown(&f.field), shown(&f.want));
        match &f.got {
            Some(got) => {
                format!("`{field}`: write `{}` in the rule, or run the job where it is `{want}`", shown(got))
            }
            None => format!(
                "`{field}`: remove it from the rule, or run the job where the claim `{}` is there and is `{want}`",
                shown(&f.claim)
            ),
        }
    };
    rule.mismatches().map(change).collect()
}

fn shown(text: &str) -> String {
    safe(text, SHOWN)
}

#[cfg(test)]
mod tests;
