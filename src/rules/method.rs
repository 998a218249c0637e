//! What a join method is, as data. Each method is one file beside this one; `registry` lists them.

use serde_json::Value;

use super::cause::{Cause, Context, ServerText};
use super::claim::option;
use super::finding::Notes;
use super::flaw::Flaw;
use super::proposal::Proposal;
use super::verdict::{Compared, Verdict};
use super::version::{ServerVersion, Since};
use crate::claims::UnverifiedClaims;

/// The facts of a join method.
pub(super) struct Method {
    /// Its name in the server's texts of the old join path.
    pub(super) label: &'static str,
    /// The name of its section in `spec`; `None`: it has none, its rules are `spec.allow`.
    pub(super) section: Option<&'static str>,
    /// The section's fields beside `allow`.
    pub(super) options: &'static [Named],
    /// Options the server asks for at creation.
    pub(super) required: &'static [&'static str],
    /// Options that are a host name: the server refuses a scheme or path in them at creation.
    pub(super) hosts: &'static [&'static str],
    /// The fields of a rule; empty: the rules are of another kind, see `evaluate`.
    pub(super) fields: &'static [Field],
    /// Of each group a rule must set one, or the server refuses to create the token
    /// (Teleport `api/types/provisioning.go`).
    pub(super) groups: &'static [&'static [&'static str]],
    /// A field and the one that must be set with it.
    pub(super) together: &'static [(&'static str, &'static str)],
    /// Claims that decide beside those of the fields.
    pub(super) more_claims: &'static [&'static str],

    /// The first server that has it; `None`: all that are still in use.
    pub(super) since: Option<Since>,
    /// Only the join stream serves it, not the POST of older servers.
    pub(super) stream_only: bool,
    /// What of this section needs a newer server, where something does.
    pub(super) unsupported: fn(&Value, ServerVersion) -> Option<String>,
    /// What needs Teleport Enterprise, e.g. `joining from Spacelift`.
    pub(super) enterprise: Option<&'static str>,
    /// Whether every use of the method needs it.
    pub(super) always_enterprise: bool,

    /// The issuer the server insists on.
    pub(super) issuer: fn(&Value) -> Option<String>,
    /// The audience it insists on.
    pub(super) audience: Audience,
    /// The server does not compare a token's `azp` with the audience.
    pub(super) ignores_authorized_party: bool,
    /// Whether this issuer serves no other method.
    pub(super) owns_issuer: fn(&str) -> bool,
    /// Whether a job with these claims can only join by this method, or by `generic_oidc`.
    pub(super) looks_like: fn(&UnverifiedClaims) -> bool,

    /// What makes a server refuse a token with these claims, whatever the rules say.
    pub(super) flaws: fn(&UnverifiedClaims) -> Vec<Flaw>,
    /// The server's words for a refusal outside the rules.
    pub(super) blocked: fn(&Value, &UnverifiedClaims) -> Option<String>,
    /// The server's words when no rule matched, from the claims and the token's name.
    pub(super) refusal: fn(&UnverifiedClaims, &str) -> String,
    /// The method's own evaluation, where its rules are not a list of fields.
    pub(super) evaluate: Option<fn(&Value, &UnverifiedClaims) -> Verdict>,
    /// Rules for a job with these claims; `None`: they are not those of such a job.
    pub(super) propose: fn(&UnverifiedClaims) -> Option<Proposal>,
    /// Remarks on the section.
    pub(super) lint_section: fn(&mut Notes, &Value),
    /// Remarks on a rule.
    pub(super) lint_rule: fn(&mut Notes, &Value),

    /// Why no rule may match, the most telling first.
    pub(super) causes: fn(&Context<'_>) -> Vec<Cause>,
    /// The server's texts that are this method's own.
    pub(super) refusals: &'static [ServerText],
    /// What to do about an issuer that the join token does not have.
    pub(super) issuer_hint: fn(&str) -> String,
    /// How to get an identity token with this audience.
    pub(super) audience_hint: fn(&str) -> String,
    /// How to get a token with one audience.
    pub(super) one_audience_hint: &'static str,
    /// How to get a token that has not expired.
    pub(super) expired_hint: &'static str,
}

impl Method {
    /// What most methods have in common.
    pub(super) const BASE: Self = Self {
        label: "",
        section: None,
        options: &[],
        required: &[],
        hosts: &[],
        fields: &[],
        groups: &[],
        together: &[],
        more_claims: &[],
        since: None,
        stream_only: false,
        unsupported: |_, _| None,
        enterprise: None,
        always_enterprise: false,
        issuer: |_| None,
        audience: Audience::None,
        ignores_authorized_party: false,
        owns_issuer: |_| false,
        looks_like: |_| false,
        flaws: |_| Vec::new(),
        blocked: |_, _| None,
        refusal: |_, _| "id token claims did not match any allow rules".to_owned(),
        evaluate: None,
        propose: |_| None,
        lint_section: |_, _| (),
        lint_rule: |_, _| (),
        causes: |_| Vec::new(),
        refusals: &[],
        issuer_hint: |got| {
            format!("set the issuer in the join token to `{got}`, or name a token created for it")
        },
        audience_hint: |want| {
            format!(
                "ask the platform for a token with the audience `{want}`, or change that of the join token"
            )
        },
        one_audience_hint: "ask for a token with one audience only",
        expired_hint: "get a new token right before the login: a variable set when the job began is never renewed",
    };
}

