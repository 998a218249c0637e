//! `jobpass exec --tunnel`: tunnels for one command.

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxKubeCluster, SandboxOptions};

use super::{WHO, WithPostgres, database};
use crate::support::cluster::{Cluster, listing};
use crate::support::command::Ran;
use crate::support::redis::Redis;

fn exec(cluster: &Cluster, flags: &[&str], command: &[&str]) -> Ran {
    let (job, proxy) = (cluster.job(Platform::GitLabCi), cluster.proxy());
    let home = cluster.folder.path().display().to_string();
    let job = job.set("HOME", &home).set("XDG_RUNTIME_DIR", &cluster.path("temp").display().to_string());
    let all = [&["exec", "--proxy", &proxy, "--token", &job.token], flags, &["--"], command].concat();
    job.run(&all)
}

#[test]
fn psql_runs_without_a_credential_in_any_file() {
    let with = WithPostgres::start(|_| ());
    for at in ["", ",unix"] {
        let spec = format!("database=pg,user=ci,database-name=app{at}");
        let ran = exec(&with.cluster, &["--tunnel", &spec], &[&["psql"], WHO].concat()).ok();
        assert_eq!(ran.stdout, "ci|app\n", "{}", ran.stderr);
        assert!(
            ran.stderr.contains("tunnel `pg`: the database `pg` (user `ci`, name `app`) at "),
            "{}",
            ran.stderr
        );
    }
    let shown = ["sh", "-c", "echo ${JOBPASS_DIR-none} ${JOBPASS_TUNNEL_PG_PORT:+open}; exit 7"];
    let ran = exec(&with.cluster, &["--tunnel", "database=pg"], &shown);
    assert_eq!((ran.code, ran.stdout.as_str()), (7, "none open\n"), "{}", ran.all());
    assert_eq!(listing(&with.cluster.path("temp")), [], "nothing is left");
}

#[test]
fn tunnels_stand_beside_outputs() {
    let redis = Redis::start();
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("cache", "redis"), database("oracle", "oracle")],
        database_targets: vec![("cache".into(), redis.address)],
        kube_clusters: vec![SandboxKubeCluster { name: "prod".into(), labels: vec![] }],
        ..SandboxOptions::simulating(None)
    });
    let flags = ["--output", "ssh", "--tunnel", "database=cache", "--tunnel", "kube=prod"];
    let script = "test -f \"$JOBPASS_DIR/identity\" && redis-cli -u \"$JOBPASS_TUNNEL_CACHE_URL\" ping && kubectl get pods \
                  && ! grep -rl -- 'PRIVATE KEY' \"${KUBECONFIG%/*}\"";
    let ran = exec(&cluster, &flags, &["sh", "-c", script]).ok();
    assert!(ran.stdout.starts_with("PONG\n") && ran.stdout.contains("prod-web-0"), "{}", ran.all());
    for (flags, wanted) in [
        (
            &["--output", "ssh,name=cache", "--tunnel", "database=cache"][..],
            "an output and a tunnel have the same name: `cache`",
        ),
        (&["--tunnel", "database=oracle"], "cannot serve database `oracle`"),
        (&["--tunnel", "ssh"], "ssh needs no tunnel"),
    ] {
        let ran = exec(&cluster, flags, &["echo", "it ran"]);
        assert!(ran.code == 2 && ran.stderr.contains(wanted) && ran.stdout.is_empty(), "{}", ran.all());
    }
    // A tunnel is nothing that a command could do without.
    let ran = exec(
        &cluster,
        &["--keep-going", "--output", "ssh", "--tunnel", "database=none"],
        &["echo", "it ran"],
    );
    assert!(ran.code == 4 && ran.stdout.is_empty(), "{}", ran.all());
    assert_eq!(listing(&cluster.path("temp")), [], "nothing is left");
}
