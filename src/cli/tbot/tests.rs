mod errors;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::cli::parse::{Stop, parse};
use crate::cli::{Cli, Command, Login};
use crate::env::Env;
use crate::error::StageError as _;

/// `jobpass login` with these arguments, the file in `TBOT_CONFIG`.
fn login(yaml: &str, arguments: &[&str]) -> Result<Login, Stop> {
    let env = Env::new([("TBOT_CONFIG", STANDARD.encode(yaml))], "/");
    let all = ["jobpass", "login"].iter().chain(arguments).map(Into::into).collect();
    parse(all, &env).map(|cli| match cli {
        Cli { command: Command::Login(login), .. } => *login,
        other => panic!("{other:?}"),
    })
}

/// The flags that the file stands for.
#[track_caller]
fn flags(yaml: &str, arguments: &[&str]) -> String {
    match login(&format!("version: v2\n{yaml}"), arguments) {
        Ok(login) => {
            let line = login.config.outcome.command;
            line.strip_prefix("jobpass login").unwrap().trim().to_owned()
        }
        Err(stop) => panic!("{yaml}\n{stop:?}"),
    }
}

const OUTPUT: &str = "services:\n- type: ";

#[test]
fn each_field_is_a_flag() {
    for (yaml, want) in [
        ("", ""),
        ("proxy_server: teleport.example:3080", "--proxy teleport.example:3080"),
        ("auth_server: auth.example:3025", "--auth-server auth.example:3025"),
        ("auth_server: example.teleport.sh:443", "--proxy example.teleport.sh:443"),
        ("credential_ttl: 1h30m", "--ttl 1h30m"),
        ("certificate_ttl: 1m0s", "--ttl 1m0s"),
        ("fips: false\ninsecure: false\noneshot: true", ""),
        ("onboarding: {token: ci, join_method: github}", "--token ci --join-method github"),
        ("onboarding: {token: ci, join_method: iam}", "--token ci --join-method iam"),
        (
            "onboarding: {token: ci, join_method: gitlab, gitlab: {token_env_var_name: MY_JWT}}",
            "--token ci --join-method gitlab --id-token-env MY_JWT",
        ),
        // The settings of another method say nothing.
        (
            "onboarding: {token: ci, join_method: github, gitlab: {token_env_var_name: MY_JWT}}",
            "--token ci --join-method github",
        ),
        (
            "onboarding: {token: ci, join_method: terraform_cloud, terraform: {audience_tag: PROD}}",
            "--token ci --join-method terraform_cloud --id-token-env TFC_WORKLOAD_IDENTITY_TOKEN_PROD",
        ),
        (
            "onboarding: {token: ci, join_method: azure, azure: {client_id: 1-2}}",
            "--token ci --join-method azure --azure-client-id 1-2",
        ),
        (
            "onboarding: {token: ci, join_method: kubernetes, kubernetes: {token_path: /var/t}}",
            "--token ci --join-method kubernetes --id-token-file /var/t",
        ),
        (
            "onboarding: {token: ci, join_method: generic_oidc, generic_oidc: {env: JWT}}",
            "--token ci --join-method generic_oidc --id-token-env JWT",
        ),
        (
            "onboarding: {token: ci, join_method: generic_oidc, generic_oidc: {command: [get, 'a b'], timeout: 5s}}",
            "--token ci --join-method generic_oidc --id-token-command \"get 'a b'\"",
        ),
    ] {
        assert_eq!(flags(yaml, &[]), want, "{yaml}");
    }
    let pin = format!("sha256:{}", "ab".repeat(32));
    let pinned = format!("auth_server: a.example:3025\nonboarding: {{ca_pins: ['{pin}'], ca_path: /ca.pem}}");
    assert_eq!(flags(&pinned, &[]), format!("--auth-server a.example:3025 --ca-pin {pin} --ca-file /ca.pem"));
    // tbot does not look at pins behind a proxy, either.
    let proxied =
        format!("proxy_server: a.example\nonboarding: {{ca_pins: ['{pin}', '{pin}'], ca_path: /ca.pem}}");
    assert_eq!(flags(&proxied, &[]), "--proxy a.example");
}

