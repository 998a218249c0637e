use super::login;
use crate::cli::parse::Stop;
use crate::error::{Exit, StageError as _};

#[test]
fn a_tunnel_of_tbot_is_named_as_ours_takes_it() {
    for (fields, want) in [
        (
            "database-tunnel\n  listen: tcp://127.0.0.1:25432\n  service: pg\n  username: ci\n  database: app",
            "`jobpass tunnel database=pg:25432,user=ci,database-name=app`",
        ),
        ("application-tunnel\n  app_name: grafana", "`jobpass tunnel app=grafana`"),
        ("application-tunnel\n  app_name: a b\n  listen: unix:///x", "`jobpass tunnel app=NAME`"),
        ("application-tunnel\n  app_name: '$(id)'", "`jobpass tunnel app=NAME`"),
        ("ssh-multiplexer", "the `ssh_config` of an `identity` output"),
        ("workload-identity-api", "keep tbot for it"),
    ] {
        let yaml = format!("version: v2\nservices:\n- type: {fields}");
        let Err(Stop::Config(error)) = login(&yaml, &[]).map(|_| ()) else { panic!("{yaml}") };
        let hints = error.hints().concat();
        assert!(hints.contains(want), "{yaml}: {hints}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (yaml, line, want) in [
        ("version: v1\nfoo: 1", 1, "is not `v2`"),
        ("proxy_server: x", 1, "`version: v2` is missing"),
        ("- a", 1, "expected a mapping"),
        ("version: v2\n---\nversion: v2", 3, "second document"),
        ("version: v2\nproxy_sever: x", 2, "unknown field `proxy_sever`"),
        ("version: v2\nproxy_server: 'x y'", 2, "invalid value for `proxy_server`"),
        ("version: v2\nproxy_server: [a]", 2, "must be a string"),
        ("version: v2\nproxy_server: 12", 2, "put it in quotes"),
        ("version: v2\nauth_server: a b", 2, "invalid value for `auth_server`"),
        ("version: v2\nproxy_server: a\nauth_server: b", 3, "exclude each other"),
        ("version: v2\ncredential_ttl: 5", 2, "put it in quotes"),
        ("version: v2\ncredential_ttl: 5s", 2, "invalid value for `credential_ttl`"),
        ("version: v2\ncredential_ttl: 5m\ncertificate_ttl: 5m", 3, "old name of"),
        ("version: v2\nfips: true", 2, "`fips: true`"),
        ("version: v2\n\ninsecure: yes", 3, "`insecure: true`"),
        ("version: v2\ninsecure: maybe", 2, "`true` or `false`"),
        ("version: v2\nonboarding: x", 2, "`onboarding` must be a mapping"),
        ("version: v2\nonboarding:\n  tokne: x", 3, "unknown field `onboarding.tokne`"),
        ("version: v2\nonboarding:\n  token: x", 3, "`onboarding.join_method` is missing"),
        ("version: v2\nonboarding:\n  join_method: token", 3, "not a method that jobpass serves"),
        (
            "version: v2\nonboarding:\n  join_method: gitlab\n  gitlab:\n    env: x",
            5,
            "unknown field `onboarding.gitlab.env`",
        ),
        (
            "version: v2\nonboarding:\n  join_method: generic_oidc\n  generic_oidc:\n    env: x\n    command: [a]",
            5,
            "exclude each other",
        ),
        ("version: v2\nauth_server: a.b\nonboarding:\n  ca_pins:\n  - a\n  - b", 6, "more than one pin"),
        (
            "version: v2\nauth_server: a.b\nonboarding:\n  ca_pins:\n  - a",
            5,
            "invalid value for `onboarding.ca_pins`",
        ),
        ("version: v2\nservices:\n  type: identity", 3, "`services` must be a list"),
        ("version: v2\nservices:\n- x", 3, "`services` must be a mapping"),
        ("version: v2\nservices:\n- name: x", 3, "`services.type` is missing"),
        ("version: v2\nservices:\n- type: idenity", 3, "unknown `type: idenity`"),
        (
            "version: v2\nservices:\n- type: identity\n- type: database-tunnel\n  listen: tcp://x",
            4,
            "`database-tunnel` keeps running",
        ),
        ("version: v2\nservices:\n- type: ssh_host", 3, "issues host certificates"),
        (
            "version: v2\nservices:\n- listen: x\n  type: workload-identity-x509",
            4,
            "issues workload identities",
        ),
        ("version: v2\nservices:\n- type: identity\n  sshconfig: on", 4, "unknown field `sshconfig`"),
        (
            "version: v2\nservices:\n- type: identity\n  destination:\n    type: memory",
            5,
            "is not a `directory`",
        ),
        (
            "version: v2\nservices:\n- type: identity\n  destination:\n    path: /x",
            5,
            "`destination.type` is missing",
        ),
        (
            "version: v2\nservices:\n- type: identity\n  destination:\n    type: directory",
            5,
            "`destination.path` is missing",
        ),
        (
            "version: v2\nservices:\n- type: identity\n  destination:\n    type: directory\n    path: x\n    readers:\n    - user: a",
            8,
            "open to other users",
        ),
        (
            "version: v2\nservices:\n- type: identity\n  destination:\n    type: directory\n    path: x\n    acls: required",
            7,
            "open to other users",
        ),
        ("version: v2\nservices:\n- type: identity\n  roles: a", 4, "`roles` must be a list"),
        ("version: v2\nservices:\n- type: identity\n  roles:\n  - ''", 5, "empty string"),
        ("version: v2\nservices:\n- type: identity\n  roles:\n  - a+b", 5, "has a `+`"),
        ("version: v2\nservices:\n- type: identity\n  name: a/b", 3, "the `identity` cannot be used"),
        ("version: v2\nservices:\n- type: identity\n  cluster: a,b", 4, "has a comma"),
        ("version: v2\nservices:\n- type: kubernetes", 3, "`kubernetes_cluster` is missing"),
        (
            "version: v2\nservices:\n- type: kubernetes\n  kubernetes_cluster: '*'",
            3,
            "not a name of a cluster",
        ),
        ("version: v2\nservices:\n- type: kubernetes/v2", 3, "`selectors` is missing"),
        (
            "version: v2\nservices:\n- type: kubernetes/v2\n  selectors:\n  - name: a\n  - name: b",
            6,
            "more than one entry",
        ),
        (
            "version: v2\nservices:\n- type: kubernetes/v2\n  selectors:\n  - {}",
            5,
            "either a `name` or `labels`",
        ),
        (
            "version: v2\nservices:\n- type: kubernetes/v2\n  selectors:\n  - labels: {}",
            5,
            "`selectors.labels` is empty",
        ),
        (
            "version: v2\nservices:\n- type: kubernetes/v2\n  selectors:\n  - labels:\n      'a:b': c",
            6,
            "cannot express",
        ),
        (
            "version: v2\nservices:\n- type: kubernetes/v2\n  context_name_template: '{{.Labels}}'\n  selectors: [{name: a}]",
            4,
            "more than `.ClusterName`",
        ),
        (
            "version: v2\nservices:\n- type: kubernetes/v2\n  relay_server: x\n  selectors: [{name: a}]",
            4,
            "unknown field `relay_server`",
        ),
        ("version: v2\nservices:\n- type: database", 3, "`service` is missing"),
        (
            "version: v2\nservices:\n- type: database\n  service: a\n  format: x",
            3,
            "the `database` cannot be used",
        ),
        ("version: v2\nservices:\n- type: application", 3, "`app_name` is missing"),
        (
            "version: v2\nservices:\n- type: identity\n  credential_ttl: 5m\n- type: application\n  app_name: x",
            4,
            "different lives",
        ),
        ("version: v2\nservices: [", 2, "it is not YAML"),
        ("version: v2\na: &a [*a, *a]\n", 2, "it is not YAML"),
        ("# nothing", 0, "it is empty"),
    ] {
        let stop = login(yaml, &[]).map(|login| login.config.outcome.command).unwrap_err();
        let Stop::Config(error) = stop else { panic!("{yaml}: {stop:?}") };
        let place =
            if line == 0 { "`TBOT_CONFIG`: ".to_owned() } else { format!("`TBOT_CONFIG`, line {line}: ") };
        let shown = error.to_string();
        assert!(shown.starts_with(&place) && shown.contains(want), "{yaml}\n{shown}");
        assert_eq!(error.exit(), Exit::Usage);
    }
}
