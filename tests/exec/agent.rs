//! `--agent`: keys in an ssh-agent of the process's own, and no key in any file.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use jobpass::platform::Platform::GitHubActions;
use jobpass::sandbox::{SandboxKubeCluster, SandboxOptions};

use super::signals::{line, send, started};
use super::{exec, run};
use crate::ssh_proxy::{LEAF_NODE, NODE, Nodes};
use crate::support::cluster::{Cluster, key_lines, listing};
use crate::support::command::{binary, put, run as program};
use crate::support::sshd::me;

/// What the tests' ssh must not take from the machine they run on.
const PLAIN: &str = "-o BatchMode=yes -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes";

/// `exec --agent` of a script on the nodes' cluster.
fn on_nodes(nodes: &Nodes, flags: &[&str], script: &str) -> crate::support::command::Ran {
    let ca = nodes.cluster.path("web-ca.pem").display().to_string();
    let home = nodes.cluster.folder.path().display().to_string();
    let job = nodes.cluster.job(GitHubActions).set("HOME", &home).set("LC_ALL", "C.UTF-8");
    exec(&job, &[&["--agent", "--ca-file", &ca, "-q"], flags].concat(), script)
}

#[test]
fn ssh_scp_and_sftp_use_it() {
    let nodes = Nodes::start();
    put(&nodes.cluster.path("here"), b"content\0of a file\n");
    for (kind, certificate) in [("ed25519", "ED25519-CERT"), ("rsa", "RSA-CERT"), ("ecdsa", "ECDSA-CERT")] {
        for host in [NODE, LEAF_NODE] {
            let script = format!(
                "set -e; ssh-add -l; ssh() {{ command ssh -F \"$JOBPASS_SSH_CONFIG\" {PLAIN} \"$@\"; }}; \
                 ssh {me}@{host} 'echo in-$((40+2)); cat' </dev/null; \
                 scp -q -F \"$JOBPASS_SSH_CONFIG\" {PLAIN} here {me}@{host}:$PWD/there; cmp here there; rm there; \
                 printf 'get %s %s\\n' $PWD/here $PWD/back | \
                 sftp -q -F \"$JOBPASS_SSH_CONFIG\" {PLAIN} -b - {me}@{host} >/dev/null; cmp here back; rm back",
                me = me()
            );
            let ran = on_nodes(&nodes, &["--key-type", kind], &script).ok();
            assert!(ran.stdout.contains(&format!("({certificate})")), "{}", ran.all());
            assert!(ran.stdout.contains("bot-ci ssh") && ran.stdout.contains("in-42"), "{}", ran.all());
        }
    }
    // A large answer, both ways, and many at once.
    let script = format!(
        "head -c 3000000 /dev/zero | ssh -F \"$JOBPASS_SSH_CONFIG\" {PLAIN} {me}@{NODE} cat | wc -c; \
         for n in 1 2 3 4 5 6 7 8; do ssh -F \"$JOBPASS_SSH_CONFIG\" {PLAIN} {me}@{NODE} echo yes & done; wait",
        me = me()
    );
    let ran = on_nodes(&nodes, &[], &script).ok();
    assert!(ran.stdout.starts_with("3000000\n") && ran.stdout.matches("yes\n").count() == 8, "{}", ran.all());
}

#[test]
fn git_and_ansible_use_it() {
    let nodes = Nodes::start();
    let git = "git -c user.name=ci -c user.email=ci@example -c init.defaultBranch=main";
    let script = format!(
        "set -e; export GIT_SSH_COMMAND=\"$GIT_SSH_COMMAND {PLAIN}\" GIT_CONFIG_NOSYSTEM=1; {git} init -q work; \
         echo pushed >work/file; {git} -C work add file; {git} -C work commit -q -m one; {git} init -q --bare bare.git; \
         {git} -C work push -q ssh://{me}@{NODE}$PWD/bare.git HEAD:main; \
         {git} clone -q -b main ssh://{me}@{NODE}$PWD/bare.git copy; cat copy/file; \
         export ANSIBLE_SSH_ARGS=\"$ANSIBLE_SSH_ARGS -o GlobalKnownHostsFile=/dev/null\" ANSIBLE_NOCOLOR=1 \
         ANSIBLE_LOCAL_TEMP=$PWD/ansible; ansible all -i {NODE},{LEAF_NODE}, -u {me} -m raw -a 'echo in-$((40+2))' -o",
        me = me()
    );
    let ran = on_nodes(&nodes, &["--export-vars", "git,ansible"], &script).ok();
    assert!(ran.stdout.starts_with("pushed\n") && ran.stdout.matches("in-42").count() == 2, "{}", ran.all());
}