#[test]
fn each_output_is_an_output() {
    for (yaml, want) in [
        ("identity", "--output ssh"),
        ("identity\n  destination: {type: directory, path: /opt/m}", "--output ssh --dir /opt/m"),
        (
            "identity\n  roles: [a, b]\n  cluster: leaf.example\n  name: deploy\n  ssh_config: on\n  allow_reissue: false",
            "--output 'ssh,cluster=leaf.example,name=deploy,roles=a+b'",
        ),
        ("kubernetes\n  kubernetes_cluster: prod\n  disable_exec_plugin: true", "--output 'kube=prod'"),
        (
            "kubernetes/v2\n  selectors:\n  - name: prod\n    default_namespace: web\n  context_name_template: '{{ .KubeName }}@{{.ClusterName}}'",
            "--output 'kube=prod,context={kube}@{cluster},namespace=web'",
        ),
        ("kubernetes/v2\n  selectors: [{labels: {env: prod, team: a}}]", "--output 'kube=env:prod+team:a'"),
        (
            "database\n  service: pg\n  username: ci\n  database: app\n  format: cockroach",
            "--output 'database=pg,user=ci,database-name=app,format=cockroach'",
        ),
        ("database\n  service: pg\n  format: ''", "--output 'database=pg'"),
        (
            "application\n  app_name: grafana\n  specific_tls_extensions: true\n  roles: [viewer]",
            "--output 'app=grafana,format=tls,roles=viewer'",
        ),
        ("application\n  app_name: grafana\n  credential_ttl: 30m", "--ttl 30m --output 'app=grafana'"),
        // Two have a folder each.
        (
            "identity\n  destination: {type: directory, path: /a}\noutputs:\n- type: database\n  service: pg\n  destination: {type: directory, path: b}",
            "--output 'ssh,dir=/a' --output 'database=pg,dir=b'",
        ),
        (
            "identity\n  credential_ttl: 10m\noutputs:\n- {type: application, app_name: x, certificate_ttl: 600s}",
            "--ttl 10m --output ssh --output 'app=x'",
        ),
    ] {
        assert_eq!(sorted(&flags(&format!("{OUTPUT}{yaml}"), &[])), sorted(want), "{yaml}");
    }
}

/// The order of the flags is that of the help.
fn sorted(flags: &str) -> Vec<String> {
    let mut all: Vec<String> =
        flags.replace('\'', "").split("--").map(|f| f.trim().to_owned()).filter(|f| !f.is_empty()).collect();
    all.sort();
    all
}

#[test]
fn the_command_line_wins() {
    let yaml = "proxy_server: file.example\ncredential_ttl: 2h\nonboarding: {token: file, join_method: gitlab, \
                gitlab: {token_env_var_name: JWT}}\nservices:\n- type: identity\n  roles: [a]\n  \
                destination: {type: directory, path: /file}\n";
    for (arguments, want) in [
        (
            &[][..],
            "--proxy file.example --token file --join-method gitlab --id-token-env JWT --ttl 2h --output ssh,roles=a --dir /file",
        ),
        (
            &["--proxy", "x"],
            "--proxy x --token file --join-method gitlab --id-token-env JWT --ttl 2h --output ssh,roles=a --dir /file",
        ),
        (
            &["--auth-server", "x"],
            "--auth-server x --token file --join-method gitlab --id-token-env JWT --ttl 2h --output ssh,roles=a --dir /file",
        ),
        (
            &["--id-token-file", "-"],
            "--proxy file.example --token file --join-method gitlab --id-token-file=- --ttl 2h --output ssh,roles=a --dir /file",
        ),
        (
            &["--token=y", "--ttl=5m", "--dir=/y", "--roles=b,c"],
            "--proxy file.example --token y --join-method gitlab --id-token-env JWT --ttl 5m --roles b,c --output ssh --dir /y",
        ),
        (
            &["--output=app=x", "--dry-run"],
            "--proxy file.example --token file --join-method gitlab --id-token-env JWT --output app=x --dry-run",
        ),
    ] {
        assert_eq!(sorted(&flags(yaml, arguments)), sorted(want), "{arguments:?}");
    }
    let auth = format!("auth_server: a.example\nonboarding: {{ca_pins: ['sha256:{}']}}", "00".repeat(32));
    assert_eq!(flags(&auth, &["--proxy", "p.example"]), "--proxy p.example");
    assert!(flags(&auth, &["--auth-server", "b.example"]).contains("b.example --ca-pin sha256:00"));
    assert_eq!(
        flags("onboarding: {token: x}", &["--join-method", "github"]),
        "--token x --join-method github"
    );
    // Different lives are no trouble to one who asks for a third.
    let lives = format!("{OUTPUT}identity\n  credential_ttl: 5m\n- type: application\n  app_name: x");
    assert!(login(&format!("version: v2\n{lives}"), &[]).is_err());
    assert!(flags(&lives, &["--ttl", "7m"]).contains("--ttl 7m"));
}

