"""Every workflow of ci-examples/github under act, on the host: its own runner for GitHub's workflows.

act gives no identity tokens and sets a marker of its own: the two request variables come from the sandbox, and JOBPASS_PLATFORM says
what is simulated. The workflows are the examples' own bytes, but for one step in front, a witness: what it does when the job ends
runs after all else, and lists the folder for temporary files, which act removes.
"""

import os
import platform
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from cluster import EXAMPLES, Cluster, clean_environment, git

FOLDER = EXAMPLES / "github"
TIMEOUT = 300
WITNESS = {
    "action.yml": "name: witness\ndescription: Sees what is left.\nruns:\n  using: node24\n  main: main.js\n  post: post.js\n",
    "main.js": "",
    "post.js": """
const fs = require('node:fs');
const found = fs.readdirSync(process.env.RUNNER_TEMP, { recursive: true });
fs.writeFileSync(process.env.WITNESS_FILE, found.map((name) => `${name}\\n`).join(''));
""",
}
# Files that are not a workflow.
NO_WORKFLOWS = {"action.yml", "token.yaml", "role.yaml", "bot.yaml"}


def workflows():
    return sorted(path for path in FOLDER.glob("*.y*ml") if path.name not in NO_WORKFLOWS)


class Ran:
    def __init__(self, process, witness):
        self.code, self.log = process.returncode, process.stdout
        self.left = witness.read_text().splitlines()
        self.pwned = Path(f"{witness}.pwned").exists()


