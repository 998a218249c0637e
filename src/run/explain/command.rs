//! The command around the explanation: where claims and rules come from.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::select::{Selection, by_method, by_name, unreadable};
use super::{Setting, explain};
use crate::claims::UnverifiedClaims;
use crate::cli::explain::Explain;
use crate::detect::{self, ProofSource};
use crate::env::{self, Env, names};
use crate::error::Exit;
use crate::error::Failed;
use crate::log::Log;
use crate::net::{Deadline, Network, Options};
use crate::refusal::access_requests;
use crate::rules::{self, ServerVersion};
use crate::run::error::RunError;
use crate::run::outcome::Outcome;
use crate::run::request::token_name;
use crate::token;

/// Only a platform that mints its token on request is asked anything.
const LIMIT: Duration = Duration::from_secs(30);

/// Exits with 0 when the job would be admitted (or no rules are given), with 4 when not.
pub async fn run(args: &Explain, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    let usage = |message: String, hint: &str| RunError::Usage { message, hint: Some(hint.to_owned()) };
    let version = ServerVersion::parse(&args.server_version).ok_or_else(|| {
        usage(format!("`{}` is not a version", args.server_version), "write it as `18.11.0`")
    })?;
    let is_named = args.identity.token.is_some()
        || [names::JOBPASS_TOKEN, names::TELEPORT_BOT_TOKEN].iter().any(|name| env.var(name).is_some());
    let name = if is_named { Some(token_name(&args.identity, env)?) } else { None };
    let documents = match &args.rules {
        Some(path) => rules::read(&read(path, env)?).map_err(|error| unreadable(&error, &shown(path)))?,
        None => Vec::new(),
    };
    let (claims, source) = match &args.claims {
        Some(path) => {
            let text = read(path, env)?;
            let claims = claims_of(&text).ok_or_else(|| {
                usage(
                    format!("`{}` does not contain claims", shown(path)),
                    "write the claims as one JSON object",
                )
            })?;
            (claims, format!("`{}`", shown(path)))
        }
        None => own(args, env, log).await?,
    };
    let selection = match (&args.rules, &name) {
        (None, _) => Selection { tokens: Vec::new(), notes: Vec::new() },
        (Some(path), Some(name)) => by_name(documents, name, &shown(path))?,
        (Some(path), None) => by_method(documents, args.identity.join_method.0, &claims, &shown(path))?,
    };
    let setting = Setting {
        version,
        cluster: args.cluster.as_deref(),
        token_name: name.as_deref(),
        now: args.at.unwrap_or_else(env::now),
    };
    let mut explanation = explain(&claims, &source, &selection.tokens, &setting);
    explanation.notes = selection.notes;
    if !args.request_role.is_empty() {
        let mut bots = selection.tokens.iter().filter_map(|token| token.bot_name.as_deref());
        let user = format!("bot-{}", bots.next().unwrap_or("NAME"));
        explanation.notes.push(format!(
            "no rule says whether `{user}` may ask people for {}: roles of its own do",
            args.request_role.join(", ")
        ));
        explanation.notes.extend(access_requests::what_to_set(&user, &args.request_role));
    }
    let is_admitted = selection.tokens.is_empty() || explanation.admitted();
    let stdout = if args.messages.json {
        crate::text::json::pretty(&explanation.to_json())
    } else {
        explanation.to_text()
    };
    let exit = if is_admitted { Exit::Done } else { Exit::Refused };
    Ok(Outcome { stdout, exit, ..Outcome::default() })
}

/// A JSON object of claims, or what `explain --json` printed.
fn claims_of(text: &str) -> Option<UnverifiedClaims> {
    let mut value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    if value.get("tokens").is_some_and(Value::is_array) && value.get("claims").is_some_and(Value::is_object) {
        value = value.get_mut("claims")?.take();
    }
    UnverifiedClaims::from_json(value.to_string().as_bytes()).ok()
}

/// The claims of this job's own identity token.
async fn own(args: &Explain, env: &Env, log: &Log) -> Result<(UnverifiedClaims, String), Failed> {
    let detected = detect::detect(env, &crate::run::request::detection(&args.identity))?;
    let wanted = crate::run::request::token(&args.identity);
    token::check(env, &detected, &wanted)?;
    let network = Network::new(env, &Options::default(), Deadline::after(LIMIT), log.clone())?;
    let claims = token::token(env, &network, &detected, &wanted).await?.asked_claims().await?;
    let source = match (&detected.source, detected.platform) {
        (ProofSource::Cloud(cloud), _) => cloud.title(),
        (_, Some(platform)) => platform.title(),
        _ => "what was given",
    };
    Ok((claims, source.to_owned()))
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() }
}

fn read(path: &Path, env: &Env) -> Result<String, RunError> {
    let failed = |source| RunError::Read { path: path.display().to_string(), source };
    if path == Path::new("-") {
        return env::read_input().map_err(failed);
    }
    env::read_text(&env.absolute(path)).map_err(failed)
}
