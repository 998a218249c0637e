//! The credentials of a container: Amazon ECS, AWS `CodeBuild`, EKS Pod Identity ("AWS SDKs and Tools Reference Guide", "Container
//! credential provider").

use std::path::Path;

use http::header::{AUTHORIZATION, HeaderValue};

use super::credentials::Credentials;
use super::error::AwsError;
use super::names;
use crate::cloud::file;
use crate::cloud::metadata::{Metadata, MetadataError};
use crate::env::Env;
use crate::net::Network;
use crate::text::io_reason;

/// Where the relative address begins.
const ECS: &str = "http://169.254.170.2";

/// `None`: no variable names a service.
pub(super) async fn credentials(env: &Env, network: &Network) -> Option<Result<Credentials, AwsError>> {
    let (variable, base, path) =
        match (env.var(names::CONTAINER_RELATIVE_URI), env.var(names::CONTAINER_FULL_URI)) {
            (Some(path), _) => (names::CONTAINER_RELATIVE_URI, ECS, path),
            (None, Some(url)) => {
                let (base, path) = split(url);
                (names::CONTAINER_FULL_URI, base, path)
            }
            (None, None) => return None,
        };
    Some(ask(env, network, variable, base, path).await)
}

async fn ask(
    env: &Env,
    network: &Network,
    variable: &'static str,
    base: &str,
    path: &str,
) -> Result<Credentials, AwsError> {
    let place = format!("the container's endpoint (`{variable}`)");
    if !path.starts_with('/') {
        let problem = "the address does not name a path on a server".to_owned();
        return Err(AwsError::Malformed { place, problem });
    }
    let headers: Vec<_> =
        authorization(env, network).await?.map(|value| (AUTHORIZATION, value)).into_iter().collect();
    let json = Metadata::at(network, base).text(path, &headers).await;
    let json = json.map_err(|source| {
        let hints = vec![hint(&source).to_owned()];
        AwsError::Metadata { place: place.clone(), source: Box::new(source), hints }
    })?;
    Credentials::from_json(&place, &json)
}

/// The token of the pod or process, from its file where that is named.
async fn authorization(env: &Env, network: &Network) -> Result<Option<HeaderValue>, AwsError> {
    let (place, token) = match (env.var(names::CONTAINER_TOKEN_FILE), env.var(names::CONTAINER_TOKEN)) {
        (Some(path), _) => {
            let text = file::text(network, &env.absolute(Path::new(path))).await.map_err(|error| {
                AwsError::File {
                    path: path.escape_debug().to_string(),
                    reason: io_reason(&error),
                    hint: "check `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`: the pod's own token is mounted there",
                }
            })?;
            (names::CONTAINER_TOKEN_FILE, text)
        }
        (None, Some(token)) => (names::CONTAINER_TOKEN, token.to_owned()),
        (None, None) => return Ok(None),
    };
    let mut value = HeaderValue::from_str(token.trim()).map_err(|_| AwsError::Malformed {
        place: format!("`{place}`"),
        problem: "it has characters that a token cannot have".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// `http://host:port/path?query` → base, the rest.
fn split(url: &str) -> (&str, &str) {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(begin..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| begin + at);
    url.split_at(end)
}

fn hint(error: &MetadataError) -> &'static str {
    match error {
        MetadataError::Silent { .. } => {
            "run this in the container that has the role, or forward its network: the address is not reached from a container \
             of one's own inside it"
        }
        MetadataError::Status { status: 400 | 401 | 403, .. } => {
            "check that the token of `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` is this pod's, and that its service account has a \
             Pod Identity association"
        }
        MetadataError::Status { status: 404, .. } => "check that the task or the pod has an IAM role",
        _ => "check that nothing else answers at that address",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_before_its_path() {
        for (url, base, path) in [
            ("http://169.254.170.23/v1/credentials", "http://169.254.170.23", "/v1/credentials"),
            ("http://[fd00:ec2::23]/v1/c?a=b", "http://[fd00:ec2::23]", "/v1/c?a=b"),
            ("http://127.0.0.1:80", "http://127.0.0.1:80", ""),
            ("nonsense", "nonsense", ""),
            ("", "", ""),
        ] {
            assert_eq!(split(url), (base, path), "{url}");
        }
    }
}