#[test]
fn what_does_not_matter_is_noted() {
    let yaml = "version: v2\ndebug: true\nstorage: {type: memory}\nrenewal_interval: 20m\noneshot: false\n\
                diag_addr: 127.0.0.1:3000\nservices:\n- type: identity\n  renewal_interval: 5m\n  ssh_config: off\n  \
                allow_reissue: true\n- type: kubernetes\n  kubernetes_cluster: a\n  disable_exec_plugin: false\n";
    let outcome = login(yaml, &[]).unwrap().config.outcome;
    let want = "`TBOT_CONFIG`: ignoring `storage` (line 3), `renewal_interval` (line 4), `oneshot` (line 5), `debug` \
                (line 2), `diag_addr` (line 6), `renewal_interval` (line 9), `ssh_config` (line 10), \
                `disable_exec_plugin` (line 14)";
    assert_eq!(outcome.notes, [want]);
    assert!(outcome.warnings[0].starts_with("`allow_reissue` (line 11)"), "{:?}", outcome.warnings);
}

#[test]
#[allow(clippy::disallowed_methods)] // a file to be read, nothing of ours
fn the_variables_of_tbot_name_one_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), "version: v2\nproxy_server: a.example\n").unwrap();
    let from = |variables: &[(&str, &str)], arguments: &[&str]| {
        let env = Env::new(variables.iter().copied(), folder.path());
        let all = ["jobpass", "login"].iter().chain(arguments).map(Into::into).collect();
        match parse(all, &env) {
            Ok(Cli { command: Command::Login(login), .. }) => Ok(login.config.outcome),
            Err(Stop::Config(error)) => Err(error.in_one_line()),
            other => panic!("{other:?}"),
        }
    };
    let proxy = "jobpass login --proxy a.example\n";
    let (encoded, broken) = (STANDARD.encode("version: v2\nproxy_server: b.example\n"), "%");
    assert_eq!(from(&[("TBOT_CONFIG_PATH", "a.yaml")], &[]).unwrap().command, proxy);
    assert_eq!(from(&[("TBOT_CONFIG", &encoded)], &["-c", "a.yaml"]).unwrap().command, proxy);
    assert_eq!(from(&[("JOBPASS_CONFIG", "a.yaml"), ("TBOT_CONFIG", broken)], &[]).unwrap().command, proxy);
    assert!(
        from(&[("TBOT_CONFIG_PATH", "a.yaml"), ("TBOT_CONFIG", &encoded)], &[])
            .unwrap_err()
            .contains("both set")
    );
    assert!(from(&[("TBOT_CONFIG", broken)], &[]).unwrap_err().contains("is not a tbot.yaml in base64"));
    assert!(from(&[], &["--config", "b.yaml"]).unwrap_err().contains("no such file"));
    let binary = STANDARD.encode([0xff, 0xfe]);
    assert!(from(&[("TBOT_CONFIG", &binary)], &[]).unwrap_err().contains("base64"));
    // What the environment says stays there; a token of another name is worth a word.
    let named = Path::new("a.yaml");
    std::fs::write(
        folder.path().join(named),
        "version: v2\nonboarding: {token: file, join_method: github}\n",
    )
    .unwrap();
    let seen = from(&[("TELEPORT_BOT_TOKEN", "other"), ("JOBPASS_TTL", "5m")], &["-c", "a.yaml"]).unwrap();
    assert_eq!(seen.command, "jobpass login --token file --join-method github\n");
    assert!(seen.warnings[0].contains("`TELEPORT_BOT_TOKEN` names another"), "{:?}", seen.warnings);
    assert!(from(&[("TELEPORT_BOT_TOKEN", "file")], &["-c", "a.yaml"]).unwrap().warnings.is_empty());
    assert_eq!(
        from(&[("JOBPASS_TOKEN", "x")], &["-c", "a.yaml"]).unwrap().command,
        "jobpass login --join-method github\n"
    );
}

