//! Where credentials are looked for.

use super::credentials::Credentials;
use super::error::AwsError;
use super::instance::Instance;
use super::names;
use super::profile::{self, Profiles, Settings};
use crate::env::Env;
use crate::net::Network;

/// What all sources share.
pub(super) struct Search<'a> {
    pub(super) env: &'a Env,
    pub(super) network: &'a Network,
    /// `None`: switched off.
    pub(super) instance: Option<Instance>,
    pub(super) profiles: Profiles,
    /// The name of the profile in use, and whether a variable names it.
    pub(super) profile: (&'a str, bool),
}

impl<'a> Search<'a> {
    /// Reads the shared files; nothing is asked yet.
    pub(super) async fn new(env: &'a Env, network: &'a Network) -> Result<Self, AwsError> {
        let profile = env.var(names::PROFILE).map_or((profile::DEFAULT, false), |name| (name, true));
        let profiles = Profiles::read(env, network).await?;
        let search = Self { env, network, instance: Instance::new(env, network), profiles, profile };
        search.check_profile()?;
        Ok(search)
    }

    pub(super) fn settings(&self) -> Option<&Settings> {
        self.profiles.settings(self.profile.0)
    }

    /// A profile that is asked for must be there.
    fn check_profile(&self) -> Result<(), AwsError> {
        match (self.profile, self.settings()) {
            ((name, true), None) => Err(profile::unusable(
                name,
                "neither shared file has it",
                "check `AWS_PROFILE`; in `~/.aws/config` the section is `[profile NAME]`, in `~/.aws/credentials` it is `[NAME]`",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.settings()?.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Keys in variables; `None`: neither of the two is set.
    pub(super) fn variables(&self) -> Result<Option<Credentials>, AwsError> {
        let env = self.env;
        let (id, secret) = (env.var(names::ACCESS_KEY_ID), env.var(names::SECRET_ACCESS_KEY));
        let (id, secret) = match (id, secret) {
            (None, None) => return Ok(None),
            (Some(_), None) => {
                let (set, missing) = (names::ACCESS_KEY_ID, names::SECRET_ACCESS_KEY);
                return Err(AwsError::Incomplete { set, missing });
            }
            (None, Some(_)) => {
                let (set, missing) = (names::SECRET_ACCESS_KEY, names::ACCESS_KEY_ID);
                return Err(AwsError::Incomplete { set, missing });
            }
            (Some(id), Some(secret)) => (id, secret),
        };
        let expires = env.var(names::CREDENTIAL_EXPIRATION).and_then(|text| text.parse().ok());
        Credentials::new("variables", id, secret, env.var(names::SESSION_TOKEN), expires).map(Some)
    }
}
