
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'jobpass' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'jobpass'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $before = $commandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        Select-Object -Last 1
    $values = switch ([string]$before) {
        '--ca-rotation' { 'update-clients', 'update-servers'; break }
        '--color' { 'auto', 'always', 'never'; break }
        '--export' { 'auto', 'github', 'gitlab', 'circleci', 'spacelift', 'bitbucket', 'azure_devops', 'terraform_cloud', 'env0', 'buildkite', 'forgejo', 'semaphore', 'codefresh', 'teamcity', 'bitrise', 'jenkins', 'shell', 'fish', 'powershell', 'env-file=PATH', 'none'; break }
        '--export-vars' { 'git', 'rsync', 'ansible', 'terraform'; break }
        '--join-method' { 'auto', 'azure', 'azure_devops', 'bitbucket', 'circleci', 'env0', 'gcp', 'generic_oidc', 'github', 'gitlab', 'iam', 'kubernetes', 'spacelift', 'terraform_cloud'; break }
        '--key-type' { 'rsa', 'ecdsa', 'ed25519'; break }
        '--platform' { 'auto', 'github', 'gitlab', 'circleci', 'spacelift', 'bitbucket', 'azure_devops', 'terraform_cloud', 'env0', 'buildkite', 'forgejo', 'semaphore', 'codefresh', 'teamcity', 'bitrise', 'jenkins'; break }
        '--request-answer' { 'approve', 'deny'; break }
        '--simulate' { 'github', 'gitlab', 'circleci', 'spacelift', 'bitbucket', 'azure_devops', 'terraform_cloud', 'env0', 'buildkite', 'forgejo', 'semaphore', 'codefresh', 'teamcity', 'bitrise', 'jenkins', 'kubernetes', 'aws', 'gcp', 'azure'; break }
        'completions' { 'bash', 'elvish', 'fish', 'powershell', 'zsh'; break }
        'man' { 'login', 'logout', 'exec', 'tunnel', 'explain', 'doctor', 'inspect', 'renew', 'ssh-proxy', 'kube-credential', 'sandbox', 'completions', 'man', 'version'; break }
    }
    if ($values) {
        return $values | Where-Object { $_ -like "$wordToComplete*" } |
            ForEach-Object { [CompletionResult]::new($_, $_, [CompletionResultType]::ParameterValue, $_) }
    }

    $completions = @(switch ($command) {
        'jobpass' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Swap this job''s identity for credentials')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Wipe what login wrote, and take its variables back from later steps')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command with credentials of its own, remove them when it ends, and pass its status on')
            [CompletionResult]::new('tunnel', 'tunnel', [CompletionResultType]::ParameterValue, 'Keep local tunnels to databases, applications and kubernetes clusters open until a signal')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Show which rule of a join token this job matches, and which field fails')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Try every step short of the join and report what is wrong')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show what a folder of credentials is for: who, roles, logins, until when')
            [CompletionResult]::new('renew', 'renew', [CompletionResultType]::ParameterValue, 'Get new credentials into a folder of `login --renew` that is at its end')
            [CompletionResult]::new('ssh-proxy', 'ssh-proxy', [CompletionResultType]::ParameterValue, 'Connect ssh to a node through the proxy (`ProxyCommand` of the written `ssh_config`)')
            [CompletionResult]::new('kube-credential', 'kube-credential', [CompletionResultType]::ParameterValue, 'Give kubectl the client certificate of a folder (`exec` of a kubeconfig by `login --kube-exec`)')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Serve a throw-away cluster and CI token endpoint on loopback')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a manual page (roff)')
            [CompletionResult]::new('version', 'version', [CompletionResultType]::ParameterValue, 'Print the version')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'jobpass;login' {
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'The proxy''s web address')
            [CompletionResult]::new('--auth-server', '--auth-server', [CompletionResultType]::ParameterName, 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below')
            [CompletionResult]::new('--ca-pin', '--ca-pin', [CompletionResultType]::ParameterName, 'SHA-256 of the public key of the cluster''s host CA, as `tctl status` shows it (with `--auth-server`)')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only these roots (PEM) for the cluster''s web certificate, with `--auth-server` for the auth service; other servers keep the system''s roots (or `SSL_CERT_FILE`)')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Deadline of the whole run; a bare number is seconds')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Name of the join token (`kind: token`), or the absolute path of a file with that name')
            [CompletionResult]::new('--join-method', '--join-method', [CompletionResultType]::ParameterName, 'The join method of the token')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'The CI platform')
            [CompletionResult]::new('--id-token-env', '--id-token-env', [CompletionResultType]::ParameterName, 'Take the identity token from this variable')
            [CompletionResult]::new('--id-token-file', '--id-token-file', [CompletionResultType]::ParameterName, 'Take the identity token from this file (`-`: standard input)')
            [CompletionResult]::new('--id-token-command', '--id-token-command', [CompletionResultType]::ParameterName, 'Take the identity token from the output of this command (split into words like a shell does; no shell runs)')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Ask the platform for a token with this audience')
            [CompletionResult]::new('--azure-client-id', '--azure-client-id', [CompletionResultType]::ParameterName, 'Client id of the user-assigned identity that a machine of Azure''s joins as')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'How long the credentials are valid, at most 24h (e.g. 30m, 1h, 1h30m, 1d); `auto`: as long as the job may still run, where the platform tells it (GitLab, Buildkite)')
            [CompletionResult]::new('--roles', '--roles', [CompletionResultType]::ParameterName, 'Roles, comma-separated; all that the bot may have when left out')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What to issue, repeatable: `ssh`, `kube=CLUSTER`, `database=SERVICE`, `app=NAME`, each with `,roles=A+B`, `,name=N`, `,dir=D`; ssh with `,cluster=LEAF`, kube with `,context=` and `,namespace=`, database with `,user=`, `,database-name=`, `,protocol=` and `,format=`, app with `,target-port=` and `,format=`')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'The folder to write; a private one in the platform''s temp folder when left out')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'A name for this identity: its own folder, suffixed variables')
            [CompletionResult]::new('--key-type', '--key-type', [CompletionResultType]::ParameterName, 'Kind of the keys, for servers or consumers that need another than the cluster''s suite')
            [CompletionResult]::new('--export', '--export', [CompletionResultType]::ParameterName, 'How later steps get the variables')
            [CompletionResult]::new('--reuse-if-valid-for', '--reuse-if-valid-for', [CompletionResultType]::ParameterName, 'Do nothing but export again when an earlier login of this job for the same serves for at least this long')
            [CompletionResult]::new('--export-vars', '--export-vars', [CompletionResultType]::ParameterName, 'Variables of these programs besides, comma-separated, from ssh outputs: `git`, `rsync`, `ansible`, `terraform`')
            [CompletionResult]::new('--request-role', '--request-role', [CompletionResultType]::ParameterName, 'Ask people for this role and wait for their answer, repeatable. What is issued has the bot''s own role beside it, and can ask for more: `jobpass exec` leaves none of it behind')
            [CompletionResult]::new('--request-reason', '--request-reason', [CompletionResultType]::ParameterName, 'Why; what the identity token says of the job is added, and is all there is when left out')
            [CompletionResult]::new('--request-wait', '--request-wait', [CompletionResultType]::ParameterName, 'How long an answer may take; it does not count against `--timeout`. A bare number is seconds')
            [CompletionResult]::new('--request-reviewer', '--request-reviewer', [CompletionResultType]::ParameterName, 'A user to be told, where the cluster tells reviewers, repeatable')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Take a request that an earlier job filed, and wait for its answer')
            [CompletionResult]::new('--expect-cluster', '--expect-cluster', [CompletionResultType]::ParameterName, 'The cluster must have this name')
            [CompletionResult]::new('--expect-bot', '--expect-bot', [CompletionResultType]::ParameterName, 'The bot must have this name')
            [CompletionResult]::new('--expect-role', '--expect-role', [CompletionResultType]::ParameterName, 'Every output must have this role (repeatable)')
            [CompletionResult]::new('--require-login', '--require-login', [CompletionResultType]::ParameterName, 'Every output must allow this login (repeatable)')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'A login and node that the job will use: checked for per-session MFA (repeatable)')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Pretend to be a job of this platform, or in a pod (with `--dry-run`)')
            [CompletionResult]::new('--as-branch', '--as-branch', [CompletionResultType]::ParameterName, 'Run as a job of this branch; the join token of a dry run admits `main` only and refuses others (with `--dry-run`)')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'A tbot.yaml (version 2), or what `TBOT_CONFIG` has in base64: cluster, join token and outputs, as far as flags do not name them')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'A tbot.yaml (version 2), or what `TBOT_CONFIG` has in base64: cluster, join token and outputs, as far as flags do not name them')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--use-advertised-address', '--use-advertised-address', [CompletionResultType]::ParameterName, 'Give later steps the address that the cluster itself advertises, not `--proxy`')
            [CompletionResult]::new('--insecure-trust-on-first-use', '--insecure-trust-on-first-use', [CompletionResultType]::ParameterName, 'Trust whatever answers at `--auth-server`; the join sends it this job''s identity token')
            [CompletionResult]::new('--copy-binary', '--copy-binary', [CompletionResultType]::ParameterName, 'Put a copy of this binary into the folder: containers and later steps need nothing else for ssh')
            [CompletionResult]::new('--kube-exec', '--kube-exec', [CompletionResultType]::ParameterName, 'kubectl asks this binary for the credentials (`jobpass kube-credential`), in place of reading them in the kubeconfig')
            [CompletionResult]::new('--keep-going', '--keep-going', [CompletionResultType]::ParameterName, 'Write the other outputs when some are refused; the exit code is 4 then')
            [CompletionResult]::new('--renew', '--renew', [CompletionResultType]::ParameterName, 'ssh and kubectl get new credentials when these end, for as long as the job has an identity; `kube` outputs are as with `--kube-exec`')
            [CompletionResult]::new('--request-nowait', '--request-nowait', [CompletionResultType]::ParameterName, 'File the request, print its id and hand it to later steps, and write no credentials')
            [CompletionResult]::new('--no-verify', '--no-verify', [CompletionResultType]::ParameterName, 'Do not check whether per-session MFA or Device Trust keep bots out')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Run against a throw-away cluster inside this process: DRY-RUN certificates, valid for 15 minutes')
            [CompletionResult]::new('--allow-dry-run-in-ci', '--allow-dry-run-in-ci', [CompletionResultType]::ParameterName, 'Allow `--dry-run` inside a real CI job')
            [CompletionResult]::new('--print-command', '--print-command', [CompletionResultType]::ParameterName, 'Print the command line that does the same without the file, and do nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;logout' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'That of `login --name NAME`')
            [CompletionResult]::new('--export', '--export', [CompletionResultType]::ParameterName, 'Where the variables are taken back; as login exported them when left out')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'The CI platform that login was told of by `--platform`, where the folder does not say it')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All logins of this job: those in the platform''s temp folder, and those that `JOBPASS_DIR` variables name')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;exec' {
            [CompletionResult]::new('--tunnel', '--tunnel', [CompletionResultType]::ParameterName, 'Keep a tunnel open for as long as the command runs, repeatable: `database=SERVICE[:PORT]`, `app=NAME[:PORT]`, `kube=CLUSTER[:PORT]`, as `jobpass tunnel` takes them. Without `--output` nothing but tunnels is issued')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'The proxy''s web address')
            [CompletionResult]::new('--auth-server', '--auth-server', [CompletionResultType]::ParameterName, 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below')
            [CompletionResult]::new('--ca-pin', '--ca-pin', [CompletionResultType]::ParameterName, 'SHA-256 of the public key of the cluster''s host CA, as `tctl status` shows it (with `--auth-server`)')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only these roots (PEM) for the cluster''s web certificate, with `--auth-server` for the auth service; other servers keep the system''s roots (or `SSL_CERT_FILE`)')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Deadline of the whole run; a bare number is seconds')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Name of the join token (`kind: token`), or the absolute path of a file with that name')
            [CompletionResult]::new('--join-method', '--join-method', [CompletionResultType]::ParameterName, 'The join method of the token')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'The CI platform')
            [CompletionResult]::new('--id-token-env', '--id-token-env', [CompletionResultType]::ParameterName, 'Take the identity token from this variable')
            [CompletionResult]::new('--id-token-file', '--id-token-file', [CompletionResultType]::ParameterName, 'Take the identity token from this file (`-`: standard input)')
            [CompletionResult]::new('--id-token-command', '--id-token-command', [CompletionResultType]::ParameterName, 'Take the identity token from the output of this command (split into words like a shell does; no shell runs)')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Ask the platform for a token with this audience')
            [CompletionResult]::new('--azure-client-id', '--azure-client-id', [CompletionResultType]::ParameterName, 'Client id of the user-assigned identity that a machine of Azure''s joins as')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'How long the credentials are valid, at most 24h (e.g. 30m, 1h, 1h30m, 1d); `auto`: as long as the job may still run, where the platform tells it (GitLab, Buildkite)')
            [CompletionResult]::new('--roles', '--roles', [CompletionResultType]::ParameterName, 'Roles, comma-separated; all that the bot may have when left out')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What to issue, repeatable: `ssh`, `kube=CLUSTER`, `database=SERVICE`, `app=NAME`, each with `,roles=A+B`, `,name=N`, `,dir=D`; ssh with `,cluster=LEAF`, kube with `,context=` and `,namespace=`, database with `,user=`, `,database-name=`, `,protocol=` and `,format=`, app with `,target-port=` and `,format=`')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'A name for this identity: its own folder, suffixed variables')
            [CompletionResult]::new('--key-type', '--key-type', [CompletionResultType]::ParameterName, 'Kind of the keys, for servers or consumers that need another than the cluster''s suite')
            [CompletionResult]::new('--export-vars', '--export-vars', [CompletionResultType]::ParameterName, 'Variables of these programs besides, comma-separated, from ssh outputs: `git`, `rsync`, `ansible`, `terraform`')
            [CompletionResult]::new('--request-role', '--request-role', [CompletionResultType]::ParameterName, 'Ask people for this role and wait for their answer, repeatable. What is issued has the bot''s own role beside it, and can ask for more: `jobpass exec` leaves none of it behind')
            [CompletionResult]::new('--request-reason', '--request-reason', [CompletionResultType]::ParameterName, 'Why; what the identity token says of the job is added, and is all there is when left out')
            [CompletionResult]::new('--request-wait', '--request-wait', [CompletionResultType]::ParameterName, 'How long an answer may take; it does not count against `--timeout`. A bare number is seconds')
            [CompletionResult]::new('--request-reviewer', '--request-reviewer', [CompletionResultType]::ParameterName, 'A user to be told, where the cluster tells reviewers, repeatable')
            [CompletionResult]::new('--request-id', '--request-id', [CompletionResultType]::ParameterName, 'Take a request that an earlier job filed, and wait for its answer')
            [CompletionResult]::new('--expect-cluster', '--expect-cluster', [CompletionResultType]::ParameterName, 'The cluster must have this name')
            [CompletionResult]::new('--expect-bot', '--expect-bot', [CompletionResultType]::ParameterName, 'The bot must have this name')
            [CompletionResult]::new('--expect-role', '--expect-role', [CompletionResultType]::ParameterName, 'Every output must have this role (repeatable)')
            [CompletionResult]::new('--require-login', '--require-login', [CompletionResultType]::ParameterName, 'Every output must allow this login (repeatable)')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'A login and node that the job will use: checked for per-session MFA (repeatable)')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Pretend to be a job of this platform, or in a pod (with `--dry-run`)')
            [CompletionResult]::new('--as-branch', '--as-branch', [CompletionResultType]::ParameterName, 'Run as a job of this branch; the join token of a dry run admits `main` only and refuses others (with `--dry-run`)')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'A tbot.yaml (version 2), or what `TBOT_CONFIG` has in base64: cluster, join token and outputs, as far as flags do not name them')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'A tbot.yaml (version 2), or what `TBOT_CONFIG` has in base64: cluster, join token and outputs, as far as flags do not name them')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--agent', '--agent', [CompletionResultType]::ParameterName, 'Keep the private keys of ssh outputs in an ssh-agent for the command, and in no file')
            [CompletionResult]::new('--use-advertised-address', '--use-advertised-address', [CompletionResultType]::ParameterName, 'Give later steps the address that the cluster itself advertises, not `--proxy`')
            [CompletionResult]::new('--insecure-trust-on-first-use', '--insecure-trust-on-first-use', [CompletionResultType]::ParameterName, 'Trust whatever answers at `--auth-server`; the join sends it this job''s identity token')
            [CompletionResult]::new('--copy-binary', '--copy-binary', [CompletionResultType]::ParameterName, 'Put a copy of this binary into the folder: containers and later steps need nothing else for ssh')
            [CompletionResult]::new('--kube-exec', '--kube-exec', [CompletionResultType]::ParameterName, 'kubectl asks this binary for the credentials (`jobpass kube-credential`), in place of reading them in the kubeconfig')
            [CompletionResult]::new('--keep-going', '--keep-going', [CompletionResultType]::ParameterName, 'Write the other outputs when some are refused; the exit code is 4 then')
            [CompletionResult]::new('--renew', '--renew', [CompletionResultType]::ParameterName, 'ssh and kubectl get new credentials when these end, for as long as the job has an identity; `kube` outputs are as with `--kube-exec`')
            [CompletionResult]::new('--no-verify', '--no-verify', [CompletionResultType]::ParameterName, 'Do not check whether per-session MFA or Device Trust keep bots out')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Run against a throw-away cluster inside this process: DRY-RUN certificates, valid for 15 minutes')
            [CompletionResult]::new('--allow-dry-run-in-ci', '--allow-dry-run-in-ci', [CompletionResultType]::ParameterName, 'Allow `--dry-run` inside a real CI job')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;tunnel' {
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'The proxy''s web address')
            [CompletionResult]::new('--auth-server', '--auth-server', [CompletionResultType]::ParameterName, 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below')
            [CompletionResult]::new('--ca-pin', '--ca-pin', [CompletionResultType]::ParameterName, 'SHA-256 of the public key of the cluster''s host CA, as `tctl status` shows it (with `--auth-server`)')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only these roots (PEM) for the cluster''s web certificate, with `--auth-server` for the auth service; other servers keep the system''s roots (or `SSL_CERT_FILE`)')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Deadline of the whole run; a bare number is seconds')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Name of the join token (`kind: token`), or the absolute path of a file with that name')
            [CompletionResult]::new('--join-method', '--join-method', [CompletionResultType]::ParameterName, 'The join method of the token')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'The CI platform')
            [CompletionResult]::new('--id-token-env', '--id-token-env', [CompletionResultType]::ParameterName, 'Take the identity token from this variable')
            [CompletionResult]::new('--id-token-file', '--id-token-file', [CompletionResultType]::ParameterName, 'Take the identity token from this file (`-`: standard input)')
            [CompletionResult]::new('--id-token-command', '--id-token-command', [CompletionResultType]::ParameterName, 'Take the identity token from the output of this command (split into words like a shell does; no shell runs)')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Ask the platform for a token with this audience')
            [CompletionResult]::new('--azure-client-id', '--azure-client-id', [CompletionResultType]::ParameterName, 'Client id of the user-assigned identity that a machine of Azure''s joins as')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'How long the tunnels are open, at most 24h (e.g. 30m, 1h, 1h30m); `auto`: for the job''s own limit')
            [CompletionResult]::new('--roles', '--roles', [CompletionResultType]::ParameterName, 'Roles, comma-separated; all that the bot may have when left out')
            [CompletionResult]::new('--key-type', '--key-type', [CompletionResultType]::ParameterName, 'Kind of the keys, for servers that need another than the cluster''s suite')
            [CompletionResult]::new('--export', '--export', [CompletionResultType]::ParameterName, 'How later steps get the variables')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write the variables into this file once all tunnels listen, as `export` lines for a shell (created or replaced; removed at the end)')
            [CompletionResult]::new('--ready-fd', '--ready-fd', [CompletionResultType]::ParameterName, 'Write the same lines, then an empty one, to this open file descriptor')
            [CompletionResult]::new('--expect-cluster', '--expect-cluster', [CompletionResultType]::ParameterName, 'The cluster must have this name')
            [CompletionResult]::new('--expect-bot', '--expect-bot', [CompletionResultType]::ParameterName, 'The bot must have this name')
            [CompletionResult]::new('--expect-role', '--expect-role', [CompletionResultType]::ParameterName, 'Every tunnel must have this role (repeatable)')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Pretend to be a job of this platform, or in a pod (with `--dry-run`)')
            [CompletionResult]::new('--as-branch', '--as-branch', [CompletionResultType]::ParameterName, 'Run as a job of this branch; the join token of a dry run admits `main` only and refuses others (with `--dry-run`)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--use-advertised-address', '--use-advertised-address', [CompletionResultType]::ParameterName, 'Give later steps the address that the cluster itself advertises, not `--proxy`')
            [CompletionResult]::new('--insecure-trust-on-first-use', '--insecure-trust-on-first-use', [CompletionResultType]::ParameterName, 'Trust whatever answers at `--auth-server`; the join sends it this job''s identity token')
            [CompletionResult]::new('--no-verify', '--no-verify', [CompletionResultType]::ParameterName, 'Do not check whether per-session MFA or Device Trust keep bots out')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Run against a throw-away cluster inside this process: DRY-RUN certificates, valid for 15 minutes')
            [CompletionResult]::new('--allow-dry-run-in-ci', '--allow-dry-run-in-ci', [CompletionResultType]::ParameterName, 'Allow `--dry-run` inside a real CI job')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;explain' {
            [CompletionResult]::new('--rules', '--rules', [CompletionResultType]::ParameterName, 'A file with `kind: token` documents, as `tctl get tokens` prints them in YAML or JSON (`-`: standard input); only the one that `--token` names is judged, if it names one')
            [CompletionResult]::new('--claims', '--claims', [CompletionResultType]::ParameterName, 'Explain these claims instead of this job''s identity token: a JSON object, or what `explain --json` printed')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'Judge as of this time (RFC 3339)')
            [CompletionResult]::new('--server-version', '--server-version', [CompletionResultType]::ParameterName, 'The cluster''s version: older ones lack globs and some methods')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'The cluster''s name, which is the audience of some methods')
            [CompletionResult]::new('--request-role', '--request-role', [CompletionResultType]::ParameterName, 'A role that login is to ask people for, repeatable: what must be set on the cluster is shown')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Name of the join token (`kind: token`), or the absolute path of a file with that name')
            [CompletionResult]::new('--join-method', '--join-method', [CompletionResultType]::ParameterName, 'The join method of the token')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'The CI platform')
            [CompletionResult]::new('--id-token-env', '--id-token-env', [CompletionResultType]::ParameterName, 'Take the identity token from this variable')
            [CompletionResult]::new('--id-token-file', '--id-token-file', [CompletionResultType]::ParameterName, 'Take the identity token from this file (`-`: standard input)')
            [CompletionResult]::new('--id-token-command', '--id-token-command', [CompletionResultType]::ParameterName, 'Take the identity token from the output of this command (split into words like a shell does; no shell runs)')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Ask the platform for a token with this audience')
            [CompletionResult]::new('--azure-client-id', '--azure-client-id', [CompletionResultType]::ParameterName, 'Client id of the user-assigned identity that a machine of Azure''s joins as')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;doctor' {
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'The proxy''s web address')
            [CompletionResult]::new('--auth-server', '--auth-server', [CompletionResultType]::ParameterName, 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below')
            [CompletionResult]::new('--ca-pin', '--ca-pin', [CompletionResultType]::ParameterName, 'SHA-256 of the public key of the cluster''s host CA, as `tctl status` shows it (with `--auth-server`)')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only these roots (PEM) for the cluster''s web certificate, with `--auth-server` for the auth service; other servers keep the system''s roots (or `SSL_CERT_FILE`)')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Deadline of the whole run; a bare number is seconds')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Name of the join token (`kind: token`), or the absolute path of a file with that name')
            [CompletionResult]::new('--join-method', '--join-method', [CompletionResultType]::ParameterName, 'The join method of the token')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'The CI platform')
            [CompletionResult]::new('--id-token-env', '--id-token-env', [CompletionResultType]::ParameterName, 'Take the identity token from this variable')
            [CompletionResult]::new('--id-token-file', '--id-token-file', [CompletionResultType]::ParameterName, 'Take the identity token from this file (`-`: standard input)')
            [CompletionResult]::new('--id-token-command', '--id-token-command', [CompletionResultType]::ParameterName, 'Take the identity token from the output of this command (split into words like a shell does; no shell runs)')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Ask the platform for a token with this audience')
            [CompletionResult]::new('--azure-client-id', '--azure-client-id', [CompletionResultType]::ParameterName, 'Client id of the user-assigned identity that a machine of Azure''s joins as')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'The folder that login is to write; a private one in the platform''s temp folder when left out')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The name that login is to give this identity')
            [CompletionResult]::new('--request-role', '--request-role', [CompletionResultType]::ParameterName, 'A role that login is to ask people for, repeatable: what must be set on the cluster is shown')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--use-advertised-address', '--use-advertised-address', [CompletionResultType]::ParameterName, 'Give later steps the address that the cluster itself advertises, not `--proxy`')
            [CompletionResult]::new('--insecure-trust-on-first-use', '--insecure-trust-on-first-use', [CompletionResultType]::ParameterName, 'Trust whatever answers at `--auth-server`; the join sends it this job''s identity token')
            [CompletionResult]::new('--platform-only', '--platform-only', [CompletionResultType]::ParameterName, 'Only show which platform this is, and why not another; nothing is sent')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;inspect' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;renew' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'The folder that login wrote')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long it may take')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;ssh-proxy' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'The folder that login wrote')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'The socket of a running `jobpass exec --agent`, which has the keys and connects, in place of a folder')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'The proxy''s web address; that of the login when left out')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only these roots (PEM) for the cluster''s web certificate')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long connecting may take')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--renew', '--renew', [CompletionResultType]::ParameterName, 'Get new credentials first when these are at their end, as `login --renew` allows')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;kube-credential' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'The folder that login wrote')
            [CompletionResult]::new('--kube', '--kube', [CompletionResultType]::ParameterName, 'The kubernetes cluster, in a folder for several')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--renew', '--renew', [CompletionResultType]::ParameterName, 'Get new credentials first when these are at their end, as `login --renew` allows')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;sandbox' {
            [CompletionResult]::new('--env-file', '--env-file', [CompletionResultType]::ParameterName, 'Write the variables to use it into this file once it listens (created or replaced; removed at the end)')
            [CompletionResult]::new('--tokens', '--tokens', [CompletionResultType]::ParameterName, 'Policy: a file with `kind: token` documents (YAML); one token per platform when left out')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'The kind of job whose environment is printed: a CI platform, or `kubernetes` for a pod')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the cluster')
            [CompletionResult]::new('--server-version', '--server-version', [CompletionResultType]::ParameterName, 'Teleport version to behave like')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port to listen on; a free one when left out')
            [CompletionResult]::new('--public-addr', '--public-addr', [CompletionResultType]::ParameterName, 'The address that the cluster advertises and that its web certificate is for, behind a name of the network''s own (DNS, an HTTP proxy)')
            [CompletionResult]::new('--node', '--node', [CompletionResultType]::ParameterName, 'A node that ssh can reach through the cluster, repeatable: the sshd at `HOST:PORT` under `NAME`, or `NAME.LEAF` in a leaf cluster')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'A role that bots may have, in place of `ci-deploy` and `ci-read`, repeatable: its logins, `mfa` and `device-trust` for a role that keeps bots out, and `max-ttl=DURATION`')
            [CompletionResult]::new('--requestable-role', '--requestable-role', [CompletionResultType]::ParameterName, 'A role that bots may ask for by an access request, in place of `ci-prod`, repeatable: its logins and options as above')
            [CompletionResult]::new('--request-answer', '--request-answer', [CompletionResultType]::ParameterName, 'What becomes of access requests; without it they wait for `jobpass sandbox approve ID`')
            [CompletionResult]::new('--request-answer-after', '--request-answer-after', [CompletionResultType]::ParameterName, 'How long an access request waits for that; a bare number is seconds')
            [CompletionResult]::new('--request-answer-reason', '--request-answer-reason', [CompletionResultType]::ParameterName, 'What the reviewer says')
            [CompletionResult]::new('--trait', '--trait', [CompletionResultType]::ParameterName, 'A trait of all bots, which roles take in by `{{internal.NAME}}`, repeatable')
            [CompletionResult]::new('--database', '--database', [CompletionResultType]::ParameterName, 'A database, repeatable')
            [CompletionResult]::new('--app', '--app', [CompletionResultType]::ParameterName, 'An application, repeatable')
            [CompletionResult]::new('--leaf', '--leaf', [CompletionResultType]::ParameterName, 'A trusted leaf cluster, repeatable')
            [CompletionResult]::new('--ca-rotation', '--ca-rotation', [CompletionResultType]::ParameterName, 'Rotate the CAs: what is issued is signed with the new keys; servers show the old ones until `update-servers`')
            [CompletionResult]::new('--kube', '--kube', [CompletionResultType]::ParameterName, 'A kubernetes cluster of this name, with a pod in it that kubectl can see, repeatable')
            [CompletionResult]::new('--login', '--login', [CompletionResultType]::ParameterName, 'Allow this login as well, repeatable')
            [CompletionResult]::new('--user-ca', '--user-ca', [CompletionResultType]::ParameterName, 'Write the user CA''s public key into this file, for `TrustedUserCAKeys` of an sshd')
            [CompletionResult]::new('--host-key', '--host-key', [CompletionResultType]::ParameterName, 'Sign this host key for the nodes; the certificate is written beside it (`FILE-cert.pub`)')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('--require-session-mfa', '--require-session-mfa', [CompletionResultType]::ParameterName, 'Require per-session MFA in the whole cluster')
            [CompletionResult]::new('--no-new-join', '--no-new-join', [CompletionResultType]::ParameterName, 'Switch off the new join path (`teleport.join.v1`)')
            [CompletionResult]::new('--no-old-join', '--no-old-join', [CompletionResultType]::ParameterName, 'Switch off the old join path (HTTPS POST)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print the report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Print each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('approve', 'approve', [CompletionResultType]::ParameterValue, 'Approve an access request of the sandbox whose variables are set')
            [CompletionResult]::new('deny', 'deny', [CompletionResultType]::ParameterValue, 'Deny an access request of the sandbox whose variables are set')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'jobpass;sandbox;approve' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'What the reviewer says')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;sandbox;deny' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'What the reviewer says')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;sandbox;help' {
            [CompletionResult]::new('approve', 'approve', [CompletionResultType]::ParameterValue, 'Approve an access request of the sandbox whose variables are set')
            [CompletionResult]::new('deny', 'deny', [CompletionResultType]::ParameterValue, 'Deny an access request of the sandbox whose variables are set')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'jobpass;sandbox;help;approve' {
            break
        }
        'jobpass;sandbox;help;deny' {
            break
        }
        'jobpass;sandbox;help;help' {
            break
        }
        'jobpass;completions' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;man' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;version' {
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colors on standard error')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;help' {
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Swap this job''s identity for credentials')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Wipe what login wrote, and take its variables back from later steps')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command with credentials of its own, remove them when it ends, and pass its status on')
            [CompletionResult]::new('tunnel', 'tunnel', [CompletionResultType]::ParameterValue, 'Keep local tunnels to databases, applications and kubernetes clusters open until a signal')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Show which rule of a join token this job matches, and which field fails')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Try every step short of the join and report what is wrong')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show what a folder of credentials is for: who, roles, logins, until when')
            [CompletionResult]::new('renew', 'renew', [CompletionResultType]::ParameterValue, 'Get new credentials into a folder of `login --renew` that is at its end')
            [CompletionResult]::new('ssh-proxy', 'ssh-proxy', [CompletionResultType]::ParameterValue, 'Connect ssh to a node through the proxy (`ProxyCommand` of the written `ssh_config`)')
            [CompletionResult]::new('kube-credential', 'kube-credential', [CompletionResultType]::ParameterValue, 'Give kubectl the client certificate of a folder (`exec` of a kubeconfig by `login --kube-exec`)')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Serve a throw-away cluster and CI token endpoint on loopback')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print a manual page (roff)')
            [CompletionResult]::new('version', 'version', [CompletionResultType]::ParameterValue, 'Print the version')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'jobpass;help;login' {
            break
        }
        'jobpass;help;logout' {
            break
        }
        'jobpass;help;exec' {
            break
        }
        'jobpass;help;tunnel' {
            break
        }
        'jobpass;help;explain' {
            break
        }
        'jobpass;help;doctor' {
            break
        }
        'jobpass;help;inspect' {
            break
        }
        'jobpass;help;renew' {
            break
        }
        'jobpass;help;ssh-proxy' {
            break
        }
        'jobpass;help;kube-credential' {
            break
        }
        'jobpass;help;sandbox' {
            [CompletionResult]::new('approve', 'approve', [CompletionResultType]::ParameterValue, 'Approve an access request of the sandbox whose variables are set')
            [CompletionResult]::new('deny', 'deny', [CompletionResultType]::ParameterValue, 'Deny an access request of the sandbox whose variables are set')
            break
        }
        'jobpass;help;sandbox;approve' {
            break
        }
        'jobpass;help;sandbox;deny' {
            break
        }
        'jobpass;help;completions' {
            break
        }
        'jobpass;help;man' {
            break
        }
        'jobpass;help;version' {
            break
        }
        'jobpass;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
