//! TeamCity: messages in the log.

use jobpass::platform::Platform::TeamCity;

use crate::support::cluster::Cluster;

#[test]
fn later_steps_get_parameters_by_messages_in_the_log() {
    let cluster = Cluster::any();
    let ran = cluster.job(TeamCity).login(&["--dir", "it's [x]"]).ok();
    let proxy = format!("##teamcity[setParameter name='env.TELEPORT_PROXY' value='{}']", cluster.proxy());
    assert!(ran.stdout.lines().any(|line| line == proxy), "{}", ran.stdout);
    assert!(
        ran.stdout.lines().all(|line| line.starts_with("##teamcity[setParameter name='env.")),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("/it|'s |[x|]/ssh_config']"), "{}", ran.stdout);
    // What cannot be a value ends the run, and nothing is left.
    let ran = cluster.job(TeamCity).login(&["--dir", "100%"]);
    assert_eq!(ran.code, 6, "{}", ran.all());
    assert!(ran.stderr.contains("TeamCity takes `%`") && !cluster.path("100%").exists(), "{}", ran.stderr);
}
