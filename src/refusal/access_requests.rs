//! What can be done where Teleport refuses an access request, or certificates by one (`lib/services/access_request.go`,
//! `lib/auth/auth.go` of 15 and later; the first three texts were recorded with 15).

use crate::text::safe;

/// A name of Teleport's is no longer.
const LONGEST: usize = 200;

/// Hints by the server's words, the likeliest first; none where the words are not known. `user` is the bot's, `roles` are those asked
/// for.
pub fn hints(message: &str, user: &str, roles: &[String]) -> Vec<String> {
    let says = |text: &str| message.contains(text);
    if says("can not request role") || says("no requestable roles") {
        return vec![
            "check the spelling: `tctl get roles` lists the roles, and one that does not exist is refused with the same words"
                .to_owned(),
        ]
        .into_iter()
        .chain(what_to_set(user, roles))
        .collect();
    }
    let one = if says("is awaiting approval") {
        "wait for the approval: leave out `--request-nowait`, or pass a longer `--request-wait`"
    } else if says("has been denied") {
        "ask the reviewer, then file another request: leave out `--request-id`"
    } else if says("has expired") {
        "file another request: what this one gives has ended"
    } else if says("has been promoted") {
        "file another request, and have it approved rather than turned into the membership of an access list"
    } else if says("both role and access requests") {
        "leave out `--roles` and `roles=`: an approved request gives all its roles, beside the bot's own"
    } else if says("access request") && says("not found") {
        "check `--request-id`: the request is another bot's or another cluster's, or it has expired"
    } else if says("reason must be specified") {
        "pass `--request-reason TEXT`"
    } else if says("reason is too long") {
        "pass a shorter `--request-reason`"
    } else {
        return Vec::new();
    };
    vec![one.to_owned()]
}

/// What lets a bot ask for these roles, for `tctl`. A role of its own, as others may be asked for by the same.
pub fn what_to_set(user: &str, roles: &[String]) -> Vec<String> {
    let user = safe(user, LONGEST);
    let list = roles.iter().map(|role| quoted(role)).collect::<Vec<_>>().join(", ");
    let requester = format!("{user}-requester");
    let document = format!(
        "{{kind: role, version: v7, metadata: {{name: {}}}, spec: {{allow: {{request: {{roles: [{list}]}}}}}}}}",
        quoted(&requester)
    );
    // There is nothing but a NUL that cannot be quoted, and none in safe text.
    let document = shlex::try_quote(&document).map_or_else(|_| document.clone(), Into::into);
    vec![
        format!("let the bot ask (`allow.request.roles`): `echo {document} | tctl create`"),
        format!(
            "give it that role beside its own: `tctl users update {user} --set-roles={user},{requester}`; it counts after a few seconds"
        ),
    ]
}

/// A name in YAML, where it is not a plain word.
fn quoted(name: &str) -> String {
    let name = safe(name, LONGEST);
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !matches!(
            name.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
        );
    if is_plain { name } else { serde_json::Value::from(name).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_its_cure() {
        let roles = ["ci-prod".to_owned()];
        for (message, wanted) in [
            ("user \"bot-ci3\" can not request role \"ci-mfa\"", "tctl get roles"),
            ("access request \"61396805\" is awaiting approval", "--request-wait"),
            ("access request \"cf531c98\" has been denied", "ask the reviewer"),
            ("access request \"x\" has expired", "file another"),
            ("access request \"x\" has been promoted", "access list"),
            (
                "User bot-ci3 tried to issue a cert with both role and access requests. This is not supported.",
                "--roles",
            ),
            ("access request \"x\" not found", "--request-id"),
            ("request reason must be specified (required for role \"x\")", "--request-reason"),
            ("access request reason is too long", "shorter"),
        ] {
            let hints = hints(message, "bot-ci3", &roles);
            assert!(hints.first().is_some_and(|hint| hint.contains(wanted)), "{message}: {hints:?}");
        }
        assert!(hints("role \"x\" is not found", "bot-ci", &roles).is_empty());
        assert!(hints("node \"x\" not found", "bot-ci", &roles).is_empty());
    }

    #[test]
    fn what_is_to_be_set_is_yaml_in_a_shell() {
        let roles = ["ci-prod", "it's: \"odd\"", "yes"].map(str::to_owned);
        let all = what_to_set("bot-ci", &roles);
        let command = all[0].split('`').nth(3).unwrap();
        let words = shlex::split(command).unwrap();
        assert_eq!(
            (words[0].as_str(), &words[2..]),
            ("echo", &["|", "tctl", "create"].map(str::to_owned)[..])
        );
        let role: serde_json::Value = serde_saphyr::from_str(&words[1]).unwrap();
        assert_eq!(role["kind"], "role");
        assert_eq!(role["metadata"]["name"], "bot-ci-requester");
        assert_eq!(role["spec"]["allow"]["request"]["roles"], serde_json::json!(roles));
        assert!(all[1].contains("`tctl users update bot-ci --set-roles=bot-ci,bot-ci-requester`"), "{all:?}");
    }
}
