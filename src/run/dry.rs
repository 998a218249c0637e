//! `login --dry-run`: the same pipeline against a cluster that lives in this process.

use crate::cli::Login;
use crate::detect;
use crate::env::{Env, names};
use crate::export::Sink;
use crate::log::Log;
use crate::net::{HostPort, Options};
use crate::platform::Platform;
use crate::report::failure::RunError;
use crate::run::{Outcome, Surrounding, pipeline};
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::teleport::dial::Entry;

/// Runs it.
pub async fn login(args: &Login, env: &Env, log: &Log) -> anyhow::Result<Outcome> {
    let real = Platform::ALL.into_iter().find(|p| p.marker(env).present);
    let in_ci = real.is_some() || env.var(names::CI).is_some_and(|v| v != "false" && v != "0");
    if in_ci && !args.dry.allow_dry_run_in_ci {
        return Err(RunError::Usage {
            message: "this is a real CI job, and `--dry-run` credentials open nothing".into(),
            hint: Some("leave out `--dry-run`, or add `--allow-dry-run-in-ci` if you mean it".into()),
        }
        .into());
    }
    let simulated = args.dry.simulate.or(real);
    let Some(platform) = simulated else {
        return Err(RunError::Usage {
            message: "`--dry-run` needs a platform, and this is no CI job".into(),
            hint: Some("add `--simulate github` (or gitlab, circleci, spacelift)".into()),
        }
        .into());
    };
    let mut options = SandboxOptions::simulating(Some(platform));
    options.dry_run = true;
    if let Some(name) = &args.identity.token {
        for token in &mut options.tokens {
            if token.method.name() == platform.id() {
                name.clone_into(&mut token.name);
            }
        }
    }
    let token = options.tokens.iter().find(|t| t.method.name() == platform.id()).map(|t| t.name.clone());
    let sandbox = Sandbox::start(options).await?;
    let mut job = env.clone();
    for (name, value) in sandbox.job_environment(platform)? {
        job = job.with(name, value);
    }
    // No proxy of the network here has a way to this process.
    job = job.with("NO_PROXY", "127.0.0.1").with("no_proxy", "127.0.0.1");
    if let Some(token) = token {
        job = job.with(names::JOBPASS_TOKEN, token);
    }
    let wanted = detect::Wanted { platform: Some(platform), ..args.identity.detection() };
    let around = Surrounding {
        options: Options { ca_pem: Some(sandbox.web_ca_pem().to_owned()), ..Options::default() },
        detected: detect::detect(&job, &wanted)?,
        entry: Entry::Proxy(HostPort {
            host: sandbox.address.ip().to_string(),
            port: sandbox.address.port(),
        }),
        // A simulated platform has no files to hand on to; a real one has.
        sink: match (&args.output.export, real) {
            (Sink::Auto, None) => Sink::None,
            (sink, _) => sink.clone(),
        },
        dry_run: true,
    };
    let outcome = pipeline(args, &job, log, around).await;
    sandbox.stop().await;
    outcome
}
