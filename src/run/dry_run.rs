//! `--dry-run` of `login`, `exec` and `tunnel`: the same pipeline against a cluster that lives in this process.

mod next;

use next::Done;

use crate::cli::Login;
use crate::detect;
use crate::env::{Env, names};
use crate::error::Failed;
use crate::export::Sink;
use crate::log::Log;
use crate::net::{HostPort, Options};
use crate::output::{Kind, KubeClusters, Output};
use crate::platform::Platform;
use crate::run::error::RunError;
use crate::run::job_files::JobFiles;
use crate::run::login::pipeline;
use crate::run::outcome::Outcome;
use crate::run::plan::Setting;
use crate::run::request;
use crate::sandbox::{
    RequestPolicy, Sandbox, SandboxApp, SandboxDatabase, SandboxKubeCluster, SandboxOptions, SandboxRole,
    Simulated, Verdict,
};
use crate::teleport::JoinMethod;
use crate::teleport::dial::Endpoint;

/// `login` in a job of a simulated platform, or of the real one.
pub async fn login(args: &Login, env: &Env, log: &Log) -> Result<Outcome, Failed> {
    let (trial, setting) = Box::pin(Trial::start(args, env, log, &[])).await?;
    let outcome = Box::pin(pipeline(args, &trial.env, log, setting)).await;
    let next = match &outcome {
        Ok(outcome) => {
            let folders = outcome.placed.iter().map(|placed| placed.dir().to_owned()).collect();
            let (job, branch, token) = (trial.job, trial.branch(args), trial.token.as_str());
            Done { job, branch, token, policies: !args.guards.no_verify, folders, by_hand: !in_ci(env) }
                .text(env)
        }
        Err(_) => String::new(),
    };
    trial.end().await;
    let mut outcome = outcome?;
    outcome.line = format!("{}\n{next}", outcome.line);
    Ok(outcome)
}

/// A cluster in this process, and a job that it lets in.
pub struct Trial {
    /// The environment of the job.
    pub env: Env,
    /// The root of the cluster's web certificate, PEM.
    pub web_ca: String,
    job: Simulated,
    token: String,
    sandbox: Sandbox,
    _files: JobFiles,
}

impl Trial {
    /// Starts the cluster, which has what the command line and these tunnels name. The setting is that of the job.
    pub async fn start(
        args: &Login,
        env: &Env,
        log: &Log,
        tunnels: &[Output],
    ) -> Result<(Self, Setting), Failed> {
        let real = Platform::marked(env);
        if in_ci(env) && !args.trial.allow_dry_run_in_ci {
            return Err(RunError::Usage {
                message: "this is a real CI job, and credentials of `--dry-run` give access to nothing"
                    .into(),
                hint: Some("leave out `--dry-run`, or add `--allow-dry-run-in-ci` to try it here".into()),
            }
            .into());
        }
        let simulated = args.trial.simulate.or(real.map(Simulated::from));
        let Some(simulated) = simulated else {
            return Err(RunError::Usage {
                message: "`--dry-run` needs a platform, and no CI platform was detected".into(),
                hint: Some(format!("add `--simulate github` (one of {})", ids())),
            }
            .into());
        };
        let simulation = simulated.simulation();
        let usual = simulation.usual_branch();
        let branch = args.trial.as_branch.as_deref().unwrap_or(usual);
        if args.trial.as_branch.is_some() && !simulation.admits_one_branch {
            return Err(RunError::usage(
                format!(
                    "no rule for {} looks at the branch: `--as-branch` changes nothing",
                    simulated.title()
                ),
                format!("take a platform whose rules do, with `--simulate`: {}", with_branches()),
            )
            .into());
        }
        let options = cluster_for(args, tunnels, simulated);
        let token = options.token_for(simulated).map(|t| t.name.clone()).unwrap_or_default();
        if branch != usual {
            log.note(format!(
                "DRY-RUN as branch `{branch}`: join token `{token}` admits branch `{usual}` only"
            ));
        }
        let sandbox = Sandbox::start(options).await?;
        let mut job = env.clone();
        for (name, value) in sandbox.job_environment(simulated)? {
            job = job.with(name, value);
        }
        let files = JobFiles::new(&sandbox, simulated)?;
        for (name, path) in &files.variables {
            job = job.with(*name, path.display().to_string());
        }
        // An HTTP proxy of the network has no route to this process.
        job = job.with("NO_PROXY", "127.0.0.1").with("no_proxy", "127.0.0.1");
        job = job.with(names::JOBPASS_TOKEN, &token);
        if args.identity.id_token_command.is_none() {
            // A program of the platform's would ask the platform itself.
            job = job.with(names::PATH, "");
        }
        let asked = request::detection(&args.identity);
        let method = asked.method.or_else(|| simulated.platform().is_none().then(|| simulated.method()));
        let wanted = detect::Request { platform: simulated.platform().or(asked.platform), method, ..asked };
        let setting = Setting {
            options: Options { ca_pem: Some(sandbox.web_ca_pem().to_owned()), ..Options::default() },
            detected: detect::detect(&job, &wanted)?,
            entry: Endpoint::Proxy(HostPort {
                host: sandbox.address.ip().to_string(),
                port: sandbox.address.port(),
            }),
            // A simulated platform has no files for later steps; a real one has.
            sink: match (&args.output.export, real) {
                (Sink::Auto, None) => Sink::None,
                (sink, _) => sink.clone(),
            },
            audience: args.identity.audience.clone().or_else(|| sandbox.audience(simulated)),
            tunnels: tunnels.to_vec(),
            dry_run: true,
            base: None,
        };
        let web_ca = sandbox.web_ca_pem().to_owned();
        Ok((Self { env: job, web_ca, job: simulated, token, sandbox, _files: files }, setting))
    }

