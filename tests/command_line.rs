//! What the command line takes, what it refuses, and in which form.

use std::path::Path;
use std::process::{Command, Stdio};

use jobpass::platform::Platform::{GitHubActions, GitLabCi};
use serde_json::Value;

use crate::support::cluster::Cluster;
use crate::support::command::{Ran, binary, jobpass, put, run};

fn called(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    Ran::of(&jobpass(Path::new("/"), arguments, variables.iter().copied()).output().unwrap())
}

fn login(arguments: &[&str]) -> Ran {
    called(&[&["login"], arguments].concat(), &[])
}

#[test]
fn no_rejected_value_is_repeated() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzM2NyM3QifQ.c2lnbmF0dXJl";
    for arguments in [
        &["--proxy", "https://user:s3cr3t@proxy.example/x"][..],
        &["--proxy=https://proxy.example/s3cr3t?s3cr3t"],
        &["--auth-server", "user:s3cr3t@host"],
        &["--proxys3cr3t", "x"],
        &["--s3cr3t=s3cr3t"],
        &["s3cr3t"],
        &["--timeout", "s3cr3t"],
        &["--ca-pin", "s3cr3t"],
        &["--name", "s3cr3t/"],
        &["--output", "s3cr3t"],
        &["--output", "ssh,s3cr3t"],
        &["--output", "ssh,s3cr3t=s3cr3t"],
        &["--platform", "s3cr3t"],
        &["--join-method", "s3cr3t"],
        &["--export", "s3cr3t"],
        &["--target", "s3cr3t"],
        &["--id-token-command", "'s3cr3t"],
        &["--key-type", "s3cr3t"],
        &["--color", "s3cr3t"],
        &["--dir", "s3cr3t://x"],
        &["--token", "a", "--token", "s3cr3t"],
        &[jwt],
        &["--id-token", jwt],
        &["--token", "x", jwt],
    ] {
        let ran = login(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.all());
        assert!(!ran.all().contains("s3cr3t") && !ran.all().contains("eyJ"), "{arguments:?}: {}", ran.all());
        assert!(ran.stderr.starts_with("error: ") && ran.stdout.is_empty(), "{}", ran.all());
    }
    assert!(!called(&["s3cr3t"], &[]).all().contains("s3cr3t"));
    let ran = called(&["login"], &[("JOBPASS_PROXY", "https://user:s3cr3t@proxy.example")]);
    assert!(
        ran.code == 2 && !ran.all().contains("s3cr3t") && ran.stderr.contains("`JOBPASS_PROXY`"),
        "{}",
        ran.all()
    );
    assert!(login(&[jwt]).stderr.contains("--id-token-env"));
}

#[test]
fn what_an_unset_variable_leaves_is_refused() {
    for flag in [
        "--roles",
        "--require-login",
        "--expect-cluster",
        "--expect-bot",
        "--expect-role",
        "--proxy",
        "--ttl",
        "--timeout",
        "--output",
        "--dir",
        "--name",
        "--platform",
        "--export",
        "--audience",
        "--id-token-env",
        "--id-token-file",
        "--id-token-command",
    ] {
        let ran = login(&[flag, ""]);
        assert_eq!(ran.code, 2, "{flag}: {}", ran.all());
        assert!(ran.stderr.contains("is its variable empty?"), "{flag}: {}", ran.all());
        assert!(ran.stderr.contains(&format!("`{flag}`")), "{flag}: {}", ran.all());
    }
    assert_eq!(login(&["--roles", "a,,b"]).code, 2);
}

#[test]
fn usage_errors_have_the_form_of_all_errors() {
    let ran = called(&["login", "--tll", "1h"], &[]);
    assert_eq!(ran.stderr, "error: unknown flag `--tll`\nhint: did you mean `--ttl`?\n");
    let ran = called(&["lgoin"], &[]);
    assert_eq!(ran.stderr, "error: unknown command\nhint: did you mean `login`?\n");
    let colored = called(&["login", "--tll", "1h", "--color", "always"], &[("NO_COLOR", "1")]);
    assert!(colored.stderr.starts_with("\u{1b}[1m\u{1b}[31merror:\u{1b}[0m unknown"), "{:?}", colored.stderr);
    let github = called(&["login", "--tll", "1h"], &[("GITHUB_ACTIONS", "true")]);
    assert!(
        github.stderr.starts_with("::error title=unknown flag `--tll`::hint: did you"),
        "{}",
        github.stderr
    );
    let json = called(&["login", "--json", "--ttl", "x"], &[]);
    let error: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(error["error"]["exit_code"], 2);
    let both = login(&["--proxy", "a", "--auth-server", "b"]);
    assert!(both.stderr.contains("cannot be used with"), "{}", both.stderr);
    assert!(login(&["--platform", "gitlub"]).stderr.contains("did you mean `gitlab`?"));
}

