//! A refused join, explained: what the job said, the likely causes, rules that would let it in.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::join::Refusal;
use crate::platform::Platform;
use crate::refusal::{Cause, Context, causes, job_says};
use crate::rules::{ServerVersion, Suggestion, suggest};
use crate::text::fold::fold;
use crate::text::{clocks, duration};

/// All that can be said of a refusal. Holds no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The claims this method's rules look at.
    pub said: Vec<(String, String)>,
    /// Life left, clock, audience: one line each.
    pub state: Vec<String>,
    /// The likeliest first.
    pub causes: Vec<Cause>,
    /// Complete `kind: token` documents.
    pub rules: Option<Suggestion>,
}

impl Refused {
    /// Works it out. `now` is our clock.
    pub fn new(refusal: &Refusal, now: Timestamp) -> Self {
        let claims = &refusal.claims;
        let ping = refusal.ping.as_ref();
        let clock_skew = ping.and_then(|p| p.clock_skew);
        let audiences = claims.audiences().join(", ");
        let context = Context {
            method: refusal.method,
            claims: Some(claims),
            clock_skew,
            audience_sent: Some(audiences.as_str()).filter(|a| !a.is_empty()),
            platform: refusal.platform.map(Platform::title),
            server_version: ping.and_then(|p| ServerVersion::parse(&p.server_version)),
            cluster: ping.map(|p| p.cluster_name.as_str()),
            token_name: Some(&refusal.token),
            ..Context::at(now)
        };
        let mut state = Vec::new();
        if let Some(end) = claims.expires() {
            let left = end.duration_since(now);
            state.push(if left.is_positive() {
                format!("the identity token is good for another {}", duration(left))
            } else {
                format!("the identity token expired {} ago", duration(left.abs()))
            });
        }
        state.extend(clock_skew.map(|skew| clocks(skew, 1)));
        let method = refusal.method.or_else(|| refusal.platform.map(crate::rules::method_of));
        Self {
            said: method.map(|m| job_says(m, claims)).unwrap_or_default(),
            state,
            causes: causes(&refusal.message, &context),
            rules: method.and_then(|m| suggest(m, claims, &refusal.token, "my-bot")),
        }
    }

    /// Claims, state, causes with their hints, rules.
    pub fn text(&self) -> String {
        let mut text = String::new();
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
        text.push_str("likely causes:\n");
        for (index, cause) in self.causes.iter().enumerate() {
            let _ =
                writeln!(text, "  {}. {}", index + 1, fold(&format!("{}: {}", cause.title, cause.detail), 5));
            let _ = writeln!(text, "     hint: {}", fold(&cause.hint, 11));
        }
        if let Some(rules) = &self.rules {
            text.push_str("a join token for just such jobs (save it, then `tctl create -f FILE`):\n");
            indented(&mut text, &rules.narrow);
            text.push_str("or, for the whole project:\n");
            indented(&mut text, &rules.wide);
        }
        text
    }

    /// The same for scripts.
    pub fn json(&self) -> Value {
        let said: serde_json::Map<String, Value> =
            self.said.iter().map(|(k, v)| (k.clone(), Value::from(v.clone()))).collect();
        let causes: Vec<Value> = self
            .causes
            .iter()
            .map(|c| json!({"title": c.title, "detail": c.detail, "hint": c.hint}))
            .collect();
        let rules = self.rules.as_ref().map(|r| json!({"narrow": r.narrow, "wide": r.wide}));
        json!({"claims": said, "state": self.state, "likely_causes": causes, "rules": rules})
    }
}

fn indented(out: &mut String, document: &str) {
    for line in document.lines() {
        let _ = writeln!(out, "    {line}");
    }
}
