//! `jobpass man`: one page per command, in roff.

use clap::CommandFactory as _;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::{self, Cli, EXIT_CODES, variables};

/// Variables that are not those of a flag.
const ENVIRONMENT: [(&str, &str); 6] = [
    ("TBOT_CONFIG, TBOT_CONFIG_PATH", "A tbot.yaml in base64, or its path, for login."),
    ("HTTPS_PROXY, ALL_PROXY, NO_PROXY", "The HTTP proxy of the network, also in lower case."),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "Roots (PEM) in place of the system's."),
    ("NO_COLOR", "No colors, unless --color says otherwise."),
    ("XDG_RUNTIME_DIR, TMPDIR", "Where the folder is created if the platform has none for it."),
    ("JOBPASS_DIR", "The folder of the last login, which later steps get, and inspect and logout read."),
];

/// What a folder has. Names are those of tbot.
const FILES: [(&str, &str); 10] = [
    ("identity", "Key, certificates and CAs in one file, for tsh, tctl and others."),
    ("key, key.pub, key-cert.pub", "The SSH key and its certificate."),
    ("tlscert", "The TLS certificate."),
    ("teleport-host-ca.crt, teleport-user-ca.crt", "The CAs of the cluster."),
    ("known_hosts", "The CAs of the cluster's nodes, for ssh."),
    ("ssh_config", "For ssh -F: hosts of the cluster and of its leaf clusters, through the proxy."),
    ("kubeconfig.yaml", "For kubectl: a context for each kubernetes cluster."),
    ("jobpass.json", "The report, and the list of files."),
    ("$GITHUB_ENV, $GITLAB_ENV, $BASH_ENV", "Where later steps get the variables from, by platform."),
    ("$GITHUB_STEP_SUMMARY", "Where a summary goes on GitHub Actions."),
];

/// The commands that write or read such a folder.
const OF_FOLDERS: [&str; 8] =
    ["login", "logout", "exec", "doctor", "inspect", "renew", "ssh-proxy", "kube-credential"];

/// Examples of each command; the first line of a pair says what for.
const EXAMPLES: [(&str, &str, &str); 34] = [
    (
        "jobpass",
        "In a CI job with an identity token:",
        "jobpass login --proxy teleport.example.com --token ci-deploy",
    ),
    ("jobpass", "Without a cluster:", "jobpass login --dry-run --simulate github"),
    ("login", "Credentials for one hour:", "jobpass login --proxy teleport.example.com --token ci-deploy"),
    ("login", "Two roles for ten minutes:", "jobpass login --roles deploy,read --ttl 10m"),
    ("login", "The variables in this shell:", "eval \"$(jobpass login --export shell)\""),
    ("login", "For kubectl:", "jobpass login --output kube=prod && kubectl get pods"),
    ("login", "What a tbot.yaml stands for, as flags:", "jobpass login --config tbot.yaml --print-command"),
    ("login", "Without a cluster:", "jobpass login --dry-run --simulate gitlab"),
    ("login", "A refusal, without a cluster:", "jobpass login --dry-run --simulate gitlab --as-branch other"),
    (
        "exec",
        "One command, and nothing is left:",
        "jobpass exec --token ci-deploy -- ansible-playbook site.yml",
    ),
    ("exec", "For kubectl:", "jobpass exec --output kube=prod -- kubectl get pods"),
    ("exec", "A shell, without a cluster:", "jobpass exec --dry-run --simulate github -- bash"),
    ("login", "Once in a job, however often it is called:", "jobpass login --reuse-if-valid-for 10m"),
    ("logout", "At the end of the job:", "jobpass logout --all"),
    ("logout", "The variables in this shell, too:", "eval \"$(jobpass logout --export shell)\""),
    (
        "exec",
        "A plain psql, with no credential in any file:",
        "jobpass exec --tunnel database=pg,user=ci,database-name=app -- psql -c 'select 1'",
    ),
    (
        "tunnel",
        "A database, for a plain psql:",
        "jobpass tunnel database=pg:5432,user=ci,database-name=app --ready-file ready & until [ -e ready ]; do sleep 0.1; done; . ./ready; psql",
    ),
    (
        "tunnel",
        "Several at once:",
        "jobpass tunnel database=pg app=grafana:3000 kube=prod --export env-file=tunnels.env",
    ),
    ("tunnel", "On a Unix socket:", "jobpass tunnel database=cache,socket=/run/user/1000/redis.sock"),
    (
        "tunnel",
        "With what an earlier login wrote, for one command:",
        "jobpass tunnel --dir \"$JOBPASS_DIR\" -- psql -c 'select 1'",
    ),
    ("explain", "In the job:", "jobpass explain --rules token.yaml"),
    ("explain", "Anywhere:", "jobpass explain --rules token.yaml --claims claims.json"),
    ("doctor", "In the job:", "jobpass doctor --proxy teleport.example.com --token ci-deploy"),
    ("doctor", "Which platform is this:", "jobpass doctor --platform-only"),
    ("inspect", "The folder of the last login:", "jobpass inspect"),
    ("inspect", "A folder of tbot's:", "jobpass inspect /opt/machine-id"),
    ("renew", "Before each of many commands:", "jobpass renew --dir \"$JOBPASS_DIR\""),
    (
        "ssh-proxy",
        "Through the written configuration:",
        "ssh -F \"$JOBPASS_SSH_CONFIG\" deploy@node1.example",
    ),
    (
        "kube-credential",
        "Through the written kubeconfig:",
        "jobpass login --output kube=prod --kube-exec && kubectl get pods",
    ),
    ("sandbox", "A cluster to try things with:", "jobpass sandbox --env-file sandbox.env"),
    (
        "completions",
        "For bash:",
        "jobpass completions bash > ~/.local/share/bash-completion/completions/jobpass",
    ),
    ("man", "Read a page:", "jobpass man login | man -l -"),
    ("man", "Install a page:", "jobpass man login > /usr/local/share/man/man1/jobpass-login.1"),
    ("version", "Print the version:", "jobpass version"),
];

