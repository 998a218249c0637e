//! An identity token in a variable, the user's or the platform's, and in a text from anywhere.

use super::error::TokenError;
use super::found::Found;
use crate::env::Env;
use crate::platform::Platform;
use crate::secret::{Jwt, NotAJwt};
use crate::text::looks_like_token;

/// The token in the variable that `--id-token-env` names.
pub(super) fn user_variable(env: &Env, platform: Option<Platform>, name: &str) -> Result<Found, TokenError> {
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if name.is_empty() || !is_name || looks_like_token(name) {
        let reason = "it takes the name of a variable, not a value".to_owned();
        return Err(TokenError::Source { place: "`--id-token-env`".to_owned(), reason });
    }
    if env.var(name).is_none()
        && let Some(platform) = platform
        && let Some(absent) = platform.absent_variable(env, name)
    {
        return Err(TokenError::Missing { platform: platform.title(), why: absent.why, hints: absent.hints });
    }
    platform_variable(env, name)
}

/// The token in a variable.
pub(super) fn platform_variable(env: &Env, name: &str) -> Result<Found, TokenError> {
    let place = format!("the variable `{name}`");
    let Some(value) = env.var(name) else {
        let reason = if env.is_set(name) { "it is empty" } else { "it is not set" };
        let hint = "check its name, and that this step of the job has it: inside a container of your own, forward it";
        return Err(TokenError::Absent { place, reason, hint });
    };
    parse(value, place)
}

/// The token that `text` is; `place` says where it was.
pub(super) fn parse(text: &str, place: String) -> Result<Found, TokenError> {
    match Jwt::parse(text) {
        Ok(jwt) => Ok(Found { jwt, place, is_new: false }),
        Err(problem) => Err(TokenError::NotAJwt { place, problem, hints: vec![hint(problem).to_owned()] }),
    }
}

fn hint(problem: NotAJwt) -> &'static str {
    match problem {
        NotAJwt::Empty => "find out why it is empty: a token is issued only to a job that asks for one",
        NotAJwt::Masked => "use the variable itself, not text copied from a log that masks it",
        NotAJwt::Characters => "pass the token alone, without quotes, prefix or JSON around it",
        NotAJwt::Parts(_) | NotAJwt::TooLong => {
            "pass the job's OIDC identity token (a JWT), not an API token, a session token or an answer that \
             contains it"
        }
    }
}
