//! `jobpass sandbox`: serves until a signal comes, or for as long as a command runs.

mod answer;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use answer::{CONTROL, WEB_CA};

use crate::cli;
use crate::cli::resource::Role;
use crate::env::{self, Env, names};
use crate::error::Failed;
use crate::export;
use crate::log::Log;
use crate::platform::Platform;
use crate::rules;
use crate::run::child::Child;
use crate::run::error::RunError;
use crate::run::job_files::JobFiles;
use crate::run::outcome::Outcome;
use crate::run::signals::Signals;
use crate::sandbox::{
    Sandbox, SandboxApp, SandboxDatabase, SandboxKubeCluster, SandboxNode, SandboxOptions, SandboxRole,
    Simulated,
};
use crate::text::io_reason;
use crate::write::{FileToWrite, Pending};

/// Serves. What it created is removed at the end, the file of `--env-file` included.
pub async fn run(args: &cli::Sandbox, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    if let Some(answer) = &args.answer {
        return answer::run(answer, env, log).await;
    }
    let env_file = args.env_file.as_ref().map(|path| env.absolute(path));
    if let Some(path) = env_file.as_ref().filter(|path| path.is_file()) {
        // One of an earlier run would pass for the sign that this one is ready.
        std::fs::remove_file(path).map_err(|source| read_error(path, source))?;
    }
    let host_key = args.host_key.as_ref().map(|path| host_key(&env.absolute(path))).transpose()?;
    let options = options(args, env).await?;
    let token = options.token_for(args.simulate).map(|t| t.name.clone());
    let hosts = hosts(&options.nodes)?;
    let sandbox = Sandbox::start(options).await?;

    let mut stop = Signals::that_stop()?;
    let folder = Folder::new(&sandbox, args.simulate)?;
    let mut variables = sandbox.job_environment(args.simulate)?;
    variables.push((names::TELEPORT_PROXY.into(), sandbox.address.to_string()));
    variables.extend(token.map(|name| (names::JOBPASS_TOKEN.to_owned(), name)));
    variables.extend(
        sandbox.audience(args.simulate).map(|audience| (names::JOBPASS_AUDIENCE.to_owned(), audience)),
    );
    // Not every machine has a marker that could be acted out: its identity is asked for by name.
    let machine = args.simulate.platform().is_none().then(|| args.simulate.method().name());
    variables.extend(machine.map(|method| (names::JOBPASS_JOIN_METHOD.to_owned(), method.to_owned())));
    variables.extend(folder.variables.iter().cloned());
    // No proxy of the network here has a way to this process.
    let direct = env.var("NO_PROXY").map_or_else(String::new, |others| format!("{others},"));
    variables.push(("NO_PROXY".to_owned(), format!("{direct}{}", sandbox.address.ip())));
    if let Some(path) = &args.user_ca {
        export::replace_file("`--user-ca`", &env.absolute(path), sandbox.ssh_user_ca().as_bytes())?;
    }
    if let Some((public_key, certificate)) = &host_key {
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let line = sandbox.sign_host_key(public_key, &hosts)? + "\n";
        export::replace_file("`--host-key`", certificate, line.as_bytes())?;
    }

    // All that it names is there now, and the sandbox listens.
    let lines = export::shell_lines(&variables)?;
    let address = sandbox.address;
    if let Some(path) = &env_file {
        export::replace_file("`--env-file`", path, lines.as_bytes())?;
        log.note(format!("sandbox at {address}; `. {}` to use it", path.display()));
    } else {
        log.note(format!("sandbox at {address}"));
    }
    if !hosts.is_empty() && args.user_ca.is_none() {
        let key = sandbox.ssh_user_ca();
        log.note(format!("user CA, for `TrustedUserCAKeys` of {}: {}", hosts.join(", "), key.trim()));
    }
    let served = if args.command.is_empty() {
        if env_file.is_none() {
            log.data(&lines);
        }
        stop.next().await;
        Ok(None)
    } else {
        match Child::start(&args.command, &variables) {
            Ok(child) => child.end(&mut stop, async {}).await.map(Some),
            Err(error) => Err(error),
        }
    };
    sandbox.stop().await;
    // Unless another sandbox has written it since.
    if let Some(path) = env_file.filter(|path| env::read_text(path).is_ok_and(|text| text == lines)) {
        let _ = std::fs::remove_file(path);
    }
    let status = served?;
    let line = if status.is_some() { String::new() } else { "sandbox stopped".to_owned() };
    Ok(Outcome { line, status, ..Outcome::default() })
}

