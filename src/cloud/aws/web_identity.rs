//! A role for an identity token in a file, as EKS gives service accounts (IRSA) and as CI jobs set it up.

use std::path::Path;

use super::credentials::Credentials;
use super::error::AwsError;
use super::names;
use super::sts::Sts;
use crate::cloud::file;
use crate::env::Env;
use crate::secret::Jwt;
use crate::text::io_reason;

/// The name of the session where nothing names it: the end of the ARN that rules see.
pub(super) const SESSION: &str = "jobpass";

const HINT: &str = "let that file hold the identity token and nothing else; `AWS_WEB_IDENTITY_TOKEN_FILE` or the profile names it";

/// `None`: neither variable is set.
pub(super) async fn credentials(env: &Env, sts: &Sts<'_>) -> Option<Result<Credentials, AwsError>> {
    match (env.var(names::WEB_IDENTITY_TOKEN_FILE), env.var(names::ROLE_ARN)) {
        (Some(path), Some(role)) => {
            let session = env.var(names::ROLE_SESSION_NAME);
            let place = format!("a role for the identity token of `{}`", names::WEB_IDENTITY_TOKEN_FILE);
            Some(assume(env, sts, path, role, session, &place).await)
        }
        (Some(_), None) => {
            let (set, missing) = (names::WEB_IDENTITY_TOKEN_FILE, names::ROLE_ARN);
            Some(Err(AwsError::Incomplete { set, missing }))
        }
        // A role alone says nothing: other tools have uses of their own for the variable.
        (None, _) => None,
    }
}

/// The credentials of `role`, for the token in the file.
pub(super) async fn assume(
    env: &Env,
    sts: &Sts<'_>,
    path: &str,
    role: &str,
    session: Option<&str>,
    place: &str,
) -> Result<Credentials, AwsError> {
    let failed =
        |reason: String| AwsError::File { path: path.escape_debug().to_string(), reason, hint: HINT };
    let text = file::text(sts.network, &env.absolute(Path::new(path))).await;
    let text = text.map_err(|error| failed(io_reason(&error)))?;
    let token = Jwt::parse(&text).map_err(|problem| failed(format!("it is no identity token: {problem}")))?;
    sts.for_token(role, session.unwrap_or(SESSION), token.expose(), place).await
}
