//! What people, scripts, later steps and commands get once all is issued: files, variables, report. [`write`] makes the files and
//! names the variables; [`export`] hands those to later steps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tokio::time::Instant;

use crate::cli::Login;
use crate::env::{self, Env, names};
use crate::error::{Exit, Failed, StageError as _};
use crate::export::{self, Current, Exports, Sink};
use crate::identity::logins::{self, LoginSource, RoleLogins};
use crate::identity::route::Route;
use crate::issue::{Credential, Issued};
use crate::log::Log;
use crate::net::HostPort;
use crate::output::suffixed;
use crate::platform::Platform;
use crate::report::{Asked, Failure, OutputReport, RefusedReport, Report, RouteReport};
use crate::run::asked;
use crate::run::error::RunError;
use crate::run::obtain::Credentials;
use crate::run::outcome::Outcome;
use crate::run::plan::Plan;
use crate::run::written::Written;
use crate::write::contents::{self, Context, Sockets};
use crate::write::{self, FileToWrite, Folders, MANIFEST, Placed};

/// Name of the copy of the binary in a folder.
const BINARY: &str = "jobpass";

/// Files that are in place, and who is to know of them.
pub struct Delivered {
    /// The report, which is also the manifest of the folder.
    pub report: Report,
    /// Variables, step outputs and a summary; not handed to anybody yet.
    pub exports: Exports,
    /// The folders.
    pub placed: Vec<Placed>,
    /// With `--keep-going`, why outputs are missing.
    pub failures: Vec<Failure>,
}

/// Writes the folders. When a part of it fails, nothing is left. `private`: the folder with the sockets of a running
/// `jobpass exec --agent`, which keeps the keys of ssh outputs.
pub fn write(
    plan: &Plan<'_>,
    folders: Folders,
    credentials: &Credentials,
    private: Option<&Path>,
) -> Result<Delivered, Failed> {
    let (args, env, log) = (plan.args, plan.env, plan.log);
    let proxy = &credentials.proxy;
    let mut report = report(plan, credentials, proxy);
    let mut files: BTreeMap<PathBuf, Vec<FileToWrite>> = BTreeMap::new();
    let mut exports = Exports { summary: report.summary(), ..Exports::default() };
    let mut warnings = BTreeSet::new();
    let command = command(env);
    for (index, issued) in credentials.checked.batch.issued.iter().enumerate() {
        let folder = &issued.output.destination.folder;
        let copy = args.output.copy_binary.then(|| folder.join(BINARY));
        let sockets = private.map(|folder| Sockets::of(folder, index));
        let context = Context {
            authorities: &credentials.checked.batch.authorities,
            cluster: &credentials.bot.cluster,
            proxy_host: &proxy.host,
            proxy: &report.proxy,
            binary: copy.as_deref().unwrap_or(&env.exe),
            command: copy.as_deref().unwrap_or(command),
            ca_file: plan.ca_file.as_deref(),
            consumers: &args.output.export_vars,
            is_behind_a_balancer: credentials.cluster.is_behind_a_balancer(),
            kube: credentials.kube.as_ref(),
            sockets: sockets.as_ref(),
            renew: args.output.renew,
            expires: issued.expires(),
        };
        let contents = contents::contents(issued, &context)?;
        warnings.extend(contents.warnings.iter().cloned());
        let suffix = if index == 0 { args.output.name.as_deref() } else { Some(issued.output.name.as_str()) };
        let also_plain = index > 0 && args.output.name.is_none();
        let variables = add_exports(&mut exports, &contents, suffix, also_plain);
        if let Some(output) = report.outputs.get_mut(index) {
            let mut files: Vec<PathBuf> = contents.files.iter().map(|file| file.path.clone()).collect();
            files.sort();
            output.files = files.iter().map(|file| folder.join(file)).collect();
            output.variables = variables.into_iter().collect();
            // The cluster of a dry run is gone by then.
            if !plan.dry_run {
                output.usage.clone_from(&contents.usage);
            }
        }
        files.entry(folder.clone()).or_default().extend(contents.files);
    }
    report.already_set = already_set(plan, &exports, &report.dir);
    // Nobody asks the cluster of a dry run again.
    let asked = (!plan.dry_run).then(|| asked(plan, &exports)).transpose()?;
    for warning in warnings {
        log.warn(warning);
    }
    for (folder, files) in &mut files {
        if args.output.copy_binary {
            files.push(contents::binary(BINARY, &env.exe)?);
        }
        let mut names: Vec<PathBuf> = files.iter().map(|f| f.path.clone()).collect();
        names.push(MANIFEST.into());
        names.sort();
        let manifest = Report { asked: asked.clone(), dir: folder.clone(), files: names, ..report.clone() };
        files.push(write::manifest::manifest(&manifest.json()));
        if *folder == report.dir {
            report.files = manifest.files;
        }
    }

    let placed = folders.commit(&files)?;
    let failures = credentials.refused.iter().map(|(_, error)| Failure::new(error, env::now())).collect();
    Ok(Delivered { report, exports, placed, failures })
}

