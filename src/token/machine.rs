//! What proves a machine: the token of a pod, in a file that the kubelet keeps fresh, that of a cloud's machine, and what answers the
//! challenge to a machine of Azure's.

use super::checks;
use super::error::TokenError;
use super::file::{Unread, read_file, shown_path};
use super::found::Found;
use super::variable;
use crate::claims::UnverifiedClaims;
use crate::cloud::{Cloud, CloudError, azure, gcp, kubernetes};
use crate::env::{Env, now};
use crate::net::Network;
use crate::teleport::challenge::{Question, Solution};
use crate::teleport::join::Answer;

/// What to do about a token of the pod's that has expired.
pub(super) const EXPIRED: &str = "name the mounted file itself, not a copy of it: Kubernetes replaces the token in the file long before it \
     expires";

/// The token of this pod's service account.
pub(super) async fn pod_token(env: &Env, network: &Network) -> Result<Found, TokenError> {
    let platform = Cloud::Kubernetes.title();
    let path = kubernetes::token_file(env);
    match read_file(network, &path).await {
        Ok(text) => variable::parse(&text, shown_path(&path)),
        Err(Unread::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            let absent = kubernetes::absent(env);
            Err(TokenError::Missing { platform, why: absent.why, hints: absent.hints })
        }
        Err(reason) => {
            let kind = match &reason {
                Unread::Io(error) => error.kind(),
                Unread::Reason(_) => std::io::ErrorKind::Other,
            };
            let (place, hint) = (shown_path(&path), kubernetes::unreadable(kind));
            Err(TokenError::Unreadable { platform, place, reason: reason.text(), hint })
        }
    }
}

/// The token of the service account that this machine of Google's runs as.
pub(super) async fn gcp_token(env: &Env, network: &Network, audience: &str) -> Result<Found, TokenError> {
    let jwt = gcp::identity_token(env, network, audience).await?;
    let found = Found { jwt, place: place(Cloud::Gcp), is_new: true };
    claims(&found, Cloud::Gcp, audience)?;
    Ok(found)
}

/// The access token of a machine of Azure's.
pub(super) fn access_token(machine: &azure::Machine) -> Found {
    Found { jwt: machine.access_token().clone(), place: place(Cloud::Azure), is_new: true }
}

/// The claims of a token that a metadata service made for an audience. One of another audience, or one that is over, did not come from
/// the real one.
pub(super) fn claims(found: &Found, cloud: Cloud, audience: &str) -> Result<UnverifiedClaims, TokenError> {
    let claims = checks::claims(found)?;
    let form = |detail: String| {
        let hint = "check what answers at the metadata address, and this machine's clock".to_owned();
        TokenError::from(CloudError::Form { cloud: cloud.title(), detail, hint })
    };
    if let Some(problem) = checks::audience_problem(&claims, &[audience.to_owned()]) {
        return Err(form(problem));
    }
    match checks::not_expired(found, &claims, now(), Vec::new()) {
        Err(TokenError::Expired { since, .. }) => Err(form(format!("its token expired at {since}"))),
        _ => Ok(claims),
    }
}

/// What answers the challenge: the attested document, the certificates above its signer where the server does not fetch them itself,
/// and the access token.
pub(super) async fn attested(
    machine: &azure::Machine,
    network: &Network,
    question: Option<Question<'_>>,
) -> Result<Answer, TokenError> {
    let document = match question {
        Some(question) => machine.attest(question.text).await?,
        None => None,
    };
    let by_older_stream = question.is_some_and(|question| question.by_older_stream);
    let intermediate = match &document {
        Some(_) if by_older_stream => Vec::new(),
        Some(document) => azure::intermediates(network, document).await?,
        None => {
            network.log().warn(
                "Azure has no attested document for this machine: only newer servers take the access token alone",
            );
            Vec::new()
        }
    };
    let attested_data = document.map(|document| document.body).unwrap_or_default();
    let access_token = machine.access_token().expose().to_owned();
    Ok(Answer::Solution(Solution::Azure { attested_data, intermediate, access_token }))
}

fn place(cloud: Cloud) -> String {
    format!("the metadata service of {}", cloud.title())
}
