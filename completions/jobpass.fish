# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_jobpass_global_optspecs
    string join \n h/help V/version
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

complete -c jobpass -n "__fish_jobpass_needs_command" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_needs_command" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "login" -d 'Swap this job\'s identity for credentials; write them, tell the later steps'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "explain" -d 'Show this job\'s claims beside a join token\'s rules: which rule matches, which field fails'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "doctor" -d 'Try every step short of the join, and say what is wrong and how to cure it'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "inspect" -d 'Say what a folder of credentials holds: who, roles, logins, until when'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "ssh-proxy" -d 'Connect ssh to a node through the proxy (the `ProxyCommand` of the `ssh_config` that login writes)'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "sandbox" -d 'Serve a throw-away cluster and CI token endpoint on loopback'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "completions" -d 'Print a completion script'
complete -c jobpass -n "__fish_jobpass_needs_command" -f -a "man" -d 'Print the manual page (roff)'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l proxy -d 'The proxy\'s web address [env: `TELEPORT_PROXY`]' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l auth-server -d 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l ca-pin -d 'SHA-256 of the public key of the cluster\'s host CA, as `tctl status` shows it (with `--auth-server`)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l ca-file -d 'Trust only these roots (PEM) for web certificates; with `--auth-server`, for the auth service' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l timeout -d 'Deadline of the whole run' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l token -d 'Name of the join token (`kind: token`), or the absolute path of a file that holds it [env: `JOBPASS_TOKEN`, `TELEPORT_BOT_TOKEN`]' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l join-method -d 'The join method the token is for' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l platform -d 'The CI platform' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l id-token-env -d 'Take the identity token from this variable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l id-token-file -d 'Take the identity token from this file (`-`: standard input)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l id-token-command -d 'Take the identity token from the output of this command (split at spaces like a shell would, but no shell runs)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l audience -d 'Ask the platform for a token with this audience' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l ttl -d 'How long they live, at most 24h (e.g. 30m, 1h, 1h30m)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l roles -d 'Roles to take, comma-separated; all the bot may have when left out' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l output -d 'What to issue, repeatable: `ssh[,roles=A+B][,name=N][,dir=D][,cluster=LEAF]`' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l dir -d 'The folder to write; a private one in the platform\'s temp folder when left out' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l name -d 'A name for this identity: its own folder, suffixed variables' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l key-type -d 'Kind of the keys, for servers or consumers that want another than the cluster\'s suite' -r -f -a "rsa\t''
ecdsa\t''
ed25519\t''"
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l export -d 'How later steps are told: auto, github, gitlab, circleci, spacelift, shell, env-file=PATH, none' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l expect-cluster -d 'The cluster must have this name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l expect-bot -d 'The bot must have this name' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l expect-role -d 'Every output must carry this role (repeatable)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l require-login -d 'Every output must allow this login (repeatable)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l target -d 'A node and login the job will use: checked for per-session MFA (repeatable)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l simulate -d 'Pretend to be a job of this platform (with --dry-run): github, gitlab, circleci, spacelift' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l use-advertised-address -d 'Tell later steps the address the cluster itself advertises, not the one given'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l insecure-trust-on-first-use -d 'Trust whatever answers at `--auth-server`; the join gives it this job\'s identity token'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l copy-binary -d 'Put a copy of this binary into the folder: containers and later steps need nothing else for ssh'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l no-verify -d 'Do not ask whether per-session MFA or Device Trust keep bots out'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l dry-run -d 'Run the whole pipeline against a throw-away cluster inside this process: DRY-RUN certificates of 15 minutes'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l allow-dry-run-in-ci -d 'Allow --dry-run inside a real CI job'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -l json -d 'The report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -s v -l verbose -d 'Tell each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -s q -l quiet -d 'Nothing but errors'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand login" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l rules -d 'A file with `kind: token` documents, as `tctl get tokens` prints them in YAML or JSON (`-`: standard input); only the one that `--token` names is judged, if it names one' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l claims -d 'Explain these claims instead of this job\'s identity token: a JSON object, or what `explain --json` printed' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l at -d 'Judge as of this time (RFC 3339)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l server-version -d 'The cluster\'s version: older ones lack globs and some methods' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l cluster -d 'The cluster\'s name, which is the audience of some methods' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l token -d 'Name of the join token (`kind: token`), or the absolute path of a file that holds it [env: `JOBPASS_TOKEN`, `TELEPORT_BOT_TOKEN`]' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l join-method -d 'The join method the token is for' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l platform -d 'The CI platform' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l id-token-env -d 'Take the identity token from this variable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l id-token-file -d 'Take the identity token from this file (`-`: standard input)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l id-token-command -d 'Take the identity token from the output of this command (split at spaces like a shell would, but no shell runs)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l audience -d 'Ask the platform for a token with this audience' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -l json -d 'The report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -s v -l verbose -d 'Tell each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -s q -l quiet -d 'Nothing but errors'
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand explain" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l proxy -d 'The proxy\'s web address [env: `TELEPORT_PROXY`]' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l auth-server -d 'The auth service itself, where its port is reachable; needs `--ca-pin`, `--ca-file` or the flag below' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l ca-pin -d 'SHA-256 of the public key of the cluster\'s host CA, as `tctl status` shows it (with `--auth-server`)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l ca-file -d 'Trust only these roots (PEM) for web certificates; with `--auth-server`, for the auth service' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l timeout -d 'Deadline of the whole run' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l token -d 'Name of the join token (`kind: token`), or the absolute path of a file that holds it [env: `JOBPASS_TOKEN`, `TELEPORT_BOT_TOKEN`]' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l join-method -d 'The join method the token is for' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l platform -d 'The CI platform' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l id-token-env -d 'Take the identity token from this variable' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l id-token-file -d 'Take the identity token from this file (`-`: standard input)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l id-token-command -d 'Take the identity token from the output of this command (split at spaces like a shell would, but no shell runs)' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l audience -d 'Ask the platform for a token with this audience' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l dir -d 'The folder login is to write; a private one in the platform\'s temp folder when left out' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l name -d 'The name login is to give this identity' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l use-advertised-address -d 'Tell later steps the address the cluster itself advertises, not the one given'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l insecure-trust-on-first-use -d 'Trust whatever answers at `--auth-server`; the join gives it this job\'s identity token'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l platform-only -d 'Only say which platform this is, and why not another; nothing is sent'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -l json -d 'The report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -s v -l verbose -d 'Tell each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -s q -l quiet -d 'Nothing but errors'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand doctor" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -l json -d 'The report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -s v -l verbose -d 'Tell each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -s q -l quiet -d 'Nothing but errors'
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand inspect" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l dir -d 'The folder that login wrote' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l proxy -d 'The proxy\'s web address; the one of the login when left out' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l ca-file -d 'Trust only these roots for web certificates (PEM)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l timeout -d 'How long the connection may take to come about' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -l json -d 'The report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -s v -l verbose -d 'Tell each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -s q -l quiet -d 'Nothing but errors'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand ssh-proxy" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -l env-file -d 'Write the variables and flags to use it into this file (created or replaced)' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -l tokens -d 'Policy: a file with `kind: token` documents (YAML); one token a platform when left out' -r -F
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -l simulate -d 'The CI platform whose job environment is printed' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -l cluster -d 'Name of the cluster' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -l server-version -d 'Teleport version to behave like' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -l port -d 'Port to listen on; a free one when left out' -r
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -l no-new-join -d 'Switch off the new join path (`teleport.join.v1`)'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -l no-old-join -d 'Switch off the old join path (HTTPS POST)'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -l json -d 'The report as JSON on standard output'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -s v -l verbose -d 'Tell each step'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -s q -l quiet -d 'Nothing but errors'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand sandbox" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand completions" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand completions" -s V -l version -d 'Print version'
complete -c jobpass -n "__fish_jobpass_using_subcommand man" -s h -l help -d 'Print help'
complete -c jobpass -n "__fish_jobpass_using_subcommand man" -s V -l version -d 'Print version'
