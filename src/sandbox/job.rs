//! A simulated job: its identity token, signed by the sandbox, and its environment.

use serde_json::{Map, Value, json};

use super::SandboxError;
use super::cluster::Cluster;
use super::random::random;
use super::simulated::Simulated;
use crate::platform::endpoint::Protocol;
use crate::platform::{Platform, SimulatedJob};
use crate::rules::{self, Audience, ProvisionToken};
use crate::secret::Jwt;
use crate::text::hex;

/// Before the id of a platform whose tokens are issued on request, on the sandbox's web port.
const TOKENS: &str = "/_ci/";

/// The platform whose jobs ask for tokens at this path: `/_ci/github/token`, and what is below it.
pub(super) fn platform_of(path: &str) -> Option<(Platform, &'static Protocol)> {
    let (id, rest) = path.strip_prefix(TOKENS)?.split_once('/')?;
    if rest != "token" && !rest.starts_with("token/") {
        return None;
    }
    let platform = Platform::ALL.into_iter().find(|platform| platform.id() == id)?;
    Some((platform, platform.protocol()?))
}

/// An identity token of such a job: its usual claims, `audience` if the job chose one, then `claims` on top
/// (`null` removes one).
pub(super) fn token(
    cluster: &Cluster,
    job: Simulated,
    audience: Option<&str>,
    claims: &Value,
) -> Result<Jwt, SandboxError> {
    let mut all = usual_claims(cluster, job)?;
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
pub(super) fn environment(cluster: &Cluster, job: Simulated) -> Result<Vec<(String, String)>, SandboxError> {
    let simulation = job.simulation();
    let token = token(cluster, job, None, &Value::Null)?;
    let simulated = SimulatedJob {
        issuer: &issuer(cluster, job),
        branch: branch(cluster, job),
        token: token.expose(),
        token_endpoint: &format!("{}{TOKENS}{}/token", cluster.url(), job.id()),
        bearer: &cluster.bearer,
        metadata: &cluster.metadata.to_string(),
    };
    let fixed = simulation.fixed.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let ci = job.platform().map(|_| ("CI", "true".to_owned()));
    let variables = ci.into_iter().chain(fixed).chain((simulation.variables)(&simulated));
    Ok(variables.map(|(name, value)| (name.to_owned(), value)).collect())
}

fn usual_claims(cluster: &Cluster, job: Simulated) -> Result<Map<String, Value>, SandboxError> {
    let simulation = job.simulation();
    let now = crate::env::now().as_second();
    let issuer = issuer(cluster, job);
    let wanted = policy(cluster, job)
        .and_then(|token| token.expected_audience(Some(&cluster.options.cluster)).known());
    // Where the job asks for an audience, a token that it gets without asking has the platform's own.
    let configured = wanted.filter(|_| job.fixes_audience());
    let audience = configured
        .or_else(|| (simulation.audience)(&issuer))
        .unwrap_or_else(|| cluster.options.cluster.clone());
    let common = json!({
        "jti": hex(&random::<16>()?), "iss": issuer, "iat": now, "exp": now + 3600, "aud": audience,
    });
    let mut all = Map::new();
    for part in [common, (simulation.claims)(&issuer, now, branch(cluster, job))] {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    Ok(all)
}

/// The audience that a job must ask for, where it is neither the platform's nor the method's to say.
pub(super) fn audience(cluster: &Cluster, job: Simulated) -> Option<String> {
    let platform = job.platform()?;
    let token = policy(cluster, job)?;
    let is_fixed =
        platform.audience_hint("").is_some() || matches!(rules::audience(token.method), Audience::Literal(_));
    if is_fixed { None } else { token.expected_audience(Some(&cluster.options.cluster)).known() }
}

fn branch(cluster: &Cluster, job: Simulated) -> &str {
    cluster.options.branch.as_deref().unwrap_or_else(|| job.simulation().usual_branch())
}

/// The join token that decides issuer and audience.
fn policy(cluster: &Cluster, job: Simulated) -> Option<&ProvisionToken> {
    cluster.options.token_for(job)
}

fn issuer(cluster: &Cluster, job: Simulated) -> String {
    policy(cluster, job)
        .and_then(ProvisionToken::expected_issuer)
        .unwrap_or_else(|| job.simulation().issuer.to_owned())
}