/// This binary as a shell of this user finds it.
fn command(env: &Env) -> &Path {
    let found = env.program(BINARY).and_then(|path| path.canonicalize().ok());
    if found.is_some() && found == env.exe.canonicalize().ok() { Path::new(BINARY) } else { &env.exe }
}

/// Who gets the variables, and the report.
pub struct Recipient<'a> {
    /// The command line.
    pub args: &'a Login,
    /// The job's environment.
    pub env: &'a Env,
    /// Where the run says what it does.
    pub log: &'a Log,
    /// Where the job runs.
    pub platform: Option<Platform>,
    /// How later steps get their variables.
    pub sink: &'a Sink,
    /// When the run began.
    pub begin: Instant,
}

/// Hands the variables to later steps and reports. When it fails, the files go as well.
pub fn export(plan: &Plan<'_>, delivered: Delivered) -> Result<Outcome, Failed> {
    let (platform, begin) = (plan.detected.platform, plan.begin);
    let (args, env, log, sink) = (plan.args, plan.env, plan.log, &plan.sink);
    hand_over(&Recipient { args, env, log, platform, sink, begin }, delivered)
}

/// The same of what no plan led to.
pub fn hand_over(to: &Recipient<'_>, delivered: Delivered) -> Result<Outcome, Failed> {
    let (args, env, log) = (to.args, to.env, to.log);
    let Delivered { report, exports, placed, failures } = delivered;
    let mut outcome = Outcome { failures, placed, ..Outcome::default() };
    let exported = match export::export(env, to.platform, to.sink, &exports) {
        Ok(exported) => exported,
        Err(error) => {
            outcome.take_back();
            return Err(error.into());
        }
    };
    if let Some(problem) = &exported.problem {
        log.note(problem.in_one_line());
    }
    if let Some(hint) = exported.hint {
        log.note(format!("hint: {hint}"));
    }
    for place in &exported.places {
        log.detail(format!("exported to {place}"));
    }
    if args.messages.json && !exported.stdout.is_empty() {
        log.warn(
            "`--json` takes standard output, where the variables for later steps go: take the paths from the report, or \
             leave `--json` out",
        );
    }
    outcome.stdout = if args.messages.json { report.json() } else { exported.stdout };
    outcome.line = report.line(env::now(), to.begin.elapsed());
    if !outcome.failures.is_empty() {
        outcome.exit = Exit::Refused;
    }
    Ok(outcome)
}

/// The report, its files not yet filled in.
fn report(plan: &Plan<'_>, credentials: &Credentials, proxy: &HostPort) -> Report {
    let Credentials { bot, ping, checked, .. } = credentials;
    let output = |issued: &Issued| OutputReport {
        name: issued.output.name.clone(),
        kind: issued.output.kind.name().to_owned(),
        cluster: issued.output.kind.cluster().unwrap_or(&bot.cluster).to_owned(),
        roles: issued.roles.clone(),
        routes: issued.credentials().filter_map(route).collect(),
        logins: issued.first.identity.logins().into_iter().map(str::to_owned).collect(),
        login_sources: sources(issued, &credentials.role_logins),
        valid_until: issued.expires(),
        dir: issued.output.destination.path(),
        files: Vec::new(),
        variables: BTreeMap::new(),
        usage: Vec::new(),
    };
    // That of the outputs without a folder of their own; without any, the first.
    let mut dirs = checked.batch.issued.iter().map(|i| &i.output.destination.folder);
    let dir = dirs.clone().find(|d| **d == plan.base).or_else(|| dirs.next());
    Report {
        jobpass: env!("CARGO_PKG_VERSION").to_owned(),
        user: bot.user.clone(),
        name: plan.args.output.name.clone(),
        bot: bot.user.strip_prefix("bot-").unwrap_or(&bot.user).to_owned(),
        cluster: bot.cluster.clone(),
        proxy: proxy.to_string(),
        server_version: ping.server_version.clone(),
        platform: plan.detected.platform.map(|p| p.id().to_owned()),
        join_method: bot.method.map(|m| m.name().to_owned()),
        issued_at: env::now(),
        valid_until: checked.ends,
        access_request: credentials.request.clone(),
        dry_run: plan.dry_run,
        reused: false,
        already_set: Vec::new(),
        asked: None,
        dir: dir.unwrap_or(&plan.base).clone(),
        files: Vec::new(),
        outputs: checked.batch.issued.iter().map(output).collect(),
        refused: credentials.refused.iter().map(|(name, error)| refused(name, error)).collect(),
    }
}