#[test]
fn no_file_has_a_key() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let script = "echo ready; tr '\\0' '\\n' </proc/$$/environ | grep -v TOKEN | sort; echo; read answer";
    let (mut child, mut output) = {
        let proxy = cluster.proxy();
        let all = [
            "exec",
            "--proxy",
            &proxy,
            "--token",
            &job.token,
            "-q",
            "--agent",
            "--name",
            "a b".split(' ').next().unwrap(),
            "--",
            "sh",
            "-c",
            script,
        ];
        let mut command = job.command(&all);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
        assert_eq!(line(&mut output), "ready");
        (child, output)
    };
    let environment: Vec<String> =
        std::iter::from_fn(|| Some(line(&mut output))).take_while(|line| !line.is_empty()).collect();
    let value = |name: &str| environment.iter().find_map(|line| line.strip_prefix(&format!("{name}=")));
    assert_eq!(value("TELEPORT_IDENTITY_FILE_A"), None);
    let socket = value("SSH_AUTH_SOCK").expect("a socket").to_owned();
    let entries = listing(cluster.folder.path());
    assert_eq!(key_lines(cluster.folder.path()), Vec::<String>::new());
    for name in ["credentials/key", "credentials/identity", "credentials/tlskey"] {
        assert!(!entries.iter().any(|(entry, _)| entry.ends_with(name)), "{entries:?}");
    }
    let sockets: Vec<_> = entries
        .iter()
        .filter(|(name, _)| {
            std::path::Path::new(name).extension().is_some_and(|extension| extension == "sock")
        })
        .collect();
    assert_eq!(sockets.len(), 2, "{entries:?}");
    assert!(sockets.iter().all(|(_, mode)| *mode == 0o600), "{sockets:?}");
    let folder = std::path::Path::new(&socket).parent().unwrap().metadata().unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&folder.permissions()) & 0o777, 0o700);

    // It takes no keys, and a message that is too long ends the connection, not the agent.
    let key = cluster.path("other");
    program("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", key.to_str().unwrap()]).ok();
    let add = |arguments: &[&str]| {
        let mut command = std::process::Command::new("ssh-add");
        let output = command.args(arguments).env("SSH_AUTH_SOCK", &socket).output().unwrap();
        crate::support::command::Ran::of(&output)
    };
    assert_eq!(add(&[key.to_str().unwrap()]).code, 1);
    assert_eq!(add(&["-D"]).code, 1);
    for bad in [&[255, 255, 255, 255, 0][..], &[0, 4, 0, 1, 11]] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(bad).unwrap();
        assert_eq!(stream.read(&mut [0; 8]).unwrap_or(0), 0, "it is closed");
    }
    let listed = add(&["-l"]).ok().stdout;
    assert!(listed.lines().count() == 2 && listed.contains("-CERT)"), "{listed}");
    child.stdin.take().unwrap().write_all(b"on\n").unwrap();
    child.wait().unwrap();
    assert!(UnixStream::connect(&socket).is_err());
}

/// `inspect` asks the agent, and takes nobody's word for it.
#[test]
fn inspect_knows_where_the_keys_are() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let folder = binary().parent().unwrap().display().to_string();
    let script = |rest: &str| format!("PATH='{folder}':$PATH; {rest}");
    let two = ["--agent", "-q", "--output", "ssh,name=a", "--output", "ssh,name=b"];
    for (flags, dir) in
        [(&["--agent", "-q"][..], "$JOBPASS_DIR"), (&two, "$JOBPASS_DIR"), (&two, "$JOBPASS_DIR/../b")]
    {
        let ran = exec(&job, flags, &script(&format!("jobpass inspect \"{dir}\""))).ok();
        let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "keys SSH Ed25519, TLS P-256 private keys in no file: `jobpass exec` has them, those for ssh in its ssh-agent `",
            "/agent.sock` match the ssh-agent has the key of the ssh certificate",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("problem") && !said.contains("hint"), "{said}");
    }
    let ran = exec(&job, &["--agent", "-q"], &script("jobpass inspect --json; echo \"$SSH_AUTH_SOCK\"")).ok();
    let (json, socket) = ran.stdout.trim_end().rsplit_once('\n').unwrap();
    let facts: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!((facts["agent"].as_str(), &facts["problems"]), (Some(socket), &serde_json::json!([])));
    assert_eq!(facts["belong_together"], serde_json::Value::Null);

    // Elsewhere they are missing: without an agent, beside one of somebody else's, beside a file of that name, beside a dead one.
    for beside in [
        ":",
        "eval \"$(ssh-agent -a other/agent.sock)\" >/dev/null",
        "echo >other/agent.sock",
        "ln -s \"$SSH_AUTH_SOCK\" other/agent.sock",
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"other/agent.sock\")'",
    ] {
        let rest = format!(
            "mkdir -m 700 other; cp -r \"$JOBPASS_DIR\" other/out; agent=$SSH_AGENT_PID; {beside}; jobpass inspect other/out; echo $?; \
             [ \"$SSH_AGENT_PID\" = \"$agent\" ] || kill $SSH_AGENT_PID; rm -r other"
        );
        let ran = exec(&job, &["--agent", "-q"], &script(&rest)).ok();
        assert!(ran.stdout.ends_with("\n6\n"), "{beside}: {}", ran.all());
        assert!(
            ran.stdout.contains("the private key of `key-cert.pub` is missing"),
            "{beside}: {}",
            ran.all()
        );
    }
}

