//! Refusals before the server looks at the identity (Teleport `lib/join/server.go`, `lib/join/iamjoin`).

use crate::rules::message::{SHOWN, between};
use crate::rules::{Cause, Context, ServerText, hints, unserved};
use crate::teleport::JoinMethod;
use crate::text::safe;

const NOT_FOUND: &str = "token expired or not found";
const NOT_VALID: &str = "the token is not valid";
const OTHER_METHOD: &str = "client requested join method … provision token only supports method";
const NO_ROLE: &str = "can not join the cluster, the token does not allow role";
const OLD_CLIENT: &str = "client version is unsupported, minimum supported version is";
const NOT_IMPLEMENTED: &str = "join method … is not implemented";
const NOT_SUPPORTED: &str = "is not supported by this client";
const NOT_YET: &str = "join method … is not yet implemented";
/// The prefix that names the method does not always arrive.
const ENTERPRISE: &str = "this feature requires Teleport Enterprise";
/// What a 15 server said to a request without a token (recorded).
const NO_ID_TOKEN: &str = "IDToken not provided for";

/// What the server says where there is no such join token.
pub(super) const MISSING: [&str; 2] = [NOT_FOUND, NOT_VALID];

pub(super) const ENTRIES: &[ServerText] = &[
    ServerText::new(NOT_FOUND, not_found),
    ServerText::new(NOT_VALID, not_found),
    ServerText::new(OTHER_METHOD, other_method),
    ServerText::new(NO_ROLE, no_role),
    ServerText::new(OLD_CLIENT, old_client),
    ServerText::new(NOT_IMPLEMENTED, not_implemented),
    ServerText::new(NOT_SUPPORTED, not_implemented),
    ServerText::new(NOT_YET, not_implemented),
    ServerText::new(NO_ID_TOKEN, no_id_token),
    ServerText::prefix(ENTERPRISE, |_, ctx| {
        vec![Cause::enterprise(hints(ctx.method).enterprise().unwrap_or("this way of joining"))]
    }),
];

fn not_found(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let name =
        ctx.token_name.map_or_else(|| "the token".to_owned(), |name| format!("`{}`", safe(name, SHOWN)));
    let cluster =
        ctx.cluster.map_or_else(|| "this cluster".to_owned(), |name| format!("`{}`", safe(name, SHOWN)));
    vec![
        Cause::new(
            "no join token has that name",
            format!("{cluster} has no join token named {name}: a typo, or the wrong cluster"),
            format!("compare {name} with the names that `tctl get tokens` prints on {cluster}"),
        ),
        Cause::new(
            "the join token has expired",
            "a token created by `tctl bots add`, or one with `metadata.expires`, is removed after that time",
            "create the token again with `tctl create`, without `metadata.expires`",
        )
        .guess(),
        Cause::new(
            "the bot is missing",
            "a token may name a `bot_name` that was never created or has been removed",
            "look for the bot with `tctl bots ls` and create it with `tctl bots add`",
        )
        .guess(),
    ]
}

fn other_method(message: &str, _: &Context<'_>) -> Vec<Cause> {
    let asked = between(message, "client requested join method", ",").unwrap_or_else(|| "one".to_owned());
    let takes = between(message, "only supports method", " ").unwrap_or_else(|| "another".to_owned());
    vec![Cause::new(
        "the token is for another join method",
        format!("the job asked for `{asked}`, the token takes `{takes}`"),
        format!(
            "name a token created for `{asked}`, or pass `--join-method {takes}` if this job can prove itself that way"
        ),
    )]
}

fn no_role(_: &str, _: &Context<'_>) -> Vec<Cause> {
    vec![Cause::new(
        "the token is not for bots",
        "its `spec.roles` does not have `Bot`",
        "set `roles: [Bot]` and `bot_name` in the token",
    )]
}

fn old_client(message: &str, _: &Context<'_>) -> Vec<Cause> {
    let minimum = between(message, "minimum supported version is", ",").unwrap_or_else(|| "newer".to_owned());
    vec![Cause::new(
        "the server accepts newer clients only",
        format!("it requires at least version {minimum}"),
        "use a newer release of jobpass",
    )]
}

fn not_implemented(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let name = ctx.method.map_or("this method", JoinMethod::name);
    let server = ctx.server_version.map_or_else(String::new, |v| format!(", the server is {v}"));
    vec![match ctx.method.and_then(|method| unserved(method, ctx.server_version, None)) {
        Some(unserved) => Cause::new(
            "the server is too old for the join method",
            format!("{}{server}", unserved.problem),
            unserved.hint,
        ),
        None => Cause::new(
            "server and client do not both know the join method",
            format!("`{name}` is not served here{server}"),
            "upgrade the cluster or jobpass, or name a token with another join method",
        ),
    }]
}

fn no_id_token(_: &str, ctx: &Context<'_>) -> Vec<Cause> {
    let hint = match ctx.platform {
        Some(platform) => format!("run `jobpass doctor` to see why {platform} did not issue a token"),
        None => "run `jobpass doctor` to see where jobpass looks for a token".to_owned(),
    };
    vec![Cause::new("no identity token was sent", "the server got an empty token", hint)]
}
