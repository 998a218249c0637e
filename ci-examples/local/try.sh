#!/usr/bin/env bash
# Tries a pipeline's steps without a cluster, a CI system or a network: certificates say DRY-RUN, and no server admits them.
set -euo pipefail
simulate=${1:-github} # or gitlab, circleci, spacelift, buildkite, … (`jobpass login --help`)
folder=$(mktemp -d)
trap 'jobpass logout "$folder/teleport"; rm -rf "$folder"' EXIT

# The whole of a login: the same wire, the same files, the same report.
jobpass login --dry-run --simulate "$simulate" --dir "$folder/teleport" --output ssh --export none
jobpass inspect "$folder/teleport"
# What ssh makes of the files; it connects to nothing.
ssh -F "$folder/teleport/ssh_config" -G deploy@web-1.sandbox.example | grep -E '^(hostname|user|certificatefile|proxycommand) '

# A cluster that lives as long as a command: what is run here sees a job of that platform, and may log in for real.
jobpass sandbox --quiet --simulate "$simulate" -- sh -ec '
  jobpass explain
  jobpass login --dir "$1"
  jobpass logout "$1"
' sh "$folder/second"
