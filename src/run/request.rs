//! What the command line asks → what the stages want.

use std::time::Duration;

use crate::cli::{ClusterArgs, IdentityArgs, Login};
use crate::env::{self, Env};
use crate::identity::tls::ders_of;
use crate::issue::Output;
use crate::log::Log;
use crate::net::HostPort;
use crate::net::tls::Trust;
use crate::report::failure::RunError;
use crate::teleport::dial::Entry;
use crate::verify::Expectations;

/// The longest life Teleport gives a bot's certificate.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// Where the cluster is entered, and whom to trust there.
pub fn entry(args: &ClusterArgs, env: &Env) -> Result<Entry, RunError> {
    let usage = |message: String, hint: &str| RunError::Usage { message, hint: Some(hint.to_owned()) };
    if let Some(address) = &args.auth_server {
        let trust = match (&args.ca_pin, &args.ca_file) {
            (Some(pin), _) => Trust::Pin(pin.0),
            (None, Some(file)) => {
                let path = env.absolute(file).display().to_string();
                let text = env::read_text(std::path::Path::new(&path))
                    .map_err(|source| RunError::Read { path: path.clone(), source })?;
                let roots = ders_of(&text).ok().filter(|roots| !roots.is_empty());
                let none =
                    || usage(format!("`{path}` holds no PEM certificate"), "give the cluster's host CA");
                Trust::Only(roots.ok_or_else(none)?)
            }
            (None, None) if args.insecure_trust_on_first_use => Trust::Blindly,
            (None, None) => {
                return Err(usage(
                    format!("nothing says how to know the auth service at {address}"),
                    "give `--ca-pin sha256:…` (`tctl status` shows it) or `--ca-file`; \
                     `--insecure-trust-on-first-use` trusts whatever answers",
                ));
            }
        };
        return Ok(Entry::Auth { address: address.clone(), trust });
    }
    if let Some(proxy) = &args.proxy {
        return Ok(Entry::Proxy(proxy.clone()));
    }
    let hint = "say `--proxy HOST[:PORT]`, or set `TELEPORT_PROXY`";
    let text = env.var(env::names::TELEPORT_PROXY).ok_or_else(|| usage("no proxy is given".into(), hint))?;
    let proxy = HostPort::parse(text, 443).map_err(|e| usage(format!("`TELEPORT_PROXY`: {e}"), hint))?;
    Ok(Entry::Proxy(proxy))
}

/// The join token's name; an absolute path is a file that holds it, as in tbot.
pub fn token_name(args: &IdentityArgs, env: &Env) -> Result<String, RunError> {
    let hint = "say `--token NAME`, the name of the `kind: token` resource on the cluster (no secret), or set `JOBPASS_TOKEN`";
    let usage = |message: &str| RunError::Usage { message: message.to_owned(), hint: Some(hint.to_owned()) };
    let given = args.token.as_deref();
    let name = given
        .or_else(|| env.var(env::names::JOBPASS_TOKEN))
        .or_else(|| env.var(env::names::TELEPORT_BOT_TOKEN));
    let mut name = name.ok_or_else(|| usage("no join token is named"))?.trim().to_owned();
    if name.starts_with('/') {
        let read = env::read_text(std::path::Path::new(&name));
        let text = read.map_err(|source| RunError::Read { path: name.clone(), source })?;
        text.trim().clone_into(&mut name);
    }
    if name.is_empty() {
        return Err(usage("the join token's name is empty"));
    }
    if name.chars().any(|c| c.is_control() || c.is_whitespace()) || name.len() > 512 {
        return Err(usage("the join token's name holds white space, or is too long"));
    }
    Ok(name)
}

/// At most what Teleport gives a bot; more is cut, and told.
pub fn cut(ttl: Duration, log: &Log) -> Duration {
    if ttl <= LONGEST {
        return ttl;
    }
    log.warn(
        "more than 24h is not given to bots: asking for 24h; for a rare longer-lived certificate an administrator \
         uses `tctl auth sign`",
    );
    LONGEST
}

/// The report and lines for a shell cannot both be what standard output is.
pub fn one_thing_on_stdout(args: &Login) -> Result<(), RunError> {
    if args.output.export.is_for_a_shell() && args.messages.json {
        return Err(RunError::Usage {
            message: "`--json` and `--export shell` both want standard output".into(),
            hint: Some("leave out one; `jobpass.json` in the folder is the report".into()),
        });
    }
    Ok(())
}

