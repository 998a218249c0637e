//! What the sandbox acts out: a job of a CI platform, or one on a machine.

use crate::cloud::Cloud;
use crate::platform::{Platform, Simulation};
use crate::rules::{method_of, method_of_cloud};
use crate::teleport::JoinMethod;

/// A kind of job that can be acted out.
#[derive(Debug, Clone, Copy)]
pub struct Simulated {
    kind: Kind,
    simulation: &'static Simulation,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Platform(Platform),
    Cloud(Cloud),
}

impl Simulated {
    /// The platforms, then the machines.
    pub fn all() -> impl Iterator<Item = Self> {
        let machines = Cloud::ALL.into_iter().filter_map(Self::machine);
        Platform::ALL.into_iter().map(Self::from).chain(machines)
    }

    /// A job on a machine of that kind; `None`: it cannot be acted out.
    pub fn machine(cloud: Cloud) -> Option<Self> {
        Some(Self { kind: Kind::Cloud(cloud), simulation: cloud.simulation()? })
    }

    /// The CI platform, if it is a job of one.
    pub fn platform(self) -> Option<Platform> {
        match self.kind {
            Kind::Platform(platform) => Some(platform),
            Kind::Cloud(_) => None,
        }
    }

    /// The word for flags: `github`, `kubernetes`, ….
    pub fn id(self) -> &'static str {
        match self.kind {
            Kind::Platform(platform) => platform.id(),
            Kind::Cloud(cloud) => cloud.id(),
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self.kind {
            Kind::Platform(platform) => platform.title(),
            Kind::Cloud(cloud) => cloud.title(),
        }
    }

    /// How such a job joins.
    pub fn method(self) -> JoinMethod {
        match self.kind {
            Kind::Platform(platform) => method_of(platform),
            Kind::Cloud(cloud) => method_of_cloud(cloud),
        }
    }

    /// What it has.
    pub fn simulation(self) -> &'static Simulation {
        self.simulation
    }

    /// The variable that names the file with its identity token; `None`: the token is not in a file.
    pub fn token_file_variable(self) -> Option<&'static str> {
        matches!(self.kind, Kind::Cloud(Cloud::Kubernetes)).then_some(crate::cloud::kubernetes::TOKEN_PATH)
    }

    /// Whether the job's own configuration fixes the audience of its tokens.
    pub(super) fn fixes_audience(self) -> bool {
        self.platform().is_none_or(|platform| platform.audience_hint("").is_some())
    }
}

impl From<Platform> for Simulated {
    fn from(platform: Platform) -> Self {
        Self { kind: Kind::Platform(platform), simulation: platform.simulation() }
    }
}
