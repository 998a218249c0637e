//! Arguments of `jobpass inspect`.

use std::path::PathBuf;

use clap::Args;

use super::MessageArgs;

/// `jobpass inspect`.
#[derive(Debug, Args, Default)]
pub struct Inspect {
    /// A folder that jobpass or tbot wrote, or an `identity` file; `$JOBPASS_DIR` when left out
    #[arg(value_name = "DIR|FILE")]
    pub path: Option<PathBuf>,
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
}
