//! Logins that outputs with different roles share because the bot itself has them.

use crate::identity::logins::LOGINS;
use crate::issue::Issued;
use crate::output::Kind;

/// The note about logins of the bot's trait that are in every ssh output, where those have different roles.
pub(super) fn shared(issued: &[Issued]) -> Option<String> {
    let outputs: Vec<&Issued> =
        issued.iter().filter(|issued| matches!(issued.output.kind, Kind::Ssh { .. })).collect();
    let first = outputs.first()?;
    if outputs.iter().all(|output| output.roles == first.roles) {
        return None;
    }
    let traits = first.first.identity.traits();
    let in_all = |login: &&String| {
        outputs.iter().all(|output| output.first.identity.logins().contains(&login.as_str()))
    };
    let shared: Vec<&str> = traits.get(LOGINS)?.iter().filter(in_all).map(String::as_str).collect();
    (!shared.is_empty()).then(|| {
        format!(
            "every ssh output allows {}, whatever its roles: the bot has the trait `{LOGINS}`, and the roles take it in; to \
             tell the outputs apart, name the logins in the roles",
            shared.join(", ")
        )
    })
}
