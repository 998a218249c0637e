//! What every error says of itself: how the process ends, what lies behind it, what the user can do.

use std::error::Error;
use std::fmt;

/// The exit codes. Stable; the README has the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    #[default]
    Done = 0,
    /// Our fault.
    Internal = 1,
    /// Usage.
    Usage = 2,
    /// No identity here.
    NoIdentity = 3,
    /// Refused by Teleport, or an expectation not met.
    Refused = 4,
    /// Network, TLS or deadline.
    Network = 5,
    /// Files or export.
    Files = 6,
    /// A command that is there but cannot be run, as shells number it.
    NotExecutable = 126,
    /// A command that is not there, as shells number it.
    NotFound = 127,
    /// SIGHUP, as shells number it.
    HungUp = 129,
    /// SIGINT, as shells number it.
    Interrupted = 130,
    /// SIGTERM, as shells number it.
    Terminated = 143,
}

/// The error of a stage, as data. `Display` is one sentence: lower case, no full stop, and without its causes.
pub trait StageError: Error + Send + Sync + 'static {
    /// How the process ends.
    fn exit(&self) -> Exit;

    /// What lies behind it, from near to far, one sentence each.
    fn causes(&self) -> Vec<String> {
        Vec::new()
    }

    /// What the user can do: imperatives, lower case, no full stop; the likeliest first.
    fn hints(&self) -> Vec<String> {
        Vec::new()
    }

    /// The sentence and its causes, for an error that this one is the cause of.
    fn chain(&self) -> Vec<String> {
        std::iter::once(self.to_string()).chain(self.causes()).collect()
    }

    /// The same on one line.
    fn in_one_line(&self) -> String {
        self.chain().join(": ")
    }
}

/// Why a command failed.
pub enum Failed {
    /// A stage says why.
    Stage(Box<dyn StageError>),
    /// Something nobody expected: our fault.
    Internal(anyhow::Error),
}

impl Failed {
    /// The error as the type that it is, if it is a `T`.
    pub fn downcast_ref<T: StageError>(&self) -> Option<&T> {
        match self {
            Self::Stage(error) => {
                let error: &(dyn Error + 'static) = error.as_ref();
                error.downcast_ref()
            }
            Self::Internal(_) => None,
        }
    }
}

impl<E: StageError> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Stage(Box::new(error))
    }
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

impl From<std::io::Error> for Failed {
    /// An error of the system that no stage expects.
    fn from(error: std::io::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(error) => error.fmt(f),
            Self::Internal(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(error) => error.fmt(f),
            Self::Internal(error) => error.fmt(f),
        }
    }
}
