//! `jobpass completions`.

use clap::CommandFactory as _;

use crate::cli::{Cli, Completions};

/// The script for a shell.
pub fn script(args: &Completions) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "jobpass", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
