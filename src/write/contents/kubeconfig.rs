//! The text of a kubeconfig (kubernetes `client-go/tools/clientcmd/api/v1`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use zeroize::Zeroizing;

/// What a kubeconfig says. Each context has a cluster and a user of its own name: files are merged by name
/// (`KUBECONFIG=A:B`), and what is shared between two of them could be that of another file.
pub(super) struct Kubeconfig<'a> {
    /// `https://HOST:PORT`.
    pub(super) server: String,
    /// `tls-server-name`.
    pub(super) server_name: Option<&'a str>,
    /// CAs of the server, PEM; `None`: those of the system.
    pub(super) authority: Option<String>,
    /// The default namespace.
    pub(super) namespace: Option<&'a str>,
    /// The first one is the current one.
    pub(super) contexts: Vec<Entry<'a>>,
}

/// One context.
pub(super) struct Entry<'a> {
    pub(super) name: String,
    pub(super) user: User<'a>,
}

/// How kubectl gets the client certificate.
pub(super) enum User<'a> {
    /// It is in the file, PEM.
    Embedded { certificate: &'a str, key: &'a str },
    /// Whom the server asks nothing.
    Nobody,
    /// By running a program.
    Exec { command: &'a str, arguments: Vec<String> },
}

/// kubectl from 1.11 to this day takes it; `v1` is unknown before 1.22, and Debian 12 has 1.20.
const EXEC_VERSION: &str = "client.authentication.k8s.io/v1beta1";

/// The YAML, wiped when dropped.
pub(super) fn text(config: &Kubeconfig<'_>) -> Result<Zeroizing<String>, String> {
    let names: Vec<&str> = config.contexts.iter().map(|context| context.name.as_str()).collect();
    for (index, name) in names.iter().enumerate() {
        if names.get(index + 1..).is_some_and(|rest| rest.contains(name)) {
            return Err(format!("two of its contexts have the name `{name}`"));
        }
    }
    let authority = config.authority.as_ref().map(|pem| STANDARD.encode(pem));
    let cluster = ClusterBody {
        server: config.server.clone(),
        server_name: config.server_name,
        authority: authority.as_deref(),
    };
    let data: Vec<_> = config.contexts.iter().map(|context| data(&context.user)).collect();
    let users = config
        .contexts
        .iter()
        .zip(&data)
        .map(|(context, data)| UserEntry { name: &context.name, user: user(&context.user, data.as_ref()) });
    let file = File {
        api_version: "v1",
        kind: "Config",
        current: names.first().copied().unwrap_or_default(),
        contexts: names
            .iter()
            .map(|name| ContextEntry {
                name,
                context: ContextBody { cluster: name, user: name, namespace: config.namespace },
            })
            .collect(),
        clusters: names.iter().map(|name| ClusterEntry { name, cluster: &cluster }).collect(),
        users: users.collect(),
    };
    // Room for all of it: a text that grows leaves copies of the key behind.
    let encoded = data.iter().flatten().map(|[certificate, key]| certificate.len() + key.len());
    let room = encoded.sum::<usize>() + names.len() * (authority.as_ref().map_or(0, String::len) + 8 * 1024);
    let mut text = Zeroizing::new(String::with_capacity(room + 1024));
    // Long lines stay lines.
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    serde_saphyr::to_fmt_writer_with_options(&mut *text, &file, options).map_err(|e| e.to_string())?;
    Ok(text)
}

/// Certificate and key in base64.
fn data(user: &User<'_>) -> Option<[Zeroizing<String>; 2]> {
    match user {
        User::Embedded { certificate, key } => {
            Some([certificate, key].map(|pem| Zeroizing::new(STANDARD.encode(pem))))
        }
        User::Nobody | User::Exec { .. } => None,
    }
}

fn user<'a>(user: &'a User<'_>, data: Option<&'a [Zeroizing<String>; 2]>) -> UserBody<'a> {
    let (certificate, key) = data.map(|[certificate, key]| (certificate.as_str(), key.as_str())).unzip();
    let exec = match user {
        User::Embedded { .. } | User::Nobody => None,
        User::Exec { command, arguments } => Some(ExecBody {
            api_version: EXEC_VERSION,
            command,
            args: arguments,
            hint: "jobpass is not where it was: run `jobpass login` again",
            interactive: "Never",
            provide_cluster_info: false,
        }),
    };
    UserBody { certificate, key, exec }
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'a str,
    kind: &'a str,
    #[serde(rename = "current-context")]
    current: &'a str,
    contexts: Vec<ContextEntry<'a>>,
    clusters: Vec<ClusterEntry<'a>>,
    users: Vec<UserEntry<'a>>,
}

#[derive(Serialize)]
struct ContextEntry<'a> {
    name: &'a str,
    context: ContextBody<'a>,
}

#[derive(Serialize)]
struct ContextBody<'a> {
    cluster: &'a str,
    user: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
}

#[derive(Serialize)]
struct ClusterEntry<'a> {
    name: &'a str,
    cluster: &'a ClusterBody<'a>,
}

#[derive(Serialize)]
struct ClusterBody<'a> {
    server: String,
    #[serde(rename = "tls-server-name", skip_serializing_if = "Option::is_none")]
    server_name: Option<&'a str>,
    #[serde(rename = "certificate-authority-data", skip_serializing_if = "Option::is_none")]
    authority: Option<&'a str>,
}

