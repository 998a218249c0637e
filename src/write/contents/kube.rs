//! What a `kube` output leaves: a kubeconfig, and its certificates in tbot's names.

use std::path::Path;

use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::kubeconfig::{self, Entry, Kubeconfig, User};
use super::ssh::{NOT_UTF_8, pems};
use super::{Contents, Context};
use crate::identity::route::Route;
use crate::identity::tls::pem_of;
use crate::issue::{Credential, Issued};
use crate::output::Kube;
use crate::teleport::kube::Signer;
use crate::write::{FileToWrite, WriteError};

/// The kubeconfig, by tbot's name.
pub const KUBECONFIG: &str = "kubeconfig.yaml";
/// The certificate of the first kubernetes cluster, or of the only one.
pub const CERTIFICATE: &str = "tlscert";
/// The key of all of them.
pub const KEY: &str = "key";

/// Commands shown, at most.
const MAX_USAGE: usize = 5;

/// The file with the certificate of one kubernetes cluster of several; `None`: no name of such a cluster (Teleport
/// `api/types/kubernetes.go`, v18), or too long for a file.
pub fn certificate_of(kube: &str) -> Option<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (!kube.is_empty() && kube.len() <= 200 && kube.chars().all(fits)).then(|| format!("{kube}.{CERTIFICATE}"))
}

/// Files, variables and step outputs.
pub(super) fn contents(kube: &Kube, issued: &Issued, context: &Context<'_>) -> Result<Contents, WriteError> {
    let destination = &issued.output.destination;
    let dir = destination.path();
    let unfit = |reason: String| WriteError::Unfit { path: dir.display().to_string(), reason };
    let text_of = |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| unfit(NOT_UTF_8.into()));
    let (dir_text, binary) = (text_of(&dir)?, text_of(context.binary)?);
    let file_of = |name: &str| {
        certificate_of(name)
            .ok_or_else(|| unfit(format!("`{name}` is not a valid name of a kubernetes cluster")))
    };
    let is_one_of_several = !issued.others.is_empty();
    let tls = &issued.first.identity.tls;
    let key = tls.key.tls_pem();

    let mut files: Vec<FileToWrite> = Vec::new();
    let mut add = |name: &str, content: &str| {
        let content = Zeroizing::new(content.as_bytes().to_vec());
        files.push(FileToWrite { path: destination.file(name), content, mode: 0o600 });
    };
    let mut entries = Vec::new();
    for credential in issued.credentials() {
        let name = kube_of(credential);
        let file = file_of(name)?;
        let certificate = credential.identity.tls.cert.pem.as_str();
        let user = if kube.exec {
            let mut arguments = ["kube-credential", "--dir", &dir_text].map(str::to_owned).to_vec();
            if is_one_of_several {
                arguments.extend(["--kube".to_owned(), name.to_owned()]);
            }
            if context.renew {
                arguments.push("--renew".to_owned());
            }
            User::Exec { command: &binary, arguments }
        } else {
            User::Embedded { certificate, key: key.expose_secret() }
        };
        if is_one_of_several {
            add(&file, certificate);
        }
        entries.push(Entry { name: context_name(kube, context.cluster, name), user });
    }

    let cas = context.authorities;
    let names: Vec<String> = entries.iter().map(|entry| entry.name.clone()).collect();
    let server =
        context.kube.ok_or_else(|| unfit("the address of the kubernetes service is not known".into()))?;
    let config = Kubeconfig {
        server: format!("https://{}", server.address),
        server_name: server.server_name.as_deref(),
        authority: match &server.signer {
            Signer::Cluster => Some(pems(cas.host.first())),
            Signer::Named(roots) => Some(roots.iter().map(|der| pem_of(der)).collect()),
            Signer::System => None,
        },
        namespace: kube.namespace.as_deref(),
        contexts: entries,
    };
    add(KUBECONFIG, &kubeconfig::text(&config).map_err(&unfit)?);
    add(CERTIFICATE, &tls.cert.pem);
    add(KEY, key.expose_secret());
    add("teleport-host-ca.crt", &pems(cas.host.first()));
    add("teleport-user-ca.crt", &pems(cas.user.first()));
    add("teleport-database-ca.crt", &pems(cas.database.first()));

    let path = |file: &str| dir.join(file).display().to_string();
    let kubeconfig = path(KUBECONFIG);
    let usage = |name: Option<&String>| {
        let context = name.into_iter().flat_map(|name| ["--context", name]);
        let words =
            ["kubectl", "--kubeconfig", &kubeconfig].into_iter().chain(context).chain(["get", "pods"]);
        shlex::try_join(words).ok()
    };
    let usage = if is_one_of_several {
        names.iter().take(MAX_USAGE).filter_map(|name| usage(Some(name))).collect()
    } else {
        usage(None).into_iter().collect()
    };
    let variables = vec![
        ("KUBECONFIG", kubeconfig.clone()),
        ("TELEPORT_PROXY", context.proxy.to_owned()),
        ("JOBPASS_DIR", dir_text.clone()),
    ];
    let step_outputs = vec![
        ("destination-dir", dir_text.clone()),
        ("kubeconfig", kubeconfig),
        ("certificate-file", path(CERTIFICATE)),
        ("key-file", path(KEY)),
        ("expires-at", context.expires.to_string()),
    ];
    Ok(Contents { files, variables, step_outputs, usage, warnings: Vec::new() })
}

/// A kubeconfig that leads kubectl to a tunnel, which has the credential. `cluster` is Teleport's, `name` that of kubernetes.
pub fn of_tunnel(kube: &Kube, cluster: &str, name: &str, url: &str) -> Result<String, WriteError> {
    let config = Kubeconfig {
        server: url.to_owned(),
        server_name: None,
        authority: None,
        namespace: kube.namespace.as_deref(),
        contexts: vec![Entry { name: context_name(kube, cluster, name), user: User::Nobody }],
    };
    let text = kubeconfig::text(&config);
    let unfit = |reason| WriteError::Unfit { path: KUBECONFIG.into(), reason };
    text.map(|text| text.to_string()).map_err(unfit)
}

/// The kubernetes cluster of a credential.
fn kube_of(credential: &Credential) -> &str {
    match &credential.route {
        Route::Kube { kube } => kube,
        _ => "",
    }
}

/// `context=` with its two words filled in, or the name that `tsh` gives.
fn context_name(kube: &Kube, cluster: &str, name: &str) -> String {
    let template = kube.context.as_deref().unwrap_or("{cluster}-{kube}");
    // In one pass: a name may read like a word of the template.
    let mut parts = template.split("{kube}").map(|part| part.replace("{cluster}", cluster));
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |text, part| text + name + &part)
}

#[cfg(test)]
mod tests;
