//! `ci-examples/install.sh`: under several shells, by whichever client is there, and when something is wrong.

mod failures;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;

use crate::support::cluster::listing;
use crate::support::command::{Ran, binary, program, put, run};
use crate::support::http_proxy::{HttpProxy, HttpProxyOptions};
use crate::support::mirror::{Mirror, Served};
use crate::support::web_certificate::WebCertificate;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What it counts on beside a shell and a client.
const TOOLS: [&str; 17] = [
    "cat",
    "chmod",
    "cp",
    "dd",
    "grep",
    "gzip",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "sed",
    "sha256sum",
    "sh",
    "tar",
    "timeout",
    "tr",
    "uname",
];
const SHELLS: [&[&str]; 3] = [&["dash"], &["bash"], &["busybox", "sh"]];

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ci-examples/install.sh")
}

fn archive_name() -> String {
    let machine = run("uname", &["-m"]).ok().stdout;
    format!("jobpass-{VERSION}-{}-linux.tar.gz", machine.trim())
}

/// A machine with a folder to install to, and these clients only; their arguments are written down.
struct Machine {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Machine {
    fn new(clients: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let programs = folder.path().join("programs");
        std::fs::create_dir(&programs).unwrap();
        for name in TOOLS {
            std::os::unix::fs::symlink(path_of(name), programs.join(name)).unwrap();
        }
        for name in clients {
            let real = if *name == "busybox" { "busybox wget".to_owned() } else { path_of(name) };
            let log = folder.path().join("arguments").display().to_string();
            let name = if *name == "busybox" { "wget" } else { name };
            let real = real.replace("busybox", &path_of("busybox"));
            program(&programs, name, &format!("#!/bin/sh\necho \"$@\" >>'{log}'\nexec {real} \"$@\"\n"));
        }
        let variables = vec![
            ("PATH".to_owned(), programs.display().to_string()),
            ("HOME".to_owned(), folder.path().join("home").display().to_string()),
        ];
        Self { folder, variables }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn bin(&self) -> PathBuf {
        self.path("home/.local/bin")
    }

    fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    fn command(&self, shell: &[&str]) -> Command {
        let mut command = Command::new(path_of(shell[0]));
        command.args(&shell[1..]).arg(script()).env_clear().envs(self.variables.iter().cloned());
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn install(&self, shell: &[&str]) -> Ran {
        Ran::of(&self.command(shell).output().unwrap())
    }
}

/// What jobpass in that folder says of itself; nothing else is there.
#[track_caller]
fn installed(folder: &Path) -> String {
    let files: Vec<_> = listing(folder).into_iter().filter(|(name, _)| name != "jobpass").collect();
    assert!(files.is_empty(), "left over: {files:?}");
    let path = folder.join("jobpass");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);
    run(path.to_str().unwrap(), &["--version"]).ok().stdout
}

fn path_of(name: &str) -> String {
    let folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
    let found = folders.iter().map(|folder| format!("{folder}/{name}")).find(|path| Path::new(path).exists());
    found.unwrap_or_else(|| panic!("the tests need {name}"))
}

/// A release's archive, with this script as its program.
fn archive(program: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let name = archive_name().trim_end_matches(".tar.gz").to_owned();
    let inner = folder.path().join(&name);
    crate::support::command::program(&inner, "jobpass", program);
    put(&inner.join("README"), "not to be installed");
    packed(folder.path(), &name)
}

fn packed(folder: &Path, name: &str) -> Vec<u8> {
    let tar = folder.join("tar").display().to_string();
    run("tar", &["-C", folder.to_str().unwrap(), "-czf", &tar, name]).ok();
    std::fs::read(tar).unwrap()
}

fn good() -> Vec<u8> {
    archive(&format!("#!/bin/sh\necho 'jobpass {VERSION}'\n"))
}

fn checksum(content: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The files of a release with this archive, and another one in the list of checksums.
fn release(archive: &[u8]) -> BTreeMap<String, Served> {
    let name = archive_name();
    let sums = format!("{}  other.tar.gz\n{} *{name}\n", checksum(b"other"), checksum(archive));
    [(name, Served::Page(200, archive.to_vec())), ("SHA256SUMS".into(), Served::Page(200, sums.into()))]
        .into()
}

#[test]
fn the_script_is_clean_and_of_this_version() {
    run("shellcheck", &[script().to_str().unwrap()]).ok();
    for shell in SHELLS {
        run(shell[0], &[&shell[1..], &["-n", script().to_str().unwrap()]].concat()).ok();
    }
    let text = std::fs::read_to_string(script()).unwrap();
    assert!(text.contains(&format!("\nOWN_VERSION={VERSION}\n")), "the script installs another version");
    let says = run(binary().to_str().unwrap(), &["--version"]).ok().stdout;
    assert_eq!(says, format!("jobpass {VERSION}\n"), "the script looks for these words");
    let image = std::fs::read_to_string(script().with_file_name("Dockerfile")).unwrap();
    assert!(image.contains(&format!("\nARG JOBPASS_VERSION={VERSION}\n")), "the image has another version");
}

#[test]
fn it_installs_under_each_shell_and_by_each_client() {
    let web = WebCertificate::new("IP:127.0.0.1");
    let mirror = Mirror::start(Some(&web), release(&good()));
    let address = mirror.address();
    for shell in SHELLS {
        for clients in [&["curl"][..], &["wget"], &["curl", "wget"]] {
            let before = mirror.asked().len();
            let machine = Machine::new(clients)
                .set("JOBPASS_MIRROR", format!("https://ci:s3cr3t-word@{address}/private/"))
                .set("JOBPASS_VERSION", format!("v{VERSION}"));
            put(&machine.path("ca.pem"), &web.ca_pem);
            let machine = {
                let ca = machine.path("ca.pem").display().to_string();
                machine.set("SSL_CERT_FILE", ca)
            };
            let ran = machine.install(shell).ok();
            assert_eq!(ran.stdout, format!("{}\n", machine.bin().display()), "{shell:?} {clients:?}");
            assert!(ran.stderr.contains("PATH=\""), "{}", ran.stderr);
            assert_eq!(installed(&machine.bin()), format!("jobpass {VERSION}\n"));
            // The password reaches the mirror, but no command line and no log.
            let asked = mirror.asked()[before..].join("");
            let basic = base64::engine::general_purpose::STANDARD.encode("ci:s3cr3t-word");
            assert!(asked.contains(&basic), "{asked}");
            let arguments = std::fs::read_to_string(machine.path("arguments")).unwrap();
            assert!(
                !arguments.contains("s3cr3t") && !ran.all().contains("s3cr3t"),
                "{arguments}{}",
                ran.all()
            );
            // What is there is not fetched again, unless it is broken or another version.
            let now = mirror.asked().len();
            machine.install(shell).ok();
            assert_eq!(mirror.asked().len(), now, "{shell:?} {clients:?}");
            for wrong in ["#!/bin/sh\necho 'jobpass 0.0.1'\n", "#!/bin/sh\nexit 1\n", ""] {
                program(&machine.bin(), "jobpass", wrong);
                machine.install(shell).ok();
                assert_eq!(installed(&machine.bin()), format!("jobpass {VERSION}\n"));
            }
            assert!(mirror.asked().len() > now);
        }
    }
}

#[test]
fn a_plain_mirror_and_a_folder_serve_as_well() {
    let good = good();
    let mirror = Mirror::start(None, release(&good));
    for (shell, client) in [(SHELLS[0], "curl"), (SHELLS[1], "wget"), (SHELLS[2], "busybox")] {
        let machine = Machine::new(&[client])
            .set("JOBPASS_MIRROR", mirror.url())
            .set("JOBPASS_SHA256", checksum(&good).to_uppercase())
            .set("JOBPASS_INSTALL_DIR", "a folder's/bin");
        let ran = machine.install(shell).ok();
        let folder = machine.path("a folder's/bin");
        assert_eq!(ran.stdout, format!("{}\n", folder.display()));
        installed(&folder);
    }
    assert!(!mirror.asked().iter().any(|head| head.contains("SHA256SUMS")), "it is not needed");
    // No client at all.
    let machine = Machine::new(&[]).set("JOBPASS_INSTALL_DIR", "bin");
    put(&machine.path(&archive_name()), &good);
    put(&machine.path("SHA256SUMS"), format!("{}  ./{}\n", checksum(&good), archive_name()));
    let here = machine.folder.path().display().to_string();
    let machine = machine.set("JOBPASS_MIRROR", here);
    machine.install(SHELLS[0]).ok();
    installed(&machine.path("bin"));
}

#[test]
fn http_proxies_are_used_as_the_variables_say() {
    let web = WebCertificate::new("DNS:mirror.test,IP:127.0.0.1");
    let mirror = Mirror::start(Some(&web), release(&good()));
    let names = BTreeMap::from([("mirror.test:443".to_owned(), mirror.address())]);
    let proxy = HttpProxy::start(HttpProxyOptions { names, ..HttpProxyOptions::default() });
    let proxied = format!("http://{}", proxy.address());
    for client in ["curl", "wget"] {
        for (variable, url, used) in [
            ("HTTPS_PROXY", "https://mirror.test".to_owned(), true),
            ("https_proxy", "https://mirror.test".to_owned(), true),
            ("ALL_PROXY", "https://mirror.test".to_owned(), true),
            ("HTTPS_PROXY", mirror.url(), false),
        ] {
            let before = proxy.asked().len();
            let machine = Machine::new(&[client]).set("JOBPASS_MIRROR", url).set(variable, &proxied);
            put(&machine.path("ca.pem"), &web.ca_pem);
            let ca = machine.path("ca.pem").display().to_string();
            let machine = machine.set("SSL_CERT_FILE", ca);
            let machine = if used { machine } else { machine.set("NO_PROXY", "127.0.0.1,localhost") };
            machine.install(SHELLS[0]).ok();
            installed(&machine.bin());
            assert_eq!(proxy.asked().len() > before, used, "{client} {variable}");
        }
    }
}

/// One thing that is wrong: what the mirror serves instead, variables, the exit code, words of the message.
#[test]
fn tool_caches_keep_it() {
    let good = good();
    let mirror = Mirror::start(None, release(&good));
    for variable in ["RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY"] {
        let machine = Machine::new(&["curl"])
            .set("JOBPASS_MIRROR", mirror.url())
            .set("JOBPASS_SHA256", checksum(&good));
        let cache = machine.path("cache");
        let machine = machine.set(variable, cache.display().to_string());
        let before = mirror.asked().len();
        let architecture = if archive_name().contains("aarch64") { "arm64" } else { "x64" };
        let folder = cache.join(format!("jobpass/{VERSION}/{architecture}"));
        for _ in 0..2 {
            assert_eq!(machine.install(SHELLS[0]).ok().stdout, format!("{}\n", folder.display()));
            installed(&folder);
            let complete = cache.join(format!("jobpass/{VERSION}/{architecture}.complete"));
            assert!(complete.exists(), "as other tools look for it");
        }
        assert_eq!(mirror.asked().len(), before + 1);
        // A folder of one's own wins.
        let own = machine.set("JOBPASS_INSTALL_DIR", "own");
        own.install(SHELLS[1]).ok();
        installed(&own.path("own"));
    }
}

#[test]
fn later_steps_find_it() {
    let good = good();
    let job = |folder: &str| {
        let machine =
            Machine::new(&[]).set("JOBPASS_INSTALL_DIR", folder).set("JOBPASS_SHA256", checksum(&good));
        put(&machine.path(&archive_name()), &good);
        let here = machine.folder.path().display().to_string();
        machine.set("JOBPASS_MIRROR", here)
    };
    let odd = "it's 100% $odd";
    let file = |name: &str| {
        let machine = job(odd);
        let path = machine.path(name);
        put(&path, "earlier\n");
        machine.set(name, path.display().to_string())
    };
    let github = file("GITHUB_PATH");
    github.install(SHELLS[0]).ok();
    let folder = github.path(odd).display().to_string();
    assert_eq!(std::fs::read_to_string(github.path("GITHUB_PATH")).unwrap(), format!("earlier\n{folder}\n"));

    let circle = file("BASH_ENV").set("CIRCLECI", "true");
    put(&circle.path("BASH_ENV"), "");
    circle.install(SHELLS[1]).ok();
    let bash_env = circle.path("BASH_ENV").display().to_string();
    let mut later = Command::new(path_of("bash"));
    later
        .args(["-c", "jobpass --version"])
        .env_clear()
        .env("BASH_ENV", bash_env)
        .env("PATH", "/usr/bin:/bin");
    let out = later.output().unwrap();
    assert_eq!(Ran::of(&out).ok().stdout, format!("jobpass {VERSION}\n"));

    let azure = job(odd).set("TF_BUILD", "True");
    let ran = azure.install(SHELLS[0]).ok();
    let folder = azure.path(odd).display().to_string();
    let command = format!("##vso[task.prependpath]{}\n{folder}\n", folder.replace('%', "%AZP25"));
    assert_eq!(ran.stdout, command);

    let bitrise = job(odd).set("BITRISE_IO", "true");
    program(&bitrise.path("programs"), "envman", "#!/bin/sh\necho \"$@\" >said\n");
    bitrise.install(SHELLS[0]).ok();
    let folder = bitrise.path(odd).display().to_string();
    let said = std::fs::read_to_string(bitrise.path("said")).unwrap();
    assert!(said.starts_with(&format!("add --key PATH --value {folder}:")), "{said}");

    // Anywhere else by its output, as the script says at its begin.
    let shell = job(odd);
    let words = "set -e; PATH=\"$(dash \"$0\"):$PATH\"; jobpass --version";
    std::os::unix::fs::symlink(path_of("dash"), shell.path("programs/dash")).unwrap();
    let mut command = Command::new(path_of("dash"));
    command.args(["-c", words]).arg(script()).env_clear().envs(shell.variables.iter().cloned());
    let ran = Ran::of(&command.current_dir(shell.folder.path()).output().unwrap()).ok();
    assert_eq!(ran.stdout, format!("jobpass {VERSION}\n"));
    // Where it is in PATH already, there is nothing to say.
    let there = job("programs").install(SHELLS[0]).ok();
    assert!(!there.stderr.contains("hint"), "{}", there.stderr);
}

#[test]
fn two_at_once_do_not_disturb_each_other() {
    let good = good();
    let mirror = Mirror::start(None, release(&good));
    let machine =
        Machine::new(&["curl"]).set("JOBPASS_MIRROR", mirror.url()).set("JOBPASS_SHA256", checksum(&good));
    let children: Vec<_> = (0..4)
        .map(|_| machine.command(SHELLS[0]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    installed(&machine.bin());
}
