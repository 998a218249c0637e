//! Which keys an output has.

use futures_util::future::try_join_all;

use crate::identity::Suite;
use crate::identity::keys::{KeyError, KeyKind, KeyPair};
use crate::output::{Kind, Output};

/// The key or keys of one output.
#[derive(Clone)]
pub(super) struct Keys {
    /// For ssh; for other kinds the only one.
    pub(super) first: KeyPair,
    /// For TLS, where that is not the first.
    pub(super) tls: Option<KeyPair>,
}

impl Keys {
    /// The key of the TLS certificate.
    pub(super) fn of_tls(&self) -> &KeyPair {
        self.tls.as_ref().unwrap_or(&self.first)
    }
}

/// What decides the kinds of keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    /// Whether the server takes an SSH and a TLS key.
    pub(super) is_split: bool,
    /// The cluster's suite, where it has one.
    pub(super) suite: Option<Suite>,
    /// `--key-type`.
    pub(super) asked: Option<KeyKind>,
}

impl Choice {
    /// The first key, and one for TLS where that must be another.
    fn kinds(self, output: &Kind) -> (KeyKind, Option<KeyKind>) {
        match output {
            Kind::Ssh { .. } => self.ssh(),
            Kind::Kube(_) | Kind::App(_) => (self.tls(), None),
            // Clients and drivers of databases take RSA everywhere, and so does every suite of Teleport's (`lib/cryptosuites`).
            Kind::Database(_) => (self.asked.map_or(KeyKind::Rsa2048, for_tls), None),
        }
    }

    fn ssh(self) -> (KeyKind, Option<KeyKind>) {
        match (self.is_split, self.asked) {
            (true, Some(KeyKind::Ed25519)) => (KeyKind::Ed25519, Some(for_tls(KeyKind::Ed25519))),
            (_, Some(kind)) => (kind, None),
            (true, None) => {
                let (ssh, tls) = self.suite.unwrap_or_default().user_keys();
                (ssh, (ssh != tls).then_some(tls))
            }
            // Any key will do there, and P-256 is the quick one that TLS and SSH both take.
            (false, None) => (KeyKind::P256, None),
        }
    }

    fn tls(self) -> KeyKind {
        match (self.is_split, self.asked) {
            (_, Some(kind)) => for_tls(kind),
            (true, None) => self.suite.unwrap_or_default().user_keys().1,
            (false, None) => KeyKind::P256,
        }
    }
}

/// Ed25519 is no key for TLS clients everywhere: P-256 in its place.
fn for_tls(kind: KeyKind) -> KeyKind {
    if kind == KeyKind::Ed25519 { KeyKind::P256 } else { kind }
}

/// Keys for each output, made beside each other, from now on.
pub(super) fn generate(
    choice: Choice,
    outputs: &[Output],
) -> impl Future<Output = Result<Vec<Keys>, KeyError>> + Send + use<> {
    let begun: Vec<_> = outputs
        .iter()
        .map(|output| {
            let (first, tls) = choice.kinds(&output.kind);
            let make = move || {
                let tls = tls.map(KeyPair::generate).transpose()?;
                Ok(Keys { first: KeyPair::generate(first)?, tls })
            };
            (first, tokio::task::spawn_blocking(make))
        })
        .collect();
    try_join_all(begun.into_iter().map(|(first, keys)| async move {
        keys.await.map_err(|_| KeyError::Generate(first)).and_then(|keys| keys)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{App, Database, FileFormat, Kube, KubeClusters};

    #[test]
    fn suites_servers_and_users_decide() {
        use KeyKind::{Ed25519, P256, Rsa2048};
        let ssh = Kind::Ssh { cluster: None };
        let kube =
            Kind::Kube(Kube { clusters: KubeClusters::All, context: None, namespace: None, exec: false });
        let app = Kind::App(App { name: "a".into(), target_port: None, format: FileFormat::Plain });
        let database = Kind::Database(Database {
            service: "pg".into(),
            user: None,
            name: None,
            protocol: None,
            format: FileFormat::Plain,
        });
        let (legacy, balanced, fips) = (Some(Suite::Legacy), Some(Suite::BalancedV1), Some(Suite::FipsV1));
        for (output, is_split, suite, asked, want) in [
            (&ssh, true, balanced, None, (Ed25519, Some(P256))),
            (&ssh, true, legacy, None, (Rsa2048, None)),
            (&ssh, true, fips, None, (P256, None)),
            (&ssh, true, balanced, Some(Rsa2048), (Rsa2048, None)),
            (&ssh, true, legacy, Some(Ed25519), (Ed25519, Some(P256))),
            (&ssh, false, None, Some(Ed25519), (Ed25519, None)),
            (&ssh, false, None, None, (P256, None)),
            (&kube, true, balanced, None, (P256, None)),
            (&kube, true, legacy, None, (Rsa2048, None)),
            (&kube, false, legacy, None, (P256, None)),
            (&app, true, balanced, Some(Ed25519), (P256, None)),
            (&app, true, balanced, Some(Rsa2048), (Rsa2048, None)),
            (&database, true, balanced, None, (Rsa2048, None)),
            (&database, true, fips, None, (Rsa2048, None)),
            (&database, false, None, None, (Rsa2048, None)),
            (&database, true, balanced, Some(P256), (P256, None)),
            (&database, true, balanced, Some(Ed25519), (P256, None)),
        ] {
            let choice = Choice { is_split, suite, asked };
            assert_eq!(choice.kinds(output), want, "{output:?} {choice:?}");
        }
    }
}
