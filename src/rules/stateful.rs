//! Join methods that are not for a process which starts from nothing and leaves nothing behind, with the reason.

/// Teleport's other methods (docs, "Joining Services to a Cluster"; `lib/join`).
const METHODS: [(&str, &str); 5] = [
    (
        "bound_keypair",
        "`bound_keypair` keeps state: a key on this machine and a count of its joins on the cluster, so that each join \
         needs what the last one left",
    ),
    ("ec2", "`ec2` keeps state: the cluster remembers each machine and lets it join once"),
    ("oracle", "`oracle` proves a machine of Oracle Cloud, which jobpass cannot do"),
    (
        "token",
        "`token` keeps state: its secret is good for one join, whose certificates must be kept and renewed from then on",
    ),
    (
        "tpm",
        "`tpm` keeps state: the key that it proves stays in this machine's TPM, which a daemon has to hold",
    ),
];

/// What to do instead.
pub const INSTEAD: &str = "join by what the job, the pod or the machine is: `github`, `gitlab`, …, `kubernetes`, `iam`, `gcp` or `azure`; on a \
     machine that lasts, run `jobpass login` from a timer";

/// The names of these methods.
pub fn stateful() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|(name, _)| *name)
}

/// Why jobpass does not join by the method of that name; `None`: it is none of these.
pub fn why_not(method: &str) -> Option<&'static str> {
    METHODS.iter().find(|(name, _)| *name == method).map(|(_, why)| *why)
}
