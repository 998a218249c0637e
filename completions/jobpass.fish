# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_jobpass_global_optspecs
    string join \n color= h/help V/version
end

function __fish_jobpass_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_jobpass_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_jobpass_using_subcommand
    set -l cmd (__fish_jobpass_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c jobpass -n "__fish_jobpass_needs_command" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_needs_command" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_needs_command" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "login" -d 'Swap this job\'s identity for credentials'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "logout" -d 'Wipe what login wrote, and take its variables back from later steps'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "exec" -d 'Run a command with credentials of its own, remove them when it ends, and pass its status on'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "tunnel" -d 'Keep local tunnels to databases, applications and kubernetes clusters open until a signal'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "explain" -d 'Show which rule of a join token this job matches, and which field fails'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "doctor" -d 'Try every step short of the join and report what is wrong'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "inspect" -d 'Show what a folder of credentials is for: who, roles, logins, until when'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "renew" -d 'Get new credentials into a folder of `login --renew` that is at its end'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "ssh-proxy" -d 'Connect ssh to a node through the proxy (`ProxyCommand` of the written `ssh_config`)'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "kube-credential" -d 'Give kubectl the client certificate of a folder (`exec` of a kubeconfig by `login --kube-exec`)'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "sandbox" -d 'Serve a throw-away cluster and CI token endpoint on loopback'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "man" -d 'Print a manual page (roff)'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "version" -d 'Print the version'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l proxy -d 'The proxy\'s web address' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l auth-server -d 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l ca-pin -d 'SHA-256 of the public key of the cluster\'s host CA, as `tctl status` shows it (with `--auth-server`)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l ca-file -d 'Trust only these roots (PEM) for the cluster\'s web certificate, with `--auth-server` for the auth service; other servers keep the system\'s roots (or `SSL_CERT_FILE`)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l timeout -d 'Deadline of the whole run; a bare number is seconds' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l token -d 'Name of the join token (`kind: token`), or the absolute path of a file with that name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l join-method -d 'The join method of the token' -r -f -a "auto\t''
azure\t''
azure_devops\t''
bitbucket\t''
circleci\t''
env0\t''
gcp\t''
generic_oidc\t''
github\t''
gitlab\t''
iam\t''
kubernetes\t''
spacelift\t''
terraform_cloud\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l platform -d 'The CI platform' -r -f -a "auto\t''
github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l id-token-env -d 'Take the identity token from this variable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l id-token-file -d 'Take the identity token from this file (`-`: standard input)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l id-token-command -d 'Take the identity token from the output of this command (split into words like a shell does; no shell runs)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l audience -d 'Ask the platform for a token with this audience' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l azure-client-id -d 'Client id of the user-assigned identity that a machine of Azure\'s joins as' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l ttl -d 'How long the credentials are valid, at most 24h (e.g. 30m, 1h, 1h30m, 1d); `auto`: as long as the job may still run, where the platform tells it (GitLab, Buildkite)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l roles -d 'Roles, comma-separated; all that the bot may have when left out' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l output -d 'What to issue, repeatable: `ssh`, `kube=CLUSTER`, `database=SERVICE`, `app=NAME`, each with `,roles=A+B`, `,name=N`, `,dir=D`; ssh with `,cluster=LEAF`, kube with `,context=` and `,namespace=`, database with `,user=`, `,database-name=`, `,protocol=` and `,format=`, app with `,target-port=` and `,format=`' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l dir -d 'The folder to write; a private one in the platform\'s temp folder when left out' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l name -d 'A name for this identity: its own folder, suffixed variables' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l key-type -d 'Kind of the keys, for servers or consumers that need another than the cluster\'s suite' -r -f -a "rsa\t''
ecdsa\t''
ed25519\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l export -d 'How later steps get the variables' -r -f -a "auto\t''
github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''
shell\t''
fish\t''
powershell\t''
env-file=PATH\t''
none\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l reuse-if-valid-for -d 'Do nothing but export again when an earlier login of this job for the same serves for at least this long' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l export-vars -d 'Variables of these programs besides, comma-separated, from ssh outputs: `git`, `rsync`, `ansible`, `terraform`' -r -f -a "git\t''
rsync\t''
ansible\t''
terraform\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l request-role -d 'Ask people for this role and wait for their answer, repeatable. What is issued has the bot\'s own role beside it, and can ask for more: `jobpass exec` leaves none of it behind' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l request-reason -d 'Why; what the identity token says of the job is added, and is all there is when left out' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l request-wait -d 'How long an answer may take; it does not count against `--timeout`. A bare number is seconds' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l request-reviewer -d 'A user to be told, where the cluster tells reviewers, repeatable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l request-id -d 'Take a request that an earlier job filed, and wait for its answer' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l expect-cluster -d 'The cluster must have this name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l expect-bot -d 'The bot must have this name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l expect-role -d 'Every output must have this role (repeatable)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l require-login -d 'Every output must allow this login (repeatable)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l target -d 'A login and node that the job will use: checked for per-session MFA (repeatable)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l simulate -d 'Pretend to be a job of this platform, or in a pod (with `--dry-run`)' -r -f -a "github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''
kubernetes\t''
aws\t''
gcp\t''
azure\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l as-branch -d 'Run as a job of this branch; the join token of a dry run admits `main` only and refuses others (with `--dry-run`)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -s c -l config -d 'A tbot.yaml (version 2), or what `TBOT_CONFIG` has in base64: cluster, join token and outputs, as far as flags do not name them' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l use-advertised-address -d 'Give later steps the address that the cluster itself advertises, not `--proxy`'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l insecure-trust-on-first-use -d 'Trust whatever answers at `--auth-server`; the join sends it this job\'s identity token'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l copy-binary -d 'Put a copy of this binary into the folder: containers and later steps need nothing else for ssh'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l kube-exec -d 'kubectl asks this binary for the credentials (`jobpass kube-credential`), in place of reading them in the kubeconfig'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l keep-going -d 'Write the other outputs when some are refused; the exit code is 4 then'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l renew -d 'ssh and kubectl get new credentials when these end, for as long as the job has an identity; `kube` outputs are as with `--kube-exec`'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l request-nowait -d 'File the request, print its id and hand it to later steps, and write no credentials'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l no-verify -d 'Do not check whether per-session MFA or Device Trust keep bots out'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l dry-run -d 'Run against a throw-away cluster inside this process: DRY-RUN certificates, valid for 15 minutes'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l allow-dry-run-in-ci -d 'Allow `--dry-run` inside a real CI job'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l print-command -d 'Print the command line that does the same without the file, and do nothing'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l json -d 'Print the report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand logout" -l name -d 'That of `login --name NAME`' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand logout" -l export -d 'Where the variables are taken back; as login exported them when left out' -r -f -a "auto\t''
github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''
shell\t''
fish\t''
powershell\t''
env-file=PATH\t''
none\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand logout" -l platform -d 'The CI platform that login was told of by `--platform`, where the folder does not say it' -r -f -a "auto\t''
github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand logout" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand logout" -l all -d 'All logins of this job: those in the platform\'s temp folder, and those that `JOBPASS_DIR` variables name'
complete -c jobpass -n "__fish_jobpass_using_subcommand logout" -l json -d 'Print the report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand logout" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand logout" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand logout" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand logout" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l tunnel -d 'Keep a tunnel open for as long as the command runs, repeatable: `database=SERVICE[:PORT]`, `app=NAME[:PORT]`, `kube=CLUSTER[:PORT]`, as `jobpass tunnel` takes them. Without `--output` nothing but tunnels is issued' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l proxy -d 'The proxy\'s web address' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l auth-server -d 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l ca-pin -d 'SHA-256 of the public key of the cluster\'s host CA, as `tctl status` shows it (with `--auth-server`)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l ca-file -d 'Trust only these roots (PEM) for the cluster\'s web certificate, with `--auth-server` for the auth service; other servers keep the system\'s roots (or `SSL_CERT_FILE`)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l timeout -d 'Deadline of the whole run; a bare number is seconds' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l token -d 'Name of the join token (`kind: token`), or the absolute path of a file with that name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l join-method -d 'The join method of the token' -r -f -a "auto\t''
azure\t''
azure_devops\t''
bitbucket\t''
circleci\t''
env0\t''
gcp\t''
generic_oidc\t''
github\t''
gitlab\t''
iam\t''
kubernetes\t''
spacelift\t''
terraform_cloud\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l platform -d 'The CI platform' -r -f -a "auto\t''
github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l id-token-env -d 'Take the identity token from this variable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l id-token-file -d 'Take the identity token from this file (`-`: standard input)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l id-token-command -d 'Take the identity token from the output of this command (split into words like a shell does; no shell runs)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l audience -d 'Ask the platform for a token with this audience' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l azure-client-id -d 'Client id of the user-assigned identity that a machine of Azure\'s joins as' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l ttl -d 'How long the credentials are valid, at most 24h (e.g. 30m, 1h, 1h30m, 1d); `auto`: as long as the job may still run, where the platform tells it (GitLab, Buildkite)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l roles -d 'Roles, comma-separated; all that the bot may have when left out' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l output -d 'What to issue, repeatable: `ssh`, `kube=CLUSTER`, `database=SERVICE`, `app=NAME`, each with `,roles=A+B`, `,name=N`, `,dir=D`; ssh with `,cluster=LEAF`, kube with `,context=` and `,namespace=`, database with `,user=`, `,database-name=`, `,protocol=` and `,format=`, app with `,target-port=` and `,format=`' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l name -d 'A name for this identity: its own folder, suffixed variables' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l key-type -d 'Kind of the keys, for servers or consumers that need another than the cluster\'s suite' -r -f -a "rsa\t''
ecdsa\t''
ed25519\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l export-vars -d 'Variables of these programs besides, comma-separated, from ssh outputs: `git`, `rsync`, `ansible`, `terraform`' -r -f -a "git\t''
rsync\t''
ansible\t''
terraform\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l request-role -d 'Ask people for this role and wait for their answer, repeatable. What is issued has the bot\'s own role beside it, and can ask for more: `jobpass exec` leaves none of it behind' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l request-reason -d 'Why; what the identity token says of the job is added, and is all there is when left out' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l request-wait -d 'How long an answer may take; it does not count against `--timeout`. A bare number is seconds' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l request-reviewer -d 'A user to be told, where the cluster tells reviewers, repeatable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l request-id -d 'Take a request that an earlier job filed, and wait for its answer' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l expect-cluster -d 'The cluster must have this name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l expect-bot -d 'The bot must have this name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l expect-role -d 'Every output must have this role (repeatable)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l require-login -d 'Every output must allow this login (repeatable)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l target -d 'A login and node that the job will use: checked for per-session MFA (repeatable)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l simulate -d 'Pretend to be a job of this platform, or in a pod (with `--dry-run`)' -r -f -a "github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''
kubernetes\t''
aws\t''
gcp\t''
azure\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l as-branch -d 'Run as a job of this branch; the join token of a dry run admits `main` only and refuses others (with `--dry-run`)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -s c -l config -d 'A tbot.yaml (version 2), or what `TBOT_CONFIG` has in base64: cluster, join token and outputs, as far as flags do not name them' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l agent -d 'Keep the private keys of ssh outputs in an ssh-agent for the command, and in no file'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l use-advertised-address -d 'Give later steps the address that the cluster itself advertises, not `--proxy`'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l insecure-trust-on-first-use -d 'Trust whatever answers at `--auth-server`; the join sends it this job\'s identity token'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l copy-binary -d 'Put a copy of this binary into the folder: containers and later steps need nothing else for ssh'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l kube-exec -d 'kubectl asks this binary for the credentials (`jobpass kube-credential`), in place of reading them in the kubeconfig'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l keep-going -d 'Write the other outputs when some are refused; the exit code is 4 then'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l renew -d 'ssh and kubectl get new credentials when these end, for as long as the job has an identity; `kube` outputs are as with `--kube-exec`'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l no-verify -d 'Do not check whether per-session MFA or Device Trust keep bots out'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l dry-run -d 'Run against a throw-away cluster inside this process: DRY-RUN certificates, valid for 15 minutes'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -l allow-dry-run-in-ci -d 'Allow `--dry-run` inside a real CI job'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand exec" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l proxy -d 'The proxy\'s web address' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l auth-server -d 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l ca-pin -d 'SHA-256 of the public key of the cluster\'s host CA, as `tctl status` shows it (with `--auth-server`)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l ca-file -d 'Trust only these roots (PEM) for the cluster\'s web certificate, with `--auth-server` for the auth service; other servers keep the system\'s roots (or `SSL_CERT_FILE`)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l timeout -d 'Deadline of the whole run; a bare number is seconds' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l token -d 'Name of the join token (`kind: token`), or the absolute path of a file with that name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l join-method -d 'The join method of the token' -r -f -a "auto\t''
azure\t''
azure_devops\t''
bitbucket\t''
circleci\t''
env0\t''
gcp\t''
generic_oidc\t''
github\t''
gitlab\t''
iam\t''
kubernetes\t''
spacelift\t''
terraform_cloud\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l platform -d 'The CI platform' -r -f -a "auto\t''
github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l id-token-env -d 'Take the identity token from this variable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l id-token-file -d 'Take the identity token from this file (`-`: standard input)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l id-token-command -d 'Take the identity token from the output of this command (split into words like a shell does; no shell runs)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l audience -d 'Ask the platform for a token with this audience' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l azure-client-id -d 'Client id of the user-assigned identity that a machine of Azure\'s joins as' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l ttl -d 'How long the tunnels are open, at most 24h (e.g. 30m, 1h, 1h30m); `auto`: for the job\'s own limit' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l roles -d 'Roles, comma-separated; all that the bot may have when left out' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l key-type -d 'Kind of the keys, for servers that need another than the cluster\'s suite' -r -f -a "rsa\t''
ecdsa\t''
ed25519\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l export -d 'How later steps get the variables' -r -f -a "auto\t''
github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''
shell\t''
fish\t''
powershell\t''
env-file=PATH\t''
none\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l ready-file -d 'Write the variables into this file once all tunnels listen, as `export` lines for a shell (created or replaced; removed at the end)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l ready-fd -d 'Write the same lines, then an empty one, to this open file descriptor' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l expect-cluster -d 'The cluster must have this name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l expect-bot -d 'The bot must have this name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l expect-role -d 'Every tunnel must have this role (repeatable)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l simulate -d 'Pretend to be a job of this platform, or in a pod (with `--dry-run`)' -r -f -a "github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''
kubernetes\t''
aws\t''
gcp\t''
azure\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l as-branch -d 'Run as a job of this branch; the join token of a dry run admits `main` only and refuses others (with `--dry-run`)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l use-advertised-address -d 'Give later steps the address that the cluster itself advertises, not `--proxy`'
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l insecure-trust-on-first-use -d 'Trust whatever answers at `--auth-server`; the join sends it this job\'s identity token'
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l no-verify -d 'Do not check whether per-session MFA or Device Trust keep bots out'
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l dry-run -d 'Run against a throw-away cluster inside this process: DRY-RUN certificates, valid for 15 minutes'
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -l allow-dry-run-in-ci -d 'Allow `--dry-run` inside a real CI job'
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand tunnel" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l rules -d 'A file with `kind: token` documents, as `tctl get tokens` prints them in YAML or JSON (`-`: standard input); only the one that `--token` names is judged, if it names one' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l claims -d 'Explain these claims instead of this job\'s identity token: a JSON object, or what `explain --json` printed' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l at -d 'Judge as of this time (RFC 3339)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l server-version -d 'The cluster\'s version: older ones lack globs and some methods' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l cluster -d 'The cluster\'s name, which is the audience of some methods' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l request-role -d 'A role that login is to ask people for, repeatable: what must be set on the cluster is shown' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l token -d 'Name of the join token (`kind: token`), or the absolute path of a file with that name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l join-method -d 'The join method of the token' -r -f -a "auto\t''
azure\t''
azure_devops\t''
bitbucket\t''
circleci\t''
env0\t''
gcp\t''
generic_oidc\t''
github\t''
gitlab\t''
iam\t''
kubernetes\t''
spacelift\t''
terraform_cloud\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l platform -d 'The CI platform' -r -f -a "auto\t''
github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l id-token-env -d 'Take the identity token from this variable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l id-token-file -d 'Take the identity token from this file (`-`: standard input)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l id-token-command -d 'Take the identity token from the output of this command (split into words like a shell does; no shell runs)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l audience -d 'Ask the platform for a token with this audience' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l azure-client-id -d 'Client id of the user-assigned identity that a machine of Azure\'s joins as' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l json -d 'Print the report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l proxy -d 'The proxy\'s web address' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l auth-server -d 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l ca-pin -d 'SHA-256 of the public key of the cluster\'s host CA, as `tctl status` shows it (with `--auth-server`)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l ca-file -d 'Trust only these roots (PEM) for the cluster\'s web certificate, with `--auth-server` for the auth service; other servers keep the system\'s roots (or `SSL_CERT_FILE`)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l timeout -d 'Deadline of the whole run; a bare number is seconds' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l token -d 'Name of the join token (`kind: token`), or the absolute path of a file with that name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l join-method -d 'The join method of the token' -r -f -a "auto\t''
azure\t''
azure_devops\t''
bitbucket\t''
circleci\t''
env0\t''
gcp\t''
generic_oidc\t''
github\t''
gitlab\t''
iam\t''
kubernetes\t''
spacelift\t''
terraform_cloud\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l platform -d 'The CI platform' -r -f -a "auto\t''
github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l id-token-env -d 'Take the identity token from this variable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l id-token-file -d 'Take the identity token from this file (`-`: standard input)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l id-token-command -d 'Take the identity token from the output of this command (split into words like a shell does; no shell runs)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l audience -d 'Ask the platform for a token with this audience' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l azure-client-id -d 'Client id of the user-assigned identity that a machine of Azure\'s joins as' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l dir -d 'The folder that login is to write; a private one in the platform\'s temp folder when left out' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l name -d 'The name that login is to give this identity' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l request-role -d 'A role that login is to ask people for, repeatable: what must be set on the cluster is shown' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l use-advertised-address -d 'Give later steps the address that the cluster itself advertises, not `--proxy`'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l insecure-trust-on-first-use -d 'Trust whatever answers at `--auth-server`; the join sends it this job\'s identity token'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l platform-only -d 'Only show which platform this is, and why not another; nothing is sent'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l json -d 'Print the report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -l json -d 'Print the report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand renew" -l dir -d 'The folder that login wrote' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand renew" -l timeout -d 'How long it may take' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand renew" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand renew" -l json -d 'Print the report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand renew" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand renew" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand renew" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand renew" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l dir -d 'The folder that login wrote' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l socket -d 'The socket of a running `jobpass exec --agent`, which has the keys and connects, in place of a folder' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l proxy -d 'The proxy\'s web address; that of the login when left out' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l ca-file -d 'Trust only these roots (PEM) for the cluster\'s web certificate' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l timeout -d 'How long connecting may take' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l renew -d 'Get new credentials first when these are at their end, as `login --renew` allows'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l json -d 'Print the report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand kube-credential" -l dir -d 'The folder that login wrote' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand kube-credential" -l kube -d 'The kubernetes cluster, in a folder for several' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand kube-credential" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand kube-credential" -l renew -d 'Get new credentials first when these are at their end, as `login --renew` allows'
complete -c jobpass -n "__fish_jobpass_using_subcommand kube-credential" -l json -d 'Print the report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand kube-credential" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand kube-credential" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand kube-credential" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand kube-credential" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l env-file -d 'Write the variables to use it into this file once it listens (created or replaced; removed at the end)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l tokens -d 'Policy: a file with `kind: token` documents (YAML); one token per platform when left out' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l simulate -d 'The kind of job whose environment is printed: a CI platform, or `kubernetes` for a pod' -r -f -a "github\t''
gitlab\t''
circleci\t''
spacelift\t''
bitbucket\t''
azure_devops\t''
terraform_cloud\t''
env0\t''
buildkite\t''
forgejo\t''
semaphore\t''
codefresh\t''
teamcity\t''
bitrise\t''
jenkins\t''
kubernetes\t''
aws\t''
gcp\t''
azure\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l cluster -d 'Name of the cluster' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l server-version -d 'Teleport version to behave like' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l port -d 'Port to listen on; a free one when left out' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l public-addr -d 'The address that the cluster advertises and that its web certificate is for, behind a name of the network\'s own (DNS, an HTTP proxy)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l node -d 'A node that ssh can reach through the cluster, repeatable: the sshd at `HOST:PORT` under `NAME`, or `NAME.LEAF` in a leaf cluster' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l role -d 'A role that bots may have, in place of `ci-deploy` and `ci-read`, repeatable: its logins, `mfa` and `device-trust` for a role that keeps bots out, and `max-ttl=DURATION`' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l requestable-role -d 'A role that bots may ask for by an access request, in place of `ci-prod`, repeatable: its logins and options as above' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l request-answer -d 'What becomes of access requests; without it they wait for `jobpass sandbox approve ID`' -r -f -a "approve\t''
deny\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l request-answer-after -d 'How long an access request waits for that; a bare number is seconds' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l request-answer-reason -d 'What the reviewer says' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l trait -d 'A trait of all bots, which roles take in by `{{internal.NAME}}`, repeatable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l database -d 'A database, repeatable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l app -d 'An application, repeatable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l leaf -d 'A trusted leaf cluster, repeatable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l ca-rotation -d 'Rotate the CAs: what is issued is signed with the new keys; servers show the old ones until `update-servers`' -r -f -a "update-clients\t''
update-servers\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l kube -d 'A kubernetes cluster of this name, with a pod in it that kubectl can see, repeatable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l login -d 'Allow this login as well, repeatable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l user-ca -d 'Write the user CA\'s public key into this file, for `TrustedUserCAKeys` of an sshd' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l host-key -d 'Sign this host key for the nodes; the certificate is written beside it (`FILE-cert.pub`)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l require-session-mfa -d 'Require per-session MFA in the whole cluster'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l no-new-join -d 'Switch off the new join path (`teleport.join.v1`)'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l no-old-join -d 'Switch off the old join path (HTTPS POST)'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -l json -d 'Print the report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -s v -l verbose -d 'Print each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -s q -l quiet -d 'Print errors only'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -a "approve" -d 'Approve an access request of the sandbox whose variables are set'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -a "deny" -d 'Deny an access request of the sandbox whose variables are set'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and not __fish_seen_subcommand_from approve deny help" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from approve" -l reason -d 'What the reviewer says' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from approve" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from approve" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from approve" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from deny" -l reason -d 'What the reviewer says' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from deny" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from deny" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from deny" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "approve" -d 'Approve an access request of the sandbox whose variables are set'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "deny" -d 'Deny an access request of the sandbox whose variables are set'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobpass -n "__fish_jobpass_using_subcommand completions" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand completions" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand completions" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand man" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand man" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand man" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand version" -l color -d 'Colors on standard error' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand version" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand version" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "login" -d 'Swap this job\'s identity for credentials'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "logout" -d 'Wipe what login wrote, and take its variables back from later steps'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "exec" -d 'Run a command with credentials of its own, remove them when it ends, and pass its status on'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "tunnel" -d 'Keep local tunnels to databases, applications and kubernetes clusters open until a signal'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "explain" -d 'Show which rule of a join token this job matches, and which field fails'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "doctor" -d 'Try every step short of the join and report what is wrong'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "inspect" -d 'Show what a folder of credentials is for: who, roles, logins, until when'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "renew" -d 'Get new credentials into a folder of `login --renew` that is at its end'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "ssh-proxy" -d 'Connect ssh to a node through the proxy (`ProxyCommand` of the written `ssh_config`)'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "kube-credential" -d 'Give kubectl the client certificate of a folder (`exec` of a kubeconfig by `login --kube-exec`)'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "sandbox" -d 'Serve a throw-away cluster and CI token endpoint on loopback'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "man" -d 'Print a manual page (roff)'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "version" -d 'Print the version'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and not __fish_seen_subcommand_from login logout exec tunnel explain doctor inspect renew ssh-proxy kube-credential sandbox completions man version help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "approve" -d 'Approve an access request of the sandbox whose variables are set'
complete -c jobpass -n "__fish_jobpass_using_subcommand help; and __fish_seen_subcommand_from sandbox" -f -a "deny" -d 'Deny an access request of the sandbox whose variables are set'
