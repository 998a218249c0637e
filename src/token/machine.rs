//! The identity token of a pod: a file that the kubelet keeps fresh.

use super::error::TokenError;
use super::file::{Unread, read_file, shown_path};
use super::found::Found;
use super::variable;
use crate::cloud::{Cloud, kubernetes};
use crate::env::Env;
use crate::net::Network;

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
        Err(reason) => Err(TokenError::Unreadable {
            platform,
            place: shown_path(&path),
            reason: reason.text(),
            hint: kubernetes::UNREADABLE,
        }),
    }
}