/// The audience that a server insists on, and so the one a client asks for where it can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The same for every cluster.
    Literal(&'static str),
    /// The cluster's bare name: no scheme, no port.
    ClusterName,
    /// The cluster's name, save where this option of the join token is unset or has this value: there the server
    /// accepts others that it alone knows.
    ClusterNameUnless(&'static str, &'static str),
    /// What this option of the join token says.
    FromToken(&'static str),
    /// The same, or the cluster's name where the option is not set.
    FromTokenOrClusterName(&'static str),
    /// The proof has no audience.
    None,
}

/// An [`Audience`] as a join token has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedAudience {
    /// The server does not insist on one.
    Any,
    /// This one.
    Is(String),
    /// The name of the cluster, which is not known here.
    UnknownClusterName,
}

impl ExpectedAudience {
    /// The one audience, where there is one and it is known.
    pub fn known(self) -> Option<String> {
        match self {
            Self::Is(audience) => Some(audience),
            Self::Any | Self::UnknownClusterName => None,
        }
    }
}

impl Audience {
    pub(super) fn in_section(self, spec: &Value, cluster: Option<&str>) -> ExpectedAudience {
        let given = |text: Option<&str>| match text {
            Some(text) => ExpectedAudience::Is(text.to_owned()),
            None => ExpectedAudience::Any,
        };
        let named = || match cluster {
            Some(_) => given(cluster),
            None => ExpectedAudience::UnknownClusterName,
        };
        match self {
            Self::Literal(text) => given(Some(text)),
            Self::ClusterNameUnless(name, value) if option(spec, name).unwrap_or(value) == value => {
                ExpectedAudience::Any
            }
            Self::ClusterName | Self::ClusterNameUnless(..) => named(),
            Self::FromToken(name) => given(option(spec, name)),
            Self::FromTokenOrClusterName(name) => match option(spec, name) {
                None => named(),
                text => given(text),
            },
            Self::None => ExpectedAudience::Any,
        }
    }
}

/// The audience of methods whose tokens are not made for one cluster (Teleport `lib/join/githubactions`,
/// `lib/join/gcp`).
pub(super) const ANY_CLUSTER: Audience = Audience::Literal("teleport.cluster.local");

/// A field with the form its value must have.
pub(super) type Named = (&'static str, Shape);

/// The form of a value in the document.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Text,
    Flag,
    /// A list of strings.
    Texts,
    /// An object with these fields.
    Object(&'static [Named]),
    /// A list of such objects.
    Objects(&'static [Named]),
    /// An object with fields of any name.
    Open,
}

/// A field of a rule.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// The claim it is compared with.
    pub(super) claim: &'static str,
    pub(super) how: How,
    /// The first server that knows it; `None`: each that has the method.
    pub(super) since: Option<Since>,
}

/// How a field is compared with its claim.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// Byte for byte.
    Exact,
    /// As a glob, on every server.
    Glob,
    /// As a glob on these servers, byte for byte on older ones.
    GlobSince(Since),
    /// As a glob on these servers if the section's flag of this name is set.
    GlobIf(&'static str, Since),
    /// As a glob on a part of the claim.
    GlobOn(fn(&UnverifiedClaims) -> Option<&str>),
    /// The claim is a list that must contain it.
    Contained,
    /// A boolean, compared with a claim that is the string `true` or `false`.
    Flag,
    /// A string, compared by the method's own rule.
    Own(fn(&str, &UnverifiedClaims) -> Compared),
    /// A list of strings, one of which must agree by the method's own rule.
    OneOf(fn(&str, &UnverifiedClaims) -> Compared),
    /// Only the server can.
    Server(Shape),
}

impl How {
    /// The form of the field's value.
    pub(super) fn shape(self) -> Shape {
        match self {
            Self::Flag => Shape::Flag,
            Self::OneOf(_) => Shape::Texts,
            Self::Server(shape) => shape,
            _ => Shape::Text,
        }
    }
}

impl Field {
    pub(super) const fn exact(name: &'static str, claim: &'static str) -> Self {
        Self::new(name, claim, How::Exact)
    }

    pub(super) const fn new(name: &'static str, claim: &'static str, how: How) -> Self {
        Self { name, claim, how, since: None }
    }

    pub(super) const fn since(self, since: Since) -> Self {
        Self { since: Some(since), ..self }
    }
}
