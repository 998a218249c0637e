//! A pod's identity: the token of its service account, in a file that the kubelet keeps fresh.
//!
//! kubernetes.io, "Configure Service Accounts for Pods" (projected volumes); client-go `rest/config.go` for the marker;
//! Teleport `lib/kube/token/source.go` for the variable and the usual path.

use std::io::ErrorKind;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::evidence::Evidence;
use crate::env::Env;
use crate::platform::{Absent, Simulation};

/// Set by the kubelet in every container of a pod.
const SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";
/// Names another token file than the usual one.
pub const TOKEN_PATH: &str = "KUBERNETES_TOKEN_PATH";
/// Where Kubernetes mounts the token that every pod has unless it says otherwise: its audience is the API server.
const USUAL: &str = "var/run/secrets/kubernetes.io/serviceaccount/token";

/// The token's file. It may be missing.
pub fn token_file(env: &Env) -> PathBuf {
    match env.var(TOKEN_PATH) {
        Some(path) => env.absolute(path.as_ref()),
        None => env.machine_file(USUAL).unwrap_or_else(|| PathBuf::from("/").join(USUAL)),
    }
}

/// Whether this is a pod with a token. Who names a file wants it used; the marker alone is a pod without one. Not every
/// runtime has the marker, but a mounted token is proof enough.
pub fn evidence(env: &Env) -> Evidence {
    if env.var(TOKEN_PATH).is_some() {
        return Evidence { present: true, is_suspect: false, why: format!("{TOKEN_PATH} is set") };
    }
    let is_pod = env.var(SERVICE_HOST).is_some();
    let file = env.machine_file(USUAL).filter(|file| file.exists());
    let why = match (&file, is_pod) {
        (Some(file), _) => format!("there is a service account's token in `{}`", file.display()),
        (None, true) => format!("{SERVICE_HOST} is set, but there is no token in `/{USUAL}`"),
        (None, false) => format!("neither {TOKEN_PATH} nor {SERVICE_HOST} is set"),
    };
    Evidence { present: file.is_some(), is_suspect: is_pod && file.is_none(), why }
}

/// What to do where there is no such file.
pub fn absent(env: &Env) -> Absent {
    let why = format!("there is no file `{}`", token_file(env).display());
    let mount = "mount a projected service account token into the pod (`audience`: the cluster's name, \
                 `expirationSeconds: 600`) and set `KUBERNETES_TOKEN_PATH` to its file";
    let other = if env.var(TOKEN_PATH).is_some() {
        CHECK_PATH
    } else {
        "leave out `automountServiceAccountToken: false` if the join token is of type `in_cluster`"
    };
    Absent { why, hints: vec![mount.to_owned(), other.to_owned()] }
}

const CHECK_PATH: &str =
    "check that `KUBERNETES_TOKEN_PATH` is the volume's `mountPath` and the token's `path` in this container";

/// What to do where the file is there but cannot be read: the kubelet gives it to one user or group.
pub fn unreadable(kind: ErrorKind) -> &'static str {
    if kind == ErrorKind::PermissionDenied {
        "let the container's user read it: set `fsGroup` in the pod's `securityContext` to a group of that user"
    } else {
        CHECK_PATH
    }
}

/// The issuer of a cluster that was set up without another one.
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
const NAMESPACE: &str = "ci";
const ACCOUNT: &str = "deployer";

pub(super) const SIMULATION: Simulation = Simulation {
    issuer: ISSUER,
    audience: |_| None,
    claims,
    fixed: &[(SERVICE_HOST, "10.96.0.1"), ("KUBERNETES_SERVICE_PORT", "443")],
    variables: |_| Vec::new(),
    admitting_spec: || json!({"type": "in_cluster", "allow": [{"service_account": format!("{NAMESPACE}:{ACCOUNT}")}]}),
    admits_one_branch: false,
};

/// Those of a projected token with `expirationSeconds: 600`.
fn claims(_: &str, now: i64, _: &str) -> Value {
    json!({
        "sub": format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}"),
        "exp": now + 600,
        "nbf": now,
        "kubernetes.io": {
            "namespace": NAMESPACE,
            "node": {"name": "node-1", "uid": "6a1f7e0c-27a4-4d8b-9a52-0d4f0c1b7e11"},
            "pod": {"name": "deploy-7x2kq", "uid": "0b9dcb38-4e0f-4b0a-8a4e-5c3c8a0e6c22"},
            "serviceaccount": {"name": ACCOUNT, "uid": "f2a6c1de-93b5-4c66-8f0f-1d2b6f1a4d33"},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn a_pod_is_one_with_a_token() {
        let root = tempfile::tempdir().unwrap();
        let env = |vars: &[(&str, &str)]| Env::new(vars.iter().copied(), "/mnt").on_machine(root.path());
        let seen = |vars: &[(&str, &str)]| {
            let found = evidence(&env(vars));
            (found.present, found.is_suspect, found.why)
        };
        let (host, named) = ((SERVICE_HOST, "10.96.0.1"), (TOKEN_PATH, "tokens/teleport"));
        let usual = root.path().join(USUAL);
        for (has_file, vars, want) in [
            (
                false,
                &[][..],
                (false, false, "neither KUBERNETES_TOKEN_PATH nor KUBERNETES_SERVICE_HOST is set"),
            ),
            (false, &[host], (false, true, "KUBERNETES_SERVICE_HOST is set, but there is no token in")),
            (false, &[named], (true, false, "KUBERNETES_TOKEN_PATH is set")),
            (true, &[host], (true, false, "there is a service account's token in")),
            (true, &[], (true, false, "there is a service account's token in")),
            (true, &[(SERVICE_HOST, ""), (TOKEN_PATH, "")], (true, false, "there is a service")),
        ] {
            if has_file {
                std::fs::create_dir_all(usual.parent().unwrap()).unwrap();
                std::fs::write(&usual, "x").unwrap();
            }
            let (present, suspect, why) = seen(vars);
            assert_eq!((present, suspect), (want.0, want.1), "{vars:?}: {why}");
            assert!(why.starts_with(want.2), "{vars:?}: {why}");
        }
        assert_eq!(token_file(&env(&[named])), PathBuf::from("/mnt/tokens/teleport"));
        assert_eq!(token_file(&env(&[host])), usual);
        let nowhere = Env::new([host], "/mnt");
        assert!(!evidence(&nowhere).present);
        assert_eq!(token_file(&nowhere), PathBuf::from("/").join(USUAL));
    }
}
