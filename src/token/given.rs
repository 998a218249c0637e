//! A token in a variable, the user's or the platform's, and what to do where it is of no use.

use super::{Found, Source, TokenError};
use crate::env::Env;
use crate::platform::Platform;
use crate::platform::text::looks_like_token;
use crate::secret::{Jwt, NotAJwt};

/// The token in the variable `name`.
pub(super) fn variable(env: &Env, platform: Option<Platform>, name: &str) -> Result<Found, TokenError> {
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if name.is_empty() || !is_name || looks_like_token(name) {
        let reason = "it takes the name of a variable, not a value".to_owned();
        return Err(TokenError::Source { place: "`--id-token-env`".to_owned(), reason });
    }
    let place = format!("the variable `{name}`");
    let Some(value) = env.var(name) else {
        if let Some(platform) = platform
            && let Some(absent) = platform.absent_variable(env, name)
        {
            let (platform, cures) = (platform.title(), absent.hints);
            return Err(TokenError::Missing { platform, why: absent.why, cures });
        }
        let reason = if env.is_set(name) { "it is empty" } else { "it is not set" };
        return Err(TokenError::Source { place, reason: reason.to_owned() });
    };
    read(value, place)
}

/// The token that `text` is.
pub(super) fn read(text: &str, place: String) -> Result<Found, TokenError> {
    match Jwt::parse(text) {
        Ok(jwt) => Ok(Found { jwt, place }),
        Err(problem) => Err(TokenError::NotAJwt { place, problem, cures: vec![cure(problem).to_owned()] }),
    }
}

/// What to do about an expired token the user gave.
pub(super) fn expired_cures(env: &Env, platform: Option<Platform>, source: &Source) -> Vec<String> {
    match (source, platform) {
        (Source::Env(_), Some(platform)) => platform.expired_hints(env),
        (Source::Command(_), _) => {
            vec!["have the command make a new token instead of printing a kept one".to_owned()]
        }
        _ => vec!["get a new identity token in the step that runs jobpass".to_owned()],
    }
}

fn cure(problem: NotAJwt) -> &'static str {
    match problem {
        NotAJwt::Empty => "see why it is empty: a token is made only for a job that asks for one",
        NotAJwt::Masked => "use the variable itself, not text copied from a log that hides it",
        NotAJwt::Characters => "give the token alone, without quotes, prefix or JSON around it",
        NotAJwt::Parts(_) | NotAJwt::TooLong => {
            "give the job's OIDC identity token (a JWT), not an API token, a session token or an \
             answer that contains it"
        }
    }
}
