//! A refused join, explained: what the job said, the likely cause, other ones, what would let it in.

mod markdown;
mod text;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::join::Refusal;
use crate::platform::Platform;
use crate::refusal::{Cause, Context, Subject, causes, compare, job_says, resource};
use crate::rules::{ServerVersion, Suggestion, suggest};
use crate::text::{clocks, duration};

/// All that can be said of a refusal. Holds no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What the server's words are about.
    pub subject: Subject,
    /// The claims this method's rules look at, the issuer and the audience first.
    pub said: Vec<(String, String)>,
    /// Life left, clock, audience: one line each.
    pub state: Vec<String>,
    /// The likeliest first. What nothing shows is marked as a guess.
    pub causes: Vec<Cause>,
    /// Commands for a shell that lead on; `None` where the cause's own hint does.
    pub next: Option<String>,
    /// Rules for such jobs, where the cluster has none.
    pub rules: Option<Suggestion>,
    /// What would let the job in; `None` where rules are not the reason or cannot be told.
    pub proposal: Option<Proposal>,
}

/// What to add on the cluster. Never replaces what is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// For a shell: `tctl edit token/NAME`, or `tctl create token.yaml` where there is no such token.
    pub command: String,
    /// Where in the token the rule belongs; `None`: it is in a whole document.
    pub list: Option<String>,
    /// YAML for just such jobs: a rule or a document.
    pub narrow: String,
    /// The rule for the project as a whole, where it is another.
    pub wide: Option<String>,
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
        let left = claims.expires().map(|end| end.duration_since(now));
        if let Some(left) = left {
            state.push(if left.is_positive() {
                format!("the identity token is valid for another {}", duration(left))
            } else {
                format!("the identity token expired {} ago", duration(left.abs()))
            });
        }
        state.extend(clock_skew.map(|skew| clocks(skew, 1)));
        let method = refusal.method.or_else(|| refusal.platform.map(crate::rules::method_of));
        let subject = Subject::of(&refusal.message);
        let rules = method.and_then(|m| suggest(m, claims, &refusal.token, "my-bot"));
        let mut causes = causes(&refusal.message, &context);
        causes.sort_by_key(|cause| cause.is_guess);
        let proposal = rules.as_ref().and_then(|rules| Proposal::new(subject, &refusal.token, rules));
        let next = match (subject, &proposal) {
            (Subject::NoToken, Some(proposal)) => {
                Some(format!("tctl get {} || {}", resource(&refusal.token), proposal.command))
            }
            (Subject::NoToken, None) => None,
            // The rules are not the reason.
            (Subject::Identity, _) if left.is_some_and(|left| !left.is_positive()) => None,
            _ => Some(compare(&refusal.token)),
        };
        let is_new = |next: &String| causes.first().is_none_or(|cause| !cause.hint.contains(next.as_str()));
        let next = next.filter(is_new);
        let said = method.map(|m| job_says(m, claims)).unwrap_or_default();
        Self { subject, said, state, causes, next, rules, proposal }
    }

    /// The same for scripts.
    pub fn json(&self) -> Value {
        let said: serde_json::Map<String, Value> =
            self.said.iter().map(|(k, v)| (k.clone(), Value::from(v.clone()))).collect();
        let causes: Vec<Value> = self
            .causes
            .iter()
            .map(|c| json!({"title": c.title, "detail": c.detail, "hint": c.hint, "is_guess": c.is_guess}))
            .collect();
        let rules = self.rules.as_ref().map(|r| json!({"narrow": r.narrow, "wide": r.wide}));
        let proposal = self
            .proposal
            .as_ref()
            .map(|p| json!({"command": p.command, "list": p.list, "narrow": p.narrow, "wide": p.wide}));
        json!({
            "claims": said, "state": self.state, "likely_causes": causes, "next": self.next, "rules": rules,
            "proposal": proposal,
        })
    }

    /// The cause to show first, and the others.
    fn likely(&self) -> Option<(&Cause, &[Cause])> {
        self.causes.split_first()
    }
}

impl Proposal {
    fn new(subject: Subject, token: &str, rules: &Suggestion) -> Option<Self> {
        let wide = Some(rules.wide_rule.clone()).filter(|wide| *wide != rules.narrow_rule);
        match subject {
            Subject::NoRule => Some(Self {
                command: format!("tctl edit {}", resource(token)),
                list: Some(rules.list.clone()),
                narrow: rules.narrow_rule.clone(),
                wide,
            }),
            // Without `-f`: it stops where there is such a token after all.
            Subject::NoToken => Some(Self {
                command: "tctl create token.yaml".to_owned(),
                list: None,
                narrow: rules.narrow.clone(),
                wide,
            }),
            Subject::Identity | Subject::Other => None,
        }
    }

    /// What to do with the YAML.
    fn instruction(&self) -> String {
        match &self.list {
            Some(list) => format!("to let such jobs in, run `{}` and add to `{list}`", self.command),
            None => format!(
                "to create the join token, save this as `token.yaml`, write the bot's name in it, and run `{}`",
                self.command
            ),
        }
    }
}

#[cfg(test)]
mod tests;
