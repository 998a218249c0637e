//! `jobpass sandbox approve` and `deny`: answers an access request of a sandbox that runs in another process.

use std::path::Path;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use crate::cli::sandbox::{Answer, AnswerArgs};
use crate::env::{self, Env, names};
use crate::error::Failed;
use crate::log::Log;
use crate::net::http::Connection;
use crate::net::{Deadline, HostPort, Network, Options};
use crate::run::error::RunError;
use crate::run::outcome::Outcome;
use crate::text::safe;

/// Name of the file beside the sandbox's web root, and what is in it: the address, then the secret.
pub(super) const CONTROL: &str = "control";
/// The root of its web certificate.
pub(super) const WEB_CA: &str = "web-ca.pem";

/// A process on this machine takes no longer.
const LIMIT: Duration = Duration::from_secs(10);

/// What the file holds.
pub(super) fn control(address: &str, secret: &str) -> String {
    format!("{address}\n{secret}\n")
}

/// Hands the answer over.
pub(super) async fn run(answer: &Answer, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    let (verdict, done, AnswerArgs { id, reason }) = match answer {
        Answer::Approve(args) => ("approve", "approved", args),
        Answer::Deny(args) => ("deny", "denied", args),
    };
    let hint =
        "read the variables of the sandbox first: `. ./sandbox.env`, with the file of its `--env-file`";
    let file = env.var(names::JOBPASS_SANDBOX_CONTROL);
    let file =
        file.ok_or_else(|| RunError::usage("no sandbox is named (`JOBPASS_SANDBOX_CONTROL`)", hint))?;
    let file = env.absolute(Path::new(file));
    let read = |path: &Path| {
        env::read_text(path).map_err(|source| RunError::Read { path: path.display().to_string(), source })
    };
    let text = read(&file)?;
    let wrong = || RunError::usage(format!("`{}` is no file of a sandbox", file.display()), hint);
    let (address, secret) = text.trim_end().split_once('\n').ok_or_else(wrong)?;
    let address = HostPort::parse(address, 0).map_err(|_| wrong())?;
    let secret = HeaderValue::try_from(format!("Bearer {secret}")).map_err(|_| wrong())?;
    let options = Options { ca_pem: Some(read(&file.with_file_name(WEB_CA))?), ..Options::default() };
    // No proxy of the network has a way to another process of this machine.
    let env = env.clone().with("NO_PROXY", "*").with("no_proxy", "*");
    let network = Network::new(&env, &options, Deadline::after(LIMIT), log.clone())?;
    let mut connection = Connection::open(&network, &address).await?;
    let body = json!({ "verdict": verdict, "reason": reason.as_deref().unwrap_or_default() });
    let json = HeaderValue::from_static("application/json");
    let headers = vec![(AUTHORIZATION, secret), (CONTENT_TYPE, json)];
    let path = format!("{}{id}", crate::sandbox::CONTROL_PATH);
    let answer = connection.send(Method::POST, &path, headers, body.to_string().into_bytes()).await?;
    if answer.status == 200 {
        return Ok(Outcome { line: format!("{done} access request {id}"), ..Outcome::default() });
    }
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = said.pointer("/error/message").and_then(Value::as_str).unwrap_or("it gave no reason");
    let message = format!("the sandbox did not take the answer: {}", safe(said, 500));
    Err(RunError::usage(message, "check the id: `jobpass login --request-role` prints it").into())
}
