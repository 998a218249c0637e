//! Proof of an AWS identity: credentials from where the AWS SDKs look for them, and a signed request that tells who has them.

mod container;
mod credentials;
mod error;
mod instance;
mod names;
mod profile;
mod region;
mod role;
mod search;
mod signature;
mod simulation;
mod sts;
mod web_identity;

pub use error::AwsError;
pub(super) use simulation::SIMULATION;
pub use sts::Caller;

use std::sync::Arc;

use credentials::Credentials;
use region::Region;
use search::Search;
use sts::Sts;

use crate::env::{Env, now};
use crate::error::StageError as _;
use crate::net::Network;

/// Credentials and the region to sign for. Secret: never shown.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    credentials: Credentials,
    /// Where they are from, for people.
    place: String,
    region: Region,
    endpoint: Option<String>,
    network: Network,
}

/// Finds the identity of this machine, container or process. In order: keys in variables; a role for an identity token
/// (`AWS_WEB_IDENTITY_TOKEN_FILE`); the profile of the shared files; the container's endpoint; the EC2 instance. What is there but
/// gives nothing ends the search.
pub async fn identity(env: &Env, network: &Network) -> Result<Identity, AwsError> {
    let search = Search::new(env, network).await?;
    let region = region_of(&search).await?;
    let endpoint = [names::ENDPOINT_URL_STS, names::ENDPOINT_URL].iter().find_map(|name| env.var(name));
    let sts = Sts { network, region: &region, endpoint, now };
    let (credentials, place) = credentials_of(&search, &sts).await?;
    let credentials = credentials.not_expired(&place, now())?;
    let (endpoint, network) = (endpoint.map(str::to_owned), network.clone());
    Ok(Identity(Arc::new(Inner { credentials, place, region, endpoint, network })))
}

impl Identity {
    /// Where the credentials are from, for people.
    pub fn place(&self) -> &str {
        &self.0.place
    }

    /// The region that is signed for.
    pub fn region(&self) -> &str {
        &self.0.region.name
    }

    /// A signed `sts:GetCallerIdentity` that is not sent: HTTP/1.1 as it goes over the wire, with one more header, signed too.
    /// Secret: whoever sends it within 15 minutes is told who signed it.
    pub fn request(&self, header: (&str, &str)) -> Vec<u8> {
        sts::identity_request(&self.0.credentials, &self.0.region, header, now())
    }

    /// Who AWS says it is.
    pub async fn caller(&self) -> Result<Caller, AwsError> {
        let Inner { credentials, region, endpoint, network, .. } = &*self.0;
        Sts { network, region, endpoint: endpoint.as_deref(), now }.caller(credentials).await
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("place", &self.0.place).finish_non_exhaustive()
    }
}

async fn region_of(search: &Search<'_>) -> Result<Region, AwsError> {
    let fips = search.env.var(names::USE_FIPS_ENDPOINT).or_else(|| search.setting("use_fips_endpoint"));
    let fips = fips.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    for name in [names::REGION, names::DEFAULT_REGION] {
        if let Some(value) = search.env.var(name) {
            return Region::new(value, &format!("`{name}`"), fips);
        }
    }
    if let Some(value) = search.setting("region") {
        return Region::new(value, &format!("the profile `{}`", search.profile.0), fips);
    }
    let why = match &search.instance {
        Some(instance) => match instance.region().await {
            Ok(value) => return Region::new(&value, "the EC2 instance", fips),
            Err(error) => error.in_one_line(),
        },
        None => format!("`{}` is set", names::METADATA_DISABLED),
    };
    let log = search.network.log();
    log.detail(format!("no AWS region in variables or profile, nor from the EC2 instance ({why})"));
    log.note(format!(
        "no AWS region is known: signing for {}; set `AWS_REGION` if the cluster refuses that",
        region::DEFAULT
    ));
    Region::new(region::DEFAULT, "the default", fips)
}

async fn credentials_of(search: &Search<'_>, sts: &Sts<'_>) -> Result<(Credentials, String), AwsError> {
    let env = search.env;
    if let Some(found) = search.variables()? {
        return Ok((found, "variables".to_owned()));
    }
    if let Some(found) = web_identity::credentials(env, sts).await {
        return Ok((found?, format!("a role for the token of `{}`", names::WEB_IDENTITY_TOKEN_FILE)));
    }
    if let Some(found) = role::of_profile(search, sts).await {
        return Ok((found?, format!("the profile `{}`", crate::text::safe(search.profile.0, 100))));
    }
    if let Some(found) = container::credentials(env, search.network).await {
        return Ok((found?, "the container's endpoint".to_owned()));
    }
    let tried = |last: String| {
        vec![
            format!("`{}` and `{}` are not set", names::ACCESS_KEY_ID, names::WEB_IDENTITY_TOKEN_FILE),
            format!("the shared files have no credentials in the profile `{}`", search.profile.0),
            format!("`{}` and `{}` are not set", names::CONTAINER_RELATIVE_URI, names::CONTAINER_FULL_URI),
            last,
        ]
    };
    let Some(instance) = &search.instance else {
        let tried = tried(format!("the EC2 instance is not asked: `{}` is set", names::METADATA_DISABLED));
        let hint = format!(
            "give AWS credentials by variables or a profile, or unset `{}`",
            names::METADATA_DISABLED
        );
        return Err(AwsError::None { tried, hints: vec![hint] });
    };
    match instance.credentials().await {
        Ok(found) => Ok((found, "the role of the EC2 instance".to_owned())),
        Err(AwsError::Metadata { source, hints, .. }) if source.is_silent() => {
            Err(AwsError::None { tried: tried(source.in_one_line()), hints })
        }
        Err(error) => Err(error),
    }
}