/// Text that looks like a file, right or wrong.
fn yaml() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "version",
        "v2",
        "services",
        "outputs",
        "type",
        "identity",
        "kubernetes/v2",
        "database",
        "application",
        "selectors",
        "labels",
        "name",
        "roles",
        "destination",
        "directory",
        "path",
        "onboarding",
        "token",
        "join_method",
        "github",
        "credential_ttl",
        "1h",
        "service",
        "app_name",
        "a",
        "*",
        "&a",
        "*a",
        "<<",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "{{.KubeName}}",
        "{{",
        "!!binary",
        "~",
        "1",
        "true",
        ",",
        "+",
        ":",
        "\u{1b}",
        "é",
    ]);
    let join = prop::sample::select(vec![": ", "\n", "\n  ", "\n- ", "\n    ", " ", ", "]);
    prop::collection::vec((word, join), 0..40).prop_map(|parts| {
        parts.into_iter().fold("version: v2\n".to_owned(), |text, (word, join)| text + word + join)
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in prop_oneof![".{0,200}", "(?s).{0,200}", yaml()]) {
        let _ = read(&text, false);
    }

    /// What is printed asks for the same as the file.
    #[test]
    fn the_printed_command_is_equal(
        name in "[a-z]{1,8}",
        role in "[a-zA-Z0-9'\"$\\\\*é-]{1,12}( [a-z'!]{1,3})?",
        path in "/[a-z '$\"\\\\,é]{1,12}",
        user in "[a-z'\"$=+-]{1,12}( [a-z;]{1,3})?",
    ) {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let yaml = format!(
            "version: v2\nproxy_server: p.example\nservices:\n- type: database\n  service: {name}\n  username: {}\n  \
             roles: [{}]\n  destination: {{type: directory, path: {}}}\n",
            quoted(&user), quoted(&role), quoted(&path),
        );
        let read = login(&yaml, &[]).unwrap();
        let words = shlex::split(&read.config.outcome.command).unwrap();
        let again = match parse(words.into_iter().map(Into::into).collect(), &Env::new::<&str, &str>([], "/")) {
            Ok(Cli { command: Command::Login(login), .. }) => *login,
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(format!("{:?}{:?}", read.output, read.cluster), format!("{:?}{:?}", again.output, again.cluster));
    }
}

#[test]
fn files_under_fire() {
    let file = "version: v2\nproxy_server: p.example:443\nonboarding: {token: ci, join_method: github, ca_pins: ['sha256:ab']}\n\
                credential_ttl: 1h\noutputs:\n- type: identity\n  roles: [a, b]\n  destination: {type: directory, path: /x}\n\
                - type: database\n  service: pg\n  username: ci\n  destination: /y\n";
    let services = "version: v2\nauth_server: a:3025\nservices:\n- {type: kubernetes/v2, selectors: [{name: k}], destination: &d {path: /z}}\n\
                    - {type: application, app_name: x, destination: *d}\n";
    // The budget for nodes and aliases is what bounds a document.
    crate::under_fire::parser("tbot.yaml", [file, services]).slow(4).memory(2_000, 16 << 20).text(|text| {
        let _ = (read(text, false), read(text, true));
    });
}
