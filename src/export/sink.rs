//! What the user says about where exports go.

use std::path::PathBuf;

use super::shell::Shell;
use crate::platform::{Channel, Platform};

/// `--export`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sink {
    /// The detected platform's own; nothing where there is none.
    #[default]
    Auto,
    /// That platform's.
    Platform(Platform),
    /// `export K=V` lines on standard output, for `eval`.
    Shell,
    /// The same for fish.
    Fish,
    /// The same for `PowerShell`.
    PowerShell,
    /// `K=V` lines in a file of the user's, created or replaced as a whole (0600).
    EnvFile(PathBuf),
    /// Nothing.
    None,
}

impl Sink {
    /// The shell that evaluates standard output.
    pub fn shell(&self) -> Option<Shell> {
        match self {
            Self::Shell => Some(Shell::Posix),
            Self::Fish => Some(Shell::Fish),
            Self::PowerShell => Some(Shell::PowerShell),
            Self::Platform(platform) => {
                matches!(platform.channel(), Channel::Script { .. }).then_some(Shell::Posix)
            }
            Self::Auto | Self::EnvFile(_) | Self::None => None,
        }
    }

    /// Whether it was asked for what goes to standard output.
    pub fn is_standard_output(&self) -> bool {
        let gives_commands =
            matches!(self, Self::Platform(platform) if matches!(platform.channel(), Channel::Commands(_)));
        gives_commands || self.shell().is_some()
    }
}
