//! Refusals by the token's rules that all methods share (Teleport `lib/join/*`).

use crate::rules::message::{SHOWN, between};
use crate::rules::{Cause, Context, ServerText, hints};
use crate::text::safe;

pub(super) const ENTRIES: &[ServerText] = &[
    ServerText::no_rule("id token claims did not match any allow rules"),
    ServerText::new("evaluating rule ( … match", broken_rule),
];

/// The server never says which rule or field failed; the job's own claims often do.
pub(super) fn no_rule(ctx: &Context<'_>) -> Vec<Cause> {
    let (guesses, mut found): (Vec<_>, Vec<_>) =
        hints(ctx.method).causes(ctx).into_iter().partition(|cause| cause.is_guess);
    // What the claims show tells more than the server's words alone.
    if found.is_empty() {
        let token =
            ctx.token_name.map_or_else(|| "the token".to_owned(), |name| format!("`{}`", safe(name, SHOWN)));
        found.push(Cause::new(
        "no rule of the token matches this job",
        format!("in no rule of {token} do all fields match the job's claims, and the server does not say which one fails"),
        format!("see each field beside its claim: `{}`", compare(ctx.token_name.unwrap_or("NAME"))),
    ));
    }
    found.extend(guesses);
    found
}

/// The commands that show a join token's rules beside the claims, for a shell.
pub fn compare(token: &str) -> String {
    format!("tctl get {} > token.yaml && jobpass explain --rules token.yaml", resource(token))
}

/// `token/NAME` as `tctl` takes it, for a shell.
pub fn resource(token: &str) -> String {
    let name = format!("token/{}", safe(token, SHOWN));
    // There is nothing but a NUL that cannot be quoted, and none in safe text.
    shlex::try_quote(&name).map_or_else(|_| name.clone(), Into::into)
}

fn broken_rule(message: &str, _: &Context<'_>) -> Vec<Cause> {
    // The server counts from 0, people and `jobpass explain` from 1.
    let number = between(message, "evaluating rule (", ")").and_then(|number| number.parse::<usize>().ok());
    let rule = number.map_or_else(|| "a rule".to_owned(), |number| format!("rule {}", number + 1));
    vec![Cause::new(
        "a pattern in the token is broken",
        format!("{rule} of the token cannot be evaluated"),
        "write the pattern in the rule with `*` and `?` only",
    )]
}