/// The page of a command, or of jobpass.
pub fn page(args: &cli::Man) -> anyhow::Result<String> {
    let mut root = Cli::command();
    root.build();
    let name = args.command.as_deref().unwrap_or("jobpass");
    let command = root.find_subcommand(name).unwrap_or(&root).clone();
    let title = if name == "jobpass" { name.to_owned() } else { format!("jobpass-{name}") };
    let page = Man::new(command.clone()).title(title);
    let mut out = Vec::new();
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    page.render_description_section(&mut out)?;
    page.render_options_section(&mut out)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut out)?;
    } else if command.get_after_help().is_some() {
        page.render_extra_section(&mut out)?;
    }
    own_sections(name, &command).to_writer(&mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn own_sections(name: &str, command: &clap::Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["ENVIRONMENT"]);
    for arg in command.get_arguments() {
        if let Some((variable, flag)) = variables::variable(name, arg).zip(arg.get_long()) {
            let teleport = variables::of_teleport(arg).map(|v| format!(", {v}")).unwrap_or_default();
            item(&mut roff, &format!("{variable}{teleport}"), &format!("In place of --{flag}."));
        }
    }
    for (names, text) in ENVIRONMENT {
        item(&mut roff, names, text);
    }
    if name == "jobpass" || OF_FOLDERS.contains(&name) {
        roff.control("SH", ["FILES"]);
        for (names, text) in FILES {
            item(&mut roff, names, text);
        }
    }
    roff.control("SH", ["EXIT STATUS"]);
    for (code, text) in EXIT_CODES {
        item(&mut roff, code, text);
    }
    roff.control("SH", ["EXAMPLES"]);
    for (_, text, line) in EXAMPLES.iter().filter(|(of, _, _)| *of == name) {
        item(&mut roff, text, line);
    }
    roff
}

fn item(roff: &mut Roff, term: &str, text: &str) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text([roman(text)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_all_sections() {
        let root = Cli::command();
        let names: Vec<&str> = root.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(names, cli::man::COMMANDS, "the list for `man` is that of the commands");
        for name in names.into_iter().map(Some).chain([None]) {
            let page = page(&cli::Man { command: name.map(str::to_owned) }).unwrap();
            let title = name.map_or("jobpass".to_owned(), |name| format!("jobpass-{name}"));
            assert!(page.contains(&format!(".TH {title} 1")), "{page}");
            for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "\"EXIT STATUS\"", "EXAMPLES"] {
                assert!(page.contains(&format!(".SH {section}")), "{title} lacks {section}:\n{page}");
            }
            let (_, examples) = page.split_once(".SH EXAMPLES\n").unwrap();
            assert!(examples.contains(".TP"), "{title} has no example");
        }
        let login = page(&cli::Man { command: Some("login".into()) }).unwrap();
        assert!(
            login.contains(".SH FILES") && login.contains("JOBPASS_TTL") && login.contains("TELEPORT_PROXY")
        );
    }
}
