//! Refusals before the server looks at the identity (Teleport `lib/join/server.go`, `lib/join/iamjoin`).

use super::catalogue::Entry;
use super::{Cause, Context, between, clean};
use crate::rules;
use crate::teleport::JoinMethod;

const NOT_FOUND: &str = "token expired or not found";
const NOT_VALID: &str = "the token is not valid";
const OTHER_METHOD: &str = "client requested join method … provision token only supports method";
const NO_ROLE: &str = "can not join the cluster, the token does not allow role";
const OLD_CLIENT: &str = "client version is unsupported, minimum supported version is";
const NOT_IMPLEMENTED: &str = "join method … is not implemented";
const NOT_SUPPORTED: &str = "is not supported by this client";
const NOT_IAM: &str = "this token does not support the IAM join method";
const GHES: &str = "github enterprise server joining";
const SPACELIFT: &str = "spacelift joining";
const TFE: &str = "terraform_cloud joining for Terraform Enterprise";
/// What a 15 server said to a request without a token (recorded).
const NO_ID_TOKEN: &str = "IDToken not provided for";

pub(super) const ENTRIES: &[Entry] = &[
    Entry { text: NOT_FOUND, explain: not_found },
    Entry { text: NOT_VALID, explain: not_found },
    Entry { text: OTHER_METHOD, explain: other_method },
    Entry { text: NO_ROLE, explain: no_role },
    Entry { text: OLD_CLIENT, explain: old_client },
    Entry { text: NOT_IMPLEMENTED, explain: not_implemented },
    Entry { text: NOT_SUPPORTED, explain: not_implemented },
    Entry { text: NOT_IAM, explain: not_iam },
    Entry { text: GHES, explain: enterprise },
    Entry { text: SPACELIFT, explain: enterprise },
    Entry { text: TFE, explain: enterprise },
    Entry { text: NO_ID_TOKEN, explain: no_id_token },
];

fn not_found(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let name = ctx.token_name.map_or_else(|| "the token".to_owned(), |name| format!("`{}`", clean(name)));
    let cluster = ctx.cluster.map_or_else(|| "this cluster".to_owned(), |name| format!("`{}`", clean(name)));
    vec![
        Cause::new(
            "no join token of that name",
            format!("{cluster} has no join token named {name}: a slip in the name, or another cluster"),
            format!("Compare {name} with the names that `tctl get tokens` prints on {cluster}."),
        ),
        Cause::new(
            "the join token has expired",
            "a token made with `tctl bots add`, or one with `metadata.expires`, is gone after that time",
            "Make the token anew with `tctl create -f`, without `metadata.expires`.",
        ),
        Cause::new(
            "the bot is missing",
            "a token may name a `bot_name` that was never made or has been removed",
            "Look for the bot with `tctl bots ls` and make it with `tctl bots add`.",
        ),
    ]
}

fn other_method(message: &str, _: &Context<'_>) -> Vec<Cause> {
    let asked = between(message, "client requested join method", ",").unwrap_or_else(|| "one".to_owned());
    let takes = between(message, "only supports method", " ").unwrap_or_else(|| "another".to_owned());
    vec![Cause::new(
        "the token is for another join method",
        format!("the job asked for `{asked}`, the token takes `{takes}`"),
        format!(
            "Name a token made for `{asked}`, or pass `--join-method {takes}` if that is how this job can prove itself."
        ),
    )]
}

fn no_role(_: &str, _: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the token is not for bots",
        "its `spec.roles` does not have `Bot`",
        "Set `roles: [Bot]` and `bot_name` in the token.",
    )]
}

fn old_client(message: &str, _: &Context<'_>) -> Vec<Cause> {
    let minimum = between(message, "minimum supported version is", ",").unwrap_or_else(|| "newer".to_owned());
    vec![Cause::new(
        "the server takes newer clients only",
        format!("it asks for version {minimum} at least"),
        "Use a newer release of jobpass.",
    )]
}

fn not_implemented(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let method = ctx.method.map_or("this method", JoinMethod::name);
    let since = ctx.method.and_then(rules::served_since);
    let server = ctx.server_version.map_or_else(String::new, |v| format!(", the server is {v}"));
    vec![match since {
        Some(since) => Cause::new(
            "the server is too old for the join method",
            format!("`{method}` needs Teleport {since} or newer{server}"),
            format!("Upgrade the cluster to {since}, or join with another method."),
        ),
        None => Cause::new(
            "server and client do not both know the join method",
            format!("`{method}` is not served here{server}"),
            "Upgrade the cluster or jobpass, or name a token with another join method.",
        ),
    }]
}

fn not_iam(_: &str, _: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the token is not for the iam method",
        "the job showed an AWS identity, the token's `join_method` is another",
        "Name a token with `join_method: iam`, or pass the `--join-method` of this one.",
    )]
}

fn enterprise(message: &str, _: &Context<'_>) -> Vec<Cause> {
    let what = if message.contains(GHES) {
        "joining from a GitHub Enterprise Server"
    } else if message.contains(TFE) {
        "joining from a Terraform Enterprise server"
    } else {
        "joining from Spacelift"
    };
    vec![Cause::new(
        "the cluster's edition does not have this",
        format!("{what} needs Teleport Enterprise"),
        "Use a cluster with an Enterprise licence, or a `generic_oidc` token (Teleport 18.11 and newer).",
    )]
}

fn no_id_token(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let cure = match ctx.platform {
        Some(platform) => format!("Run `jobpass doctor` to see why {} gave no token.", platform.title()),
        None => "Run `jobpass doctor` to see where a token was looked for.".to_owned(),
    };
    vec![Cause::new("no identity token was sent", "the server saw an empty token", cure)]
}
