#!/bin/bash
# gcloud compute instances create --metadata-from-file startup-script=startup-script.sh --service-account deployer@…: one job per machine.
set -eu
trap 'jobpass logout /run/teleport' EXIT
jobpass login --proxy teleport.example.com --token ci-deploy --join-method gcp --dir /run/teleport
ssh -F /run/teleport/ssh_config deploy@web-1.teleport.example.com uptime
