//! The proxy's address for later steps.

use crate::cli::Login;
use crate::log::Log;
use crate::net::HostPort;
use crate::teleport::dial::Endpoint;
use crate::teleport::ping::Ping;

/// Stays on the address the user gave, unless asked otherwise: split DNS and tunnels make the advertised one
/// unreachable for some. Behind an auth service the advertised one is all there is.
pub fn later_proxy(args: &Login, entry: &Endpoint, ping: &Ping, log: &Log) -> HostPort {
    let advertised = ping.public_address.as_ref();
    let given = match entry {
        Endpoint::Proxy(given) => given,
        Endpoint::Auth { address, .. } => advertised.unwrap_or(address),
    };
    match advertised {
        Some(advertised) if args.cluster.use_advertised_address => return advertised.clone(),
        Some(advertised) if advertised != given => log.detail(format!(
            "the cluster advertises {advertised}; staying on {given} (`--use-advertised-address` to switch)"
        )),
        None if args.cluster.use_advertised_address => {
            log.warn(format!("the cluster advertises no address: staying on {given}"));
        }
        _ => {}
    }
    given.clone()
}