/// The outputs asked for: one `ssh` where none is named. No two may have one name, or one folder.
pub fn outputs(args: &Login) -> Result<Vec<Output>, RunError> {
    let roles = (!args.output.roles.is_empty()).then(|| args.output.roles.clone());
    if args.output.output.is_empty() {
        return Ok(vec![Output { name: "ssh".into(), roles, cluster: None, dir: None }]);
    }
    let specs = args.output.output.iter().enumerate();
    let output = |(index, spec): (usize, &crate::cli::output::OutputSpec)| Output {
        name: spec
            .name
            .clone()
            .unwrap_or_else(|| if index == 0 { "ssh".into() } else { format!("ssh-{}", index + 1) }),
        roles: spec.roles.clone().or_else(|| roles.clone()),
        cluster: spec.cluster.clone(),
        dir: spec.dir.clone(),
    };
    let outputs: Vec<Output> = specs.map(output).collect();
    for (index, output) in outputs.iter().enumerate() {
        let others = outputs.get(index + 1..).unwrap_or_default();
        let same_name = others.iter().any(|o| o.name == output.name);
        if same_name || output.dir.is_some() && others.iter().any(|o| o.dir == output.dir) {
            let what = if same_name { "name" } else { "folder" };
            return Err(RunError::Usage {
                message: format!("two outputs have one {what}: `{}`", output.name),
                hint: Some("tell them apart by `name=` and `dir=`".into()),
            });
        }
    }
    Ok(outputs)
}

/// What must be true of what is issued.
pub fn expectations(args: &Login) -> Expectations {
    Expectations {
        cluster: args.guards.expect_cluster.clone(),
        bot: args.guards.expect_bot.clone(),
        roles: args.guards.expect_role.clone(),
        logins: args.guards.require_login.clone(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn login(arguments: &[&str]) -> Login {
        let all = ["jobpass", "login"].iter().chain(arguments);
        match Cli::try_parse_from(all).map(|cli| cli.command) {
            Ok(Command::Login(login)) => *login,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn outputs_are_told_apart() {
        let names = |arguments: &[&str]| {
            outputs(&login(arguments)).map(|all| all.into_iter().map(|o| o.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap(), ["ssh"]);
        assert_eq!(
            names(&["--output", "ssh", "--output", "ssh", "--output", "ssh,name=x"]).unwrap(),
            ["ssh", "ssh-2", "x"]
        );
        for (one, other, wanted) in [
            ("ssh,name=a", "ssh,name=a", "one name: `a`"),
            ("ssh", "ssh,name=ssh", "one name: `ssh`"),
            ("ssh,dir=/x,name=a", "ssh,dir=/x,name=b", "one folder: `a`"),
        ] {
            let error = names(&["--output", one, "--output", other]).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn roles_of_an_output_beat_those_of_all() {
        let all = outputs(&login(&["--roles", "a,b", "--output", "ssh", "--output", "ssh,roles=c"])).unwrap();
        let roles: Vec<_> = all.into_iter().map(|o| o.roles.unwrap()).collect();
        assert_eq!(roles, [vec!["a", "b"], vec!["c"]]);
    }

    #[test]
    fn standard_output_is_one_thing() {
        for (arguments, fits) in [
            (&["--json"][..], true),
            (&["--export", "shell"], true),
            (&["--json", "--export", "shell"], false),
            (&["--json", "--export", "spacelift"], false),
            (&["--json", "--export", "none"], true),
        ] {
            assert_eq!(one_thing_on_stdout(&login(arguments)).is_ok(), fits, "{arguments:?}");
        }
    }

    #[test]
    fn a_join_tokens_name_is_a_name() {
        let named =
            |name: &str| token_name(&login(&["--token", name]).identity, &Env::of::<&str, &str>([], "/"));
        assert_eq!(named(" ci ").unwrap(), "ci");
        for bad in ["", " ", "a b", "a\nb", "/nonexistent/file", &"x".repeat(513)] {
            assert!(named(bad).is_err(), "{bad:?}");
        }
    }
}