async fn options(args: &cli::Sandbox, env: &Env) -> Result<SandboxOptions, Failed> {
    let mut options = SandboxOptions::admitting([args.simulate]);
    options.cluster.clone_from(&args.cluster);
    options.version.clone_from(&args.server_version);
    options.join_new = !args.no_new_join;
    options.join_old = !args.no_old_join;
    options.port = args.port;
    options.public_addr = args.public_addr.as_ref().map(ToString::to_string);
    if let Some(path) = &args.tokens {
        let path = env.absolute(path);
        options.tokens = rules::parse(&env::read_text(&path).map_err(|source| read_error(&path, source))?)?;
    }
    resources(args, &mut options);
    let kube = args.kube.iter().map(|name| SandboxKubeCluster { name: name.clone(), labels: Vec::new() });
    options.kube_clusters.extend(kube);
    for role in &mut options.roles {
        role.logins.extend(args.login.iter().cloned());
    }
    for node in &args.node {
        // `NAME.LEAF`: a node of a leaf cluster.
        let (name, cluster) = node.name.split_once('.').unwrap_or((&node.name, &args.cluster));
        if cluster != args.cluster && !options.leaves.iter().any(|leaf| leaf == cluster) {
            options.leaves.push(cluster.to_owned());
        }
        let address = resolve(&node.address.host, node.address.port).await?;
        options.nodes.push(SandboxNode { name: name.to_owned(), cluster: cluster.to_owned(), address });
    }
    Ok(options)
}

/// Roles, traits, databases, applications, leaf clusters and policies.
fn resources(args: &cli::Sandbox, options: &mut SandboxOptions) {
    if !args.role.is_empty() {
        options.roles = args.role.iter().map(role).collect();
    }
    if !args.requestable_role.is_empty() {
        options.requests.roles = args.requestable_role.iter().map(role).collect();
    }
    options.requests.verdict = args.request_answer.map(Into::into);
    options.requests.after = args.request_answer_after.unwrap_or_default();
    options.requests.reason = args.request_answer_reason.clone().unwrap_or_default();
    for named in &args.traits {
        let values = options.traits.entry(named.name.clone()).or_default();
        values.extend(named.value.split('+').map(str::to_owned));
    }
    options.databases.extend(
        args.database.iter().map(|db| SandboxDatabase { name: db.name.clone(), protocol: db.value.clone() }),
    );
    options.apps.extend(args.app.iter().map(|app| SandboxApp {
        name: app.name.clone(),
        public_addr: format!("{}.{}", app.name.to_ascii_lowercase(), args.cluster),
        uri: app.value.clone(),
    }));
    options.leaves.extend(args.leaf.iter().cloned());
    options.require_session_mfa = args.require_session_mfa;
    options.rotation = args.ca_rotation.map(Into::into);
}

fn role(role: &Role) -> SandboxRole {
    SandboxRole {
        name: role.name.clone(),
        logins: role.logins.clone(),
        require_mfa_type: i32::from(role.mfa),
        device_trust_mode: if role.device_trust { "required".to_owned() } else { String::new() },
        max_session_ttl: role.max_ttl.map_or(0, |ttl| ttl.as_secs()),
    }
}

