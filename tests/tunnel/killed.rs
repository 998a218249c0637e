//! What a killed `jobpass tunnel` leaves, and who removes it.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use jobpass::platform::Platform;
use jobpass::sandbox::{SandboxKubeCluster, SandboxOptions};

use super::database;
use crate::support::cluster::{Cluster, key_lines, listing};
use crate::support::tunnel::Tunnels;

/// The folders of tunnels.
fn folders(cluster: &Cluster) -> Vec<String> {
    let names = listing(&cluster.path("temp")).into_iter().map(|(name, _)| name);
    names.filter(|name| name.starts_with("jobpass-tunnel-") && !name.contains('/')).collect()
}

/// As if nothing had been put into it for ten minutes.
fn age(folder: &Path) {
    let opened = File::open(folder).unwrap();
    let then = opened.metadata().unwrap().modified().unwrap() - Duration::from_secs(600);
    opened.set_modified(then).unwrap();
}

#[test]
fn the_next_one_removes_what_stayed_and_takes_its_places() {
    let kube = SandboxKubeCluster { name: "prod".into(), labels: Vec::new() };
    let cluster = Cluster::start(SandboxOptions {
        databases: vec![database("cache", "redis")],
        kube_clusters: vec![kube],
        ..SandboxOptions::simulating(None)
    });
    let job = cluster.job(Platform::GitLabCi);
    let (socket, ready) = (cluster.path("cache.sock"), cluster.path("told"));
    let named = format!("database=cache,name=named,socket={}", socket.display());
    let all = ["database=cache,unix", "kube=prod", &named];
    let in_use = Tunnels::start(&job, &all[..2]);
    let [used] = &folders(&cluster)[..] else { panic!("{:?}", folders(&cluster)) };

    let killed = Tunnels::start(&job, &all);
    let left_ready = killed.ready_file.clone();
    std::fs::rename(&left_ready, &ready).unwrap();
    assert_eq!(killed.stop("-KILL").code, -1);
    // Sockets, a kubeconfig, the lines for a shell: no credential.
    assert_eq!(key_lines(cluster.folder.path()), Vec::<String>::new());
    let all_folders = folders(&cluster);
    let left: Vec<_> = all_folders.iter().filter(|name| *name != used).collect();
    let [left] = left[..] else { panic!("{left:?}") };
    let inside: Vec<String> =
        listing(&cluster.path("temp").join(left)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(inside, ["cache.sock", "prod", "prod/kubeconfig.yaml"]);
    assert!(socket.exists());

    for folder in [used, left] {
        age(&cluster.path("temp").join(folder));
    }
    let next = Tunnels::start(&job, &all);
    let now = folders(&cluster);
    assert!(!now.contains(left) && now.contains(used) && now.len() == 2, "{now:?}");
    next.stop("-TERM").ok();
    in_use.stop("-TERM").ok();
    assert_eq!(listing(&cluster.path("temp")), []);
    assert!(!socket.exists() && !left_ready.exists());
    // The file that says that they are open is one that the next run must not be taken for.
    let again = ["tunnel", "--proxy", "127.0.0.1:1", "--token", "x", "--timeout", "5s", "database=cache"];
    assert_eq!(job.run(&[&again[..], &["--ready-file", ready.to_str().unwrap()]].concat()).code, 5);
    assert!(!ready.exists());
}
