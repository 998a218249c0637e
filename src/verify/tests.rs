//! The user's guards, and what the user should know of right certificates.

use super::certificates::tests::{ROLES, at, authorities, identity};
use super::*;
use crate::identity::route::Route;
use crate::issue::Credential;
use crate::net::tls::ClientIdentity;
use crate::output::{Destination, Kind, Output};
use crate::secret::PrivateKey;

/// Recorded certificates, which expire at 05:54:59. The cluster's clock says five o'clock.
fn checked(expected: &Expectations, asked: &str, skew: i64) -> Result<Checked, VerifyError> {
    let client = ClientIdentity { chain: Vec::new(), key: PrivateKey::from_pkcs8(Vec::new()) };
    let bot = BotIdentity {
        user: "bot-ci".to_owned(),
        cluster: "lab.example".to_owned(),
        client,
        authorities: Vec::new(),
        suite: None,
        method: None,
    };
    let output = Output {
        name: "ssh".to_owned(),
        kind: Kind::Ssh { cluster: None },
        roles: None,
        destination: Destination::whole("/x".into()),
    };
    let first = Credential { route: Route::Cluster, identity: identity() };
    let issued = Issued {
        output,
        roles: ROLES.map(str::to_owned).to_vec(),
        by_request: false,
        first,
        others: Vec::new(),
    };
    let batch =
        Batch { issued: vec![issued], refused: Vec::new(), sessions: Vec::new(), authorities: authorities() };
    let now = at("05:00:00").checked_sub(SignedDuration::from_secs(skew)).unwrap();
    verify(batch, &bot, Some(skew), expected, at(asked), now)
}

#[test]
fn each_guard_counts() {
    let all = |cluster: &str, bot: &str, role: &str, login: &str| Expectations {
        cluster: Some(cluster.to_owned()),
        bot: Some(bot.to_owned()),
        roles: vec![role.to_owned()],
        logins: vec![login.to_owned()],
    };
    let identity = identity();
    let login = identity.logins()[0];
    for bot in ["ci", "bot-ci"] {
        checked(&all("lab.example", bot, ROLES[1], login), "05:54:59", 0).unwrap();
    }
    for (expected, wanted, hint) in [
        (
            all("x", "ci", ROLES[0], login),
            "`--expect-cluster x` is not met: the cluster is `lab.example`",
            "--proxy",
        ),
        (
            all("lab.example", "x", ROLES[0], login),
            "`--expect-bot x` is not met: the bot is `bot-ci`",
            "--token",
        ),
        (all("lab.example", "ci", "x", login), "`--expect-role x` is not met: output `ssh` has ", "--roles"),
        (
            all("lab.example", "ci", ROLES[0], "x"),
            "`--require-login x` is not met: output `ssh` has ",
            "allow.logins",
        ),
    ] {
        let error = checked(&expected, "05:54:59", 0).unwrap_err();
        assert!(error.to_string().starts_with(wanted), "{error}");
        assert!(error.exit() == Exit::Refused && error.hints()[0].contains(hint), "{:?}", error.hints());
    }
}

#[test]
fn an_early_end_and_a_wrong_clock_are_noted() {
    for (asked, skew, wanted) in [
        ("05:54:59", 0, None),
        ("05:56:59", 30, None),
        ("05:57:00", 0, Some("the certificates expire 2m1s earlier than asked")),
        ("05:54:59", 31, Some("this machine's clock is 31s behind")),
        ("05:54:59", -31, Some("this machine's clock is 31s ahead of")),
        // Later than asked by no more than clocks differ.
        ("05:52:59", 0, None),
    ] {
        let found = checked(&Expectations::default(), asked, skew).unwrap();
        assert_eq!(found.ends, at("05:54:59"));
        let right = match wanted {
            Some(wanted) => found.notes.len() == 1 && found.notes[0].starts_with(wanted),
            None => found.notes.is_empty(),
        };
        assert!(right, "{asked} {skew}: {:?}", found.notes);
    }
    let error = checked(&Expectations::default(), "05:52:58", 0).unwrap_err();
    assert!(error.to_string().contains("later than asked") && error.hints()[0].contains("clocks"), "{error}");
}

#[test]
fn outputs_with_the_same_roles_share_a_connection() {
    let with = |roles: Option<&[&str]>| Output {
        name: "ssh".to_owned(),
        kind: Kind::Ssh { cluster: None },
        roles: roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect()),
        destination: Destination::whole("/x".into()),
    };
    let (all, one, other) = (with(None), with(Some(&["a"])), with(Some(&["a", "b"])));
    for (outputs, want) in [
        (vec![], 0),
        (vec![all.clone()], 1),
        (vec![one.clone(), all.clone(), one.clone()], 2),
        (vec![one.clone(), other, all.clone(), one, all], 3),
    ] {
        assert_eq!(policy::connections(&outputs), want, "{outputs:?}");
    }
}
