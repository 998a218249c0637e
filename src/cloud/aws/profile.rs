//! The shared files, `~/.aws/config` and `~/.aws/credentials`, and the profiles in them ("AWS SDKs and Tools Reference Guide", "Shared
//! config and credentials files").

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::AwsError;
use super::names;
use crate::cloud::file;
use crate::env::Env;
use crate::net::Network;
use crate::text::{io_reason, safe};

/// The profile of who names none.
pub(super) const DEFAULT: &str = "default";

const HINT: &str = "check `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and the files of `~/.aws`";

/// All profiles of both files. Values may be secret.
#[derive(Default)]
pub(super) struct Profiles(BTreeMap<String, Settings>);

/// The settings of one profile by their names in lower case.
pub(super) type Settings = BTreeMap<String, String>;

impl Profiles {
    /// Reads both files. One that is not there has no profiles, unless a variable names it.
    pub(super) async fn read(env: &Env, network: &Network) -> Result<Self, AwsError> {
        let mut all = Self::default();
        for (variable, name, is_config) in [
            (names::CONFIG_FILE, "config", true),
            // The later one wins: its keys are the ones that count.
            (names::SHARED_CREDENTIALS_FILE, "credentials", false),
        ] {
            let (path, named) = match (env.var(variable), env.var(names::HOME)) {
                (Some(path), home) => (below_home(path, home), true),
                (None, Some(home)) => (Path::new(home).join(".aws").join(name), false),
                (None, None) => continue,
            };
            match file::text(network, &env.absolute(&path)).await {
                Ok(text) => all.add(&text, is_config),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {}
                Err(error) => {
                    let path = path.display().to_string().escape_debug().to_string();
                    let reason = io_reason(&error);
                    return Err(AwsError::File { path, reason, hint: HINT });
                }
            }
        }
        Ok(all)
    }

    pub(super) fn settings(&self, name: &str) -> Option<&Settings> {
        self.0.get(name)
    }

    /// Lines that are neither a section nor a setting are skipped, as the SDKs do.
    fn add(&mut self, text: &str, is_config: bool) {
        let mut section: Option<String> = None;
        for line in text.lines() {
            // Indented lines belong to a setting with parts (`s3 =`), none of which is of use here.
            if line.starts_with([' ', '\t', '#', ';']) || line.trim().is_empty() {
                continue;
            }
            if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                section = profile_of(header.0.trim(), is_config);
                continue;
            }
            let (Some(section), Some((name, value))) = (&section, line.split_once('=')) else { continue };
            let value = without_comment(value).trim();
            self.0.entry(section.clone()).or_default().insert(name.trim().to_lowercase(), value.to_owned());
        }
    }
}

/// The profile that a section is of; `None`: of none (`sso-session`, `services`, …).
fn profile_of(header: &str, is_config: bool) -> Option<String> {
    if !is_config || header == DEFAULT {
        return Some(header.to_owned());
    }
    let name = header.strip_prefix("profile")?;
    name.starts_with([' ', '\t']).then(|| name.trim().trim_matches('"').to_owned())
}

/// A comment begins behind white space.
fn without_comment(value: &str) -> &str {
    [" #", " ;", "\t#", "\t;"]
        .iter()
        .filter_map(|mark| value.find(mark))
        .min()
        .map_or(value, |at| &value[..at])
}

fn below_home(path: &str, home: Option<&str>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// A profile that cannot be used.
pub(super) fn unusable(name: &str, problem: impl Into<String>, hint: &str) -> AwsError {
    AwsError::Profile { name: safe(name, 100), problem: problem.into(), hint: hint.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles(config: &str, credentials: &str) -> Profiles {
        let mut all = Profiles::default();
        all.add(config, true);
        all.add(credentials, false);
        all
    }

    #[test]
    fn reads_both_files() {
        let all = profiles(
            "# top\n[default]\nregion = eu-west-1 ; near\nRegion2=\n\n[profile ci]\nregion=us-east-1\ns3 =\n  region = no\n\
             [profile \"a b\"]\nrole_arn = arn:x#y\n[other]\nregion = no\n[sso-session x]\nregion = no\nno setting\n",
            "[ci]\naws_access_key_id = AKIA\naws_secret_access_key=a=b+/ # mine\n[profile ci]\nregion = no\n",
        );
        let get = |profile: &str, name: &str| all.settings(profile)?.get(name).map(String::as_str);
        assert_eq!(get("default", "region"), Some("eu-west-1"));
        assert_eq!(get("default", "region2"), Some(""));
        assert_eq!(get("ci", "region"), Some("us-east-1"));
        assert_eq!(get("ci", "aws_access_key_id"), Some("AKIA"));
        assert_eq!(get("ci", "aws_secret_access_key"), Some("a=b+/"));
        assert_eq!(get("a b", "role_arn"), Some("arn:x#y"));
        for absent in ["other", "sso-session x", "x"] {
            assert!(all.settings(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        for text in
            ["[", "]", "[]", "=", "[a]\n=\n= x\nx", "\u{feff}[a]\nb=c", "[é]\né=é #é", "[profile]\na=b"]
        {
            profiles(text, text);
        }
    }

    #[test]
    fn a_path_may_begin_at_home() {
        assert_eq!(below_home("~/x", Some("/h")), Path::new("/h/x"));
        assert_eq!(below_home("~/x", None), Path::new("~/x"));
        assert_eq!(below_home("/x", Some("/h")), Path::new("/x"));
    }

    #[test]
    fn shared_files_under_fire() {
        let files = [
            "# top\n[default]\nregion = eu-west-1 ; near\n[profile \"a b\"]\nrole_arn=x#y\ns3 =\n  region = no\n",
            "[ci]\naws_access_key_id = AKIA\naws_secret_access_key=a=b+/ # mine\n",
        ];
        crate::under_fire::parser("AWS profiles", files)
            .memory(200, 256 * 1024)
            .text(|text| drop(profiles(text, text)));
    }
}
