//! What the command line asks → what the stages take.

use std::path::Path;
use std::time::Duration;

use crate::cli::output::OutputSpec;
use crate::cli::{ClusterArgs, IdentityArgs, Login};
use crate::detect::{self, GivenToken};
use crate::env::{self, Env};
use crate::export::Sink;
use crate::identity::tls::ders_of;
use crate::log::Log;
use crate::net::HostPort;
use crate::net::tls::Trust;
use crate::output::{Destination, Kind, Output};
use crate::run::error::RunError;
use crate::teleport::dial::Endpoint;
use crate::verify::Expectations;

/// The longest life Teleport gives a bot's certificate.
pub const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// What detection takes of the flags.
pub fn detection(args: &IdentityArgs) -> detect::Request {
    let given = match (&args.id_token_env, &args.id_token_file, &args.id_token_command) {
        (Some(name), _, _) => Some(GivenToken::Variable(name.clone())),
        (_, Some(path), _) => Some(GivenToken::File(path.clone())),
        (_, _, Some(words)) => Some(GivenToken::Command(words.0.clone())),
        _ => None,
    };
    detect::Request { platform: args.platform.0, method: args.join_method.0, given }
}

/// What the token stage takes of the flags.
pub fn token(args: &IdentityArgs) -> crate::token::Request {
    crate::token::Request { audience: args.audience.clone(), azure_client_id: args.azure_client_id.clone() }
}

/// The endpoint of the cluster, and the trust anchors there.
pub fn entry(args: &ClusterArgs, env: &Env) -> Result<Endpoint, RunError> {
    let usage = |message: String, hint: &str| RunError::usage(message, hint);
    if let Some(address) = &args.auth_server {
        let trust = match (&args.ca_pin, &args.ca_file) {
            (Some(pin), _) => Trust::Pin(pin.0),
            (None, Some(file)) => {
                let path = env.absolute(file).display().to_string();
                let text = env::read_text(std::path::Path::new(&path))
                    .map_err(|source| RunError::Read { path: path.clone(), source })?;
                let roots = ders_of(&text).ok().filter(|roots| !roots.is_empty());
                let none = || usage(format!("`{path}` has no PEM certificate"), "pass the cluster's host CA");
                Trust::Only(roots.ok_or_else(none)?)
            }
            (None, None) if args.insecure_trust_on_first_use => Trust::Blindly,
            (None, None) => {
                return Err(usage(
                    format!("no trust anchor for the auth service at {address}"),
                    "pass `--ca-pin sha256:…` (`tctl status` shows it) or `--ca-file`; \
                     `--insecure-trust-on-first-use` trusts whatever answers",
                ));
            }
        };
        return Ok(Endpoint::Auth { address: address.clone(), trust });
    }
    if let Some(proxy) = &args.proxy {
        return Ok(Endpoint::Proxy(proxy.clone()));
    }
    let hint = "pass `--proxy HOST[:PORT]`, or set `TELEPORT_PROXY`";
    let text = env.var(env::names::TELEPORT_PROXY).ok_or_else(|| usage("no proxy address".into(), hint))?;
    let proxy = HostPort::parse(text, 443).map_err(|e| usage(format!("`TELEPORT_PROXY`: {e}"), hint))?;
    Ok(Endpoint::Proxy(proxy))
}

/// The join token's name; an absolute path is a file that holds it, as in tbot.
pub fn token_name(args: &IdentityArgs, env: &Env) -> Result<String, RunError> {
    let hint = "pass `--token NAME`, the name of the `kind: token` resource on the cluster (not a secret), or set `JOBPASS_TOKEN`";
    let usage = |message: &str| RunError::usage(message, hint);
    let given = args.token.as_deref();
    let name = given
        .or_else(|| env.var(env::names::JOBPASS_TOKEN))
        .or_else(|| env.var(env::names::TELEPORT_BOT_TOKEN));
    let mut name = name.ok_or_else(|| usage("no join token"))?.trim().to_owned();
    if name.starts_with('/') {
        let read = env::read_text(std::path::Path::new(&name));
        let text = read.map_err(|source| RunError::Read { path: name.clone(), source })?;
        text.trim().clone_into(&mut name);
    }
    if name.is_empty() {
        return Err(usage("the join token's name is empty"));
    }
    if name.chars().any(|c| c.is_control() || c.is_whitespace()) || name.len() > 512 {
        return Err(usage("the join token's name contains white space, or is too long"));
    }
    Ok(name)
}