/// What a later run needs to know of this one.
fn asked(plan: &Plan<'_>, exports: &Exports) -> Result<Asked, RunError> {
    let asked = asked::asked(plan.args, plan.env, plan.detected.platform, &plan.base)?;
    Ok(Asked { step_outputs: exports.outputs.clone(), ..asked })
}

/// Variables that have their value already, and not from a login of this name: they are somebody else's.
fn already_set(plan: &Plan<'_>, exports: &Exports, dir: &Path) -> Vec<String> {
    let current = Current::read(plan.env, plan.detected.platform, &plan.sink);
    let variable = suffixed(names::JOBPASS_DIR, plan.args.output.name.as_deref());
    let named = current.value(&variable).map(Path::new);
    let earlier = named.into_iter().chain([dir]).filter_map(Written::find);
    let ours: Vec<(String, String)> = earlier.flat_map(|login| login.variables()).collect();
    // What names our own folder is ours, whoever wrote it there.
    let folders = plan.issue.outputs.iter().map(|output| output.destination.path().display().to_string());
    let folders: Vec<String> = folders.collect();
    let is_ours = |value: &str| folders.iter().any(|folder| value.contains(folder));
    let pairs = exports.variables.iter().filter(|pair| !ours.contains(pair) && !is_ours(&pair.1));
    pairs.filter(|(name, value)| current.value(name) == Some(value)).map(|(name, _)| name.clone()).collect()
}

fn refused(name: &str, error: &Failed) -> RefusedReport {
    let Failure { message, causes, hints, .. } = Failure::new(error, env::now());
    RefusedReport { name: name.to_owned(), message, causes, hints }
}

/// Where the logins of an output are from.
fn sources(issued: &Issued, known: &RoleLogins) -> Vec<LoginSource> {
    let identity = &issued.first.identity;
    logins::sources(&identity.logins(), &issued.roles, &identity.traits(), known)
}

/// What a certificate is for, beside its cluster.
fn route(credential: &Credential) -> Option<RouteReport> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let valid_until = credential.identity.valid_until();
    Some(match &credential.route {
        Route::Cluster => return None,
        Route::Kube { kube } => RouteReport { kube_cluster: some(kube), ..RouteReport::until(valid_until) },
        Route::Database(database) => RouteReport {
            database: some(&database.service),
            protocol: some(&database.protocol),
            database_user: some(&database.user),
            database_name: some(&database.name),
            ..RouteReport::until(valid_until)
        },
        Route::App(app) => RouteReport {
            app: some(&app.name),
            public_addr: some(&app.public_addr),
            uri: some(&app.uri),
            target_port: (app.target_port != 0).then_some(app.target_port),
            ..RouteReport::until(valid_until)
        },
    })
}

/// A named identity has suffixed names of its own and leaves the plain ones alone; `also_plain`: except those that no output before has,
/// so that `KUBECONFIG` is there whichever output comes first. Returns the variables.
fn add_exports(
    exports: &mut Exports,
    contents: &contents::Contents,
    suffix: Option<&str>,
    also_plain: bool,
) -> Vec<(String, String)> {
    let first = exports.variables.len();
    for (base, value) in &contents.variables {
        exports.variables.push((suffixed(base, suffix), value.clone()));
        if also_plain && !exports.variables.iter().any(|(known, _)| known == base) {
            exports.variables.push(((*base).to_owned(), value.clone()));
        }
    }
    for (base, value) in &contents.step_outputs {
        let name = suffix.map_or_else(|| (*base).to_owned(), |name| format!("{name}-{base}"));
        exports.outputs.push((name, value.clone()));
        if also_plain && !exports.outputs.iter().any(|(known, _)| known == base) {
            exports.outputs.push(((*base).to_owned(), value.clone()));
        }
    }
    exports.variables.get(first..).unwrap_or_default().to_vec()
}
