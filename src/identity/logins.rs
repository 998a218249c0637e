//! Where the logins of a certificate are from: a role names them, or takes them from a trait of the bot's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Roles with their `allow.logins` as written, templates such as `{{internal.logins}}` among them.
pub type RoleLogins = BTreeMap<String, Vec<String>>;

/// Traits of a user with their values, as certificates carry them.
pub type Traits = BTreeMap<String, Vec<String>>;

/// One login of a certificate, and where it is from as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginSource {
    /// The login.
    pub login: String,
    /// The roles that allow it.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The traits of the bot's that roles take it from.
    #[serde(default)]
    pub traits: Vec<String>,
}

/// The trait that `tctl bots add --logins` sets (Teleport `lib/auth/machineid`, `constants.TraitLogins`).
pub const LOGINS: &str = "logins";

/// Reads `{"logins":["deploy"]}`; what has another form is skipped.
pub fn traits(json: &str) -> Traits {
    let all: BTreeMap<String, serde_json::Value> = serde_json::from_str(json).unwrap_or_default();
    let texts = |value: serde_json::Value| match value {
        serde_json::Value::Array(items) => {
            items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    };
    all.into_iter().map(|(name, value)| (name, texts(value))).collect()
}

/// Tells of each login in a certificate with these roles and traits. `known` may lack some of the roles, or all.
pub fn sources(logins: &[&str], roles: &[String], traits: &Traits, known: &RoleLogins) -> Vec<LoginSource> {
    logins.iter().map(|login| source(login, roles, traits, known)).collect()
}

fn source(login: &str, roles: &[String], traits: &Traits, known: &RoleLogins) -> LoginSource {
    let mut source = LoginSource { login: login.to_owned(), roles: Vec::new(), traits: Vec::new() };
    for role in roles {
        let Some(allowed) = known.get(role) else { continue };
        let from: Vec<&str> =
            allowed.iter().filter_map(|template| trait_of(template, login, traits)).collect();
        if allowed.iter().any(|allowed| allowed == login) || !from.is_empty() {
            source.roles.push(role.clone());
        }
        source.traits.extend(from.into_iter().map(str::to_owned));
    }
    if source.roles.is_empty() && roles.iter().all(|role| !known.contains_key(role)) {
        // The certificate alone: one role is the only way to any login.
        let by_trait = traits.get(LOGINS).is_some_and(|values| values.iter().any(|value| value == login));
        source.traits.extend(by_trait.then(|| LOGINS.to_owned()));
        source.roles.extend(roles.first().filter(|_| roles.len() == 1).cloned());
    }
    source.traits.sort();
    source.traits.dedup();
    source
}

/// The trait that makes `template` this login: `{{internal.NAME}}`, `{{external.NAME}}` or `{{internal["NAME"]}}`, with text around it.
fn trait_of<'t>(template: &'t str, login: &str, traits: &Traits) -> Option<&'t str> {
    let (before, rest) = template.split_once("{{")?;
    let (variable, after) = rest.split_once("}}")?;
    let variable = variable.trim();
    let rest = variable.strip_prefix("internal").or_else(|| variable.strip_prefix("external"))?;
    let quoted = || rest.strip_prefix("[\"")?.strip_suffix("\"]");
    let name = rest.strip_prefix('.').or_else(quoted)?;
    let value = login.strip_prefix(before)?.strip_suffix(after)?;
    traits.get(name)?.iter().any(|known| known == value).then_some(name)
}

impl LoginSource {
    /// `deploy (role ci-deploy)`, `root (trait logins, role ci-read)`, or the login alone.
    pub fn text(&self) -> String {
        let part = |word: &str, names: &[String]| match names {
            [] => None,
            [name] => Some(format!("{word} {name}")),
            names => Some(format!("{word}s {}", names.join(" and "))),
        };
        let parts: Vec<String> =
            [part("trait", &self.traits), part("role", &self.roles)].into_iter().flatten().collect();
        if parts.is_empty() { self.login.clone() } else { format!("{} ({})", self.login, parts.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let owned = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
        entries.iter().map(|(name, values)| ((*name).to_owned(), owned(values))).collect()
    }

    #[test]
    fn each_login_has_its_source() {
        let traits = map(&[("logins", &["deploy", "x"]), ("team", &["web"])]);
        for (known, roles, login, want) in [
            (&[("a", &["deploy"][..])][..], &["a"][..], "deploy", "deploy (role a)"),
            (&[("a", &["deploy"]), ("b", &["root"])], &["a", "b"], "root", "root (role b)"),
            (&[("a", &["deploy"]), ("b", &["deploy"])], &["a", "b"], "deploy", "deploy (roles a and b)"),
            (&[("a", &["{{internal.logins}}"])], &["a"], "deploy", "deploy (trait logins, role a)"),
            (&[("a", &["{{ external[\"logins\"] }}"])], &["a"], "x", "x (trait logins, role a)"),
            (&[("a", &["ci-{{external.team}}-x"])], &["a"], "ci-web-x", "ci-web-x (trait team, role a)"),
            (
                &[("a", &["x"]), ("b", &["{{internal.logins}}"])],
                &["a", "b"],
                "x",
                "x (trait logins, roles a and b)",
            ),
            // Roles that the certificate does not have say nothing of it.
            (&[("b", &["deploy"])], &["a", "c"], "deploy", "deploy (trait logins)"),
            (&[], &["a"], "deploy", "deploy (trait logins, role a)"),
            (&[], &["a"], "other", "other (role a)"),
            (&[], &["a", "b"], "other", "other"),
            // A function is not computed here.
            (&[("a", &["{{email.local(external.team)}}"])], &["a"], "web", "web"),
            (&[("a", &["{{internal.logins"])], &["a"], "deploy", "deploy"),
            (&[("a", &["{{internal.missing}}"])], &["a"], "deploy", "deploy"),
        ] {
            let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
            assert_eq!(sources(&[login], &roles, &traits, &map(known))[0].text(), want, "{known:?}");
        }
    }

    #[test]
    fn traits_are_read_as_certificates_have_them() {
        let read = traits(r#"{"logins":["a","b"],"odd":1,"mixed":["x",2]}"#);
        assert_eq!(read, map(&[("logins", &["a", "b"]), ("odd", &[]), ("mixed", &["x"])]));
        for text in ["", "[]", "null", "{"] {
            assert!(traits(text).is_empty(), "{text}");
        }
    }
}
