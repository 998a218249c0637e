//! The job's identity: platform, identity token, its audience, the join token's name.

use crate::claims::UnverifiedClaims;
use crate::cli::doctor::Doctor;
use crate::cloud::Cloud;
use crate::detect::{self, Detected, ProofSource};
use crate::env::{self, Env};
use crate::error::Exit;
use crate::net::Network;
use crate::platform::TokenPlace;
use crate::refusal::access_requests;
use crate::rules::{self, Audience, Flaw};
use crate::run::doctor::check::{Check, Found};
use crate::run::doctor::limit::within;
use crate::teleport::JoinMethod;
use crate::teleport::ping::Ping;
use crate::text::duration;
use crate::token::{self, TokenError};

const PLATFORM: &str = "platform";
const TOKEN: &str = "identity token";
const MACHINE: &str = "machine identity";
const AUDIENCE: &str = "audience";
/// A token that is valid for less may expire during the join.
const SHORT: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
/// A service or a command may have to issue the token first.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(15);

/// The platform, by the rules of `login`.
pub fn platform(args: &Doctor, env: &Env) -> Found<Detected> {
    match detect::detect(env, &crate::run::request::detection(&args.identity)) {
        Ok(detected) => {
            let by = match detected.method {
                Some(method) => format!("join method `{method}`"),
                None => "the join token says the join method".to_owned(),
            };
            let why = detected
                .reasons
                .iter()
                .rfind(|r| r.taken)
                .map_or_else(String::new, |r| format!(" ({})", r.why));
            let title = match (detected.platform, &detected.source) {
                (_, ProofSource::Cloud(cloud)) => cloud.title(),
                (Some(platform), _) => platform.title(),
                (None, _) => "none, the identity token is given by a flag",
            };
            (Check::ok(PLATFORM, format!("{title}{why}: {by}")), Some(detected))
        }
        Err(error) => (Check::error(PLATFORM, error), None),
    }
}

/// Whether people can be asked: only a joined bot would see. `None`: nobody is to be asked.
pub fn approval(args: &Doctor) -> Option<Check> {
    let roles = &args.request_role;
    if roles.is_empty() {
        return None;
    }
    let hints = access_requests::what_to_set("bot-NAME", roles).join("\n");
    let why = format!("only the join would show whether the bot may ask for {}; it needs", roles.join(", "));
    Some(Check::untried("access request", why, &hints))
}

/// One line for each platform, and one more when none is detected.
pub fn platforms(args: &Doctor, env: &Env) -> Vec<Check> {
    let (reasons, failed) = match detect::detect(env, &crate::run::request::detection(&args.identity)) {
        Ok(Detected { reasons, platform, source, .. }) => {
            let by_hand = platform.is_none() && matches!(source, ProofSource::Given(_));
            (reasons, by_hand.then(|| Check::ok(PLATFORM, "none, the identity token is given by a flag")))
        }
        Err(error) => (error.reasons().to_vec(), Some(Check::error(PLATFORM, error))),
    };
    let line = |r: &detect::Reason| {
        if r.taken { Check::ok(r.platform, &r.why) } else { Check::skipped(r.platform, &r.why) }
    };
    reasons.iter().map(line).chain(failed).collect()
}

/// The name of the join token, which only the join looks up.
pub fn join_token(args: &Doctor, env: &Env) -> Check {
    match crate::run::request::token_name(&args.identity, env) {
        Ok(name) => {
            Check::ok("join token", format!("`{name}` (whether the cluster has it shows in the join)"))
        }
        Err(error) => Check::error("join token", error),
    }
}

