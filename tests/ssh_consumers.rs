//! What people use over ssh, on the `ssh_config` that login wrote: scp, sftp, git, ansible; root and leaf.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::ssh_proxy::{LEAF_NODE, NODE, Nodes, finish, ssh};
use crate::support::command::{put, run};
use crate::support::sshd::me;

const HOSTS: [&str; 2] = [NODE, LEAF_NODE];

#[test]
fn scp_and_sftp_carry_files_both_ways() {
    let nodes = Nodes::start();
    let dir = nodes.login(&[]);
    let path = |name: &str| nodes.cluster.path(name).display().to_string();
    put(&nodes.cluster.path("here"), b"content\0of a file\n");
    for (index, host) in HOSTS.into_iter().enumerate() {
        // The second is the protocol of older servers.
        for protocol in ["-s", "-O"] {
            let (there, back) =
                (path(&format!("there{index}{protocol}")), path(&format!("back{index}{protocol}")));
            let far = |name: &str| format!("{host}:{name}");
            finish(ssh("scp", &dir).args([protocol, &path("here"), &far(&there)])).ok();
            finish(ssh("scp", &dir).args([protocol, &far(&there), &back])).ok();
            assert_eq!(std::fs::read(&back).unwrap(), b"content\0of a file\n", "{host} {protocol}");
        }
        let (batch, back) = (path("batch"), path(&format!("sftp{index}")));
        put(Path::new(&batch), format!("put {0} {0}{index}\nget {0}{index} {back}\n", path("here")));
        finish(ssh("sftp", &dir).args(["-b", &batch, host])).ok();
        assert_eq!(std::fs::read(&back).unwrap(), b"content\0of a file\n", "{host}");
    }
}

#[test]
fn git_pushes_and_clones() {
    let nodes = Nodes::start();
    let dir = nodes.login(&[]);
    let config = dir.join("ssh_config").display().to_string();
    let options = "-o BatchMode=yes -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o IdentityAgent=none";
    let by_ssh = format!("ssh -F {} {options}", shlex::try_quote(&config).unwrap());
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        let identity = ["-c", "user.name=ci", "-c", "user.email=ci@example", "-c", "init.defaultBranch=main"];
        command.args(identity).args(arguments).env_clear().stdin(Stdio::null());
        command
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", nodes.cluster.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_SSH_COMMAND", &by_ssh);
        finish(&mut command).ok()
    };
    let path = |name: &str| nodes.cluster.path(name).display().to_string();
    let work = path("work");
    git(&["init", "-q", &work]);
    put(&nodes.cluster.path("work/file"), "pushed\n");
    git(&["-C", &work, "add", "file"]);
    git(&["-C", &work, "commit", "-q", "-m", "one"]);
    for (index, host) in HOSTS.into_iter().enumerate() {
        let bare = path(&format!("bare{index}.git"));
        git(&["init", "-q", "--bare", &bare]);
        let remote = format!("ssh://{}@{host}{bare}", me());
        git(&["-C", &work, "push", "-q", &remote, "HEAD:main"]);
        let copy = path(&format!("copy{index}"));
        git(&["clone", "-q", "-b", "main", &remote, &copy]);
        assert_eq!(std::fs::read_to_string(Path::new(&copy).join("file")).unwrap(), "pushed\n", "{host}");
    }
}

#[test]
fn ansible_runs_on_nodes_of_the_root_and_of_a_leaf() {
    let nodes = Nodes::start();
    let dir = nodes.login(&[]);
    let config = dir.join("ssh_config").display().to_string();
    // A master process would outlive the test.
    let options = format!(
        "-F {} -o ControlMaster=no -o ControlPath=none -o GlobalKnownHostsFile=/dev/null -o IdentityAgent=none",
        shlex::try_quote(&config).unwrap()
    );
    let inventory = format!("{NODE},{LEAF_NODE},");
    let mut command = Command::new("ansible");
    command
        .args(["all", "-i", &inventory, "-u", &me(), "-m", "raw", "-a", "echo in-$((40+2))", "-o"])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", nodes.cluster.folder.path())
        .env("LC_ALL", "C.UTF-8")
        .env("ANSIBLE_SSH_ARGS", &options)
        .env("ANSIBLE_NOCOLOR", "1")
        .env("ANSIBLE_LOCAL_TEMP", nodes.cluster.path("ansible"))
        .stdin(Stdio::null());
    let ran = finish(&mut command);
    assert_eq!((ran.code, ran.stdout.matches("in-42").count()), (0, 2), "{}", ran.all());
}

#[test]
fn two_outputs_with_different_roles_reach_different_accounts() {
    // One account lets in `deploy`, the other `reader`.
    let nodes = Nodes::with_logins([&["deploy"], &["reader"]]);
    let base =
        nodes.login(&["--output", "ssh,name=a,roles=ci-deploy", "--output", "ssh,name=b,roles=ci-read"]);
    for (output, allowed, refused) in [("a", NODE, LEAF_NODE), ("b", LEAF_NODE, NODE)] {
        let dir = base.join(output);
        let ran = finish(ssh("ssh", &dir).args([allowed, "id -un"])).ok();
        assert_eq!(ran.stdout.trim(), me(), "{output}");
        let ran = finish(ssh("ssh", &dir).args([refused, "id -un"]));
        assert_eq!((ran.code, ran.stdout.as_str()), (255, ""), "{output}: {}", ran.stderr);
        assert!(ran.stderr.contains("Permission denied (publickey)"), "{}", ran.stderr);
    }
    // One run, one join: what the job may do is one account more, not both.
    let seen: Vec<String> = ["a", "b"]
        .iter()
        .map(|output| {
            let path = base.join(output).join("key-cert.pub").display().to_string();
            let text = run("ssh-keygen", &["-L", "-f", &path]).ok().stdout;
            let logins = ["deploy", "reader"].into_iter().filter(|login| text.contains(login));
            logins.collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(seen, ["deploy", "reader"]);
    let joins = nodes.cluster.sandbox.records();
    let joins = joins.iter().flat_map(|record| &record.paths).filter(|path| path.ends_with("/Join")).count();
    assert_eq!(joins, 1);
}
