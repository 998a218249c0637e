//! The network's settings: the proxy's address, web roots, the HTTP proxy.

use crate::cli::doctor::Doctor;
use crate::env::{Env, names};
use crate::error::StageError as _;
use crate::log::Log;
use crate::net::proxies::VARIABLES;
use crate::net::{Deadline, HostPort, Network, Options};
use crate::run::doctor::check::{Check, Found};
use crate::teleport::dial::Endpoint;

/// The networks the other checks use.
pub struct Networks {
    /// As for `login`; else the check that failed.
    pub full: Result<Network, &'static str>,
    /// Without the roots for the cluster, or without any that the user named. Good up to TCP.
    pub without_roots: Option<Network>,
    /// Without `--ca-file`, which is not for the CI platform.
    pub without_ca_file: Option<Network>,
    /// Without any setting: for an identity token in a file or a variable.
    pub bare: Option<Network>,
}

/// The address of Teleport's proxy.
pub fn address(args: &Doctor, env: &Env) -> Found<HostPort> {
    match crate::run::request::entry(&args.cluster, env) {
        Ok(Endpoint::Proxy(address)) => (Check::ok("proxy address", address.to_string()), Some(address)),
        Ok(Endpoint::Auth { .. }) => {
            (Check::skipped("proxy address", "with `--auth-server` there is no proxy to check"), None)
        }
        Err(error) => (Check::error("proxy address", error), None),
    }
}

/// Web roots and HTTP proxy, each checked without the other.
pub fn networks(args: &Doctor, env: &Env, target: Option<&HostPort>, log: &Log) -> (Check, Check, Networks) {
    let deadline = Deadline::after(args.cluster.timeout);
    let options = Options { ca_file: args.cluster.ca_file.clone(), ..Options::default() };
    // A variable that is empty counts as not set.
    let blank = |names: &[&str]| names.iter().fold(env.clone(), |env, name| env.with(*name, ""));
    let silent = Log::silent();
    let roots = Network::new(&blank(&VARIABLES), &options, deadline, silent.clone())
        .and_then(|network| Ok((network.roots_description()?, network.system_roots_description())));
    let plain = Options::default();
    let without_ca_file = Network::new(env, &plain, deadline, silent.clone()).ok();
    let without_roots = without_ca_file.clone().map_or_else(
        || {
            let env = blank(&[names::SSL_CERT_FILE, names::SSL_CERT_DIR]);
            Network::new(&env, &plain, deadline, silent.clone())
        },
        Ok,
    );
    let full = match (&roots, &without_roots) {
        (Ok(_), Ok(_)) => Network::new(env, &options, deadline, log.clone()).map_err(|_| "the web roots"),
        (Err(_), _) => Err("the web roots"),
        (_, Err(_)) => Err("the HTTP proxy"),
    };
    let roots = match roots {
        Ok((cluster, None)) => Check::ok("web roots", cluster),
        Ok((cluster, Some(Ok(others)))) => {
            Check::ok("web roots", format!("{cluster}, for the cluster; {others}, for other servers"))
        }
        // `login` may need none of them.
        Ok((cluster, Some(Err(error)))) => {
            let finding = format!("{cluster}, for the cluster; for other servers: {error}");
            Check::warning("web roots", finding, &error.hints().join("\n"))
        }
        Err(error) => Check::error("web roots", error),
    };
    let http_proxy = match (&without_roots, target) {
        (Err(error), _) => Check::error("HTTP proxy", error.clone()),
        (Ok(_), None) => Check::skipped("HTTP proxy", "needs the proxy's address"),
        (Ok(network), Some(target)) => match network.proxy_for(target) {
            Some(proxy) => Check::ok("HTTP proxy", format!("{proxy} leads to {target}")),
            None => Check::ok("HTTP proxy", format!("none for {target}")),
        },
    };
    let bare = Network::new(&Env::new::<String, String>([], env.cwd.clone()), &plain, deadline, silent).ok();
    (roots, http_proxy, Networks { full, without_roots: without_roots.ok(), without_ca_file, bare })
}
