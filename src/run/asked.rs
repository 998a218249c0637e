//! What a login was asked for, to be compared with a later one and to be asked again.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use clap::ValueEnum as _;

use crate::cli::{ClusterArgs, Guards, IdentityArgs, Login, OutputArgs, RequestArgs, output_text};
use crate::env::Env;
use crate::export::Sink;
use crate::platform::Platform;
use crate::report::Asked;
use crate::run::error::RunError;
use crate::run::request;
use crate::teleport::JoinMethod;
use crate::teleport::dial::Endpoint;
use crate::text::{hex, safe};

/// The flag that only decides how the variables are handed on.
const EXPORT: &str = "--export=";

/// Why the files of the one are not what the other asks for.
pub fn difference(before: &Asked, asked: &Asked) -> Option<&'static str> {
    let of_files = |asked: &Asked| {
        let flags = asked.flags.iter().filter(|flag| !flag.starts_with(EXPORT)).cloned();
        flags.collect::<Vec<_>>()
    };
    if of_files(before) != of_files(asked) {
        Some("something else is asked for")
    } else if before.job != asked.job {
        Some("another job wrote it")
    } else if before.binary != asked.binary {
        Some("its files name another binary")
    } else {
        None
    }
}

/// What a command line asks for, with the variables that stand in for flags. `base` is the folder of outputs that name none.
pub fn asked(args: &Login, env: &Env, platform: Option<Platform>, base: &Path) -> Result<Asked, RunError> {
    Ok(Asked {
        flags: flags(args, env)?,
        job: job(env, platform).unwrap_or_default(),
        base: base.to_owned(),
        binary: env.exe.clone(),
        step_outputs: Vec::new(),
    })
}

/// Which run of which job this is. An error where the platform does not tell its jobs apart; nothing on a machine that runs no
/// CI.
pub fn job(env: &Env, platform: Option<Platform>) -> Result<Vec<String>, &'static str> {
    let Some(platform) = platform else {
        return if env.says_ci() {
            Err("this CI system does not tell its jobs apart")
        } else {
            Ok(Vec::new())
        };
    };
    let mut job = vec![platform.id().to_owned()];
    for name in platform.job_variables() {
        let value =
            env.var(name).ok_or("a variable that tells the jobs of this platform apart is not set")?;
        job.push(format!("{name}={}", safe(value, 200)));
    }
    Ok(job)
}

fn flags(args: &Login, env: &Env) -> Result<Vec<String>, RunError> {
    // Taken apart, so that no flag is forgotten. What a run prints and how long it may take is its own affair; a file's flags are
    // among the others.
    let Login { cluster, identity, output, guards, request, trial: _, config: _, messages: _ } = args;
    let mut flags = Flags(Vec::new());
    of_cluster(cluster, env, &mut flags)?;
    of_identity(identity, env, output.renew, &mut flags)?;
    of_output(output, env, &mut flags);
    of_guards(guards, &mut flags);
    of_request(request, &mut flags);
    Ok(flags.0)
}

struct Flags(Vec<String>);

impl Flags {
    fn add(&mut self, flag: &str, value: impl std::fmt::Display) {
        self.0.push(format!("--{flag}={value}"));
    }

    fn some(&mut self, flag: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.add(flag, value);
        }
    }

    fn each(&mut self, flag: &str, values: &[impl std::fmt::Display]) {
        for value in values {
            self.add(flag, value);
        }
    }

    fn set(&mut self, flag: &str, is_set: bool) {
        if is_set {
            self.0.push(format!("--{flag}"));
        }
    }

    fn list(&mut self, flag: &str, values: &[&str]) {
        if !values.is_empty() {
            self.add(flag, values.join(","));
        }
    }
}

fn of_cluster(args: &ClusterArgs, env: &Env, flags: &mut Flags) -> Result<(), RunError> {
    let ClusterArgs {
        proxy: _,
        use_advertised_address,
        auth_server: _,
        ca_pin,
        insecure_trust_on_first_use,
        ca_file,
        timeout: _,
    } = args;
    match request::entry(args, env)? {
        Endpoint::Proxy(address) => flags.add("proxy", address),
        Endpoint::Auth { address, .. } => flags.add("auth-server", address),
    }
    flags.set("use-advertised-address", *use_advertised_address);
    flags.some("ca-pin", ca_pin.as_ref().map(|pin| format!("sha256:{}", hex(&pin.0))));
    flags.set("insecure-trust-on-first-use", *insecure_trust_on_first_use);
    flags.some("ca-file", ca_file.as_ref().map(|file| shown(env, file)));
    Ok(())
}

