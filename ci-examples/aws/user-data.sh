#!/bin/bash
# User data of an EC2 instance that does one job; its instance profile is the identity.
set -eu
trap 'jobpass logout /run/teleport' EXIT
jobpass login --proxy teleport.example.com --token ci-deploy --join-method iam --dir /run/teleport
ssh -F /run/teleport/ssh_config deploy@web-1.teleport.example.com uptime
