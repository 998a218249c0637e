"""Every pipeline of ci-examples/gitlab under gitlab-ci-local, by its shell executor.

It sets GITLAB_CI to `false`, gives no identity tokens and no folder for temporary files: the token comes from the sandbox, the marker and
the folder are as gitlab-runner has them. The pipelines are the examples' own bytes.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from cluster import EXAMPLES, Cluster, clean_environment, git

FOLDER = EXAMPLES / "gitlab"
TIMEOUT = 300


def pipelines():
    return sorted(FOLDER.glob("*.yml"))


class Ran:
    def __init__(self, process, temp, home):
        self.code, self.log = process.returncode, process.stdout
        self.left = sorted(str(path.relative_to(temp)) for path in temp.rglob("*"))
        self.pwned = (home / "pwned").exists()


class GitLab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.jobpass, cls.runner = os.environ["JOBPASS_BINARY"], os.environ["JOBPASS_GITLAB_CI_LOCAL"]
        cls.cluster = cls.enterClassContext(Cluster(cls.jobpass, "gitlab"))

    def runs(self, pipeline, lets_in=True):
        """A checkout with the pipeline and the component, as a user would have it, on `main`."""
        self.cluster.sshd.lets_in(lets_in)
        home = Path(self.enterContext(tempfile.TemporaryDirectory(dir=self.cluster.folder)))
        repository, temp = home / "app", home / "app.tmp"
        temp.mkdir()
        repository.mkdir()
        (repository / ".gitlab-ci.yml").write_text(pipeline)
        shutil.copytree(FOLDER / "templates", repository / "templates")
        path = f"{Path(self.jobpass).parent}:{os.environ['PATH']}"
        environment = clean_environment(HOME=home, PATH=path, TMPDIR=self.enterContext(tempfile.TemporaryDirectory()))
        git(repository, environment)
        token = self.cluster.variables["TBOT_GITLAB_JWT"]
        of_runner = {"TBOT_GITLAB_JWT": token, "RUNNER_TEMP_PROJECT_DIR": str(temp)}
        process = subprocess.run(
            [self.runner, "--force-shell-executor", "--color=false", "--variable", "GITLAB_CI=true"],
            cwd=repository, env={**environment, **self.cluster.network, **of_runner}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT,
        )
        self.assertNotRegex(process.stdout, r"eyJ[\w-]+\.eyJ|PRIVATE KEY")
        return Ran(process, temp, home)

    def test_every_pipeline_runs_and_leaves_nothing(self):
        self.assertGreaterEqual(len(pipelines()), 3)
        for path in pipelines():
            with self.subTest(path.name):
                before = self.cluster.sshd.logins()
                ran = self.runs(path.read_text())
                self.assertEqual(ran.code, 0, ran.log)
                self.assertIn("logged in to teleport.example.com as bot-ci", ran.log)
                self.assertEqual(self.cluster.sshd.logins(), before + 1, ran.log)
                self.assertEqual(ran.left, [], ran.log)

    def test_a_job_that_fails_leaves_nothing(self):
        for path in pipelines():
            with self.subTest(path.name):
                ran = self.runs(path.read_text(), lets_in=False)
                self.assertNotEqual(ran.code, 0, ran.log)
                self.assertIn("logged in to teleport.example.com as bot-ci", ran.log)
                self.assertEqual(ran.left, [], ran.log)

    def test_without_logout_the_key_stays(self):
        text = (FOLDER / ".gitlab-ci.yml").read_text()
        self.assertIn("jobpass logout", text)
        ran = self.runs(text.replace("jobpass logout", "echo kept"))
        self.assertIn("jobpass/key", ran.left, ran.log)

    def test_the_component_takes_good_inputs_only(self):
        text = (FOLDER / "with-component.yml").read_text()
        other = text.replace("ttl: 30m", "ttl: 45m\n      roles: ci-read\n      name: reader")
        script = other.index("    - ssh -F")
        ran = self.runs(other[:script] + '    - ls "$JOBPASS_SSH_CONFIG_READER"\n')
        self.assertEqual(ran.code, 0, ran.log)
        self.assertIn("(45m)", ran.log)
        self.assertIn("roles ci-read ", ran.log)
        self.assertEqual(ran.left, [], ran.log)
        # gitlab-ci-local does not know `regex:`, which stops these at GitLab: so that the binary sees them, and no shell.
        hostile = "'x$(touch ../pwned)`touch ../pwned`; touch ../pwned'"
        for name in ("proxy", "cluster", "token", "ttl", "roles", "output", "name"):
            with self.subTest(name):
                kept = "".join(line for line in text.splitlines(True) if not line.startswith(f"      {name}:"))
                ran = self.runs(kept.replace("    inputs:\n", f"    inputs:\n      {name}: {hostile}\n"))
                # The audience of the identity token alone is not told to jobpass.
                self.assertEqual((ran.code == 0, ran.pwned), (name == "cluster", False), ran.log)

    def test_the_inputs_of_the_component_have_types(self):
        text = (FOLDER / "templates/jobpass.yml").read_text()
        head = text.split("---\n")[0]
        inputs = re.findall(r"(?m)^    (\w+):\n((?:      .*\n)+)", head)
        self.assertEqual(len(inputs), 8)
        for name, settings in inputs:
            self.assertIn("type: string", settings)
            pattern = re.search(r"regex: (\S+)\n", settings)[1]
            self.assertTrue(pattern.startswith("^") and pattern.endswith("$"), pattern)
            default = re.search(r'default: "?([^"\n]*)"?\n', settings)
            self.assertTrue(default is None or re.search(pattern, default[1]), name)
            for hostile in ("a b", "$(x)", "`x`", "a;b", "$X", "a'b", 'a"b', "a|b", "a&b", "\\"):
                self.assertIsNone(re.search(pattern, hostile), name)

    def test_as_a_component(self):
        text = (FOLDER / "with-component.yml").read_text()
        ran = self.runs(text.replace("- local: /templates/jobpass.yml", "- component: $CI_SERVER_FQDN/$CI_PROJECT_PATH/jobpass@$CI_COMMIT_SHA"))
        self.assertEqual(ran.code, 0, ran.log)
        self.assertEqual(ran.left, [], ran.log)
