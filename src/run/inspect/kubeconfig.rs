//! What a kubeconfig has: its contexts, with the certificate and key of each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::text::safe;

/// One context.
pub struct Context {
    /// Its name.
    pub name: String,
    /// Whether it is the current one.
    pub is_current: bool,
    /// The certificate in the file, PEM; `None`: it comes from elsewhere.
    pub certificate: Option<String>,
    /// Its key, likewise.
    pub key: Option<Zeroizing<String>>,
}

/// Whether a text claims to be one.
pub fn is_kubeconfig(text: &str) -> bool {
    text.lines().any(|line| line.trim_end() == "kind: Config")
}

/// Reads one. An error: why it cannot be.
pub fn read(text: &str) -> Result<Vec<Context>, String> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! { max_documents: 1, max_nodes: 50_000, max_aliases: 100, max_depth: 32 },
    };
    let file: File = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| safe(error.to_string().lines().next().unwrap_or_default(), 200))?;
    let context = |context: &ContextEntry| {
        let user = file.users.iter().find(|user| user.name == context.context.user).map(|user| &user.user);
        let part = |data: Option<&Option<String>>| {
            let data = data.and_then(Option::as_deref)?;
            let decoded = STANDARD.decode(data).ok().map(Zeroizing::new);
            let text = decoded.and_then(|bytes| std::str::from_utf8(&bytes).ok().map(str::to_owned));
            // What cannot be read is there, and no PEM.
            Some(Zeroizing::new(text.unwrap_or_default()))
        };
        Context {
            name: safe(&context.name, 200),
            is_current: context.name == file.current,
            certificate: part(user.map(|user| &user.certificate)).map(|text| text.to_string()),
            key: part(user.map(|user| &user.key)),
        }
    };
    Ok(file.contexts.iter().map(context).collect())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct File {
    #[serde(rename = "current-context")]
    current: String,
    contexts: Vec<ContextEntry>,
    users: Vec<UserEntry>,
}

#[derive(Deserialize)]
struct ContextEntry {
    name: String,
    context: ContextBody,
}

#[derive(Deserialize)]
struct ContextBody {
    #[serde(default)]
    user: String,
}

#[derive(Deserialize)]
struct UserEntry {
    name: String,
    #[serde(default)]
    user: UserBody,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct UserBody {
    #[serde(rename = "client-certificate-data")]
    certificate: Option<String>,
    #[serde(rename = "client-key-data")]
    key: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "apiVersion: v1\nkind: Config\ncurrent-context: b\nclusters: []\nextra: {x: 1}\ncontexts:\n\
        - {name: a, context: {cluster: a, user: u, namespace: n}}\n- {name: b, context: {user: v}}\n\
        - {name: c, context: {user: w}}\n- {name: d, context: {}}\nusers:\n\
        - {name: u, user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}}\n- {name: v, user: {exec: {command: x}}}\n\
        - {name: w, user: {client-certificate-data: '!'}}\n";

    #[test]
    fn contexts_with_what_is_in_the_file() {
        assert!(is_kubeconfig(FILE) && !is_kubeconfig("kind: Configuration\n"));
        let read = read(FILE).unwrap();
        let seen: Vec<_> = read
            .iter()
            .map(|c| {
                (c.name.as_str(), c.is_current, c.certificate.as_deref(), c.key.as_ref().map(|k| k.as_str()))
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("a", false, Some("CERT"), Some("KEY")),
                ("b", true, None, None),
                ("c", false, Some(""), None),
                ("d", false, None, None),
            ]
        );
    }

    #[test]
    fn what_is_broken_is_an_error_without_secrets() {
        for text in [
            "kind: Config\ncontexts: 7\n",
            "kind: Config\nusers: [{name: [}]\n",
            "kind: Config\n--- \nkind: x",
        ] {
            assert!(super::read(text).is_err(), "{text}");
        }
        let error = super::read(&FILE.replace("name: d", "nam: d")).map(|_| ()).unwrap_err();
        assert!(!error.contains("S0VZ"), "{error}");
    }
}
