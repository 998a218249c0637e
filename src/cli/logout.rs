//! Arguments of `jobpass logout`.

use std::path::PathBuf;

use clap::Args;

use super::{MessageArgs, value};
use crate::export::Sink;
use crate::platform::Platform;

/// Wipe the folder that login wrote in this job, and take its variables back from later steps. It needs neither an identity nor a
/// network. A certificate that was copied before stays valid until it ends by itself.
#[derive(Debug, Args, Default)]
pub struct Logout {
    /// The folder; that of this job's login when left out
    #[arg(value_name = "DIR", value_parser = value::folder, conflicts_with_all = ["name", "all"])]
    pub dir: Option<PathBuf>,
    /// That of `login --name NAME`
    #[arg(long, value_name = "NAME", value_parser = value::name, conflicts_with = "all")]
    pub name: Option<String>,
    /// All logins of this job: those in the platform's temp folder, and those that `JOBPASS_DIR` variables name
    #[arg(long)]
    pub all: bool,
    /// Where the variables are taken back; as login exported them when left out
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = value::SinkParser)]
    pub export: Sink,
    /// The CI platform that login was told of by `--platform`, where the folder does not say it
    #[arg(long, value_name = "PLATFORM", default_value = "auto", value_parser = value::platforms())]
    pub platform: value::Auto<Platform>,
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
}
