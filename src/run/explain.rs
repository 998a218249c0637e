//! `jobpass explain`: this job's claims beside the rules of join tokens. Pure: no network, no clock.

pub mod command;
mod json;
mod select;
mod text;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::claims::UnverifiedClaims;
use crate::refusal::job_says;
use crate::rules::message::SHOWN;
use crate::rules::{
    ExpectedAudience, FieldVerdict, Finding, ProvisionToken, RuleVerdict, ServerVersion, Suggestion, Verdict,
    lint, looks_like, public_claim, rule_claims, suggest,
};
use crate::teleport::JoinMethod;
use crate::text::safe;

/// The longest text in a claim that is given to programs, in characters.
const LONGEST: usize = 2_000;
/// Stands for a value about a person.
const NOT_SHOWN: &str = "(not shown)";

/// What the claims are judged by, beside the rules.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The server's version.
    pub version: ServerVersion,
    /// The cluster's name, which is the audience of some methods.
    pub cluster: Option<&'a str>,
    /// The name for a proposed join token.
    pub token_name: Option<&'a str>,
    /// The time to judge by.
    pub now: Timestamp,
}

/// The claims, and each join token against them.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Where the identity token is from, for people.
    pub source: String,
    /// The join method these claims look like, if no join token says it.
    pub method: Option<JoinMethod>,
    /// The claims that rules can look at, issuer and audience first; safe to show.
    pub says: Vec<(String, String)>,
    /// The same with their types, and the standard ones.
    pub claims: Map<String, Value>,
    /// `exp` of the identity token.
    pub expires: Option<Timestamp>,
    /// The time it is as of.
    pub now: Timestamp,
    /// A report for each join token.
    pub tokens: Vec<TokenReport>,
    /// Join tokens that were not judged, and why.
    pub notes: Vec<String>,
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
    /// Only the server knows: a rule has a part that is not evaluated here.
    MayAdmit,
    /// It refuses.
    Refuses,
}

/// Compares the claims with each join token; without any it proposes one.
pub fn explain(
    claims: &UnverifiedClaims,
    source: &str,
    tokens: &[ProvisionToken],
    setting: &Setting<'_>,
) -> Explanation {
    let method = match tokens {
        [token] => Some(token.method),
        _ => looks_like(claims).or_else(|| Some(tokens.first()?.method)),
    };
    let suggestion = match method {
        Some(method) if tokens.is_empty() => {
            suggest(method, claims, setting.token_name.unwrap_or("my-token"), "my-bot")
        }
        _ => None,
    };
    Explanation {
        source: shown(source),
        method,
        says: job_says(method.unwrap_or(JoinMethod::GenericOidc), claims),
        claims: typed(claims, &tokens.iter().map(|token| token.method).chain(method).collect::<Vec<_>>()),
        expires: claims.expires(),
        now: setting.now,
        tokens: tokens.iter().map(|token| report(token, claims, setting)).collect(),
        notes: Vec::new(),
        suggestion,
    }
}

/// The claims that the rules of these methods can look at, and the standard ones; of nested ones all, so that they can
/// be judged again.
fn typed(claims: &UnverifiedClaims, methods: &[JoinMethod]) -> Map<String, Value> {
    let mut wanted = vec!["iss", "aud", "sub", "azp", "iat", "nbf", "exp"];
    wanted.extend(methods.iter().flat_map(|method| rule_claims(*method)));
    let any = methods.is_empty() || methods.iter().any(|method| rule_claims(*method).is_empty());
    let is_wanted = |name: &str| any || wanted.iter().any(|path| is_part(path, name));
    let public = |(name, value): (&str, &Value)| {
        let value = public_claim(name, value).unwrap_or_else(|| NOT_SHOWN.into());
        (safe(name, LONGEST), safe_value(&value))
    };
    claims.iter().filter(|(name, _)| is_wanted(name)).map(public).collect()
}

/// Whether the path of a claim is, or begins with, a claim's own name.
fn is_part(path: &str, name: &str) -> bool {
    path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn safe_value(value: &Value) -> Value {
    match value {
        Value::String(text) => safe(text, LONGEST).into(),
        Value::Array(items) => items.iter().map(safe_value).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (safe(name, LONGEST), safe_value(value))).collect()
        }
        other => other.clone(),
    }
}

impl Explanation {
    /// Whether one of the join tokens admits this job, as far as that is known here: an audience that must be the name of
    /// a cluster not given is shown as unknown, but does not count. That the identity token has expired is shown, but
    /// does not count: a saved one can be explained, too.
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

fn report(token: &ProvisionToken, claims: &UnverifiedClaims, setting: &Setting<'_>) -> TokenReport {
    let mut verdict = token.evaluate(claims, setting.version);
    verdict.rules.iter_mut().flat_map(|rule| &mut rule.fields).for_each(hide_personal);
    let closest = match verdict.matched() {
        None => verdict.closest().and_then(|i| Some((i, changes(verdict.rules.get(i)?)))),
        Some(_) => None,
    };
    TokenReport {
        name: shown(&token.name),
        method: token.method,
        issuer: issuer(token, claims),
        audience: audience(token, claims, setting.cluster),
        refusals: refusals(token, setting),
        closest: closest.filter(|(_, changes)| !changes.is_empty()),
        verdict,
        findings: lint(token, setting.now),
    }
}

fn hide_personal(field: &mut FieldVerdict) {
    let got = field.got.as_deref().unwrap_or_default();
    if field.got.is_some() && public_claim(&field.claim, &got.into()).is_none() {
        field.got = Some(NOT_SHOWN.to_owned());
        // It may repeat the value.
        field.note = None;
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
            let got = if got.is_empty() { "is absent".to_owned() } else { format!("has `{got}`") };
            Check::Unknown(format!("{got}; it must be the cluster's name, which is not known here"))
        }
    }
}

fn refusals(token: &ProvisionToken, setting: &Setting<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(expires) = token.expires.filter(|at| *at <= setting.now) {
        found.push(format!("the join token expired at {expires}"));
    }
    if !token.roles.iter().any(|role| role.eq_ignore_ascii_case("bot")) {
        found.push("the join token is not for bots: `spec.roles` does not have `Bot`".to_owned());
    }
    found.extend(token.unsupported(setting.version));
    found
}

/// What would have to change, either in the rule or in the job.
fn changes(rule: &RuleVerdict) -> Vec<String> {
    let change = |f: &FieldVerdict| {
        let (field, want) = (shown(&f.field), shown(&f.want));
        match &f.got {
            Some(got) if got == NOT_SHOWN => {
                format!(
                    "`{field}`: write the job's own value in the rule, or run the job where it is `{want}`"
                )
            }
            Some(got) => {
                format!("`{field}`: write `{}` in the rule, or run the job where it is `{want}`", shown(got))
            }
            None => format!(
                "`{field}`: remove it from the rule, or run the job where the claim `{}` is present and is `{want}`",
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
