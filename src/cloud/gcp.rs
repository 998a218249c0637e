//! Google Cloud: the identity token of the machine's service account, from the metadata server (cloud.google.com, "Verify
//! the identity of instances"; for GKE "Use workload identity federation").

use http::{HeaderName, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::CloudError;
use super::metadata::{Metadata, MetadataError};
use crate::env::Env;
use crate::net::{HostPort, NetError, Network};
use crate::secret::Jwt;

pub(super) mod simulation;

/// The vendor's name for people.
const TITLE: &str = "Google Cloud";
/// `HOST[:PORT]` of the metadata server, as Google's own libraries read it (googleapis/google-cloud-go
/// `compute/metadata`, googleapis/google-auth-library-python).
pub const GCE_METADATA_HOST: &str = "GCE_METADATA_HOST";
/// There in every pod of Kubernetes.
const KUBERNETES_SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";
/// There in every step of Cloud Build.
const BUILDER_OUTPUT: &str = "BUILDER_OUTPUT";

const ADDRESS: &str = "169.254.169.254";
/// The documented names of that address.
const NAMES: [&str; 2] = ["metadata.google.internal", "metadata"];
/// Of the account that the machine, pod or build runs as; Teleport asks with the same query (`lib/cloud/imds/gcp/imds.go`).
const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";
/// The header without which it answers nothing.
const FLAVOR: (HeaderName, HeaderValue) =
    (HeaderName::from_static("metadata-flavor"), HeaderValue::from_static("Google"));
const WHAT: &str = "identity token";

/// Asks for a new token for this audience; it says which project and instance it is for (`format=full`).
pub async fn identity_token(env: &Env, network: &Network, audience: &str) -> Result<Jwt, CloudError> {
    let host = host(env)?;
    // In a new pod it takes the server some seconds ("Use workload identity federation", limitations).
    let in_pod = env.var(KUBERNETES_SERVICE_HOST).is_some();
    let metadata = Metadata::at(network, &format!("http://{host}")).starting(in_pod);
    // Whatever it says, it is there.
    if let Err(error @ MetadataError::Silent { .. }) = metadata.text("/", &[FLAVOR]).await {
        return Err(failed(env, error));
    }
    let audience = utf8_percent_encode(audience, NON_ALPHANUMERIC);
    let path = format!("{PATH}?audience={audience}&format=full&licenses=FALSE");
    let text = metadata.patient().text(&path, &[FLAVOR]).await.map_err(|error| failed(env, error))?;
    Jwt::parse(&text).map_err(|problem| CloudError::Form {
        cloud: TITLE,
        detail: problem.to_string(),
        hint: format!("check what answers at `http://{host}`: it is not Google's metadata server"),
    })
}

fn host(env: &Env) -> Result<HostPort, CloudError> {
    let named = env.var(GCE_METADATA_HOST);
    let host = HostPort::parse(named.unwrap_or(ADDRESS), 80)
        .map_err(|_| setting("it is not `HOST` or `HOST:PORT`".to_owned()))?;
    if NAMES.contains(&host.host.as_str()) {
        return Ok(HostPort { host: ADDRESS.to_owned(), ..host });
    }
    Ok(host)
}

fn setting(reason: String) -> CloudError {
    CloudError::Setting {
        variable: GCE_METADATA_HOST,
        reason,
        hint: format!(
            "unset `{GCE_METADATA_HOST}`: the metadata server of a machine is at {ADDRESS}, and only an address of the \
             machine itself or of its link can take its place"
        ),
    }
}

fn failed(env: &Env, source: MetadataError) -> CloudError {
    let hints = match &source {
        MetadataError::Silent { source: error @ NetError::Address { .. }, .. } => {
            return setting(error.to_string());
        }
        MetadataError::Silent { .. } => silent_hints(env),
        MetadataError::Status { status, detail, .. } => hints(env, *status, detail),
        MetadataError::Form { .. } => hints(env, 200, ""),
    };
    CloudError::Metadata { cloud: TITLE, what: WHAT, source: Box::new(source), hints }
}

fn silent_hints(env: &Env) -> Vec<String> {
    if env.var(GCE_METADATA_HOST).is_some() {
        return vec![format!("unset `{GCE_METADATA_HOST}`, or start what is to answer there")];
    }
    let mut hints = vec!["run it on Google Cloud, or choose another method with `--join-method`".to_owned()];
    if env.var(KUBERNETES_SERVICE_HOST).is_some() {
        hints.push(format!(
            "on GKE, let the pod reach {ADDRESS} (network policies); elsewhere use `--join-method kubernetes`"
        ));
    } else {
        hints.push(format!("if this is Google Cloud, let the job reach {ADDRESS}, from its container too"));
    }
    hints
}

fn hints(env: &Env, status: u16, detail: &str) -> Vec<String> {
    let on_kubernetes = env.var(KUBERNETES_SERVICE_HOST).is_some();
    let hint = match status {
        300..=399 => "check what answers there: Google's metadata server sends nobody elsewhere",
        429 | 500.. => "run the job again: the metadata server could not answer, also after retries",
        _ if detail.contains("annotat") => {
            "link the pod's Kubernetes service account to a service account of Google's: annotate it with \
             `iam.gke.io/gcp-service-account`"
        }
        403 if on_kubernetes => {
            "let the pod's Kubernetes service account act as the service account of Google's: grant it \
             `roles/iam.workloadIdentityUser` there"
        }
        404 if on_kubernetes => {
            "link the pod's Kubernetes service account to a service account of Google's (workload identity)"
        }
        _ if env.var(BUILDER_OUTPUT).is_some() => {
            "run the build as a service account of your own that may call `iam.serviceAccounts.getOpenIdToken`: the \
             default one of Cloud Build gets no identity tokens"
        }
        404 => "attach a service account to the machine",
        _ => "check that nothing between the job and the metadata server changes its requests",
    };
    vec![hint.to_owned()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> Env {
        Env::new(vars.iter().copied(), "/")
    }

    #[test]
    fn the_server_is_where_googles_libraries_look_for_it() {
        for (value, want) in [
            (None, Some("169.254.169.254:80")),
            (Some(""), Some("169.254.169.254:80")),
            (Some("127.0.0.1:8080"), Some("127.0.0.1:8080")),
            (Some("metadata.google.internal"), Some("169.254.169.254:80")),
            (Some("Metadata:80"), Some("169.254.169.254:80")),
            (Some("http://127.0.0.1"), None),
            (Some("127.0.0.1/x"), None),
        ] {
            let env = value.map_or(env(&[]), |value| env(&[(GCE_METADATA_HOST, value)]));
            let found = host(&env);
            let shown = found.as_ref().ok().map(ToString::to_string);
            assert_eq!(shown.as_deref(), want, "{value:?}: {found:?}");
        }
    }

    #[test]
    fn silence_is_explained_by_where_the_job_runs() {
        for (vars, words) in [
            (&[][..], "if this is Google Cloud, let the job reach 169.254.169.254"),
            (&[(KUBERNETES_SERVICE_HOST, "10.0.0.1")], "on GKE, let the pod reach 169.254.169.254"),
            (&[(GCE_METADATA_HOST, "127.0.0.1")], "unset `GCE_METADATA_HOST`"),
        ] {
            let found = silent_hints(&env(vars)).join("\n");
            assert!(found.contains(words), "{found}");
        }
    }

    #[test]
    fn each_refusal_has_its_cure() {
        let gke = &[(KUBERNETES_SERVICE_HOST, "10.0.0.1")][..];
        let unlinked =
            "Your Kubernetes service account (a/b) is not annotated with a target Google service account";
        for (vars, status, detail, words) in [
            (&[][..], 404, "", "attach a service account"),
            (&[], 403, "", "nothing between the job"),
            (&[], 503, "", "run the job again"),
            (&[], 429, "", "run the job again"),
            (&[], 302, "", "sends nobody elsewhere"),
            (gke, 404, unlinked, "iam.gke.io/gcp-service-account"),
            (gke, 404, "", "workload identity"),
            (gke, 403, "PERMISSION_DENIED", "roles/iam.workloadIdentityUser"),
            (&[(BUILDER_OUTPUT, "/builder/outputs")], 404, "", "service account of your own"),
        ] {
            let found = hints(&env(vars), status, detail);
            assert!(found.len() == 1 && found[0].contains(words), "{status} {detail}: {found:?}");
        }
    }
}