fn of_identity(args: &IdentityArgs, env: &Env, renew: bool, flags: &mut Flags) -> Result<(), RunError> {
    let IdentityArgs {
        token: _,
        join_method,
        platform,
        id_token_env,
        id_token_file,
        id_token_command,
        audience,
        azure_client_id,
    } = args;
    flags.add("token", request::token_name(args, env)?);
    flags.some("join-method", join_method.0.map(JoinMethod::name));
    flags.some("platform", platform.0.map(Platform::id));
    flags.some("id-token-env", id_token_env.as_ref());
    let file = |file: &PathBuf| if file == Path::new("-") { "-".to_owned() } else { shown(env, file) };
    flags.some("id-token-file", id_token_file.as_ref().map(file));
    let command = |words: &[String]| {
        let whole = shlex::try_join(words.iter().map(String::as_str)).ok().filter(|_| renew);
        whole.unwrap_or_else(|| digest_of(words))
    };
    flags.some("id-token-command", id_token_command.as_ref().map(|words| command(&words.0)));
    flags.some("audience", audience.as_ref());
    flags.some("azure-client-id", azure_client_id.as_ref());
    Ok(())
}

fn of_output(args: &OutputArgs, env: &Env, flags: &mut Flags) {
    let OutputArgs {
        ttl,
        roles,
        output,
        dir,
        copy_binary,
        kube_exec,
        name,
        keep_going,
        key_type,
        export,
        export_vars,
        reuse_if_valid_for: _,
        renew,
    } = args;
    flags.add("ttl", ttl.0.map_or_else(|| "auto".to_owned(), |ttl| ttl.as_secs().to_string()));
    flags.list("roles", &roles.iter().map(String::as_str).collect::<Vec<_>>());
    for spec in output {
        let mut spec = spec.clone();
        spec.dir = spec.dir.map(|dir| env.absolute(&dir));
        flags.add("output", output_text::text(&spec));
    }
    flags.some("dir", dir.as_ref().map(|dir| shown(env, dir)));
    flags.set("copy-binary", *copy_binary);
    flags.set("kube-exec", *kube_exec);
    flags.some("name", name.as_ref());
    flags.set("keep-going", *keep_going);
    flags.some("key-type", key_type.and_then(|kind| Some(kind.to_possible_value()?.get_name().to_owned())));
    flags.some("export", sink(export, env));
    flags.list("export-vars", &export_vars.iter().map(|consumer| consumer.name()).collect::<Vec<_>>());
    flags.set("renew", *renew);
}

fn of_guards(args: &Guards, flags: &mut Flags) {
    let Guards { expect_cluster, expect_bot, expect_role, require_login, target, no_verify } = args;
    flags.some("expect-cluster", expect_cluster.as_ref());
    flags.some("expect-bot", expect_bot.as_ref());
    flags.each("expect-role", expect_role);
    flags.each("require-login", require_login);
    let targets: Vec<String> = target.iter().map(|t| format!("{}@{}", t.login, t.node)).collect();
    flags.each("target", &targets);
    flags.set("no-verify", *no_verify);
}

fn of_request(args: &RequestArgs, flags: &mut Flags) {
    let RequestArgs {
        request_role,
        request_reason,
        request_wait: _,
        request_reviewer,
        request_id,
        request_nowait,
    } = args;
    flags.each("request-role", request_role);
    flags.some("request-reason", request_reason.as_ref());
    flags.each("request-reviewer", request_reviewer);
    flags.some("request-id", request_id.as_ref());
    flags.set("request-nowait", *request_nowait);
}

fn sink(sink: &Sink, env: &Env) -> Option<String> {
    Some(match sink {
        Sink::Auto => return None,
        Sink::Platform(platform) => platform.id().to_owned(),
        Sink::Shell => "shell".to_owned(),
        Sink::Fish => "fish".to_owned(),
        Sink::PowerShell => "powershell".to_owned(),
        Sink::EnvFile(path) => format!("env-file={}", shown(env, path)),
        Sink::None => "none".to_owned(),
    })
}

fn shown(env: &Env, path: &Path) -> String {
    env.absolute(path).display().to_string()
}