#[test]
fn errors_fit_the_terminal() {
    let env = jobpass::env::Env::new([("TERM", "xterm")], "/");
    let arguments = ["jobpass", "login", "--insecure"].map(Into::into).to_vec();
    let Err(jobpass::cli::parse::Stop::Usage(error)) = jobpass::cli::parse::parse(arguments, &env) else {
        panic!("a flag of tbot's is taken")
    };
    let failure = jobpass::report::Failure::new(&error.into(), jobpass::env::now());
    for (columns, lines) in [(100, 2), (40, 4)] {
        let text = failure.text_on(None, jobpass::env::now(), columns);
        assert!(text.lines().count() == lines && text.lines().all(|line| line.len() <= columns), "{text}");
    }
}

#[test]
fn words_of_tbot_and_tsh_are_answered() {
    for (arguments, want) in [
        (&["tbot", "start"][..], "use `jobpass login`"),
        (&["db", "connect"], "use `jobpass tunnel database="),
        (&["proxy", "db"], "use `jobpass tunnel database="),
        (&["kube", "login"], "use `jobpass login --output kube="),
        (&["ssh", "deploy@web-1"], "run ssh itself"),
        (&["status"], "use `jobpass inspect`"),
        (&["start", "identity"], "use `jobpass login`"),
        (&["login", "--oneshot"], "jobpass always runs once"),
        (&["login", "--join-uri", "tbot+proxy+x"], "`--proxy HOST`, `--token NAME`"),
        (&["login", "--insecure"], "--ca-file"),
        (&["login", "-d"], "`-v`"),
        (&["login", "--data-dir=/x"], "keeps no state"),
        (&["login", "--storage", "/x"], "keeps no state"),
    ] {
        let ran = called(arguments, &[]);
        assert!(ran.code == 2 && ran.stderr.contains(want), "{arguments:?}: {}", ran.all());
        assert!(!ran.stderr.contains("did you mean"), "{arguments:?}: {}", ran.all());
    }
}

#[test]
fn a_usage_error_leads_to_the_command_line_that_was_meant() {
    for (arguments, error, hint) in [
        (&["logn"][..], "unknown command", "did you mean `login`?"),
        (&["inspct"], "unknown command", "did you mean `inspect`?"),
        (
            &["--token", "x", "login"],
            "unknown flag `--token`",
            "put flags behind the command: `jobpass login --token`",
        ),
        (&["login", "--simulate", "github"], "`--dry-run` is missing", "add `--dry-run`"),
        (&["completions"], "`<SHELL>` is missing", "name the shell: `jobpass completions bash`"),
        (
            &["inspect", "--dir", "x"],
            "unknown flag `--dir`",
            "name the folder without a flag: `jobpass inspect DIR`",
        ),
        (
            &["logout", "--dir", "x"],
            "unknown flag `--dir`",
            "name the folder without a flag: `jobpass logout DIR`",
        ),
        (
            &["renew", "x"],
            "unexpected argument",
            "name the folder of `login --renew` by the flag: `jobpass renew --dir DIR`",
        ),
        (
            &["renew"],
            "`--dir` is missing",
            "name the folder of `login --renew` by the flag: `jobpass renew --dir DIR`",
        ),
        (&["renew", "--zz", "x"], "unknown flag `--zz`", "see `jobpass renew --help`"),
        (&["ssh-proxy"], "`--dir`, `<HOST>` and `<PORT>` are missing", "see `jobpass ssh-proxy --help`"),
        (
            &["exec", "--token", "x"],
            "the command to run is missing",
            "put the command to run behind `--`: `jobpass exec --token NAME -- COMMAND`",
        ),
    ] {
        let ran = called(arguments, &[]);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.all());
        assert_eq!(ran.stderr, format!("error: {error}\nhint: {hint}\n"), "{arguments:?}");
    }
    let tunnel = called(&["tunnel"], &[]).stderr;
    assert!(tunnel.contains("hint: name what to reach: `database=SERVICE`"), "{tunnel}");
}

