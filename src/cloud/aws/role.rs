//! The credentials of a profile: keys, a role for an identity token, a role for the keys of another profile.

use super::container;
use super::credentials::Credentials;
use super::error::AwsError;
use super::profile::{Settings, unusable};
use super::search::Search;
use super::sts::Sts;
use super::web_identity::{self, SESSION};

/// The longest chain of roles.
const MOST_ROLES: usize = 5;
/// Whatever the other tools can do, they can do for us.
const EXPORT: &str =
    "let the AWS command line tool export them: `eval \"$(aws configure export-credentials --format env)\"`";

/// `None`: the profile in use has no credentials.
pub(super) async fn of_profile(search: &Search<'_>, sts: &Sts<'_>) -> Option<Result<Credentials, AwsError>> {
    let settings = search.settings()?;
    let kinds = [
        "aws_access_key_id",
        "aws_secret_access_key",
        "role_arn",
        "credential_process",
        "sso_session",
        "sso_start_url",
    ];
    kinds.iter().any(|kind| settings.contains_key(*kind)).then_some(())?;
    Some(resolve(search, sts, search.profile.0).await)
}

/// Walks from the profile to the keys, then back through the roles.
async fn resolve(search: &Search<'_>, sts: &Sts<'_>, first: &str) -> Result<Credentials, AwsError> {
    let mut roles: Vec<(&str, &Settings)> = Vec::new();
    let mut name = first;
    let mut credentials = loop {
        let absent =
            || unusable(first, format!("its source profile `{name}` is not there"), "check `source_profile`");
        let settings = search.profiles.settings(name).ok_or_else(absent)?;
        let get = |key: &str| settings.get(key).map(String::as_str).filter(|value| !value.is_empty());
        let place = format!("the profile `{}`", crate::text::safe(name, 100));
        // A profile that is its own source has the keys itself.
        let is_visited = roles.iter().any(|(visited, _)| *visited == name);
        let Some(role) = get("role_arn").filter(|_| !is_visited) else {
            if is_visited && get("aws_access_key_id").is_none() {
                return Err(unusable(
                    first,
                    "its source profiles lead in a circle",
                    "check `source_profile`",
                ));
            }
            break keys(name, &place, get)?;
        };
        if roles.len() == MOST_ROLES {
            return Err(unusable(
                first,
                format!("more than {MOST_ROLES} roles in a row"),
                "check `source_profile`",
            ));
        }
        if let Some(path) = get("web_identity_token_file") {
            break web_identity::assume(search.env, sts, path, role, get("role_session_name"), &place)
                .await?;
        }
        roles.push((name, settings));
        match (get("source_profile"), get("credential_source")) {
            (Some(source), _) => name = source,
            (None, Some(source)) => break from_source(search, name, source).await?,
            (None, None) => {
                let problem = "it has `role_arn`, but neither `source_profile`, `credential_source` nor \
                               `web_identity_token_file`";
                return Err(unusable(
                    name,
                    problem,
                    "add the one that says whose credentials may assume the role",
                ));
            }
        }
    };
    for (name, settings) in roles.into_iter().rev() {
        let get = |key: &str| settings.get(key).map(String::as_str).filter(|value| !value.is_empty());
        if get("mfa_serial").is_some() {
            let problem = "its role asks for MFA, which a job has not";
            return Err(unusable(name, problem, "use a role that needs no MFA"));
        }
        let (role, session) =
            (get("role_arn").unwrap_or_default(), get("role_session_name").unwrap_or(SESSION));
        let place = format!("the profile `{}`", crate::text::safe(name, 100));
        credentials = sts.for_role(role, session, get("external_id"), &credentials, &place).await?;
    }
    Ok(credentials)
}

fn keys<'a>(name: &str, place: &str, get: impl Fn(&str) -> Option<&'a str>) -> Result<Credentials, AwsError> {
    match (get("aws_access_key_id"), get("aws_secret_access_key")) {
        (Some(id), Some(secret)) => Credentials::new(place, id, secret, get("aws_session_token"), None),
        (Some(_), None) => Err(incomplete(name, "aws_access_key_id", "aws_secret_access_key")),
        (None, Some(_)) => Err(incomplete(name, "aws_secret_access_key", "aws_access_key_id")),
        (None, None) if get("credential_process").is_some() => Err(unusable(
            name,
            "its credentials come from a program (`credential_process`), which is not run here",
            EXPORT,
        )),
        (None, None) if get("sso_session").or(get("sso_start_url")).is_some() => Err(unusable(
            name,
            "its credentials come from IAM Identity Center (`sso_session`), where people log in",
            EXPORT,
        )),
        (None, None) => Err(unusable(name, "it has no credentials", "check `source_profile`")),
    }
}

fn incomplete(name: &str, set: &str, missing: &str) -> AwsError {
    unusable(name, format!("it has `{set}`, but no `{missing}`"), "write both keys into the profile")
}

async fn from_source(search: &Search<'_>, name: &str, source: &str) -> Result<Credentials, AwsError> {
    let absent = |problem: &str| {
        unusable(
            name,
            format!("`credential_source` is `{source}`, but {problem}"),
            "check `credential_source`",
        )
    };
    match source {
        "Environment" => search.variables()?.ok_or_else(|| absent("no variable has keys")),
        "EcsContainer" => match container::credentials(search.env, search.network).await {
            Some(found) => found,
            None => Err(absent("no variable names the container's endpoint")),
        },
        "Ec2InstanceMetadata" => match &search.instance {
            Some(instance) => instance.credentials().await,
            None => Err(absent("`AWS_EC2_METADATA_DISABLED` is set")),
        },
        _ => {
            let problem = format!("`credential_source` is `{}`", crate::text::safe(source, 60));
            Err(unusable(name, problem, "use `Environment`, `EcsContainer` or `Ec2InstanceMetadata`"))
        }
    }
}
