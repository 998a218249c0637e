//! Traps that show in the job's own claims, whatever the join method.

use crate::rules::message::SHOWN;
use crate::rules::{Cause, Context};
use crate::text::safe;

/// What is wrong with an audience by its looks. `want` is what the server wants.
pub(super) fn audience(ctx: &Context<'_>, want: &str) -> Vec<Cause> {
    let mut found = Vec::new();
    let audiences = ctx.audiences();
    let bare = |aud: &&&str| {
        let host = aud.strip_prefix("https://").or_else(|| aud.strip_prefix("http://")).unwrap_or(aud);
        **aud != want && host.split(['/', ':']).next() == Some(want)
    };
    if let Some(aud) = audiences.iter().find(bare) {
        found.push(Cause::new(
            "the audience has a scheme, a port or a path",
            format!(
                "the token's audience is `{}`, the server wants the bare name `{want}`",
                safe(aud, SHOWN)
            ),
            format!("write the audience as `{want}`, without `https://` and without a port"),
        ));
    }
    if audiences.len() > 1 {
        found.push(Cause::new(
            "the identity token has more than one audience",
            format!("it has {}, which the server accepts only together with `azp`", audiences.len()),
            "write the audience as one value, not as a list",
        ));
    }
    found
}
