"""What the platforms whose runners do not run here publish about their files: JSON schemas, by check-jsonschema; and the shell in all
of them, by shellcheck. actionlint for GitHub's workflows, where Go could build it.
"""

import os
import re
import subprocess
import tempfile
import unittest

from cluster import EXAMPLES

# Files → schema.
SCHEMAS = {
    "github-workflows": ["github/application.yml", "github/deploy.yml", "github/exec.yml", "github/kubernetes.yml", "github/with-*.yml"],
    "github-actions": ["github/action.yml", "github/*/action.yml", "github/*/*/action.yml"],
    "gitlab-ci": ["gitlab/.gitlab-ci.yml", "gitlab/exec.yml", "gitlab/with-component.yml"],
    "circle-ci": ["circleci/*.yml"],
    "azure-pipelines": ["azure_devops/azure-pipelines.yml"],
    "bitbucket-pipelines": ["bitbucket/bitbucket-pipelines.yml"],
    "buildkite": ["buildkite/pipeline.yml", "buildkite/with-plugin.yml"],
    "cloudbuild": ["gcp/cloudbuild.yaml"],
}


def run(*command, **more):
    return subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def found(patterns):
    paths = {pattern: sorted(EXAMPLES.glob(pattern)) for pattern in patterns}
    missing = [pattern for pattern, some in paths.items() if not some]
    assert not missing, missing
    return sorted({path for some in paths.values() for path in some})


class Files(unittest.TestCase):
    def test_schemas(self):
        program = os.environ["JOBPASS_CHECK_JSONSCHEMA"]
        for schema, patterns in SCHEMAS.items():
            with self.subTest(schema):
                # Azure's schema has a pattern that is no ECMAScript with the flag `u`.
                more = {
                    "gitlab-ci": ["--data-transform", "gitlab-ci"],
                    "azure-pipelines": ["--data-transform", "azure-pipelines", "--regex-variant", "nonunicode"],
                }
                ran = run(program, "--builtin-schema", f"vendor.{schema}", *more.get(schema, []), *found(patterns))
                self.assertEqual(ran.returncode, 0, ran.stdout)

    def test_actionlint(self):
        program = os.environ.get("JOBPASS_ACTIONLINT")
        if not program:
            self.skipTest("tests/runners/run has said that Go is missing")
        # shellcheck looks at their scripts, too. What is in single quotes is meant for another shell (SC2016).
        ran = run(program, "-no-color", "-ignore", "SC2016", *found(SCHEMAS["github-workflows"]))
        self.assertEqual(ran.returncode, 0, ran.stdout)

    def test_wrong_files_are_seen(self):
        """The schemas are those of these files."""
        program = os.environ["JOBPASS_CHECK_JSONSCHEMA"]
        for schema in SCHEMAS:
            with self.subTest(schema), tempfile.NamedTemporaryFile("w", suffix=".yml") as wrong:
                wrong.write("steps: 1\njobs: 1\njob: {script: 1}\nruns: 1\nversion: []\npipelines: 1\n")
                wrong.flush()
                more = ["--regex-variant", "nonunicode"] if schema == "azure-pipelines" else []
                ran = run(program, "--builtin-schema", f"vendor.{schema}", *more, wrong.name)
                self.assertEqual(ran.returncode, 1, ran.stdout)

    def test_shellcheck(self):
        """Files that are scripts; the Rust tests have it look at the scripts in the other files."""
        named = [path for path in EXAMPLES.rglob("*") if path.is_file() and path.read_bytes()[:2] == b"#!"]
        scripts = [path for path in named if re.match(rb"#!.*\b(ba)?sh\b", path.read_bytes())]
        self.assertGreaterEqual(len(scripts), 5)
        ran = run("shellcheck", "--exclude=SC2016", *scripts)
        self.assertEqual(ran.returncode, 0, ran.stdout)


if __name__ == "__main__":
    unittest.main()