#[test]
fn each_output_has_its_own_roles() {
    let nodes = Nodes::with_logins([&["deploy"], &["reader"]]);
    let script = format!(
        "ssh-add -l | wc -l; for out in A B; do eval \"config=\\$JOBPASS_SSH_CONFIG_$out\"; for host in {NODE} {LEAF_NODE}; do \
         ssh -F \"$config\" {PLAIN} {me}@$host echo in 2>/dev/null </dev/null || echo out; done; done",
        me = me()
    );
    let flags =
        ["--name", "a", "--output", "ssh,name=a,roles=ci-deploy", "--output", "ssh,name=b,roles=ci-read"];
    let ran = on_nodes(&nodes, &flags, &script).ok();
    assert_eq!(ran.stdout, "4\nin\nout\nout\nin\n", "{}", ran.all());
}

#[test]
fn ssh_says_why_it_cannot_connect() {
    let nodes = Nodes::start();
    let script =
        format!("ssh -F \"$JOBPASS_SSH_CONFIG\" {PLAIN} {}@nowhere.sandbox.example true; echo $?", me());
    let ran = on_nodes(&nodes, &[], &script).ok();
    assert_eq!(ran.stdout, "255\n");
    let said: Vec<_> = ran.stderr.lines().filter(|line| line.starts_with("jobpass: ")).collect();
    assert!(
        said.len() == 1 && said[0].contains("`nowhere` is not a node of `sandbox.example`"),
        "{}",
        ran.stderr
    );
    // Once the command has ended, nobody has the keys.
    let script = "echo \"$JOBPASS_DIR\"";
    let dir = on_nodes(&nodes, &[], script).ok().stdout;
    let socket = std::path::Path::new(dir.trim()).parent().unwrap().join("proxy-0.sock");
    let job = nodes.cluster.job(GitHubActions);
    let ran = job.run(&["ssh-proxy", "--socket", socket.to_str().unwrap(), "node1", "22"]);
    assert_eq!(ran.code, 6, "{}", ran.all());
    assert!(
        ran.stderr.contains("`jobpass exec` does not answer") && ran.stderr.lines().count() == 1,
        "{}",
        ran.stderr
    );
}

#[test]
fn other_outputs_keep_their_files_and_some_flags_do_not_fit() {
    let kube = SandboxKubeCluster { name: "prod".into(), labels: Vec::new() };
    let cluster =
        Cluster::start(SandboxOptions { kube_clusters: vec![kube], ..SandboxOptions::simulating(None) });
    let job = cluster.job(GitHubActions);
    let flags = ["--agent", "-q", "--output", "ssh", "--output", "kube=prod"];
    let ran = exec(&job, &flags, "test -r \"$KUBECONFIG\" && ls \"$JOBPASS_DIR\"").ok();
    assert!(ran.stdout.contains("key.pub") && !ran.stdout.contains("key\n"), "{}", ran.stdout);
    for (flags, said) in [
        (&["--output", "kube=prod"][..], "`--agent` is about ssh outputs, and there is none"),
        (&["--export-vars", "terraform"], "`--export-vars terraform` needs a file with a private key"),
    ] {
        let ran = run(&job, &[&["--agent"], flags].concat(), &["echo", "started"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.all());
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn a_killed_exec_leaves_no_socket() {
    let cluster = Cluster::any();
    let job = cluster.job(GitHubActions);
    let before = listing(cluster.folder.path());
    let (mut child, mut output) =
        started(&job, &["--agent"], "trap 'echo end; exit' TERM; echo ready; sleep 60 & wait; wait");
    send("KILL", child.id());
    child.wait().unwrap();
    assert_eq!(line(&mut output), "end");
    // The watchdog holds standard error, not standard output: it may still be at it.
    while listing(cluster.folder.path()) != before {
        std::thread::yield_now();
    }
}
