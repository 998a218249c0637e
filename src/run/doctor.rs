//! `jobpass doctor`: tries every step short of the join, and says what is wrong and what can be done.

pub mod check;
pub mod identity;
mod limit;
pub mod local;
pub mod reach;
pub mod settings;

use crate::cli::doctor::Doctor;
use crate::env::Env;
use crate::error::Failed;
use crate::log::Log;
use crate::run::outcome::Outcome;
use reach::Target;

/// Runs all checks; those that do not need each other side by side. One that fails hides no other.
pub async fn run(args: &Doctor, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    if args.platform_only {
        return Ok(check::outcome(&identity::platforms(args, env), args.messages.json, env.columns));
    }
    let (platform, detected) = identity::platform(args, env);
    let detected = detected.as_ref();
    let (address, proxy) = settings::address(args, env);
    let join_token = identity::join_token(args, env);
    let (roots, http_proxy, networks) = settings::networks(args, env, proxy.as_ref(), log);

    let target = match (&proxy, &networks.full, &networks.without_roots) {
        (None, ..) => Err("the proxy's address"),
        (Some(address), Ok(network), _) => Ok(Target { address, network, trusted: true }),
        (Some(address), Err(_), Some(network)) => Ok(Target { address, network, trusted: false }),
        (_, Err(_), None) => Err("the HTTP proxy"),
    };
    let for_token = networks.full.as_ref().or_else(|needs| networks.without_ca_file.as_ref().ok_or(*needs));
    let ((token, claims), folder, ssh, (reached, ping)) = tokio::join!(
        identity::token(args, env, detected, for_token, networks.bare.as_ref()),
        local::folder(args, env, detected.and_then(|d| d.platform)),
        local::ssh(env),
        reach::reach(target.as_ref().map_err(|needs| *needs), detected.and_then(|d| d.method)),
    );
    let audience = identity::audience(args, detected, claims.as_ref(), ping.as_ref());

    // In the order of `login`, as the first that failed gives the exit code.
    let mut checks = vec![platform, address, join_token, roots, http_proxy, folder, token, audience];
    checks.extend(reached);
    checks.push(ssh);
    checks.extend(identity::approval(args));
    Ok(check::outcome(&checks, args.messages.json, env.columns))
}