async fn resolve(host: &str, port: u16) -> Result<SocketAddr, RunError> {
    let unknown = |reason: &str| {
        RunError::usage(format!("could not resolve the node's host `{host}`: {reason}"), "check `--node`")
    };
    let mut found = tokio::net::lookup_host((host, port)).await.map_err(|e| unknown(&io_reason(&e)))?;
    found.next().ok_or_else(|| unknown("it has no address"))
}

/// The full names of the nodes, which are those that ssh asks for. One host certificate is by one CA.
fn hosts(nodes: &[SandboxNode]) -> Result<Vec<String>, RunError> {
    if nodes.iter().any(|node| nodes.first().is_some_and(|first| first.cluster != node.cluster)) {
        return Err(RunError::usage(
            "the nodes of `--node` are in different clusters",
            "run a sandbox for each cluster",
        ));
    }
    Ok(nodes.iter().map(|node| format!("{}.{}", node.name, node.cluster)).collect())
}

/// The public key, and where its certificate goes: beside it, by the name that sshd and `ssh-keygen` expect.
fn host_key(path: &Path) -> Result<(String, PathBuf), RunError> {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".pub"));
    let Some(name) = name else {
        return Err(RunError::usage(
            format!("`{}` is not the name of a public key", path.display()),
            "name the `.pub` file of the host key",
        ));
    };
    let key = env::read_text(path).map_err(|source| read_error(path, source))?;
    if ssh_key::PublicKey::from_openssh(key.trim()).is_err() {
        let message = format!("`{}` is not an SSH public key", path.display());
        return Err(RunError::usage(message, "name the `.pub` file of the host key"));
    }
    Ok((key, path.with_file_name(format!("{name}-cert.pub"))))
}

fn read_error(path: &Path, source: std::io::Error) -> RunError {
    RunError::Read { path: path.display().to_string(), source }
}

/// A private folder with what a job finds on its machine: a folder for temporary files, the files by which
/// steps talk to the platform, and the root of the sandbox's web certificate. Removed when dropped.
struct Folder {
    _temporary: TempDir,
    _job_files: JobFiles,
    variables: Vec<(String, String)>,
}

impl Folder {
    fn new(sandbox: &Sandbox, job: Simulated) -> Result<Self, Failed> {
        use std::os::unix::fs::PermissionsExt as _;
        let private = std::fs::Permissions::from_mode(0o700);
        let temporary = tempfile::Builder::new().prefix("jobpass-sandbox-").permissions(private).tempdir()?;
        let (files, temp) = (temporary.path().join("files"), temporary.path().join("temp"));
        std::fs::create_dir(&temp)?;
        let file = |name: &str, content: &str| FileToWrite {
            path: name.into(),
            content: content.as_bytes().to_vec().into(),
            mode: 0o600,
        };
        let channel = job.platform().map(|platform| platform.channel().variables()).unwrap_or_default();
        let mut all: Vec<FileToWrite> = channel.iter().map(|name| file(name, "")).collect();
        all.push(file(WEB_CA, sandbox.web_ca_pem()));
        let control = answer::control(&sandbox.address.to_string(), sandbox.control_secret());
        all.push(file(CONTROL, &control));
        Pending::prepare(&files)?.commit(&all)?;

        let named = |name: &str, path: PathBuf| (name.to_owned(), path.display().to_string());
        let mut variables: Vec<_> = channel.iter().map(|name| named(name, files.join(name))).collect();
        variables.push(named(names::SSL_CERT_FILE, files.join(WEB_CA)));
        variables.push(named(names::JOBPASS_SANDBOX_CONTROL, files.join(CONTROL)));
        let job_files = JobFiles::new(sandbox, job)?;
        variables.extend(job_files.variables.iter().map(|(name, path)| named(name, path.clone())));
        let temp_variable = job.platform().and_then(Platform::temp_variable);
        variables.extend(temp_variable.map(|name| named(name, temp)));
        Ok(Self { _temporary: temporary, _job_files: job_files, variables })
    }
}
