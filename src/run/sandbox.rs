//! `jobpass sandbox`: serves until it is told to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::cli;
use crate::env::{self, Env};
use crate::error::Failed;
use crate::export;
use crate::log::Log;
use crate::rules;
use crate::run::Outcome;
use crate::run::error::RunError;
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::write::{FileToWrite, Pending};

/// Runs it until SIGTERM or SIGINT.
pub async fn run(args: &cli::Sandbox, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    let mut options = SandboxOptions::simulating(Some(args.simulate));
    options.cluster.clone_from(&args.cluster);
    options.version.clone_from(&args.server_version);
    options.join_new = !args.no_new_join;
    options.join_old = !args.no_old_join;
    options.port = args.port;
    if let Some(path) = &args.tokens {
        let path = env.absolute(path);
        let text = env::read_text(&path)
            .map_err(|source| RunError::Read { path: path.display().to_string(), source })?;
        options.tokens = rules::parse(&text)?;
    }
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let token = options.token_for(args.simulate).map(|t| t.name.clone());
    let sandbox = Sandbox::start(options).await?;
    let folder = tempfile::Builder::new().prefix("jobpass-sandbox-").permissions(private()).tempdir()?;
    let ca = folder.path().join("ca");
    Pending::prepare(&ca)?.commit(&[FileToWrite {
        path: "web-ca.pem".into(),
        content: sandbox.web_ca_pem().as_bytes().to_vec().into(),
        mode: 0o600,
    }])?;
    let ca_file = ca.join("web-ca.pem").display().to_string();
    let mut variables = sandbox.job_environment(args.simulate)?;
    variables.push((env::names::TELEPORT_PROXY.into(), sandbox.address.to_string()));
    variables.push((env::names::SSL_CERT_FILE.into(), ca_file));
    variables.extend(token.map(|name| (env::names::JOBPASS_TOKEN.to_owned(), name)));
    let lines = export::shell_lines(&variables)?;
    if let Some(path) = &args.env_file {
        export::replace_file("`--env-file`", &env.absolute(path), lines.as_bytes())?;
        log.note(format!("sandbox at {}; `. {}` to use it", sandbox.address, path.display()));
    } else {
        log.note(format!("sandbox at {}", sandbox.address));
        log.data(&lines);
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    sandbox.stop().await;
    Ok(Outcome { line: "sandbox stopped".into(), ..Outcome::default() })
}

fn private() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::Permissions::from_mode(0o700)
}
