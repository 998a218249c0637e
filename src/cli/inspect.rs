//! Arguments of `jobpass inspect`.

use std::path::PathBuf;

use clap::Args;

use super::MessageArgs;

/// `jobpass inspect`.
#[derive(Debug, Args, Default)]
pub struct Inspect {
    /// Folders that jobpass or tbot wrote, or `identity` files; `$JOBPASS_DIR` when left out
    #[arg(value_name = "DIR|FILE")]
    pub paths: Vec<PathBuf>,
    /// How much is printed
    #[command(flatten)]
    pub messages: MessageArgs,
}
