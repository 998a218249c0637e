//! Everything that is decided before anything is sent.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use crate::cli::Login;
use crate::detect::Detected;
use crate::env::{self, Env};
use crate::error::Failed;
use crate::export::{self, ExportError, Sink};
use crate::identity::keys::KeyKind;
use crate::log::Log;
use crate::net::{Deadline, Network, Options};
use crate::output::Output;
use crate::platform::Platform;
use crate::run::approval_request;
use crate::run::base_folder::BaseFolder;
use crate::run::error::RunError;
use crate::run::{identities, request, ttl};
use crate::system::user;
use crate::teleport::dial::Endpoint;
use crate::verify::{Expectations, policy};
use crate::write::ownership;
use crate::{approval, issue, join, token};

/// What `login` and its dry run differ in.
pub struct Setting {
    /// Trust anchors.
    pub options: Options,
    /// Where the job runs.
    pub detected: Detected,
    /// The cluster to ask.
    pub entry: Endpoint,
    /// How later steps get their variables.
    pub sink: Sink,
    /// The audience to ask for.
    pub audience: Option<String>,
    /// Outputs whose credentials are for tunnels of this process.
    pub tunnels: Vec<Output>,
    /// Whether the cluster is the one in this process.
    pub dry_run: bool,
    /// The folder of outputs that name none of their own, where that is decided already.
    pub base: Option<PathBuf>,
}

/// The plan of one login.
pub struct Plan<'a> {
    /// The command line.
    pub args: &'a Login,
    /// The job's environment.
    pub env: &'a Env,
    /// Where the run says what it does.
    pub log: &'a Log,
    /// When it began.
    pub begin: Instant,
    /// Where the job runs.
    pub detected: Detected,
    /// The cluster to ask.
    pub entry: Endpoint,
    /// How later steps get their variables.
    pub sink: Sink,
    /// Whether the cluster is the one in this process.
    pub dry_run: bool,
    /// `--ca-file`, absolute, where it is about web certificates.
    pub ca_file: Option<PathBuf>,
    /// The network under the run's deadline.
    pub network: Network,
    /// The folder of outputs that name none of their own.
    pub base: PathBuf,
    /// For the token stage.
    pub token: token::Request,
    /// For the join stage.
    pub join: join::Request,
    /// What people are asked for between the two.
    pub approval: Option<approval::Request>,
    /// For the issue stage.
    pub issue: issue::Request,
    /// For the verify stage.
    pub expectations: Expectations,
}

/// The longest life of a certificate of a dry run.
const DRY_RUN: Duration = Duration::from_secs(15 * 60);

impl<'a> Plan<'a> {
    /// Decides, and finds what is wrong with the command line, the environment and the folder.
    pub fn new(args: &'a Login, env: &'a Env, log: &'a Log, setting: Setting) -> Result<Self, Failed> {
        let begin = Instant::now();
        let Setting { options, detected, entry, sink, audience, tunnels, dry_run, base } = setting;
        for reason in &detected.reasons {
            log.detail(format!("{}: {}", reason.platform, reason.why));
        }
        let token = token::Request { audience, ..request::token(&args.identity) };
        token::check(env, &detected, &token)?;
        let asked_ttl = args.output.ttl;
        let ttl = if dry_run {
            asked_ttl.0.map_or(DRY_RUN, |ttl| ttl.min(DRY_RUN))
        } else {
            ttl::ttl(asked_ttl, env, detected.platform, env::now(), log)
        };
        let token_name = request::token_name(&args.identity, env)?;
        let network = Network::new(env, &options, Deadline::after(args.cluster.timeout), log.clone())?;
        let folder = args.output.dir.as_deref();
        let base = match base {
            Some(base) => BaseFolder::at(base),
            None => BaseFolder::choose(folder, args.output.name.as_deref(), env, detected.platform)?,
        };
        // Who asks for tunnels alone has no use for the usual output.
        let are_written = tunnels.is_empty() || !args.output.output.is_empty();
        if let Some(problem) = base.problem().filter(|_| are_written) {
            let risk = "where credentials get committed, cached or baked into images";
            log.warn(format!("{problem}, {risk}: choose another `--dir`"));
        }
        let mut outputs = if are_written { request::outputs(args, env, base.path())? } else { Vec::new() };
        request::check_consumers(args, &outputs)?;
        let name = args.output.name.as_deref();
        identities::check_own(name, &outputs)?;
        identities::check_others(name, &outputs, (env, detected.platform, &sink), env::now())?;
        // Who names a folder knows why.
        let given = outputs.iter().map(|o| &o.destination.folder);
        for folder in given.filter(|folder| args.output.dir.is_some() || *folder != base.path()) {
            let risk = folder.parent().and_then(|parent| ownership::risk(parent, &[user()]));
            if let Some(reason) = risk {
                log.warn(format!("`{}` is not a safe place for private keys: {reason}", folder.display()));
            }
        }
        if let Some(name) =
            tunnels.iter().map(|t| &t.name).find(|name| outputs.iter().any(|o| o.name == **name))
        {
            let message = format!("an output and a tunnel have the same name: `{name}`");
            return Err(RunError::usage(message, "tell them apart by `name=`").into());
        }
        outputs.extend(tunnels);
        let sink = self::sink(args, env, detected.platform, &sink, log)?;
        let approval = approval_request::request(args, &outputs)?;
        // One for issuing, one for each set of roles to look around or to be verified under.
        let connections = 1 + if approval.is_some() {
            0
        } else if args.guards.no_verify {
            issue::sessions(&outputs)
        } else {
            policy::connections(&outputs)
        };
        let (method, platform) = (detected.method, detected.platform);
        let cluster = args.guards.expect_cluster.clone();
        // The bot's own identity must be there when the answer is, and what the request gives ends with it.
        let wait = approval.as_ref().map_or(Duration::ZERO, |request| request.wait + args.cluster.timeout);
        let own_ttl = (ttl + wait).min(request::LONGEST);
        Ok(Self {
            args,
            env,
            log,
            begin,
            detected,
            entry,
            sink,
            dry_run,
            ca_file: options.ca_file.as_ref().map(|f| env.absolute(f)),
            network,
            base: base.path().to_owned(),
            token,
            join: join::Request { token: token_name, method, platform, cluster, ttl: own_ttl, connections },
            approval,
            issue: issue::Request {
                outputs,
                ttl,
                key_kind: args.output.key_type.map(KeyKind::from),
                keep_going: args.output.keep_going,
                granted: None,
            },
            expectations: request::expectations(args),
        })
    }
}

/// How later steps get their variables, as far as that can be.
pub fn sink(
    args: &Login,
    env: &Env,
    platform: Option<Platform>,
    sink: &Sink,
    log: &Log,
) -> Result<Sink, ExportError> {
    match export::check(env, platform, sink) {
        // The user said where the files go, and can find them there.
        Err(error @ ExportError::NoFile { .. }) if *sink == Sink::Auto && args.output.dir.is_some() => {
            log.warn(error.to_string());
            Ok(Sink::None)
        }
        Err(error) => Err(error),
        Ok(()) => Ok(sink.clone()),
    }
}
