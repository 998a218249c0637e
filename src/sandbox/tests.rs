//! The sandbox under a real client: sockets, TLS, HTTP, gRPC; `ssh-keygen` and `openssl` read what it issues.

mod auth;
mod client;
mod fault_injection;
mod join;
mod kube;
mod transport;
mod web;

use serde_json::Value;

use super::*;
use crate::platform::Platform;

/// A small cluster of that version.
fn options(version: &str) -> SandboxOptions {
    SandboxOptions { version: version.to_owned(), ..SandboxOptions::simulating(None) }
}

async fn sandbox(version: &str) -> Sandbox {
    Sandbox::start(options(version)).await.unwrap()
}

/// Runs a program on files of the given contents, each named by its place among the arguments (`{0}`, `{1}`).
fn run(program: &str, args: &[&str], files: &[&[u8]]) -> String {
    let dir = tempfile::tempdir().unwrap();
    for (number, content) in files.iter().enumerate() {
        use std::io::Write as _;
        std::fs::File::create(dir.path().join(number.to_string())).unwrap().write_all(content).unwrap();
    }
    let place = |arg: &&str| match arg.strip_prefix('{').and_then(|a| a.strip_suffix('}')) {
        Some(number) => dir.path().join(number).into_os_string(),
        None => (*arg).into(),
    };
    let output = std::process::Command::new(program)
        .args(args.iter().map(place))
        .env("TZ", "UTC")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program} {args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn the_first_token_of_a_platform_s_method_is_its_own() {
    use crate::platform::Platform;
    let mut options = options("18.2.0");
    let mut enterprise = options.token_for(Platform::GitHubActions).unwrap().clone();
    enterprise.name = "enterprise".to_owned();
    enterprise.spec["enterprise_server_host"] = "git.example".into();
    options.tokens.insert(0, enterprise);
    assert_eq!(options.token_for(Platform::GitHubActions).unwrap().name, "enterprise");
}

#[tokio::test]
async fn debug_shows_no_keys() {
    let sandbox = sandbox("18.2.0").await;
    let shown = format!("{sandbox:?}");
    assert!(shown.starts_with("Sandbox") && shown.len() < 500, "{shown}");
}