/// A command may have a secret among its words.
fn digest_of(words: &[String]) -> String {
    let digest = digest::digest(&digest::SHA256, words.join("\0").as_bytes());
    format!("sha256:{}", hex(digest.as_ref()))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn login(arguments: &[String]) -> Login {
        let words = ["jobpass", "login"].map(str::to_owned).into_iter().chain(arguments.iter().cloned());
        match Cli::try_parse_from(words).map(|cli| cli.command) {
            Ok(Command::Login(login)) => *login,
            other => panic!("{other:?}"),
        }
    }

    fn words(arguments: &[&str]) -> Vec<String> {
        arguments.iter().map(|word| (*word).to_owned()).collect()
    }

    fn env(variables: &[(&str, &str)]) -> Env {
        Env::new(variables.iter().copied(), "/cwd")
    }

    #[test]
    fn the_flags_ask_for_the_same_again() {
        let env = env(&[("TELEPORT_PROXY", "p.test"), ("JOBPASS_TOKEN", "ci")]);
        for (arguments, more) in [
            (&[][..], &[][..]),
            (
                &["--proxy", "x:1", "--token", "t", "--ttl", "1h30m"],
                &["--proxy=x:1", "--token=t", "--ttl=5400"],
            ),
            (&["--ttl", "auto", "--roles", "a,b", "--name", "n"], &["--ttl=auto", "--roles=a,b", "--name=n"]),
            (
                &["--output", "ssh,dir=d", "--output", "kube=*"],
                &["--output=ssh,dir=/cwd/d", "--output=kube=*"],
            ),
            (&["--dir", "d", "--ca-file", "f"], &["--dir=/cwd/d", "--ca-file=/cwd/f"]),
            (
                &["--auth-server", "a:1", "--ca-pin", &format!("sha256:{}", "0a".repeat(32))],
                &["--auth-server=a:1", "--ca-pin=sha256:0a0a0a"],
            ),
            (&["--auth-server", "a:1", "--insecure-trust-on-first-use"], &["--insecure-trust-on-first-use"]),
            (&["--id-token-file", "-", "--audience", "x"], &["--id-token-file=-", "--audience=x"]),
            (
                &["--id-token-env", "T", "--azure-client-id", "x"],
                &["--id-token-env=T", "--azure-client-id=x"],
            ),
            (
                &["--platform", "gitlab", "--join-method", "gitlab"],
                &["--platform=gitlab", "--join-method=gitlab"],
            ),
            (
                &["--id-token-command", "get 'a token'", "--renew"],
                &["--id-token-command=get 'a token'", "--renew"],
            ),
            (
                &["--copy-binary", "--kube-exec", "--keep-going"],
                &["--copy-binary", "--kube-exec", "--keep-going"],
            ),
            (&["--key-type", "ecdsa", "--export", "shell"], &["--key-type=ecdsa", "--export=shell"]),
            (
                &["--export", "env-file=x", "--export-vars", "git,rsync"],
                &["--export=env-file=/cwd/x", "--export-vars=git,rsync"],
            ),
            (
                &["--export", "gitlab", "--use-advertised-address"],
                &["--export=gitlab", "--use-advertised-address"],
            ),
            (
                &["--expect-cluster", "c", "--expect-bot", "b", "--expect-role", "r", "--expect-role", "s"],
                &["--expect-cluster=c", "--expect-bot=b", "--expect-role=r", "--expect-role=s"],
            ),
            (
                &["--require-login", "l", "--target", "l@n", "--no-verify"],
                &["--require-login=l", "--target=l@n", "--no-verify"],
            ),
        ] {
            let flags = flags(&login(&words(arguments)), &env).unwrap();
            for flag in more {
                assert!(flags.iter().any(|word| word.starts_with(flag)), "{flag} is not in {flags:?}");
            }
            assert_eq!(super::flags(&login(&flags), &env).unwrap(), flags, "{arguments:?}");
        }
        // What is not renewed needs no command again.
        let flags = flags(&login(&words(&["--id-token-command", "get s3cr3t"])), &env).unwrap();
        assert!(!format!("{flags:?}").contains("s3cr3t"), "{flags:?}");
        // What a run prints, how long it may take and what it may reuse makes no difference.
        let [one, other] = [&[][..], &["-v", "--timeout", "5s", "--reuse-if-valid-for", "1m"]]
            .map(|arguments| super::flags(&login(&words(arguments)), &env).unwrap());
        assert_eq!(one, other);
    }

    #[test]
    fn jobs_are_told_apart() {
        for (variables, platform, want) in [
            (&[][..], None, Ok(0)),
            (&[("CI", "true")], None, Err(())),
            (&[("CI_SERVER_URL", "https://x")], Some(Platform::GitLabCi), Err(())),
            (&[("CI_SERVER_URL", "https://x"), ("CI_JOB_ID", "1")], Some(Platform::GitLabCi), Ok(3)),
        ] {
            let job = job(&env(variables), platform).map(|job| job.len()).map_err(drop);
            assert_eq!(job, want, "{variables:?}");
        }
        for platform in Platform::ALL {
            assert!(!platform.job_variables().is_empty(), "{platform:?}");
        }
    }
}