#[test]
fn an_evaluating_shell_learns_of_failures() {
    for (arguments, code) in [
        (&["login", "--export", "shell", "--proxy", "127.0.0.1:1", "--token", "x"][..], 3),
        (&["login", "--export=shell", "--tll"], 2),
        (&["login", "--tll", "--export", "spacelift"], 2),
        (&["login", "--export", "shell", "--json"], 3),
    ] {
        let mut shell = Command::new("bash");
        shell.args(["-c", "set -e; eval \"$(\"$0\" \"$@\")\"; echo on"]).arg(binary()).args(arguments);
        let ran = Ran::of(&shell.env_clear().env("PATH", "/bin").stdin(Stdio::null()).output().unwrap());
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{arguments:?}: {}", ran.all());
    }
    assert_eq!(called(&["login", "--tll"], &[("JOBPASS_EXPORT", "shell")]).stdout, "(exit 2)\n");
    assert_eq!(login(&["--tll"]).stdout, "");
}

#[test]
fn every_flag_has_a_variable() {
    let called_by_others = ["ssh-proxy", "kube-credential", "renew"];
    for command in jobpass::cli::man::COMMANDS.into_iter().filter(|name| !called_by_others.contains(name)) {
        let help = called(&[command, "--help"], &[]).ok().stdout;
        let flags =
            help.lines().filter(|l| l.starts_with("      --") || l.starts_with("  -")).filter_map(|l| {
                let flag = l.split("--").nth(1)?.split([' ', '[']).next()?;
                (!matches!(flag, "help" | "version")).then_some(flag)
            });
        for flag in flags {
            // Which folder a tunnel is from is said each time.
            if (command, flag) == ("tunnel", "dir") {
                assert!(!help.contains("JOBPASS_OUTPUT_DIR"), "{help}");
                continue;
            }
            let name = if flag == "dir" { "output-dir" } else { flag };
            let variable = format!("JOBPASS_{}", name.to_ascii_uppercase().replace('-', "_"));
            assert!(help.replace('\n', " ").contains(&variable), "{command} --{flag}: no {variable}\n{help}");
        }
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}

#[test]
fn variables_stand_for_flags_that_are_not_given() {
    let cluster = Cluster::any();
    let report = |arguments: &[&str], variables: &[(&str, &str)]| -> Value {
        let job = variables.iter().fold(cluster.job(GitLabCi), |job, (name, value)| job.set(name, value));
        serde_json::from_str(&job.login(arguments).ok().stdout).unwrap()
    };
    let json = ("JOBPASS_JSON", "true");
    let of = report(&[], &[json, ("JOBPASS_ROLES", "ci-read"), ("JOBPASS_VERBOSE", "no")]);
    assert_eq!(of["outputs"][0]["roles"], serde_json::json!(["ci-read"]));
    let flag_wins =
        report(&["--roles", "ci-deploy", "-q"], &[json, ("JOBPASS_ROLES", "x"), ("JOBPASS_VERBOSE", "1")]);
    assert_eq!(flag_wins["outputs"][0]["roles"], serde_json::json!(["ci-deploy"]));
    let two = report(&[], &[json, ("JOBPASS_OUTPUT", "ssh,name=a\n  ssh,name=b\n")]);
    assert_eq!(two["outputs"].as_array().unwrap().len(), 2);
    // What the last login exported does not steer the next.
    let dir = report(&[], &[json, ("JOBPASS_DIR", "/elsewhere")]);
    assert_eq!(dir["dir"], cluster.path("temp/jobpass").to_str().unwrap());
    let dir = report(&[], &[json, ("JOBPASS_OUTPUT_DIR", "here")]);
    assert_eq!(dir["dir"], cluster.path("here").to_str().unwrap());
    let wrong = called(&["login"], &[("JOBPASS_TTL", "soon"), ("JOBPASS_TIMEOUT", "1s")]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.starts_with("error: invalid value for `JOBPASS_TTL`"), "{}", wrong.stderr);
    assert_eq!(called(&["login"], &[("JOBPASS_QUIET", "maybe")]).code, 2);
}

#[test]
fn variables_give_way_to_flags_that_exclude_them() {
    let folder = tempfile::tempdir().unwrap();
    let claims = folder.path().join("claims.json").display().to_string();
    std::fs::write(&claims, r#"{"iss":"https://gitlab.com","sub":"x"}"#).unwrap();
    let group =
        [("JOBPASS_ID_TOKEN_ENV", "NONE"), ("JOBPASS_ID_TOKEN_FILE", "/none"), ("JOBPASS_TOKEN", "ci")];
    called(&["explain", "--claims", &claims], &group).ok();
    // Without such a flag they count, and two of them are one too many.
    let both = called(&["explain"], &group);
    assert!(both.code == 2 && both.stderr.contains("JOBPASS_ID_TOKEN_"), "{}", both.all());
    let one = called(&["explain", "--id-token-file", "/none"], &group);
    assert!(one.stderr.contains("/none"), "{}", one.all());
}

#[test]
fn durations_and_folders_as_people_write_them() {
    let cluster = Cluster::any();
    let folder = format!("file://{}", cluster.path("x y").display()).replace(' ', "%20");
    let arguments = ["--destination", &folder, "--timeout", "50", "--ttl", "1d", "--json"];
    let report: Value = serde_json::from_str(&cluster.job(GitLabCi).login(&arguments).ok().stdout).unwrap();
    assert_eq!(report["dir"], cluster.path("x y").to_str().unwrap());
    let time = |field: &str| report[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let hours = time("valid_until").duration_since(time("issued_at")).as_hours();
    assert!((11..=24).contains(&hours), "{hours}");
}

#[test]
fn export_none_writes_nothing_at_all() {
    let cluster = Cluster::any();
    for arguments in [&["--export", "none"][..], &["--export", "none", "--roles", "nobody-has-this"]] {
        cluster.job(GitHubActions).login(arguments);
        for name in ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
            assert_eq!(std::fs::read_to_string(cluster.path(name)).unwrap(), "", "{name} {arguments:?}");
        }
    }
    let mut other = cluster.job(GitHubActions);
    "no-such-token".clone_into(&mut other.token);
    assert_eq!(other.login(&["--export", "none"]).code, 4);
    assert_eq!(std::fs::read_to_string(cluster.path("GITHUB_STEP_SUMMARY")).unwrap(), "");
    assert_eq!(other.login(&[]).code, 4);
    assert!(!std::fs::read_to_string(cluster.path("GITHUB_STEP_SUMMARY")).unwrap().is_empty());
}

#[test]
fn warnings_are_annotations_too() {
    let cluster = Cluster::any();
    let ran = cluster.job(GitHubActions).login(&["--ttl", "30h"]).ok();
    let annotated = ran.stderr.lines().find(|l| l.starts_with("::warning title=jobpass::")).unwrap();
    assert!(annotated.contains("24h"), "{annotated}");
    assert!(ran.stderr.contains("\nwarning: "), "{}", ran.stderr);
    let quiet = cluster.job(GitHubActions).login(&["--ttl", "30h", "-q"]).ok();
    assert_eq!(quiet.stderr, "");
}

#[test]
fn help_and_version_are_commands_too() {
    let help = called(&["help", "login"], &[]).ok().stdout;
    assert_eq!(help, called(&["login", "--help"], &[]).ok().stdout);
    assert!(called(&["help"], &[]).ok().stdout.contains("Commands:"));
    assert_eq!(called(&["version"], &[]).ok().stdout, called(&["--version"], &[]).ok().stdout);
    let none = called(&[], &[]);
    assert_eq!((none.code, none.stdout.as_str()), (2, ""));
    for part in [
        "[possible values: auto, github, gitlab, circleci, spacelift, bitbucket, ",
        "jenkins, shell, fish, powershell, env-file=PATH, none]",
        "generic_oidc",
        "[env: JOBPASS_PROXY, TELEPORT_PROXY]",
    ] {
        assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains(part), "{part}: {help}");
    }
    assert!(called(&["completions", "--help"], &[]).ok().stdout.contains("completions/jobpass"));
}

#[test]
fn manual_pages_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let page = called(&["man", "login"], &[]).ok().stdout;
    for part in [".TH jobpass-login 1", ".SH ENVIRONMENT", ".SH FILES", ".SH EXAMPLES", "JOBPASS_TTL"] {
        assert!(page.contains(part), "{part}");
    }
    put(&folder.path().join("page"), &page);
    assert_eq!(called(&["man", "no-such-command"], &[]).code, 2);
    // Where there is a formatter, it finds no fault.
    if Path::new("/usr/bin/groff").exists() {
        let path = folder.path().join("page").display().to_string();
        let ran = run("groff", &["-man", "-Tascii", "-ww", &path]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
}

#[test]
fn no_flags_variable_breaks_any_command() {
    use jobpass::cli::{parse, variables};
    let command = parse::command();
    for called in command.get_subcommands() {
        for variable in called.get_arguments().filter_map(|arg| variables::variable(called.get_name(), arg)) {
            for value in ["", "x", "true"] {
                let env = jobpass::env::Env::new([(variable.as_str(), value)], "/");
                let arguments = vec!["jobpass".into(), called.get_name().into()];
                // Whatever it says of the value, it says it in our words.
                if let Err(parse::Stop::Usage(error)) = parse::parse(arguments, &env) {
                    let text = error.to_string();
                    assert!(
                        !text.contains("cannot be read"),
                        "{} {variable}={value}: {text}",
                        called.get_name()
                    );
                }
            }
        }
    }
}