#[derive(Serialize)]
struct UserEntry<'a> {
    name: &'a str,
    user: UserBody<'a>,
}

#[derive(Serialize)]
struct UserBody<'a> {
    #[serde(rename = "client-certificate-data", skip_serializing_if = "Option::is_none")]
    certificate: Option<&'a str>,
    #[serde(rename = "client-key-data", skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exec: Option<ExecBody<'a>>,
}

#[derive(Serialize)]
struct ExecBody<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'a str,
    command: &'a str,
    args: &'a [String],
    #[serde(rename = "installHint")]
    hint: &'a str,
    #[serde(rename = "interactiveMode")]
    interactive: &'a str,
    #[serde(rename = "provideClusterInfo")]
    provide_cluster_info: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn config<'a>(names: &[&str], user: impl Fn() -> User<'a>) -> Kubeconfig<'a> {
        let contexts = names.iter().map(|name| Entry { name: (*name).to_owned(), user: user() }).collect();
        Kubeconfig {
            server: "https://p.test:443".into(),
            server_name: Some("kube.p.test"),
            authority: Some("CA".into()),
            namespace: None,
            contexts,
        }
    }

    fn embedded<'a>() -> User<'a> {
        User::Embedded { certificate: "CERT", key: "KEY" }
    }

    fn read(text: &str) -> Value {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn says_what_kubectl_reads() {
        let mut one = config(&["c-prod"], embedded);
        one.namespace = Some("web");
        assert_eq!(
            text(&one).unwrap().as_str(),
            "apiVersion: v1\nkind: Config\ncurrent-context: c-prod\ncontexts:\n- name: c-prod\n  context:\n    cluster: c-prod\n    \
             user: c-prod\n    namespace: web\nclusters:\n- name: c-prod\n  cluster:\n    server: https://p.test:443\n    \
             tls-server-name: kube.p.test\n    certificate-authority-data: Q0E=\nusers:\n- name: c-prod\n  user:\n    \
             client-certificate-data: Q0VSVA==\n    client-key-data: S0VZ\n"
        );
        let exec = || User::Exec { command: "/opt/a b/jobpass", arguments: vec!["kube-credential".into()] };
        let two = Kubeconfig { server_name: None, authority: None, ..config(&["a", "b"], exec) };
        let read = read(&text(&two).unwrap());
        assert_eq!(read["current-context"], "a");
        assert_eq!(read["clusters"][1], json!({"name": "b", "cluster": {"server": "https://p.test:443"}}));
        assert_eq!(
            read["users"][1]["user"]["exec"],
            json!({
                "apiVersion": "client.authentication.k8s.io/v1beta1", "command": "/opt/a b/jobpass",
                "args": ["kube-credential"], "installHint": "jobpass is not where it was: run `jobpass login` again",
                "interactiveMode": "Never", "provideClusterInfo": false,
            })
        );
        assert!(read["users"][1]["user"].get("client-key-data").is_none());
    }

    #[test]
    fn two_contexts_of_one_name_are_refused() {
        let error = text(&config(&["a", "b", "a"], embedded)).unwrap_err();
        assert_eq!(error, "two of its contexts have the name `a`");
    }

    /// Texts that YAML 1.1, which Go reads, takes for something else, or for more than one line.
    const ODD: [&str; 22] = [
        "yes",
        "no",
        "on",
        "y",
        "null",
        "~",
        "1e3",
        "0x10",
        "012",
        "1:30",
        "2026-01-01",
        "- a",
        "a: b",
        "a #b",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "'a'",
        "\"a\\",
        "{a}",
    ];

    #[test]
    fn kubectl_reads_every_name_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kubeconfig.yaml");
        let config = config(&ODD, embedded);
        std::io::Write::write_all(
            &mut std::fs::File::create(&path).unwrap(),
            text(&config).unwrap().as_bytes(),
        )
        .unwrap();
        let view = ["config", "view", "-o", "json", "--kubeconfig", path.to_str().unwrap()];
        let output = std::process::Command::new("kubectl").args(view).output().expect("kubectl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read: Value = serde_json::from_slice(&output.stdout).unwrap();
        for part in ["contexts", "clusters", "users"] {
            let mut names: Vec<&str> =
                read[part].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
            let mut wanted = ODD.to_vec();
            names.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(names, wanted, "{part}");
        }
        assert_eq!(read["current-context"], ODD[0]);
    }

    proptest! {
        #[test]
        fn every_text_comes_back(name in "\\PC{1,20}|[a-z:#'\"{}\\[\\],&*!|>%@` ~0-9.\\\\-]{1,12}", dir in "/[ -~ä]{0,20}") {
            let exec = || User::Exec { command: &dir, arguments: vec!["--dir".into(), dir.clone(), name.clone()] };
            let mut config = config(&[&name], exec);
            config.namespace = Some(&name);
            let read = read(&text(&config).unwrap());
            prop_assert_eq!(&read["contexts"][0]["context"]["namespace"], &json!(name));
            prop_assert_eq!(&read["current-context"], &json!(name));
            prop_assert_eq!(&read["users"][0]["user"]["exec"]["command"], &json!(dir));
            prop_assert_eq!(&read["users"][0]["user"]["exec"]["args"], &json!(["--dir", dir, name]));
        }
    }
}
