"""What the examples talk about, on loopback: the cluster `teleport.example.com` (a `jobpass sandbox`), the node
`web-1.teleport.example.com` (a real sshd with the account `deploy`), and the CI network's HTTP proxy, which alone knows
those names. So the examples run as they are written.
"""

import contextlib
import glob
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "ci-examples"
CLUSTER = "teleport.example.com"
# Long on a machine that compiles beside it.
PATIENCE = 60


class Cluster(contextlib.AbstractContextManager):
    """A sandbox for the jobs of one platform, with that platform's own token.yaml."""

    def __init__(self, jobpass, platform):
        self.folder = Path(tempfile.mkdtemp(prefix="jobpass-runners-"))
        self.jobpass = jobpass
        self._stack = contextlib.ExitStack()
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self._start(platform)
        except BaseException:
            self._stack.close()
            raise

    def __exit__(self, *_):
        self._stack.close()

    def _start(self, platform):
        sshd = Sshd(self.folder / "sshd")
        env_file = self.folder / "sandbox.env"
        command = [self.jobpass, "sandbox", "--quiet", "--simulate", platform, "--cluster", CLUSTER]
        command += ["--public-addr", CLUSTER, "--tokens", EXAMPLES / platform / "token.yaml", "--env-file", env_file]
        command += ["--node", f"web-1=127.0.0.1:{sshd.port}", "--user-ca", sshd.folder / "user_ca.pub"]
        command += ["--host-key", sshd.folder / "host_key.pub", "--kube", "staging", "--app", "grafana=http://127.0.0.1:1"]
        sandbox = self._run(command, clean_environment())
        wait(env_file.exists, sandbox, "the sandbox")
        self._stack.callback(sshd.stop)
        sshd.start()
        self.variables = sourced(env_file)
        relay = Relay({f"{name}:443": self.variables["TELEPORT_PROXY"] for name in (CLUSTER, f"grafana.{CLUSTER}")})
        self._stack.callback(relay.stop)
        # As an administrator of the CI network would: trust of the cluster's certificate, and the way out.
        self.network = {
            "SSL_CERT_FILE": self.variables["SSL_CERT_FILE"],
            "HTTPS_PROXY": f"http://127.0.0.1:{relay.port}",
            "NO_PROXY": "127.0.0.1",
        }
        self.relay, self.sshd = relay, sshd

    def _run(self, command, environment):
        process = subprocess.Popen([str(part) for part in command], env=environment)
        self._stack.callback(end, process)
        return process


class Sshd:
    """A node: lets `deploy` in, by a certificate of the cluster's alone."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.port, self.process = folder, free_port(), None
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host_key"], check=True)

    def start(self):
        """Once `user_ca.pub` and `host_key-cert.pub` are there."""
        folder = self.folder
        self.lets_in(True)
        (folder / "config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {folder}/host_key\nHostCertificate {folder}/host_key-cert.pub\n"
            f"PidFile none\nAuthorizedKeysFile none\nTrustedUserCAKeys {folder}/user_ca.pub\n"
            f"AuthorizedPrincipalsFile {folder}/principals\nAuthenticationMethods publickey\n"
            "PermitRootLogin prohibit-password\nUsePAM no\nStrictModes no\nLogLevel VERBOSE\n"
        )
        # The account `deploy` is ours by another name, for sshd alone.
        me = pwd.getpwuid(os.getuid())
        accounts = Path("/etc/passwd").read_text()
        (folder / "passwd").write_text(f"{accounts}deploy:x:{me.pw_uid}:{me.pw_gid}::{me.pw_dir}:/bin/sh\n")
        environment = {"LD_PRELOAD": nss_wrapper(), "NSS_WRAPPER_PASSWD": folder / "passwd", "NSS_WRAPPER_GROUP": "/etc/group"}
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.log = folder / "log"
        with self.log.open("w") as log:
            command = ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "config"]
            self.process = subprocess.Popen([str(part) for part in command], env=environment, stderr=log)
        wait(lambda: "Server listening" in self.log.read_text(), self.process, "sshd")

    def lets_in(self, yes):
        """A node that refuses makes a job fail behind its login."""
        (self.folder / "principals").write_text("deploy\n" if yes else "nobody\n")

    def logins(self):
        """How many have come in as `deploy`."""
        return self.log.read_text().count("Accepted publickey for deploy ")

    def stop(self):
        if self.process:
            end(self.process)


class Relay(threading.Thread):
    """The HTTP proxy: CONNECT to the names it was given; 502 for others."""

    def __init__(self, names):
        super().__init__(daemon=True)
        self.names, self.asked = names, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = client.recv(1)
                if not byte:
                    return
                head += byte
            target = head.split()[1].decode()
            self.asked.append(target)
            if target not in self.names:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                return
            host, port = self.names[target].rsplit(":", 1)
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                pump(client, server)

    def stop(self):
        # `close` alone does not wake who waits in `accept`.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def pump(one, other):
    peers = {one: other, other: one}
    while peers:
        for source in select.select(list(peers), [], [])[0]:
            data = source.recv(65536)
            if data:
                peers[source].sendall(data)
            else:
                with contextlib.suppress(OSError):
                    peers[source].shutdown(socket.SHUT_WR)
                del peers[source]


def nss_wrapper():
    found = glob.glob("/usr/lib/*/libnss_wrapper.so") + glob.glob("/usr/lib*/libnss_wrapper.so")
    if not found:
        raise RuntimeError("libnss_wrapper.so is not there: install it (Debian: libnss-wrapper)")
    return found[0]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def clean_environment(**more):
    """That of a runner's service: nothing of the caller's CI system or of another test."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {**kept, **{name: str(value) for name, value in more.items()}}


def sourced(file):
    """The variables that a shell has after reading the file."""
    script = 'set -a; . "$1"; exec env -0'
    run = subprocess.run(["bash", "-c", script, "bash", file], env={"PATH": os.environ["PATH"]}, check=True, stdout=subprocess.PIPE)
    return dict(entry.split("=", 1) for entry in run.stdout.decode().split("\0") if entry)


def git(repository, environment):
    """Makes the folder a checkout of `main`, with a remote that is never asked."""
    remote = "https://github.com/acme/app.git" if (repository / ".github").exists() else "https://gitlab.com/acme/app.git"
    me = ["-c", "user.name=ci", "-c", "user.email=ci@example.com"]
    for arguments in (["init", "-q", "-b", "main"], ["remote", "add", "origin", remote], ["add", "."], [*me, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *arguments], cwd=repository, env=environment, check=True)


def wait(condition, process, what):
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until or process.poll() is not None:
            raise RuntimeError(f"{what} did not start")
        time.sleep(0.02)


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
