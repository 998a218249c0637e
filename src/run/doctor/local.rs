//! This machine: a folder that can be written, and an `ssh`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::cli::doctor::Doctor;
use crate::env::{Env, names};
use crate::error::Exit;
use crate::output::{Destination, Kind, Output};
use crate::platform::Platform;
use crate::run::base_folder::BaseFolder;
use crate::run::doctor::check::Check;
use crate::run::doctor::limit::LIMIT;
use crate::text::{io_reason, safe};
use crate::write::{Folders, WriteError};

const FOLDER: &str = "folder";
const SSH: &str = "ssh";
/// The first OpenSSH with the certificate algorithms of our `ssh_config` (release notes of 7.8, 2018).
const OLDEST_SSH: (u32, u32) = (7, 8);
/// The most that is read of `ssh -V`, in bytes.
const MAX_VERSION: u64 = 4 * 1024;

/// Whether the folder can be written, and is outside the checkout. Leaves nothing behind.
pub async fn folder(args: &Doctor, env: &Env, platform: Option<Platform>) -> Check {
    let place = match BaseFolder::choose(args.dir.as_deref(), args.name.as_deref(), env, platform) {
        Ok(place) => place,
        Err(error) => return Check::error(FOLDER, error),
    };
    let (description, warning) = (place.description(), place.problem());
    let tried = timeout(LIMIT, tokio::task::spawn_blocking(move || try_out(&place))).await;
    match (tried, warning) {
        (Ok(Ok(Ok(()))), None) => Check::ok(FOLDER, format!("{description} can be written")),
        (Ok(Ok(Ok(()))), Some(warning)) => Check::warning(FOLDER, warning, "choose another `--dir`"),
        (Ok(Ok(Err(error))), _) => Check::error(FOLDER, error),
        (Ok(Err(_)) | Err(_), _) => {
            let finding = format!("{description}: the file system does not answer");
            Check::failed(FOLDER, finding, "choose another `--dir`", Exit::Files)
        }
    }
}

/// Which `ssh` is in `PATH`. Without one, the other files are still useful.
pub async fn ssh(env: &Env) -> Check {
    let hint = "install the OpenSSH client, 7.8 or newer, if later steps use `ssh`, `git` or Ansible";
    let Some(program) = env.program("ssh") else {
        return Check::warning(SSH, "no `ssh` in `PATH`", hint);
    };
    let shown = program.display().to_string();
    let text = match timeout(LIMIT, version(env, &program)).await {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => {
            let finding = format!("`{shown} -V` cannot be run: {}", io_reason(&error));
            return Check::warning(SSH, finding, hint);
        }
        Err(_) => return Check::warning(SSH, format!("`{shown} -V` does not exit"), hint),
    };
    let name = safe(text.split(',').next().unwrap_or_default(), 80);
    match number(&text) {
        Some(found) if found >= OLDEST_SSH => Check::ok(SSH, format!("{name} (`{shown}`)")),
        Some(_) => Check::warning(SSH, format!("{name} (`{shown}`) is too old for our `ssh_config`"), hint),
        None => Check::warning(SSH, format!("`{shown}` is not OpenSSH, but `{name}`"), hint),
    }
}

/// Starts to write as `login` would; what was created for it is removed again.
fn try_out(place: &BaseFolder) -> Result<(), WriteError> {
    let missing: Vec<PathBuf> =
        place.path().ancestors().skip(1).take_while(|d| !d.exists()).map(Path::to_owned).collect();
    let destination = Destination::whole(place.path().to_owned());
    let output = Output { name: "ssh".into(), kind: Kind::Ssh { cluster: None }, roles: None, destination };
    let tried = Folders::prepare(&[output]).map(drop);
    for dir in missing {
        let _ = std::fs::remove_dir(dir);
    }
    tried
}

/// What `ssh -V` prints on standard error.
async fn version(env: &Env, program: &Path) -> std::io::Result<String> {
    let mut child = Command::new(program)
        .arg("-V")
        .env_clear()
        .env(names::PATH, env.var(names::PATH).unwrap_or_default())
        .current_dir(&env.cwd)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut said = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        stderr.take(MAX_VERSION).read_to_end(&mut said).await?;
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// `OpenSSH_9.2p1 …`, `OpenSSH_for_Windows_8.1p1 …` → (9, 2), (8, 1).
fn number(text: &str) -> Option<(u32, u32)> {
    let rest = text.split_once("OpenSSH_")?.1;
    let rest = rest.trim_start_matches(|c: char| !c.is_ascii_digit());
    let (major, rest) = rest.split_once('.')?;
    let minor = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_of_ssh() {
        for (text, want) in [
            ("OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.17", Some((9, 2))),
            ("OpenSSH_for_Windows_8.1p1, LibreSSL 3.0.2", Some((8, 1))),
            ("OpenSSH_10.0, LibreSSL", Some((10, 0))),
            ("Dropbear v2022.83", None),
            ("OpenSSH_", None),
            ("", None),
        ] {
            assert_eq!(number(text), want, "{text}");
        }
        assert!((7, 7) < OLDEST_SSH && (10, 0) > OLDEST_SSH);
    }
}
