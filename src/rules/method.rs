//! What a join method is, as data: its section of the spec, the fields of its rules, what the server insists on.

use serde_json::Value;

use super::compare::Compared;
use super::{
    azure, azure_devops, bitbucket, circleci, env0, gcp, generic_oidc, github, gitlab, iam, kubernetes,
    spacelift, terraform_cloud,
};
use crate::claims::UnverifiedClaims;
use crate::teleport::JoinMethod;

/// A join method.
pub(super) struct Method {
    /// The name of its section in `spec`; `None`: it has none, its rules are `spec.allow`.
    pub(super) section: Option<&'static str>,
    /// The section's fields beside `allow`.
    pub(super) options: &'static [Named],
    /// Options the server asks for at creation.
    pub(super) required: &'static [&'static str],
    /// Options that are a host name: the server refuses a scheme or path in them at creation.
    pub(super) hosts: &'static [&'static str],
    /// The fields of a rule.
    pub(super) fields: &'static [Field],
    /// Of each group a rule must set one, or the server refuses to create the token
    /// (Teleport `api/types/provisioning.go`).
    pub(super) groups: &'static [&'static [&'static str]],
    /// See [`super::rule_claims`].
    pub(super) claims: &'static [&'static str],
    /// The issuer the server insists on.
    pub(super) issuer: fn(&Value) -> Option<String>,
    /// The audiences it insists on, from the section and the cluster's name.
    pub(super) audiences: fn(&Value, &str) -> Vec<String>,
    /// The server's words for a refusal outside the rules.
    pub(super) blocked: fn(&Value, &UnverifiedClaims) -> Option<String>,
    /// The server's words when no rule matched.
    pub(super) refusal: &'static str,
}

/// A field with the form its value must have.
pub(super) type Named = (&'static str, Shape);

/// The form of a value in the document.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// A string.
    Text,
    /// `true` or `false`.
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
pub(super) struct Field {
    /// Its name.
    pub(super) name: &'static str,
    /// The claim it is compared with.
    pub(super) claim: &'static str,
    /// How.
    pub(super) how: How,
}

/// How a field is compared with its claim.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// Byte for byte.
    Exact,
    /// As a glob, on every server.
    Glob,
    /// As a glob on newer servers only (see [`github::GITHUB_GLOBS_SINCE`]).
    NewGlob,
    /// As a glob if the section's flag of this name is set.
    GlobIf(&'static str),
    /// The claim is a list that must contain it.
    Contained,
    /// A boolean, compared with a claim that is the string `true` or `false`.
    Flag,
    /// A string, compared by the method's own rule.
    Own(fn(&str, &UnverifiedClaims) -> Compared),
    /// A list of strings, one of which must agree by the method's own rule.
    OneOf(fn(&str, &UnverifiedClaims) -> Compared),
    /// Only the server can.
    Server,
}

impl How {
    /// The form of the field's value.
    pub(super) fn shape(self) -> Shape {
        match self {
            Self::Flag => Shape::Flag,
            Self::OneOf(_) => Shape::Texts,
            _ => Shape::Text,
        }
    }
}

impl Field {
    pub(super) const fn exact(name: &'static str, claim: &'static str) -> Self {
        Self { name, claim, how: How::Exact }
    }

    pub(super) const fn new(name: &'static str, claim: &'static str, how: How) -> Self {
        Self { name, claim, how }
    }
}

/// The words most methods use.
pub(super) const NO_RULE: &str = "id token claims did not match any allow rules";

/// The audience of methods whose tokens are not made for one cluster (Teleport `lib/join/githubactions`,
/// `lib/join/gcp`).
pub(super) const ANY_CLUSTER: &str = "teleport.cluster.local";

/// Nothing outside the rules refuses.
pub(super) fn never(_: &Value, _: &UnverifiedClaims) -> Option<String> {
    None
}

/// The facts of a method.
pub(super) fn of(method: JoinMethod) -> &'static Method {
    match method {
        JoinMethod::Azure => &azure::METHOD,
        JoinMethod::AzureDevops => &azure_devops::METHOD,
        JoinMethod::Bitbucket => &bitbucket::METHOD,
        JoinMethod::CircleCi => &circleci::METHOD,
        JoinMethod::Env0 => &env0::METHOD,
        JoinMethod::Gcp => &gcp::METHOD,
        JoinMethod::GenericOidc => &generic_oidc::METHOD,
        JoinMethod::GitHub => &github::METHOD,
        JoinMethod::GitLab => &gitlab::METHOD,
        JoinMethod::Iam => &iam::METHOD,
        JoinMethod::Kubernetes => &kubernetes::METHOD,
        JoinMethod::Spacelift => &spacelift::METHOD,
        JoinMethod::TerraformCloud => &terraform_cloud::METHOD,
    }
}

/// An option that is a string and not empty.
pub(super) fn option<'a>(spec: &'a Value, name: &str) -> Option<&'a str> {
    spec.get(name)?.as_str().filter(|text| !text.is_empty())
}
