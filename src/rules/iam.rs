//! `spec.allow` of the `iam` method: what AWS says of a signed request, `{"Account": …, "Arn": …}` (Teleport
//! `lib/join/iamjoin`).

use super::method::{Field, How, Method, never};

pub(super) const METHOD: Method = Method {
    section: None,
    options: &[],
    required: &[],
    hosts: &[],
    fields: &[
        Field::exact("aws_account", "Account"),
        // The ARN of the *assumed role*, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
        Field::new("aws_arn", "Arn", How::Glob),
        // The server asks AWS Organizations. The name is unverified: seen as the Go field `AWSOrganizationID`.
        Field::new("aws_organization_id", "Account", How::Server),
    ],
    groups: &[&["aws_account", "aws_arn", "aws_organization_id"]],
    claims: &["Account", "Arn"],
    issuer: |_| None,
    audiences: |_, _| Vec::new(),
    blocked: never,
    refusal: "instance ARN did not match any allow rules",
};
