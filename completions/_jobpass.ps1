
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

    $completions = @(switch ($command) {
        'jobpass' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Swap this job''s identity for credentials; write them, tell the later steps')
            [CompletionResult]::new('explain', 'explain', [CompletionResultType]::ParameterValue, 'Show this job''s claims beside a join token''s rules: which rule matches, which field fails')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Try every step short of the join, and say what is wrong and how to cure it')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Say what a folder of credentials holds: who, roles, logins, until when')
            [CompletionResult]::new('ssh-proxy', 'ssh-proxy', [CompletionResultType]::ParameterValue, 'Connect ssh to a node through the proxy (the `ProxyCommand` of the `ssh_config` that login writes)')
            [CompletionResult]::new('sandbox', 'sandbox', [CompletionResultType]::ParameterValue, 'Serve a throw-away cluster and CI token endpoint on loopback')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page (roff)')
            break
        }
        'jobpass;login' {
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'The proxy''s web address [env: `TELEPORT_PROXY`]')
            [CompletionResult]::new('--auth-server', '--auth-server', [CompletionResultType]::ParameterName, 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below')
            [CompletionResult]::new('--ca-pin', '--ca-pin', [CompletionResultType]::ParameterName, 'SHA-256 of the public key of the cluster''s host CA, as `tctl status` shows it (with `--auth-server`)')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only these roots (PEM) for web certificates; with `--auth-server`, for the auth service')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Deadline of the whole run')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Name of the join token (`kind: token`), or the absolute path of a file that holds it [env: `JOBPASS_TOKEN`, `TELEPORT_BOT_TOKEN`]')
            [CompletionResult]::new('--join-method', '--join-method', [CompletionResultType]::ParameterName, 'The join method the token is for')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'The CI platform')
            [CompletionResult]::new('--id-token-env', '--id-token-env', [CompletionResultType]::ParameterName, 'Take the identity token from this variable')
            [CompletionResult]::new('--id-token-file', '--id-token-file', [CompletionResultType]::ParameterName, 'Take the identity token from this file (`-`: standard input)')
            [CompletionResult]::new('--id-token-command', '--id-token-command', [CompletionResultType]::ParameterName, 'Take the identity token from the output of this command (split at spaces like a shell would, but no shell runs)')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Ask the platform for a token with this audience')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'How long they live, at most 24h (e.g. 30m, 1h, 1h30m)')
            [CompletionResult]::new('--roles', '--roles', [CompletionResultType]::ParameterName, 'Roles to take, comma-separated; all the bot may have when left out')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'What to issue, repeatable: `ssh[,roles=A+B][,name=N][,dir=D][,cluster=LEAF]`')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'The folder to write; a private one in the platform''s temp folder when left out')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'A name for this identity: its own folder, suffixed variables')
            [CompletionResult]::new('--key-type', '--key-type', [CompletionResultType]::ParameterName, 'Kind of the keys, for servers or consumers that want another than the cluster''s suite')
            [CompletionResult]::new('--export', '--export', [CompletionResultType]::ParameterName, 'How later steps are told: auto, github, gitlab, circleci, spacelift, shell, env-file=PATH, none')
            [CompletionResult]::new('--expect-cluster', '--expect-cluster', [CompletionResultType]::ParameterName, 'The cluster must have this name')
            [CompletionResult]::new('--expect-bot', '--expect-bot', [CompletionResultType]::ParameterName, 'The bot must have this name')
            [CompletionResult]::new('--expect-role', '--expect-role', [CompletionResultType]::ParameterName, 'Every output must carry this role (repeatable)')
            [CompletionResult]::new('--require-login', '--require-login', [CompletionResultType]::ParameterName, 'Every output must allow this login (repeatable)')
            [CompletionResult]::new('--target', '--target', [CompletionResultType]::ParameterName, 'A node and login the job will use: checked for per-session MFA (repeatable)')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Pretend to be a job of this platform (with --dry-run): github, gitlab, circleci, spacelift')
            [CompletionResult]::new('--use-advertised-address', '--use-advertised-address', [CompletionResultType]::ParameterName, 'Tell later steps the address the cluster itself advertises, not the one given')
            [CompletionResult]::new('--insecure-trust-on-first-use', '--insecure-trust-on-first-use', [CompletionResultType]::ParameterName, 'Trust whatever answers at `--auth-server`; the join gives it this job''s identity token')
            [CompletionResult]::new('--copy-binary', '--copy-binary', [CompletionResultType]::ParameterName, 'Put a copy of this binary into the folder: containers and later steps need nothing else for ssh')
            [CompletionResult]::new('--no-verify', '--no-verify', [CompletionResultType]::ParameterName, 'Do not ask whether per-session MFA or Device Trust keep bots out')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Run the whole pipeline against a throw-away cluster inside this process: DRY-RUN certificates of 15 minutes')
            [CompletionResult]::new('--allow-dry-run-in-ci', '--allow-dry-run-in-ci', [CompletionResultType]::ParameterName, 'Allow --dry-run inside a real CI job')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'The report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Nothing but errors')
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
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Name of the join token (`kind: token`), or the absolute path of a file that holds it [env: `JOBPASS_TOKEN`, `TELEPORT_BOT_TOKEN`]')
            [CompletionResult]::new('--join-method', '--join-method', [CompletionResultType]::ParameterName, 'The join method the token is for')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'The CI platform')
            [CompletionResult]::new('--id-token-env', '--id-token-env', [CompletionResultType]::ParameterName, 'Take the identity token from this variable')
            [CompletionResult]::new('--id-token-file', '--id-token-file', [CompletionResultType]::ParameterName, 'Take the identity token from this file (`-`: standard input)')
            [CompletionResult]::new('--id-token-command', '--id-token-command', [CompletionResultType]::ParameterName, 'Take the identity token from the output of this command (split at spaces like a shell would, but no shell runs)')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Ask the platform for a token with this audience')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'The report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;doctor' {
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'The proxy''s web address [env: `TELEPORT_PROXY`]')
            [CompletionResult]::new('--auth-server', '--auth-server', [CompletionResultType]::ParameterName, 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below')
            [CompletionResult]::new('--ca-pin', '--ca-pin', [CompletionResultType]::ParameterName, 'SHA-256 of the public key of the cluster''s host CA, as `tctl status` shows it (with `--auth-server`)')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only these roots (PEM) for web certificates; with `--auth-server`, for the auth service')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Deadline of the whole run')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Name of the join token (`kind: token`), or the absolute path of a file that holds it [env: `JOBPASS_TOKEN`, `TELEPORT_BOT_TOKEN`]')
            [CompletionResult]::new('--join-method', '--join-method', [CompletionResultType]::ParameterName, 'The join method the token is for')
            [CompletionResult]::new('--platform', '--platform', [CompletionResultType]::ParameterName, 'The CI platform')
            [CompletionResult]::new('--id-token-env', '--id-token-env', [CompletionResultType]::ParameterName, 'Take the identity token from this variable')
            [CompletionResult]::new('--id-token-file', '--id-token-file', [CompletionResultType]::ParameterName, 'Take the identity token from this file (`-`: standard input)')
            [CompletionResult]::new('--id-token-command', '--id-token-command', [CompletionResultType]::ParameterName, 'Take the identity token from the output of this command (split at spaces like a shell would, but no shell runs)')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Ask the platform for a token with this audience')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'The folder login is to write; a private one in the platform''s temp folder when left out')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The name login is to give this identity')
            [CompletionResult]::new('--use-advertised-address', '--use-advertised-address', [CompletionResultType]::ParameterName, 'Tell later steps the address the cluster itself advertises, not the one given')
            [CompletionResult]::new('--insecure-trust-on-first-use', '--insecure-trust-on-first-use', [CompletionResultType]::ParameterName, 'Trust whatever answers at `--auth-server`; the join gives it this job''s identity token')
            [CompletionResult]::new('--platform-only', '--platform-only', [CompletionResultType]::ParameterName, 'Only say which platform this is, and why not another; nothing is sent')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'The report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;inspect' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'The report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;ssh-proxy' {
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'The folder that login wrote')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'The proxy''s web address; the one of the login when left out')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only these roots for web certificates (PEM)')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long the connection may take to come about')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'The report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;sandbox' {
            [CompletionResult]::new('--env-file', '--env-file', [CompletionResultType]::ParameterName, 'Write the variables and flags to use it into this file (created or replaced)')
            [CompletionResult]::new('--tokens', '--tokens', [CompletionResultType]::ParameterName, 'Policy: a file with `kind: token` documents (YAML); one token a platform when left out')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'The CI platform whose job environment is printed')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'Name of the cluster')
            [CompletionResult]::new('--server-version', '--server-version', [CompletionResultType]::ParameterName, 'Teleport version to behave like')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port to listen on; a free one when left out')
            [CompletionResult]::new('--no-new-join', '--no-new-join', [CompletionResultType]::ParameterName, 'Switch off the new join path (`teleport.join.v1`)')
            [CompletionResult]::new('--no-old-join', '--no-old-join', [CompletionResultType]::ParameterName, 'Switch off the old join path (HTTPS POST)')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'The report as JSON on standard output')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Tell each step')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Nothing but errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
        'jobpass;man' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
