//! Arguments of `jobpass renew`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{MessageArgs, value};

/// Get new credentials into a folder of `login --renew` that ends within a minute or has ended; do nothing while it lasts. It
/// takes no `JOBPASS_` variables: each folder has its own cluster.
#[derive(Debug, Args)]
pub struct Renew {
    /// The folder that login wrote
    #[arg(long, value_name = "DIR", value_parser = value::folder)]
    pub dir: PathBuf,
    /// How long it may take
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = value::timeout)]
    pub timeout: Duration,
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
}
