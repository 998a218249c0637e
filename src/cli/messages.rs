//! How much a command prints.

use clap::Args;

/// Arguments about messages.
#[derive(Debug, Args, Default, Clone, Copy)]
#[command(next_help_heading = "Messages")]
pub struct MessageArgs {
    /// Print the report as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Print each step
    #[arg(short, long)]
    pub verbose: bool,
    /// Print errors only
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}
