//! `--ttl auto`: as long as the job may still run.

use std::time::Duration;

use jiff::Timestamp;

use crate::cli::value::Auto;
use crate::env::Env;
use crate::log::Log;
use crate::platform::Platform;
use crate::run::request;
use crate::text::duration;

/// What is asked for where nothing says how long the job may run.
const DEFAULT: Duration = Duration::from_secs(3_600);
/// Steps that clean up run after the limit, and clocks differ.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// However little is left: a credential that ends while it is written helps nobody.
const SHORTEST: Duration = Duration::from_secs(10 * 60);

/// How long the credentials are to live.
pub fn ttl(
    asked: Auto<Duration>,
    env: &Env,
    platform: Option<Platform>,
    now: Timestamp,
    log: &Log,
) -> Duration {
    let Some(asked) = asked.0 else {
        return automatic(env, platform, now, log);
    };
    request::cap_ttl(asked, log)
}

fn automatic(env: &Env, platform: Option<Platform>, now: Timestamp, log: &Log) -> Duration {
    let Some(left) = platform.and_then(|platform| platform.time_left(env, now)) else {
        let whose = platform.map_or("nothing here", Platform::title);
        log.note(format!("`--ttl auto`: {whose} tells no time limit of this job: asking for 1h"));
        return DEFAULT;
    };
    let left = left.min(request::LONGEST);
    let ttl = (left + MARGIN).max(SHORTEST).min(request::LONGEST);
    let shown = |time: Duration| duration(time.try_into().unwrap_or(jiff::SignedDuration::MAX));
    log.detail(format!("`--ttl auto`: the job may run for {}: asking for {}", shown(left), shown(ttl)));
    ttl
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::log::Level;

    #[test]
    fn the_jobs_limit_counts_where_it_is_told() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let (gitlab, buildkite) = (Some(Platform::GitLabCi), Some(Platform::Buildkite));
        for (platform, variables, want, is_told) in [
            (gitlab, &[("CI_JOB_TIMEOUT", "7200")][..], minutes(125), true),
            (
                gitlab,
                &[("CI_JOB_TIMEOUT", "7200"), ("CI_JOB_STARTED_AT", "2026-11-21T11:00:00Z")],
                minutes(65),
                true,
            ),
            (
                gitlab,
                &[("CI_JOB_TIMEOUT", "7200"), ("CI_JOB_STARTED_AT", "2026-11-21T12:30:00+01:00")],
                minutes(95),
                true,
            ),
            // Clocks differ; nobody has longer than the whole limit.
            (
                gitlab,
                &[("CI_JOB_TIMEOUT", "7200"), ("CI_JOB_STARTED_AT", "2026-11-21T13:00:00Z")],
                minutes(125),
                true,
            ),
            (
                gitlab,
                &[("CI_JOB_TIMEOUT", "7200"), ("CI_JOB_STARTED_AT", "2026-11-21T10:01:00Z")],
                minutes(10),
                true,
            ),
            (
                gitlab,
                &[("CI_JOB_TIMEOUT", "7200"), ("CI_JOB_STARTED_AT", "2020-01-01T00:00:00Z")],
                minutes(10),
                true,
            ),
            (gitlab, &[("CI_JOB_TIMEOUT", "7200"), ("CI_JOB_STARTED_AT", "today")], minutes(125), true),
            (gitlab, &[("CI_JOB_TIMEOUT", "60")], minutes(10), true),
            (gitlab, &[("CI_JOB_TIMEOUT", "999999999")], hours(24), true),
            (gitlab, &[("CI_JOB_TIMEOUT", "18446744073709551615")], hours(24), true),
            (gitlab, &[("CI_JOB_TIMEOUT", "1h")], hours(1), false),
            (gitlab, &[("CI_JOB_TIMEOUT", "0")], hours(1), false),
            (gitlab, &[], hours(1), false),
            (buildkite, &[("BUILDKITE_TIMEOUT", "90")], minutes(95), true),
            (buildkite, &[("BUILDKITE_TIMEOUT", "18446744073709551615")], hours(24), true),
            (buildkite, &[("BUILDKITE_TIMEOUT", "false")], hours(1), false),
            (Some(Platform::GitHubActions), &[("CI_JOB_TIMEOUT", "7200")], hours(1), false),
            (None, &[("CI_JOB_TIMEOUT", "7200")], hours(1), false),
        ] {
            let notes = Arc::new(Mutex::new(Vec::new()));
            let heard = Arc::clone(&notes);
            let log = Log::new(move |level, text| {
                if level == Level::Note {
                    heard.lock().unwrap().push(text.to_owned());
                }
            });
            let env = Env::new(variables.iter().copied(), "/");
            assert_eq!(ttl(Auto(None), &env, platform, now, &log), want, "{variables:?}");
            assert_eq!(notes.lock().unwrap().is_empty(), is_told, "{variables:?}");
            assert_eq!(ttl(Auto(Some(minutes(7))), &env, platform, now, &log), minutes(7));
        }
    }
}