/// At most what Teleport gives a bot; a longer life is shortened, with a warning.
pub fn cap_ttl(ttl: Duration, log: &Log) -> Duration {
    if ttl <= LONGEST {
        return ttl;
    }
    log.warn(
        "a bot gets at most 24h: asking for 24h; for a rare longer-lived certificate an administrator uses \
         `tctl auth sign`",
    );
    LONGEST
}

/// Standard output cannot be the report and lines for a shell.
pub fn check_stdout(args: &Login) -> Result<(), RunError> {
    if args.output.export.is_standard_output() && args.messages.json {
        return Err(RunError::usage(
            "`--json` and this `--export` both write to standard output",
            "leave out one of them; `jobpass.json` in the folder is the report",
        ));
    }
    Ok(())
}

/// Variables of programs come of ssh outputs, and most have white space, which an env file cannot carry.
pub fn check_consumers(args: &Login, outputs: &[Output]) -> Result<(), RunError> {
    let consumers = &args.output.export_vars;
    let Some(first) = consumers.first() else { return Ok(()) };
    if !outputs.iter().any(|output| matches!(output.kind, Kind::Ssh { .. })) {
        let message = format!("`--export-vars {}` needs an ssh output, and there is none", first.name());
        return Err(RunError::usage(message, "add `--output ssh`"));
    }
    let in_file = matches!(args.output.export, Sink::EnvFile(_));
    if let Some(consumer) = consumers.iter().find(|consumer| in_file && consumer.has_words()) {
        let name = consumer.name();
        let message =
            format!("the value for `--export-vars {name}` has white space, which an env file cannot carry");
        return Err(RunError::usage(
            message,
            "export it otherwise: `--export shell`, or the platform's own way",
        ));
    }
    Ok(())
}

/// The outputs asked for: one `ssh` where none is named. Those without a folder of their own share `base`; several have
/// a subfolder each. No two may have the same name or folder.
pub fn outputs(args: &Login, env: &Env, base: &Path) -> Result<Vec<Output>, RunError> {
    let default = [OutputSpec::default()];
    let specs = if args.output.output.is_empty() { &default[..] } else { &args.output.output };
    let shared = specs.iter().filter(|spec| spec.dir.is_none()).count();
    let mut names: Vec<String> = Vec::new();
    let mut output = |spec: &OutputSpec| {
        let name = spec.name.clone().unwrap_or_else(|| {
            let name = numbered(&default_name(&spec.kind), &names);
            names.push(name.clone());
            name
        });
        let all = (!args.output.roles.is_empty()).then(|| args.output.roles.clone());
        let destination = match &spec.dir {
            Some(dir) => Destination::whole(env.absolute(dir)),
            None if shared > 1 => Destination { folder: base.to_owned(), subfolder: name.clone().into() },
            None => Destination::whole(base.to_owned()),
        };
        let mut kind = spec.kind.clone();
        if let Kind::Kube(kube) = &mut kind {
            kube.exec = args.output.kube_exec;
        }
        Output { name, kind, roles: spec.roles.clone().or(all), destination }
    };
    let outputs: Vec<Output> = specs.iter().map(&mut output).collect();
    let guard = match &args.guards {
        guards if !guards.require_login.is_empty() => Some("--require-login"),
        guards if !guards.target.is_empty() => Some("--target"),
        _ => None,
    };
    let has_ssh = outputs.iter().any(|output| matches!(output.kind, Kind::Ssh { .. }));
    if let Some(guard) = guard.filter(|_| !has_ssh) {
        let message = format!("`{guard}` is about ssh, and no output is for ssh");
        return Err(RunError::usage(message, "leave it out, or add `--output ssh`"));
    }
    if args.output.kube_exec && !outputs.iter().any(|output| matches!(output.kind, Kind::Kube(_))) {
        let message = "`--kube-exec` is about `kube` outputs, and there is none";
        return Err(RunError::usage(message, "leave it out, or add `--output kube=CLUSTER`"));
    }
    for (index, output) in outputs.iter().enumerate() {
        let others = outputs.get(index + 1..).unwrap_or_default();
        let same_name = others.iter().any(|o| o.name == output.name);
        if same_name || others.iter().any(|o| o.destination == output.destination) {
            let what = if same_name { "name" } else { "folder" };
            let message = format!("two outputs have the same {what}: `{}`", output.name);
            return Err(RunError::usage(message, "tell them apart by `name=` and `dir=`"));
        }
    }
    Ok(outputs)
}

/// By kind and resource, as far as that makes a file name.
fn default_name(kind: &Kind) -> String {
    let Some(resource) = kind.resource() else { return kind.name().to_owned() };
    let name = format!("{}-{resource}", kind.name());
    name.chars().take(60).map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect()
}

