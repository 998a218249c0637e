//! What is told to people, scripts and later steps once all is issued.

use crate::cli::Login;
use crate::detect::Detected;
use crate::env;
use crate::export::Exports;
use crate::issue;
use crate::join::BotIdentity;
use crate::log::Log;
use crate::net::HostPort;
use crate::report::{OutputReport, Report};
use crate::run::place;
use crate::teleport::dial::Endpoint;
use crate::verify::Checked;

/// Stays on the address the user gave, unless told otherwise: split DNS and tunnels make the advertised one unreachable for some. Behind an auth
/// service the advertised one is all there is.
pub fn later_proxy(args: &Login, entry: &Endpoint, bot: &BotIdentity, log: &Log) -> HostPort {
    let advertised = bot.ping.public_address.as_ref();
    let given = match entry {
        Endpoint::Proxy(given) => given,
        Endpoint::Auth { address, .. } => advertised.unwrap_or(address),
    };
    match advertised {
        Some(advertised) if args.cluster.use_advertised_address => advertised.clone(),
        Some(advertised) if advertised != given => {
            log.detail(format!(
                "the cluster advertises {advertised}; staying on {given} (`--use-advertised-address` to switch)"
            ));
            given.clone()
        }
        None if args.cluster.use_advertised_address => {
            log.warn(format!("the cluster advertises no address: staying on {given}"));
            given.clone()
        }
        _ => given.clone(),
    }
}

/// The report, its files not yet filled in.
pub fn report(
    checked: &Checked,
    bot: &BotIdentity,
    detected: &Detected,
    proxy: &HostPort,
    folders: &place::Folders,
    dry_run: bool,
) -> Report {
    let output = |(index, issued): (usize, &issue::Issued)| OutputReport {
        name: issued.output.name.clone(),
        kind: "ssh".into(),
        cluster: issued.output.cluster.clone().unwrap_or_else(|| bot.cluster.clone()),
        roles: issued.roles.clone(),
        logins: issued.identity.ssh_cert.logins().into_iter().map(str::to_owned).collect(),
        valid_until: issued.identity.ssh_cert.valid_before.min(issued.identity.tls_cert.not_after),
        dir: folders.of(index),
    };
    Report {
        jobpass: env!("CARGO_PKG_VERSION").to_owned(),
        bot: bot.user.clone(),
        cluster: bot.cluster.clone(),
        proxy: proxy.to_string(),
        server_version: bot.ping.server_version.clone(),
        platform: detected.platform.map(|p| p.id().to_owned()),
        join_method: bot.method.map(|m| m.name().to_owned()),
        issued_at: env::now(),
        valid_until: checked.ends,
        dry_run,
        dir: folders.base(),
        files: Vec::new(),
        outputs: checked.batch.issued.iter().enumerate().map(output).collect(),
    }
}

/// What later steps are told: the variables Teleport's own tools read, and where things are. A named identity has suffixed names of its
/// own and leaves the plain ones alone.
pub fn exports(report: &Report, args: &Login) -> Exports {
    let mut exports = Exports { summary: report.summary(), ..Exports::default() };
    for (index, output) in report.outputs.iter().enumerate() {
        let name = if index == 0 { args.output.name.clone() } else { Some(output.name.clone()) };
        let variable = |base: &str| match &name {
            Some(name) => format!("{base}_{}", name.to_ascii_uppercase().replace('-', "_")),
            None => base.to_owned(),
        };
        let step = |base: &str| match &name {
            Some(name) => format!("{name}-{base}"),
            None => base.to_owned(),
        };
        let path = |file: &str| output.dir.join(file).display().to_string();
        let dir = output.dir.display().to_string();
        for (key, value) in [
            ("TELEPORT_PROXY", report.proxy.clone()),
            ("TELEPORT_AUTH_SERVER", report.proxy.clone()),
            ("TELEPORT_IDENTITY_FILE", path("identity")),
            ("JOBPASS_DIR", dir.clone()),
            ("JOBPASS_SSH_CONFIG", path("ssh_config")),
        ] {
            exports.variables.push((variable(key), value));
        }
        for (key, value) in [
            ("destination-dir", dir),
            ("identity-file", path("identity")),
            ("ssh-config", path("ssh_config")),
            ("certificate-file", path("key-cert.pub")),
            ("key-file", path("key")),
            ("expires-at", output.valid_until.to_string()),
        ] {
            exports.outputs.push((step(key), value));
        }
    }
    exports
}
