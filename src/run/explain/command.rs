//! The command around the explanation: where claims and rules come from.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::explain;
use crate::claims::UnverifiedClaims;
use crate::cli::explain::Explain;
use crate::detect;
use crate::env::{self, Env};
use crate::error::Failed;
use crate::log::Log;
use crate::net::{Deadline, Network, Options};
use crate::report::Exit;
use crate::rules::{self, ServerVersion};
use crate::run::Outcome;
use crate::run::error::RunError;
use crate::token;

/// Only a platform that mints its token on request is asked anything.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs it: 0 when the job would be let in (or no rules are given), 4 when not.
pub async fn run(args: &Explain, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    let version = ServerVersion::parse(&args.server_version).ok_or_else(|| RunError::Usage {
        message: format!("`{}` is no version", args.server_version),
        hint: Some("write it as `18.11.0`".into()),
    })?;
    let tokens = match &args.rules {
        Some(path) => rules::parse(&read(path, env)?)?,
        None => Vec::new(),
    };
    let (claims, source) = match &args.claims {
        Some(path) => {
            let text = read(path, env)?;
            let claims = UnverifiedClaims::from_json(text.as_bytes()).map_err(|e| RunError::Usage {
                message: format!("`{}`: {e}", path.display()),
                hint: Some("write the claims as one JSON object".into()),
            })?;
            (claims, format!("`{}`", path.display()))
        }
        None => own(args, env, log).await?,
    };
    let now = args.at.unwrap_or_else(env::now);
    let explanation = explain(&claims, &source, &tokens, version, args.cluster.as_deref(), now);
    let let_in = tokens.is_empty() || explanation.admitted();
    let stdout = if args.messages.json {
        serde_json::to_string_pretty(&explanation.to_json()).context("writing JSON")? + "\n"
    } else {
        explanation.to_text()
    };
    Ok(Outcome { stdout, exit: if let_in { Exit::Done } else { Exit::Refused }, ..Outcome::default() })
}

/// The claims of this job's own identity token.
async fn own(args: &Explain, env: &Env, log: &Log) -> Result<(UnverifiedClaims, String), Failed> {
    let detected = detect::detect(env, &crate::run::request::detection(&args.identity))?;
    let wanted = crate::run::request::token(&args.identity);
    token::check(&detected, &wanted)?;
    let network = Network::new(env, &Options::default(), Deadline::after(LIMIT), log.clone())?;
    let claims = token::token(env, &network, &detected, &wanted).await?.claims().clone();
    let source = detected.platform.map_or("what was given", crate::platform::Platform::title);
    Ok((claims, source.to_owned()))
}

fn read(path: &Path, env: &Env) -> Result<String, RunError> {
    let failed = |source| RunError::Read { path: path.display().to_string(), source };
    if path == Path::new("-") {
        return env::read_input().map_err(failed);
    }
    env::read_text(&env.absolute(path)).map_err(failed)
}
