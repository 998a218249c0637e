//! The real kubectl on a kubeconfig that login wrote.

use std::path::Path;
use std::process::{Command, Stdio};

use super::command::Ran;

/// Runs it with nothing inherited but a path; its caches go below `home`.
#[track_caller]
pub fn kubectl(home: &Path, kubeconfig: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let output = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", home)
        .envs(variables.iter().copied())
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("kubectl (Debian: kubernetes-client): {e}"));
    Ran::of(&output)
}