/// Gets the identity token as `login` would, and checks how long it is valid.
pub async fn token(
    args: &Doctor,
    env: &Env,
    detected: Option<&Detected>,
    network: Result<&Network, &str>,
    spare: Option<&Network>,
) -> Found<UnverifiedClaims> {
    let Some(detected) = detected else { return (Check::skipped(TOKEN, "needs the platform"), None) };
    let by_token = detected.method.is_none_or(JoinMethod::proves_with_token);
    let name = if by_token { TOKEN } else { MACHINE };
    let wanted = crate::run::request::token(&args.identity);
    let is_remote = match detected.source {
        ProofSource::Platform(platform) => {
            matches!(platform.token_place(env), Some(TokenPlace::Endpoint(_)))
        }
        ProofSource::Given(_) | ProofSource::Cloud(Cloud::Kubernetes) => false,
        ProofSource::Cloud(_) => true,
    };
    let network = match (network, spare) {
        (Ok(network), _) => network,
        (Err(_), Some(spare)) if !is_remote => spare,
        (Err(needs), _) => return (Check::skipped(name, format!("needs {needs}")), None),
    };
    let got = token::token(env, network, detected, &wanted);
    let got = async {
        let proof = got.await?;
        Ok::<_, TokenError>((proof.machine(), proof.asked_claims().await?))
    };
    let (machine, claims) =
        match within(network, LIMIT, "the source of the token", "getting a token", got).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return (Check::error(name, error), None),
            Err(error) => return (Check::error(name, error), None),
        };
    if let Some(machine) = machine {
        let who = claims.text("Arn").unwrap_or_default();
        return (Check::ok(name, format!("`{who}`, by {machine}")), Some(claims));
    }
    let issuer = claims.issuer().unwrap_or("an unnamed issuer").to_owned();
    let check = match claims.expires() {
        None => Check::ok(TOKEN, format!("of `{issuer}`, does not expire")),
        Some(end) => {
            let left = end.duration_since(env::now());
            let finding = format!("of `{issuer}`, valid for {}", duration(left));
            let flaw = token::flaws(detected, &claims).into_iter().next();
            match flaw {
                _ if left < SHORT => {
                    Check::warning(TOKEN, finding, &token::expired_hints(env, detected).join("\n"))
                }
                Some(Flaw { problem, hint, .. }) => {
                    Check::warning(TOKEN, format!("{finding}; {problem}"), &hint)
                }
                None => Check::ok(TOKEN, finding),
            }
        }
    };
    (check, Some(claims))
}

/// Whether the token has the audience that the join method requires, where it requires one.
pub fn audience(
    args: &Doctor,
    detected: Option<&Detected>,
    claims: Option<&UnverifiedClaims>,
    ping: Option<&Ping>,
) -> Check {
    let (Some(detected), Some(claims)) = (detected, claims) else {
        return Check::skipped(AUDIENCE, "needs the identity token");
    };
    if detected.method.is_some_and(|method| !method.proves_with_token()) {
        return Check::skipped(AUDIENCE, "this proof has none");
    }
    let wanted = match detected.method.map(rules::audience) {
        Some(Audience::Literal(audience)) => audience.to_owned(),
        Some(Audience::ClusterName) => match ping {
            Some(ping) => ping.cluster_name.clone(),
            None => return Check::skipped(AUDIENCE, "needs the cluster's name from the web ping"),
        },
        Some(Audience::ClusterNameUnless(..)) => {
            return one_of_two(claims, detected.method, ping);
        }
        _ => {
            let found = claims.audiences().join("`, `");
            return Check::ok(AUDIENCE, format!("`{found}`; the cluster compares it with the join token"));
        }
    };
    match token::audience_problem(claims, std::slice::from_ref(&wanted)) {
        None => Check::ok(AUDIENCE, format!("`{wanted}`, as the cluster requires")),
        Some(problem) => {
            let fixed = detected.platform.and_then(|p| p.audience_hint(&wanted));
            let hint = match (fixed, &args.identity.audience) {
                (Some(hint), _) => hint,
                (None, Some(_)) => "leave out `--audience`".to_owned(),
                (None, None) => format!("give an identity token for the audience `{wanted}`"),
            };
            Check::failed(AUDIENCE, problem, &hint, Exit::NoIdentity)
        }
    }
}

/// Whether the token has one of the two audiences that join tokens of different types take: the API server's or the
/// cluster's name. Only the cluster knows of which type its join token is.
fn one_of_two(claims: &UnverifiedClaims, method: Option<JoinMethod>, ping: Option<&Ping>) -> Check {
    let found = claims.audiences().join("`, `");
    let cluster = ping.map_or("the cluster's name", |ping| &ping.cluster_name);
    if claims.audiences().contains(&cluster) {
        return Check::ok(AUDIENCE, format!("`{found}`, as join tokens of each type take it"));
    }
    let finding = format!("`{found}`: join tokens of type `in_cluster` may take it, others only `{cluster}`");
    let is_api_server = claims.audiences().iter().any(|audience| audience.contains("://"));
    if is_api_server || ping.is_none() {
        return Check::ok(AUDIENCE, finding);
    }
    Check::warning(AUDIENCE, finding, &rules::hints(method).audience(cluster))
}
