//! Arguments of `jobpass inspect`.

use std::path::PathBuf;

use clap::Args;

use super::Talk;

/// `jobpass inspect`.
#[derive(Debug, Args, Default)]
pub struct Inspect {
    /// A folder that jobpass or tbot wrote, or an `identity` file [env: `JOBPASS_DIR`]
    #[arg(value_name = "DIR|FILE")]
    pub path: Option<PathBuf>,
    /// How much is said
    #[command(flatten)]
    pub talk: Talk,
}