/// The name, with a number where it is taken.
fn numbered(name: &str, taken: &[String]) -> String {
    let numbers = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbers);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
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

    fn env() -> Env {
        Env::new::<&str, &str>([], "/cwd")
    }

    #[test]
    fn outputs_have_destinations() {
        let destinations = |arguments: &[&str]| {
            let all = outputs(&login(arguments), &env(), "/base".as_ref()).unwrap();
            all.iter().map(|o| o.destination.path().display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(destinations(&[]), ["/base"]);
        assert_eq!(destinations(&["--output", "ssh", "--output", "ssh,dir=d"]), ["/base", "/cwd/d"]);
        assert_eq!(
            destinations(&["--output", "ssh", "--output", "ssh,name=x", "--output", "ssh,dir=/d"]),
            ["/base/ssh", "/base/x", "/d"]
        );
    }

    #[test]
    fn outputs_are_told_apart() {
        let names = |arguments: &[&str]| {
            outputs(&login(arguments), &env(), "/base".as_ref())
                .map(|all| all.into_iter().map(|o| o.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap(), ["ssh"]);
        assert_eq!(
            names(&["--output", "ssh", "--output", "ssh", "--output", "ssh,name=x"]).unwrap(),
            ["ssh", "ssh-2", "x"]
        );
        let all = ["ssh", "kube=a/b", "kube=a.b", "kube=*", "database=pg", "app=x y", "ssh"];
        let arguments: Vec<&str> = all.iter().flat_map(|output| ["--output", output]).collect();
        assert_eq!(
            names(&arguments).unwrap(),
            ["ssh", "kube-a-b", "kube-a-b-2", "kube", "database-pg", "app-x-y", "ssh-2"]
        );
        for (one, other, wanted) in [
            ("ssh,name=a", "ssh,name=a", "same name: `a`"),
            ("ssh", "ssh,name=ssh", "same name: `ssh`"),
            ("ssh,dir=/x,name=a", "ssh,dir=/x,name=b", "same folder: `a`"),
        ] {
            let error = names(&["--output", one, "--output", other]).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn roles_of_an_output_beat_those_of_all() {
        let all = outputs(
            &login(&["--roles", "a,b", "--output", "ssh", "--output", "ssh,roles=c"]),
            &env(),
            "/base".as_ref(),
        )
        .unwrap();
        let roles: Vec<_> = all.into_iter().map(|o| o.roles.unwrap()).collect();
        assert_eq!(roles, [vec!["a", "b"], vec!["c"]]);
    }

    #[test]
    fn programs_need_an_ssh_output_and_a_place_for_words() {
        let ssh = outputs(&login(&[]), &env(), "/base".as_ref()).unwrap();
        let app = Output { kind: crate::cli::output::parse("app=x").unwrap().kind, ..ssh[0].clone() };
        let (app, both) = (vec![app.clone()], vec![app, ssh[0].clone()]);
        for (arguments, outputs, wanted) in [
            (&[][..], &app, ""),
            (&["--export-vars", "git,terraform"], &both, ""),
            (&["--export-vars", "git,terraform"], &app, "`--export-vars git` needs an ssh output"),
            (&["--export-vars", "terraform", "--export", "env-file=/x"], &both, ""),
            (&["--export-vars", "git", "--export", "shell"], &both, ""),
            (
                &["--export-vars", "terraform,rsync", "--export", "env-file=/x"],
                &both,
                "`--export-vars rsync` has white space",
            ),
        ] {
            let said = check_consumers(&login(arguments), outputs).err().map(|e| e.to_string());
            let said = said.unwrap_or_default();
            assert!(said.contains(wanted) && said.is_empty() == wanted.is_empty(), "{arguments:?}: {said}");
        }
    }

    #[test]
    fn standard_output_is_one_thing() {
        for (arguments, fits) in [
            (&["--json"][..], true),
            (&["--export", "shell"], true),
            (&["--json", "--export", "shell"], false),
            (&["--json", "--export", "spacelift"], false),
            (&["--json", "--export", "azure_devops"], false),
            (&["--json", "--export", "none"], true),
        ] {
            assert_eq!(check_stdout(&login(arguments)).is_ok(), fits, "{arguments:?}");
        }
    }

    #[test]
    fn a_join_tokens_name_is_a_name() {
        let named =
            |name: &str| token_name(&login(&["--token", name]).identity, &Env::new::<&str, &str>([], "/"));
        assert_eq!(named(" ci ").unwrap(), "ci");
        assert!(named(&"x".repeat(512)).is_ok());
        for bad in ["", " ", "a b", "a\nb", "/nonexistent/file", &"x".repeat(513)] {
            assert!(named(bad).is_err(), "{bad:?}");
        }
    }
}
