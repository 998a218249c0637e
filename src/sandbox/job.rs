//! A job of a simulated platform: its identity token, signed by the sandbox, and its environment.

use serde_json::{Map, Value, json};

use super::SandboxError;
use super::cluster::Cluster;
use super::random::random;
use crate::cloud::Cloud;
use crate::platform::{Platform, SimulatedJob};
use crate::rules::ProvisionToken;
use crate::secret::Jwt;
use crate::text::hex;

/// Where the CI token endpoint is on the sandbox's web port.
pub(super) const TOKEN_PATH: &str = "/_ci/github/token";

/// An identity token of that platform: its usual claims, `audience` if the job chose one, then `claims` on top
/// (`null` removes one).
pub(super) fn token(
    cluster: &Cluster,
    platform: Platform,
    audience: Option<&str>,
    claims: &Value,
) -> Result<Jwt, SandboxError> {
    let mut all = usual_claims(cluster, platform)?;
    if let Some(audience) = audience {
        all.insert("aud".to_owned(), audience.into());
    }
    for (name, value) in claims.as_object().into_iter().flatten() {
        if value.is_null() {
            all.remove(name);
        } else {
            all.insert(name.clone(), value.clone());
        }
    }
    cluster.issuer.sign(&all)
}

/// The variables of a job.
pub(super) fn environment(
    cluster: &Cluster,
    platform: Platform,
) -> Result<Vec<(String, String)>, SandboxError> {
    let simulation = platform.simulation();
    let token = token(cluster, platform, None, &Value::Null)?;
    let job = SimulatedJob {
        issuer: &issuer(cluster, platform),
        branch: branch(cluster, platform),
        token: token.expose(),
        token_endpoint: &format!("{}{TOKEN_PATH}", cluster.url()),
        bearer: &cluster.bearer,
    };
    let fixed = simulation.fixed.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let variables = [("CI", "true".to_owned())].into_iter().chain(fixed).chain((simulation.variables)(&job));
    Ok(variables.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The variables by which a machine of that cloud knows itself.
pub(super) fn machine_environment(cluster: &Cluster, cloud: Cloud) -> Vec<(String, String)> {
    let variables = match cloud {
        Cloud::Aws => [
            ("AWS_ACCESS_KEY_ID", cluster.aws.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", cluster.aws.secret_access_key.clone()),
            ("AWS_SESSION_TOKEN", cluster.aws.session_token.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ENDPOINT_URL_STS", format!("{}/", cluster.url())),
            // What the machine below says of itself is not of this one.
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_PROFILE", String::new()),
            ("AWS_CREDENTIAL_EXPIRATION", String::new()),
            ("AWS_USE_FIPS_ENDPOINT", String::new()),
        ],
    };
    variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

fn usual_claims(cluster: &Cluster, platform: Platform) -> Result<Map<String, Value>, SandboxError> {
    let simulation = platform.simulation();
    let now = crate::env::now().as_second();
    let issuer = issuer(cluster, platform);
    let wanted = policy(cluster, platform)
        .and_then(|token| token.expected_audience(Some(&cluster.options.cluster)).known());
    // Where the job asks for an audience, a token that it gets without asking has the platform's own.
    let configured = wanted.filter(|wanted| platform.audience_hint(wanted).is_some());
    let audience = configured
        .or_else(|| (simulation.audience)(&issuer))
        .unwrap_or_else(|| cluster.options.cluster.clone());
    let common = json!({
        "jti": hex(&random::<16>()?), "iss": issuer, "iat": now, "exp": now + 3600, "aud": audience,
    });
    let mut all = Map::new();
    for part in [common, (simulation.claims)(&issuer, now, branch(cluster, platform))] {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    Ok(all)
}

fn branch(cluster: &Cluster, platform: Platform) -> &str {
    cluster.options.branch.as_deref().unwrap_or_else(|| platform.simulation().usual_branch())
}

/// The join token that decides issuer and audience.
fn policy(cluster: &Cluster, platform: Platform) -> Option<&ProvisionToken> {
    cluster.options.token_for(platform)
}

fn issuer(cluster: &Cluster, platform: Platform) -> String {
    policy(cluster, platform)
        .and_then(ProvisionToken::expected_issuer)
        .unwrap_or_else(|| platform.simulation().issuer.to_owned())
}
