//! `spec.allow` of the `iam` method: what AWS says of a signed request, `{"Account": …, "Arn": …}` (Teleport
//! `lib/join/iamjoin`).

use super::cause::{Cause, ServerText};
use super::claim::{has_all, text_of};
use super::message::{SHOWN, between};
use super::method::{Field, How, Method, Shape};
use super::proposal::Proposal;
use super::version::Since;
use crate::text::safe;

/// Which organizational units a rule is for.
const UNITS: Shape = Shape::Object(&[("include", Shape::Texts), ("exclude", Shape::Texts)]);

pub(super) const METHOD: Method = Method {
    label: "IAM",
    fields: &[
        Field::exact("aws_account", "Account"),
        // The ARN of the *assumed role*, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
        Field::new("aws_arn", "Arn", How::Glob),
        // The server asks AWS Organizations.
        Field::new("aws_organization_id", "Account", How::Server(Shape::Text)).since(Since::new(18, 7, 0)),
        Field::new("aws_organizational_units", "Account", How::Server(UNITS)).since(Since::new(18, 8, 3)),
    ],
    together: &[("aws_organizational_units", "aws_organization_id")],
    groups: &[&["aws_account", "aws_arn", "aws_organization_id"]],
    looks_like: |claims| has_all(claims, &["Account", "Arn"]),
    refusal: |claims, _| {
        let arn = text_of(claims, "Arn").unwrap_or_default();
        format!("instance {} did not match any allow rules", safe(arn, SHOWN))
    },
    propose: |claims| Proposal::new(claims, Vec::new(), &[("aws_account", "Account")], &[("aws_arn", "Arn")]),
    causes: |ctx| {
        vec![
            Cause::new(
                "the ARN of an assumed role is not that of the role",
                format!("the server sees `{}`", ctx.claim("Arn")),
                "write `aws_arn: arn:aws:sts::ACCOUNT:assumed-role/ROLE/*` in the rule",
            )
            .guess(),
        ]
    },
    refusals: &[
        ServerText::new("this token does not support the IAM join method", |_, _| {
            vec![Cause::new(
                "the token is not for the `iam` method",
                "the job showed an AWS identity, the token's `join_method` is another",
                "name a token with `join_method: iam`, or pass the `--join-method` of this one",
            )]
        }),
        // With the ARN in the middle; version 15 leaves it out.
        ServerText::no_rule("instance … did not match any allow rules"),
        ServerText::new("sts identity request does not include challenge header", |_, _| {
            request("the signed request lacks the server's challenge")
        }),
        ServerText::new("IAM join request uses unknown STS host", |_, _| {
            request("the signed request is for a host that the server does not know")
        }),
        // Around the server's own reason; older ones say it with the text before.
        ServerText::new("rejecting IAM join request using STS host", |message, _| {
            if message.contains("FIPS") {
                return vec![Cause::new(
                    "the cluster runs in FIPS mode, and the request is for another kind of AWS endpoint",
                    "the server takes FIPS endpoints of STS only",
                    "set `AWS_USE_FIPS_ENDPOINT=true` in the job",
                )];
            }
            let host = between(message, "using STS host \"", "\"").unwrap_or_default();
            vec![Cause::new(
                "the AWS region of this job is unknown to the server",
                format!("the request is for `{host}`"),
                "check `AWS_REGION`; where the region is newer than the server, set a region that it knows",
            )]
        }),
        ServerText::new("sts request body … does not equal expected", |_, _| {
            request("the signed request is not a `GetCallerIdentity`")
        }),
        ServerText::new("aws sts api returned status", |message, _| {
            // As Go quotes it; the body is JSON in a string.
            let status = between(message, "aws sts api returned status: \"", "\"").unwrap_or_default();
            let code = between(message, "\\\"Code\\\":\\\"", "\\\"");
            let code = code.map_or_else(String::new, |code| format!(" ({code})"));
            vec![Cause::new(
                "AWS did not accept the signed request",
                format!("its status was {status}{code}"),
                "check with `aws sts get-caller-identity` that the AWS credentials of this job are still valid",
            )]
        }),
    ],
    ..Method::BASE
};

fn request(detail: &str) -> Vec<Cause> {
    vec![Cause::new(
        "the signed AWS request does not have the form that the server wants",
        detail,
        "use a newer jobpass, and unset variables that redirect the STS endpoint",
    )]
}