class GitHub(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.jobpass, cls.act = os.environ["JOBPASS_BINARY"], os.environ["JOBPASS_ACT"]
        cls.cluster = cls.enterClassContext(Cluster(cls.jobpass, "github"))

    def act_runs(self, workflow, lets_in=True, path=None, **more):
        """A repository with the workflow and the action, as a user would have it, pushed to `main`."""
        self.cluster.sshd.lets_in(lets_in)
        home = Path(self.enterContext(tempfile.TemporaryDirectory(dir=self.cluster.folder)))
        repository = home / "app"
        actions = repository / ".github/actions"
        shutil.copytree(FOLDER, actions / "jobpass")
        if (EXAMPLES / "install.sh").exists():
            shutil.copy(EXAMPLES / "install.sh", actions / "jobpass")
        (actions / "witness").mkdir()
        for name, text in WITNESS.items():
            (actions / "witness" / name).write_text(text)
        (repository / ".github/workflows").mkdir()
        checkout = "      - uses: actions/checkout@v4\n"
        self.assertEqual(workflow.count(checkout), 1, workflow)
        text = workflow.replace(checkout, f"{checkout}      - uses: ./.github/actions/witness\n")
        (repository / ".github/workflows/example.yml").write_text(text)
        environment = clean_environment(HOME=home, PATH=path or self.path(), XDG_CACHE_HOME=home / "cache", XDG_CONFIG_HOME=home / "config")
        git(repository, environment)
        witness = home / "witness"
        of_sandbox = {name: self.cluster.variables[name] for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")}
        variables = {**self.cluster.network, **of_sandbox, "JOBPASS_PLATFORM": "github", "WITNESS_FILE": witness, **more}
        (home / "variables").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        command = [self.act, "push", "-P", "ubuntu-latest=-self-hosted", "--env-file", home / "variables", "--secret-file", "/dev/null"]
        command += ["--var-file", "/dev/null", "--input-file", "/dev/null", "--action-offline-mode"]
        process = subprocess.run(
            [str(part) for part in command], cwd=repository, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT,
        )
        self.assertNotRegex(process.stdout, r"eyJ[\w-]+\.eyJ|PRIVATE KEY")
        self.assertNotIn(of_sandbox["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], process.stdout)
        self.assertTrue(witness.exists(), process.stdout)
        return Ran(process, witness)

    def path(self):
        return f"{Path(self.jobpass).parent}:{os.environ['PATH']}"

    def left_by(self, ran):
        return [name for name in ran.left if "jobpass" in name]

    def test_every_workflow_runs_and_leaves_nothing(self):
        self.assertGreaterEqual(len(workflows()), 6)
        for path in workflows():
            with self.subTest(path.name):
                before = self.cluster.sshd.logins()
                ran = self.act_runs(path.read_text())
                self.assertEqual(ran.code, 0, ran.log)
                self.assertIn("logged in to teleport.example.com as bot-ci", ran.log)
                if "ssh -F" in path.read_text():
                    self.assertEqual(self.cluster.sshd.logins(), before + 1, ran.log)
                self.assertEqual(self.left_by(ran), [], ran.log)

    def test_a_job_that_fails_leaves_nothing(self):
        for path in workflows():
            with self.subTest(path.name):
                ran = self.act_runs(path.read_text().rstrip("\n") + "\n      - run: exit 1\n", lets_in=False)
                self.assertEqual(ran.code, 1, ran.log)
                self.assertIn("logged in to teleport.example.com as bot-ci", ran.log)
                self.assertEqual(self.left_by(ran), [], ran.log)

    def test_without_logout_the_witness_sees_the_key(self):
        workflow = (FOLDER / "deploy.yml").read_text()
        ran = self.act_runs(workflow.replace("      - if: always()\n        run: jobpass logout\n", ""))
        self.assertIn("jobpass/key", ran.left, ran.log)

    def with_action(self, inputs, *steps, action=""):
        text = (FOLDER / "with-action.yml").read_text()
        head = text[: text.index("      - uses: ./.github/actions/jobpass")]
        given = "".join(f"          {name}: {value}\n" for name, value in inputs.items())
        use = f"      - uses: ./.github/actions/jobpass{action}\n        id: teleport\n        with:\n{given}"
        return head + use + "".join(f"      - {step}\n" for step in steps)

    CLUSTER_INPUTS = {"proxy": "teleport.example.com:443", "token": "ci-deploy"}

    def test_outputs_and_variables(self):
        names = ("destination-dir", "identity-file", "ssh-config", "certificate-file", "key-file", "expires-at")
        shown = " ".join(f"{name}=${{{{ steps.teleport.outputs.{name} }}}}" for name in names)
        show = f'run: echo "{shown} proxy=$TELEPORT_PROXY dir=$JOBPASS_DIR"; ls -l "${{{{ steps.teleport.outputs.identity-file }}}}"'
        of_teleport = {"certificate-ttl": "30m", "anonymous-telemetry": "1", "ca-pins": "sha256:00", "allow-reissue": "true"}
        ran = self.act_runs(self.with_action({**self.CLUSTER_INPUTS, **of_teleport}, show))
        self.assertEqual(ran.code, 0, ran.log)
        self.assertIn("valid until", ran.log)
        self.assertIn("(30m)", ran.log)
        for name in names:
            self.assertRegex(ran.log, rf"\| .*{name}=\S")
        self.assertRegex(ran.log, r"\| .*proxy=teleport.example.com:443 dir=/\S+/jobpass-")
        self.assertNotRegex(ran.log, "(?i)telemetry|reissue|::warning")
        quiet = self.act_runs(self.with_action({**self.CLUSTER_INPUTS, "disable-env-vars": "true"}, show))
        self.assertEqual(quiet.code, 0, quiet.log)
        self.assertRegex(quiet.log, r"\| .*identity-file=/\S+ .*proxy= dir=\n")
        self.assertEqual((self.left_by(ran), self.left_by(quiet)), ([], []))

    def test_two_identities_in_one_job(self):
        second = "uses: ./.github/actions/jobpass\n        with: {proxy: teleport.example.com, token: ci-deploy, name: reader, roles: ci-read}"
        ran = self.act_runs(self.with_action(self.CLUSTER_INPUTS, second, 'run: ls "$JOBPASS_DIR/key" "$JOBPASS_DIR_READER/key"'))
        self.assertEqual(ran.code, 0, ran.log)
        self.assertEqual(ran.log.count("logged in to"), 2)
        self.assertEqual(self.left_by(ran), [], ran.log)

    def test_no_shell_reads_an_input(self):
        hostile = "'x$(touch \"$WITNESS_FILE.pwned\")`touch \"$WITNESS_FILE.pwned\"`; touch \"$WITNESS_FILE.pwned\" #'"
        names = {"": ["token", "roles", "name", "audience", "output", "certificate-ttl"], "/auth-k8s": ["kubernetes-cluster"], "/auth-application": ["app"], "/composite/login": ["token", "roles", "output", "name"]}
        for action, inputs in names.items():
            for name in inputs:
                with self.subTest(f"{action} {name}"):
                    ran = self.act_runs(self.with_action({**self.CLUSTER_INPUTS, name: hostile}, action=action))
                    self.assertEqual((ran.code, ran.pwned), (1, False), ran.log)
        comma = self.act_runs(self.with_action({**self.CLUSTER_INPUTS, "app": "'grafana,dir=/tmp'"}, action="/auth-application"))
        self.assertEqual(comma.code, 1)
        self.assertIn("the name of the app has a comma", comma.log)

    def test_a_refused_login_fails_the_step(self):
        ran = self.act_runs(self.with_action({**self.CLUSTER_INPUTS, "token": "unknown"}, "run: echo reached"))
        self.assertEqual((ran.code, "| reached" in ran.log), (1, False), ran.log)
        self.assertEqual(self.left_by(ran), [], ran.log)

    def test_installs_jobpass_where_there_is_none(self):
        mirror = self.cluster.folder / "mirror"
        version = release(self.jobpass, mirror)
        show = 'run: jobpass --version && ssh -F "$JOBPASS_SSH_CONFIG" deploy@web-1.teleport.example.com true'
        inputs = {**self.CLUSTER_INPUTS, "version": version, "mirror": mirror}
        tools = self.cluster.folder / "tools"
        ran = self.act_runs(self.with_action(inputs, show), path=without_jobpass(), RUNNER_TOOL_CACHE=tools)
        self.assertEqual(ran.code, 0, ran.log)
        self.assertIn(f"| jobpass {version}", ran.log)
        self.assertEqual(self.left_by(ran), [], ran.log)
        wrong = self.with_action({**inputs, "sha256": f"'{64 * '0'}'"})
        ran = self.act_runs(wrong, path=without_jobpass(), RUNNER_TOOL_CACHE=self.cluster.folder / "other-tools")
        self.assertEqual(ran.code, 1, ran.log)
        self.assertIn("could not install jobpass", ran.log)
        none = self.act_runs(self.with_action(self.CLUSTER_INPUTS), path=without_jobpass(), RUNNER_TOOL_CACHE=self.cluster.folder / "no-tools")
        self.assertEqual(none.code, 1, none.log)
        self.assertIn("JOBPASS_MIRROR is not set", none.log)


def release(jobpass, mirror):
    """A release as install.sh expects it, with this binary."""
    said = subprocess.run([jobpass, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    version = said.split()[1]
    name = f"jobpass-{version}-{platform.machine()}-linux"
    (mirror / name).mkdir(parents=True)
    shutil.copy(jobpass, mirror / name / "jobpass")
    subprocess.run(["tar", "-czf", f"{name}.tar.gz", name], cwd=mirror, check=True)
    sums = subprocess.run(["sha256sum", f"{name}.tar.gz"], cwd=mirror, check=True, stdout=subprocess.PIPE).stdout
    (mirror / "SHA256SUMS").write_bytes(sums)
    return version


def without_jobpass():
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not (Path(folder) / "jobpass").exists())
