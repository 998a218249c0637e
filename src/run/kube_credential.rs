//! `jobpass kube-credential`: what `kubectl` runs to get the client certificate that `login` wrote.
//!
//! The one command that prints a private key, to the program that asks for it: kubernetes `client-go`'s exec plugins.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::cli;
use crate::env::{self, Env};
use crate::error::Failed;
use crate::identity::route::Route;
use crate::log::Log;
use crate::run::certificate::{self, none};
use crate::run::error::RunError;
use crate::run::outcome::Outcome;
use crate::run::renew;
use crate::text::safe;
use crate::write::contents::kube::{CERTIFICATE, KEY, certificate_of};

/// In which kubectl says what it wants: an `ExecCredential` without its status.
const EXEC_INFO: &str = "KUBERNETES_EXEC_INFO";
/// The versions of that; the first where kubectl says nothing, as it did before 1.20.
const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1"];

/// kubectl waits for it.
const LIMIT: Duration = Duration::from_secs(30);

const AGAIN: &str = "run `jobpass login` with `--output kube=CLUSTER` again in this job";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential<'a> {
    api_version: &'a str,
    kind: &'a str,
    status: Status<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status<'a> {
    /// When kubectl asks again.
    expiration_timestamp: Timestamp,
    client_certificate_data: &'a str,
    client_key_data: &'a str,
}

/// Reads the folder and prints.
pub async fn run(args: &cli::KubeCredential, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    if std::io::stdout().is_terminal() {
        let hint = "let kubectl call it: `kubectl --kubeconfig DIR/kubeconfig.yaml get pods`";
        return Err(
            RunError::usage("kube-credential prints a private key, and this is a terminal", hint).into()
        );
    }
    let version = version(env.var(EXEC_INFO))?;
    let dir = env.absolute(&args.dir);
    if args.renew {
        Box::pin(renew::renew(&dir, env, log, LIMIT)).await?;
    }
    let path = certificate_file(&dir, args.kube.as_deref())?;
    let certificate = certificate::certificate(&path, AGAIN)?;
    let Route::Kube { kube } = Route::of(&certificate) else {
        return Err(none(&path, "its certificate is not for a kubernetes cluster", AGAIN).into());
    };
    if let Some(wanted) = args.kube.as_ref().filter(|wanted| **wanted != kube) {
        let (kube, wanted) = (safe(&kube, 200), safe(wanted, 200));
        return Err(none(&path, format!("its certificate is for `{kube}`, not for `{wanted}`"), AGAIN).into());
    }
    let pem = certificate::key(&dir.join(KEY), &certificate, &path, AGAIN)?.tls_pem();
    let status = Status {
        expiration_timestamp: asks_again(certificate.not_after, args.renew),
        client_certificate_data: &certificate.pem,
        client_key_data: pem.expose_secret(),
    };
    let credential = ExecCredential { api_version: version, kind: "ExecCredential", status };
    Ok(Outcome::printing(crate::text::json::pretty(&credential)))
}

/// Before the end, where there are new ones by then.
fn asks_again(end: Timestamp, renew: bool) -> Timestamp {
    let early = end.checked_sub(renew::MARGIN).ok().filter(|early| renew && *early > env::now());
    early.unwrap_or(end)
}

/// The version that kubectl asks for.
fn version(info: Option<&str>) -> Result<&'static str, RunError> {
    let [default, _] = VERSIONS;
    let Some(info) = info else { return Ok(default) };
    let info: serde_json::Value = serde_json::from_str(info).unwrap_or_default();
    let asked = info.get("apiVersion").and_then(serde_json::Value::as_str).unwrap_or_default();
    VERSIONS.into_iter().find(|version| *version == asked).ok_or_else(|| {
        RunError::usage(
            format!("`{EXEC_INFO}` asks for version `{}`", safe(asked, 100)),
            format!("write `apiVersion: {default}` in the `exec` of the kubeconfig"),
        )
    })
}

/// The certificate of that kubernetes cluster; a folder for a single one has no name in it.
fn certificate_file(dir: &Path, kube: Option<&str>) -> Result<PathBuf, RunError> {
    let Some(kube) = kube else { return Ok(dir.join(CERTIFICATE)) };
    let file = certificate_of(kube).ok_or_else(|| {
        RunError::usage(
            format!("`{}` is not a valid name of a kubernetes cluster", safe(kube, 200)),
            "check `--kube`",
        )
    })?;
    let path = dir.join(file);
    Ok(if path.exists() { path } else { dir.join(CERTIFICATE) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectl_gets_the_version_that_it_asks_for() {
        for (info, want) in [
            (None, Some(VERSIONS[0])),
            (
                Some(r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"}"#),
                Some(VERSIONS[1]),
            ),
            (Some(r#"{"apiVersion":"client.authentication.k8s.io/v1beta1"}"#), Some(VERSIONS[0])),
            (Some(r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#), None),
            (Some("{}"), None),
            (Some("no json"), None),
        ] {
            assert_eq!(version(info).ok(), want, "{info:?}");
        }
    }
}