    /// Stops the cluster.
    pub async fn end(self) {
        self.sandbox.stop().await;
    }

    fn branch<'a>(&self, args: &'a Login) -> &'a str {
        args.trial.as_branch.as_deref().unwrap_or(self.job.simulation().usual_branch())
    }
}

fn in_ci(env: &Env) -> bool {
    Platform::marked(env).is_some() || env.says_ci()
}

/// The platforms whose jobs differ by branch for the rules.
fn with_branches() -> String {
    let all = Platform::ALL.into_iter().filter(|p| p.simulation().admits_one_branch);
    all.map(Platform::id).collect::<Vec<_>>().join(", ")
}

fn ids() -> String {
    Simulated::all().map(Simulated::id).collect::<Vec<_>>().join(", ")
}

fn named_roles(names: &[String]) -> Vec<SandboxRole> {
    names.iter().map(|name| SandboxRole { name: name.clone(), ..SandboxRole::default() }).collect()
}

/// A cluster with the join token, roles and logins that the command line names, so that it can succeed.
fn cluster_for(args: &Login, tunnels: &[Output], job: Simulated) -> SandboxOptions {
    let mut options = SandboxOptions { dry_run: true, ..SandboxOptions::admitting([job]) };
    options.branch.clone_from(&args.trial.as_branch);
    for token in &mut options.tokens {
        if let Some(name) = args.identity.token.as_ref().filter(|n| !n.starts_with('/')) {
            name.clone_into(&mut token.name);
        }
        if let (Some(audience), JoinMethod::GenericOidc) = (&args.identity.audience, token.method) {
            token.spec["audience"] = audience.as_str().into();
        }
        if let Some(bot) = &args.guards.expect_bot {
            token.bot_name = Some(bot.strip_prefix("bot-").unwrap_or(bot).to_owned());
        }
    }
    if let Some(cluster) = &args.guards.expect_cluster {
        options.cluster.clone_from(cluster);
    }
    let of_outputs = args.output.output.iter().filter_map(|o| o.roles.as_ref()).flatten();
    let of_tunnels = tunnels.iter().filter_map(|o| o.roles.as_ref()).flatten();
    let roles = args.output.roles.iter().chain(of_outputs).chain(of_tunnels).chain(&args.guards.expect_role);
    for name in roles {
        if !options.roles.iter().any(|r| r.name == *name) {
            options.roles.push(SandboxRole { name: name.clone(), ..SandboxRole::default() });
        }
    }
    // Somebody says yes at the second question.
    options.requests = RequestPolicy {
        roles: named_roles(&args.request.request_role),
        verdict: Some(Verdict::Approve),
        after_questions: 1,
        reason: "DRY-RUN: nobody was asked".to_owned(),
        ..RequestPolicy::default()
    };
    if let Some(id) = &args.request.request_id {
        let wanted = &args.guards.expect_role;
        let roles = if wanted.is_empty() { vec!["ci-prod".to_owned()] } else { wanted.clone() };
        options.requests.roles = named_roles(&roles);
        options.requests.known = Some((id.clone(), roles));
    }
    for role in options.roles.iter_mut().chain(&mut options.requests.roles) {
        role.logins.extend(args.guards.require_login.iter().cloned());
    }
    let clusters = args.output.output.iter().filter_map(|o| o.kind.cluster().map(str::to_owned));
    options.leaves.extend(clusters.filter(|c| *c != options.cluster));
    for kind in args.output.output.iter().map(|o| &o.kind).chain(tunnels.iter().map(|o| &o.kind)) {
        match kind {
            Kind::Ssh { .. } => {}
            Kind::Kube(kube) => {
                let name = kind.resource().unwrap_or("dry-run");
                let labels = match &kube.clusters {
                    KubeClusters::Labeled(labels) => labels.clone(),
                    KubeClusters::Named(_) | KubeClusters::All => Vec::new(),
                };
                options.kube_clusters.push(SandboxKubeCluster { name: name.to_owned(), labels });
            }
            Kind::Database(database) => options.databases.push(SandboxDatabase {
                name: database.service.clone(),
                protocol: database.protocol.clone().unwrap_or_else(|| "postgres".to_owned()),
            }),
            Kind::App(app) => options.apps.push(SandboxApp {
                name: app.name.clone(),
                public_addr: format!("{}.{}", app.name.to_ascii_lowercase(), options.cluster),
                uri: "http://localhost:8080".to_owned(),
            }),
        }
    }
    options
}
